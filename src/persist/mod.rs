//! What lies on disk, and the way there and back: snapshots and append-only files.
//!
//! It never touches a socket, and knows databases only as a stream of items.

pub mod aof;
pub mod lock;
pub mod rdb;
