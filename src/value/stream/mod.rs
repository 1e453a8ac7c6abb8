//! Streams: entries of fields and values under ascending ids, and the groups of consumers that read them.
//!
//! Never reads a clock, knows a command's syntax or propagates anything: ids, times and limits are arguments,
//! and what XREADGROUP or XCLAIM did to a pending entry comes back for the caller to tell others. Nodes hold
//! exactly the bytes of the RDB file, cut where Redis 8.0.6 cuts them; what only makes finding faster (their
//! order, the groups' lists) is ours. Source of truth: `FORMAT.md` here for nodes, `t_stream.c` of 8.0.6 for
//! what the operations do.

mod group;
mod id;
mod load;
mod log;
mod node;
mod ordered;
mod radix;
mod range;
#[cfg(test)]
mod tests;

pub use group::{AutoClaim, Claim, Claimed, Consumer, ConsumerId, ENTRIES_READ_UNKNOWN, Group, Groups, Nack};
pub use id::{IdText, StreamId};
pub use load::{Counters, Flaw, Loader};
pub use log::{AppendError, Keep, Log, SetIdError};
pub use node::{Fields, Node};
pub use range::{Range, StreamEntry};

/// A stream. Two parts, so that a group can be changed while entries are read.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// The entries.
    pub log: Log,
    /// The consumer groups.
    pub groups: Groups,
}

impl Stream {
    /// An empty stream, without groups.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// OBJECT ENCODING's name for it.
    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Bytes of memory that it takes, itself included.
    pub fn memory(&self) -> usize {
        size_of::<Stream>() + self.log.heap_bytes() + self.groups.heap_bytes()
    }
}

const _: () = assert!(size_of::<Stream>() <= 112); // one size class of the allocator
