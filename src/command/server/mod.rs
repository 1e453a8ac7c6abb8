//! The operator's commands: configuration, information, saving, looking inside.

mod dbsize;
mod debug;
mod flush;
mod swapdb;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] =
    &[&dbsize::DBSIZE, &debug::DEBUG, &flush::FLUSHALL, &flush::FLUSHDB, &swapdb::SWAPDB];
