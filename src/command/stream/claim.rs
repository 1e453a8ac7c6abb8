//! How the log tells of pending entries: what XREADGROUP, XCLAIM and XAUTOCLAIM share.

use crate::command::*;
use crate::value::stream::{Group as ConsumerGroup, Nack, StreamId};

/// The name of a pending entry's consumer; empty in odd files only.
pub(super) fn owner<'g>(group: &'g ConsumerGroup, nack: &Nack) -> &'g [u8] {
    nack.consumer.and_then(|id| group.consumer(id)).map_or(b"", |consumer| consumer.name())
}

/// A pending entry as the log is told of it.
struct ToldNack {
    consumer: Vec<u8>,
    /// The id as the request had it.
    id: Vec<u8>,
    nack: Nack,
    last_id: StreamId,
}

/// What happened to a group, as far as the log must know. Filled only if somebody listens.
pub(super) struct Told {
    listened: bool,
    /// A consumer was made that no pending entry will tell of.
    pub consumer: Option<Vec<u8>>,
    nacks: Vec<ToldNack>,
    /// The group's position moved: to this id, so many entries read.
    pub position: Option<(StreamId, i64)>,
}

impl Told {
    pub fn new(ctx: &Ctx<'_>) -> Told {
        let listened = ctx.state.listens();
        Told { listened, consumer: None, nacks: Vec::new(), position: None }
    }

    /// An entry is pending like this now, or was before it was dropped.
    pub fn nack(&mut self, group: &ConsumerGroup, nack: &Nack, id: &[u8]) {
        if self.listened {
            let consumer = owner(group, nack).to_vec();
            self.nacks.push(ToldNack { consumer, id: id.to_vec(), nack: *nack, last_id: group.last_id });
        }
    }

    /// Tells the log: a consumer, pending entries, the position; nothing of the request itself.
    pub fn propagate(&self, ctx: &mut Ctx<'_>, key: &[u8], group: &[u8]) {
        ctx.propagate_nothing();
        if let Some(consumer) = &self.consumer {
            ctx.propagate(&[b"XGROUP", b"CREATECONSUMER", key, group, consumer]);
        }
        for told in &self.nacks {
            told.propagate(ctx, key, group);
        }
        if let Some((id, read)) = self.position {
            let mut buffer = itoa::Buffer::new();
            let read = buffer.format(read).as_bytes();
            ctx.propagate(&[b"XGROUP", b"SETID", key, group, &id.text(), b"ENTRIESREAD", read]);
        }
    }
}

impl ToldNack {
    /// As a claim that does the same however often it is replayed, and fetches no entry.
    fn propagate(&self, ctx: &mut Ctx<'_>, key: &[u8], group: &[u8]) {
        let (mut time, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
        ctx.propagate(&[
            b"XCLAIM",
            key,
            group,
            &self.consumer,
            b"0",
            &self.id,
            b"TIME",
            time.format(self.nack.delivery_time_ms).as_bytes(),
            b"RETRYCOUNT",
            count.format(self.nack.delivery_count as i64).as_bytes(),
            b"FORCE",
            b"JUSTID",
            b"LASTID",
            &self.last_id.text(),
        ]);
    }
}

/// What a claim changed.
pub(super) struct Changes {
    /// Pending entries, and the group's position if that is told on its own.
    pub claims: usize,
    /// The consumer was made.
    pub created: bool,
}

impl Changes {
    /// As the change of a key; only the making of a consumer is an event.
    pub fn as_change(&self) -> Change {
        let event = if self.created { "xgroup-createconsumer" } else { "" };
        Change { event, ..quiet(self.claims + usize::from(self.created)) }
    }
}

/// A change of a group that has no event, nor is seen by who watches the key.
pub(super) fn quiet(dirty: usize) -> Change {
    Change { dirty: dirty as u64, unwatched: dirty > 0, ..Change::NONE }
}
