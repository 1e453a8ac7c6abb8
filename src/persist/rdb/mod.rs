#![doc = include_str!("FORMAT.md")]
//!
//! # This room
//! Bytes on disk to items and back. It never touches a socket, a database or a clock, and does not decide what
//! is kept: expired keys, duplicate keys and databases beyond the configured number are its caller's business.
//! Source of truth: the text above, and the files in `fixtures/rdb`.

mod dump;
pub mod error;
mod input;
mod load;
mod output;
mod reader;
mod save;
mod skip;
pub mod source;
pub mod tags;
mod version;
mod visit;
mod writer;

pub use dump::{RestoreError, dump, dump_functions, restore, restore_functions};
pub use error::{LoadError, LoadErrorKind, SaveError};
pub use load::{LoadOptions, Loaded};
pub use reader::{Item, Meta, ModuleAux, Pending, Reader};
pub use source::{SliceSource, Source, StreamSource};
pub use version::{Dialect, SaveVersion, Version};
pub use visit::Visit;
pub use writer::{Body, KeyInfo, SaveOptions, Writer};

#[cfg(test)]
mod tests;
