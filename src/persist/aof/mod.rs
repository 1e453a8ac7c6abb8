//! The append log on disk: which files make it up, and the frames in them.
//!
//! It never runs a command and touches no database; who replays, checks or writes a log is above.
//! Source of truth: the files under `fixtures/aof`, which real servers wrote and read.

pub mod commands;
mod crowd;
pub mod disk;
pub mod manifest;
pub mod reader;
pub mod spent;
pub mod tail;
pub mod until;

pub use commands::Commands;
pub use disk::{Disk, DiskFile, RealDisk};
pub use manifest::{Kind, Manifest, ManifestError, Names, Part};
pub use reader::{Entry, Head, LogError, LogErrorKind, LogReader};
pub use spent::{Event, Spent};
pub use tail::{Buffered, Policy, Tail, Trouble};

pub use until::Until;
