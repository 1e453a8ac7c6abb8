//! The verbs: every command a client can send, one file each, and the table that lists them.
//!
//! A handler gets a [`Ctx`] and its [`Args`], writes its reply straight into the connection's buffer and records
//! what it changed. The room knows no sockets, no files and no processes; what needs those goes through
//! [`Host`]. Adding a command is one file and one line in its family's list.

pub mod answer;
pub mod bitmap;
pub mod connection;
mod ctx;
pub mod docs;
mod error;
pub mod expiry;
pub mod generic;
pub mod geo;
pub mod hash;
pub mod help;
mod host;
pub mod hyperloglog;
pub mod keys;
pub mod list;
pub mod parse;
pub mod pubsub;
pub mod sample;
pub mod scan;
mod scripting;
pub mod server;
pub mod set;
mod sort_part;
pub mod spec;
pub mod stream;
pub mod string;
pub mod table;
#[cfg(test)]
mod tests;
pub mod transaction;
pub mod zset;

pub use crate::keyspace::{Change, Effect, Missing};
pub use crate::resp::{Args, Replied};
pub use answer::ReplyExt;
pub use ctx::Ctx;
pub use error::{CmdError, bad_subcommand, shown};
pub use host::{
    Break, Delivery, Errand, Host, LogVitals, Reload, RewriteError, Rewriting, SaveError, Shutdown, Vitals,
};
pub use parse::ArgsExt;
pub use spec::*;
