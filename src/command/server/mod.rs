//! The operator's commands: configuration, information, saving, looking inside.

mod config;
mod dbsize;
mod debug;
mod flush;
mod save;
mod shutdown;
mod swapdb;
mod time;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &save::BGSAVE,
    &config::CONFIG,
    &dbsize::DBSIZE,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &time::LASTSAVE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &swapdb::SWAPDB,
    &time::TIME,
];
