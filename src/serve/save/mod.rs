//! Saving: in the foreground, by a forked child, by save points.
//!
//! A snapshot is written to a temporary file in `dir`, synced, renamed over the old one, and the directory synced.
//! Whatever fails, the old file stays and no temporary one does.

mod fork;
mod reap;
mod target;
mod write;

use super::{Server, boot};
use crate::command::{CmdError, Ctx, SaveError};
use crate::engine::State;
use crate::engine::saving::Running;
use crate::keyspace::Keyspace;
use crate::text::clock::Now;
use crate::{notice, warning};

use target::Target;
pub(super) use target::remove_stale;
use write::Snapshot;

/// Saves in the foreground.
pub(super) fn save(keyspace: &Keyspace, state: &mut State) -> Result<(), SaveError> {
    if state.saving.running.is_some() {
        return Err(SaveError::Running);
    }
    let snapshot = Snapshot::of(keyspace, state);
    match save_to_target(&snapshot, state) {
        Ok(()) => {
            notice!("DB saved on disk");
            succeeded(state, 0);
            Ok(())
        }
        Err(reason) => {
            warning!("Error saving DB on disk: {reason}");
            Err(SaveError::Failed(reason))
        }
    }
}

fn save_to_target(snapshot: &Snapshot<'_>, state: &State) -> Result<(), String> {
    let mut target = Target::create(&state.config)?;
    snapshot.write(&mut target.file, |_| ()).map_err(|error| error.to_string())?;
    target.replace()
}

/// A save went well: what it held counts as saved.
fn succeeded(state: &mut State, dirty_since: u64) {
    let now = state.clock.now().ms / 1000;
    state.saving.dirty = dirty_since;
    state.saving.last_save = now;
    state.saving.last_ok = true;
    state.saving.saves += 1;
}

/// Forks a child that saves. True: a child is busy and this save was put off (`schedule`).
pub(super) fn bgsave(
    server: &Server,
    keyspace: &mut Keyspace,
    state: &mut State,
    schedule: bool,
) -> Result<bool, SaveError> {
    let _ = schedule; // only the append log's rewriting makes a save wait
    if state.saving.running.is_some() {
        return Err(SaveError::Running);
    }
    let now = state.clock.now();
    state.saving.last_try = now.ms / 1000;
    state.saving.scheduled = false;
    match start_child(server, keyspace, state, now) {
        Ok(()) => Ok(false),
        Err(reason) => {
            warning!("Can't save in background: {reason}");
            state.saving.last_ok = false;
            Err(SaveError::Failed(reason))
        }
    }
}

fn start_child(server: &Server, keyspace: &mut Keyspace, state: &mut State, now: Now) -> Result<(), String> {
    let mut target = Target::create(&state.config)?;
    let (report, reports) = fork::pipe()?;
    let forked_at = state.clock.mono_us();
    let pid = {
        let snapshot = Snapshot::of(keyspace, state);
        let keep = [report_fd(&report), target.fd()];
        let child = || reap::child(&snapshot, &mut target.file, &report);
        fork::fork(child, &keep)?
    };
    drop(report);
    state.saving.forks += 1;
    state.saving.last_fork_us = state.clock.mono_us().saturating_sub(forked_at);
    notice!("Background saving started by pid {pid}");
    keyspace.set_resizing(false);
    state.saving.running = Some(Running {
        pid,
        started: now.ms / 1000,
        started_us: now.mono_us,
        dirty_at_start: state.saving.dirty,
        keys_total: keyspace.total_keys() as u64,
    });
    state.saving.child_file = Some(target.temporary().to_owned());
    (state.saving.child_keys_done, state.saving.child_cow_bytes) = (0, 0);
    reap::watch(server, pid, reports, target);
    Ok(())
}

fn report_fd(file: &std::fs::File) -> i32 {
    use std::os::fd::AsRawFd;
    file.as_raw_fd()
}

/// Saves (unless told not to), empties (unless told not to) and loads again. `merge`: keys that are there already
/// are no error.
pub(super) fn reload(ctx: &mut Ctx<'_>, how: crate::command::Reload) -> Result<(), CmdError> {
    if how.save && save(ctx.db.keyspace(), ctx.state).is_err() {
        return Err(CmdError::text("ERR"));
    }
    let failed = CmdError::text("ERR Error trying to load the RDB dump, check server logs");
    if how.flush {
        let all = (0..ctx.db.all().count()).map(|index| ctx.db.keyspace().take_database(index)).collect();
        super::trash::discard_databases(all);
        ctx.state.libraries = Default::default();
    }
    let request = boot::Request::of(&ctx.state.config, ctx.now, how.merge);
    match boot::load_file(&request, ctx.db.keyspace(), &mut ctx.state.libraries, &|_| ()) {
        Ok(_) => Ok(()),
        Err(error) => {
            warning!("{error}");
            Err(failed)
        }
    }
}

/// Ends a child that saves, if there is one, and waits until it is gone.
pub(super) fn kill_child(state: &mut State) {
    if let Some(running) = state.saving.running.take() {
        warning!("There is a child saving an .rdb. Killing it!");
        fork::kill(running.pid);
        if let Some(file) = state.saving.child_file.take() {
            // The process may end before the reaper drops it.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Seconds between tries after a failed background save.
const RETRY_SECONDS: u64 = 5;

/// Starts a background save when a save point is due, or one that was put off.
pub(super) fn by_save_points(server: &Server, keyspace: &mut Keyspace, state: &mut State, now: Now) {
    if state.saving.running.is_some() {
        return;
    }
    let seconds = now.ms / 1000;
    let saving = &state.saving;
    let rested = saving.last_ok || seconds.saturating_sub(saving.last_try) > RETRY_SECONDS;
    if !rested {
        return;
    }
    let elapsed = seconds.saturating_sub(saving.last_save);
    let due =
        |point: &&crate::engine::config::SavePoint| saving.dirty >= point.changes && elapsed > point.seconds;
    if let Some(point) = state.config.save.iter().find(due) {
        notice!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    } else if !saving.scheduled {
        return;
    }
    // Its failure is in the log and in INFO.
    let _ = bgsave(server, keyspace, state, false);
}
