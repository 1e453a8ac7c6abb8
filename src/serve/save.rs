//! Saving: in the foreground, by a forked child, by save points.

use super::Server;
use crate::command::{CmdError, Ctx, SaveError};
use crate::engine::State;
use crate::keyspace::Keyspace;
use crate::text::clock::Now;

/// Saves in the foreground.
pub(super) fn save(_: &Server, _: &mut Keyspace, _: &mut State) -> Result<(), SaveError> {
    Err(SaveError::Failed("saving is not built yet".into()))
}

/// Forks a child that saves.
pub(super) fn bgsave(_: &Server, _: &mut Keyspace, _: &mut State, _: bool) -> Result<bool, SaveError> {
    Err(SaveError::Failed("saving is not built yet".into()))
}

/// Saves and loads again.
pub(super) fn reload(_: &Server, _: &mut Ctx<'_>, _: bool, _: bool) -> Result<(), CmdError> {
    Err(CmdError::text("ERR saving is not built yet"))
}

/// Ends a child that saves, if there is one.
pub(super) fn kill_child(_: &mut State) {}

/// Starts a background save when a save point is due.
pub(super) fn by_save_points(_: &Server, _: &mut Keyspace, _: &mut State, _: Now) {}
