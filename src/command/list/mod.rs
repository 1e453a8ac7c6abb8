//! list

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[];
