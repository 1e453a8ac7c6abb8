//! Strings and counters.

mod get;
mod set;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[&get::GET, &set::SET];
