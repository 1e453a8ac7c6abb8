//! Leaving: save what is to be saved, remove what would mislead the next start, stop.

use super::{Server, save};
use crate::command::Shutdown;
use crate::engine::State;
use crate::engine::config::ShutdownFlags;
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

/// Saves if that is to be done, and stops the main loop. An error (already in the log) if saving failed.
pub fn leave(server: &Server, keyspace: &mut Keyspace, state: &mut State, how: Leave) -> Result<(), Stays> {
    notice!("User requested shutdown...");
    save::kill_child(state);
    let wanted = how.save || (!state.config.save.is_empty() && !how.nosave);
    if wanted && state.loading.is_none() {
        notice!("Saving the final RDB snapshot before exiting.");
        if save::save(keyspace, state).is_err() {
            warning!("Error trying to save the DB, can't exit.");
            if !how.force {
                return Err(Stays);
            }
        }
    }
    clean_up(state);
    notice!("Redis is now ready to exit, bye bye...");
    if let Some(wires) = server.wires.get() {
        wires.stop(0);
    }
    Ok(())
}

fn clean_up(state: &State) {
    let pidfile = state.config.pidfile.as_ref();
    for path in pidfile.into_iter().chain(&state.config.unixsocket) {
        notice!("Removing the {} file.", if Some(path) == pidfile { "pid" } else { "unix socket" });
        // Gone already: so much the better.
        let _ = std::fs::remove_file(path);
    }
}
