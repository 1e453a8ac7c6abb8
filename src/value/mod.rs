//! The data structures behind the types that a client sees: strings, lists, sets, hashes, sorted sets, streams.
//!
//! They never do I/O, read a clock, write a reply or know what a key is; what they need from outside
//! (thresholds, the time) is an argument. Source of truth for the packed forms: `listpack` and
//! `intset`, whose bytes are those of the disk format.

mod block;
pub mod geo;
#[cfg(test)]
mod golden;
pub mod hash;
pub mod hll;
pub mod intset;
pub mod legacy;
pub mod limits;
pub mod list;
pub mod listpack;
pub mod module;
mod packed;
pub mod set;
pub mod stream;
pub mod string;
pub mod table;
pub mod zset;

pub(crate) use block::capacity;
pub use hash::Hash;
pub use intset::{Intset, IntsetRef};
pub use limits::Limits;
pub use list::List;
pub use listpack::{Corrupt, Entry, Listpack, ListpackRef};
pub use module::ModuleValue;
pub use packed::Packed;
pub use set::Set;
pub use stream::{Stream, StreamId};
pub use string::Str;
pub use zset::Zset;

/// Any value that a key can hold.
pub enum Value {
    Str(Str),
    List(List),
    Set(Set),
    Zset(Zset),
    Hash(Hash),
    Stream(Box<Stream>),
    Module(Box<ModuleValue>),
}
