//! Scripts and functions. Nothing runs yet: libraries are kept as they were loaded, and can be looked at.

mod function;
mod script;

use super::Command;

pub(super) use function::scan;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[&function::FUNCTION, &script::SCRIPT];
