//! The operator's commands: configuration, information, saving, looking inside.

mod command;
mod config;
mod dbsize;
mod debug;
mod flush;
mod info;
mod memory;
mod save;
mod shutdown;
mod swapdb;
mod time;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &save::BGSAVE,
    &command::COMMAND,
    &config::CONFIG,
    &dbsize::DBSIZE,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &info::INFO,
    &time::LASTSAVE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &swapdb::SWAPDB,
    &time::TIME,
];
