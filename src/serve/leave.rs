//! Leaving: save what is to be saved, remove what would mislead the next start, stop.

use std::path::Path;

use super::process::notify;
use super::{Server, append, save};
use crate::command::Shutdown;
use crate::engine::config::ShutdownFlags;
use crate::engine::{Child, State};
use crate::keyspace::Keyspace;
use crate::{notice, warning};

/// How to leave.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leave {
    /// Save although no save point is configured.
    pub save: bool,
    /// Don't save although save points are configured.
    pub nosave: bool,
    /// Leave even if saving fails.
    pub force: bool,
}

impl Leave {
    /// As `shutdown-on-sigint` and `shutdown-on-sigterm` say.
    pub fn from_flags(flags: ShutdownFlags) -> Leave {
        Leave {
            save: flags.has(ShutdownFlags::SAVE),
            nosave: flags.has(ShutdownFlags::NOSAVE),
            force: flags.has(ShutdownFlags::FORCE),
        }
    }
}

impl From<Shutdown> for Leave {
    fn from(how: Shutdown) -> Leave {
        Leave { save: how.save, nosave: how.nosave, force: how.force }
    }
}

/// Saving failed, as the log says, so the server stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stays;

/// Saves if that is to be done, and ends the process, under the engine's lock: nobody is told of a write that comes
/// after the save. An error (already in the log) if saving failed.
pub fn leave(server: &Server, keyspace: &mut Keyspace, state: &mut State, how: Leave) -> Result<(), Stays> {
    notice!("User requested shutdown...");
    tell(state, notify::stopping);
    if state.saving.running_child(Child::Save).is_some() {
        warning!("There is a child saving an .rdb. Killing it!");
        save::kill_child(state);
    }
    if !append::finish(server, state, how.force) {
        tell(state, || notify::status("Writing initial AOF, can't exit."));
        warning!("Errors trying to shut down the server. Check the logs for more information.");
        return Err(Stays);
    }
    let wanted = how.save || (!state.config.save.is_empty() && !how.nosave);
    // Half a data set must not take the place of a whole one.
    if wanted && state.loading.is_none() {
        notice!("Saving the final RDB snapshot before exiting.");
        tell(state, || notify::status("Saving the final RDB snapshot"));
        if save::save_now(keyspace, state).is_err() {
            give_up(state, how.force)?;
        }
    }
    clean_up(state);
    server.claims.release();
    warning!("Redis is now ready to exit, bye bye...");
    if let Some(wires) = server.wires.get() {
        wires.stop(0);
    }
    Ok(())
}

/// The save failed.
fn give_up(state: &State, force: bool) -> Result<(), Stays> {
    if force {
        warning!("Error trying to save the DB. Exit anyway.");
        return Ok(());
    }
    warning!("Error trying to save the DB, can't exit.");
    tell(state, || notify::status("Error trying to save the DB, can't exit."));
    warning!("Errors trying to shut down the server. Check the logs for more information.");
    Err(Stays)
}

/// Leaves at once, whatever else is going on: a second SIGINT.
pub fn leave_at_once() -> ! {
    // The working directory is `dir`.
    save::remove_own(Path::new("."));
    std::process::exit(1)
}

fn tell(state: &State, what: impl FnOnce()) {
    if state.process.under_systemd {
        what();
    }
}

fn clean_up(state: &State) {
    let pidfile = state.config.pidfile.as_ref();
    for path in pidfile.into_iter().chain(&state.config.unixsocket) {
        notice!("Removing the {} file.", if Some(path) == pidfile { "pid" } else { "unix socket" });
        // Gone already: so much the better.
        let _ = std::fs::remove_file(path);
    }
}
