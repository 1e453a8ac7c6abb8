//! Transactions: requests that are queued and then run as one, on condition that watched keys are untouched.

mod discard;
mod exec;
mod multi;
mod watch;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] =
    &[&discard::DISCARD, &exec::EXEC, &multi::MULTI, &watch::UNWATCH, &watch::WATCH];
