//! Bytes into requests and replies into bytes: RESP2, RESP3 and inline requests.
//!
//! A connection owns a [`Parser`] and an [`Out`]; a worker owns one [`Batch`] for all its connections. It parses what it
//! has read into the batch without the engine's lock, then lends each request as [`Args`] to the road, which answers
//! through a [`Reply`]. What must outlive the batch (a queued or blocked request) becomes [`OwnedArgs`].
//!
//! Never here: sockets, keys, clocks, and what a command means. Bytes are hostile: nothing is reserved by an
//! announced length, and no request is scanned from its beginning more often than it is short.
//! Source of truth: Redis 8.0.6, including what it lets pass (the two bytes behind an argument are not looked at).

mod args;
mod batch;
mod cut;
mod error;
mod out;
mod parse;
mod reply;
mod wire;

pub use args::{Args, OwnedArgs};
pub use batch::Batch;
pub use cut::Cut;
pub use error::ProtocolError;
pub use out::{Mark, Out};
pub use parse::{BIG_ARG, Parsed, Parser, ParserLimits};
pub use reply::{Deferred, Proto, Replied, Reply};
pub use wire::request;

#[cfg(test)]
mod tests;
