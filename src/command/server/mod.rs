//! The operator's commands: configuration, information, saving, looking inside.

mod acl;
mod command;
mod config;
mod dbsize;
mod debug;
mod flush;
mod info;
mod latency;
mod memory;
mod module;
mod monitor;
mod role;
mod save;
mod shutdown;
mod slowlog;
mod swapdb;
mod sync;
mod time;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &acl::ACL,
    &save::BGREWRITEAOF,
    &save::BGSAVE,
    &command::COMMAND,
    &config::CONFIG,
    &dbsize::DBSIZE,
    &debug::DEBUG,
    &flush::FLUSHALL,
    &flush::FLUSHDB,
    &info::INFO,
    &time::LASTSAVE,
    &latency::LATENCY,
    &role::LOLWUT,
    &memory::MEMORY,
    &module::MODULE,
    &monitor::MONITOR,
    &sync::REPLCONF,
    &role::ROLE,
    &save::SAVE,
    &shutdown::SHUTDOWN,
    &slowlog::SLOWLOG,
    &swapdb::SWAPDB,
    &sync::SYNC,
    &time::TIME,
];
