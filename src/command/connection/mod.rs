//! Connections: greeting, selecting a database, looking at clients.

mod echo;
mod ping;
mod select;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[&echo::ECHO, &ping::PING, &select::SELECT];
