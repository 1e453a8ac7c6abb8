//! Answering with values: what the reply writer cannot know, as it knows no data structures.

use crate::resp::{Replied, Reply};
use crate::value::listpack::Entry;

/// What handlers write besides the plain replies.
pub trait ReplyExt {
    /// An element of an aggregate, as a string.
    fn element(&mut self, element: Entry<'_>) -> Replied;
}

impl ReplyExt for Reply<'_> {
    #[inline]
    fn element(&mut self, element: Entry<'_>) -> Replied {
        match element {
            Entry::Str(text) => self.bulk(text),
            Entry::Int(n) => self.bulk_int(n),
        }
    }
}
