//! Keys, whatever they hold: their names, types, expiry, and how they move.

mod del;
mod exists;
mod type_of;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] =
    &[&del::DEL, &exists::EXISTS, &exists::TOUCH, &type_of::TYPE, &del::UNLINK];
