//! Answering with entries.

use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{StreamEntry, StreamId};

/// Answers with an id.
pub(super) fn id(reply: &mut Reply<'_>, id: StreamId) -> Replied {
    reply.bulk(&id.text())
}

/// Answers with an entry: its id, and fields and values in turn.
#[inline]
pub(super) fn one(reply: &mut Reply<'_>, entry: StreamEntry<'_>) -> Replied {
    let replied = reply.array(2);
    id(reply, entry.id);
    reply.array(2 * entry.fields.len());
    for (field, value) in entry.fields {
        reply.element(field);
        reply.element(value);
    }
    replied
}

/// Answers with entries.
pub(super) fn all<'a>(reply: &mut Reply<'_>, entries: impl Iterator<Item = StreamEntry<'a>>) -> Replied {
    let array = reply.deferred_array();
    let n = entries.map(|entry| one(reply, entry)).count();
    reply.patch(array, n)
}
