//! Saving: in the foreground, by a forked child, by save points.
//!
//! A snapshot is written to a temporary file in `dir`, synced, renamed over the old one, and the directory synced.
//! Whatever fails, the old file stays and no temporary one does.

pub(super) mod feed;
mod fork;
mod reap;
mod target;
mod write;

use super::process::{oom, system, title};
use super::{Server, boot};
use crate::command::{CmdError, Ctx, SaveError};
use crate::engine::{Child, State};
use crate::keyspace::Keyspace;
use crate::persist::rdb;
use crate::text::clock::Now;
use crate::value::table::hold_shrinking;
use crate::{notice, warning};

pub(super) use fork::{Ended, fork, pipe, start_writeback};
pub(super) use reap::{Orders, Work, progress, take_leave, watch, while_no_child};
use target::Target;
pub(super) use target::{remove_own, remove_stale};
pub(super) use write::Snapshot;

/// SAVE.
pub(super) fn save(keyspace: &Keyspace, state: &mut State) -> Result<(), SaveError> {
    if state.saving.running_child(Child::Save).is_some() {
        return Err(SaveError::Running);
    }
    state.saving.saves += 1;
    save_now(keyspace, state)
}

/// Saves in the foreground, even if there is a child still: one that was told to stop.
pub(super) fn save_now(keyspace: &Keyspace, state: &mut State) -> Result<(), SaveError> {
    let snapshot = Snapshot::of(keyspace, state);
    match save_to_target(&snapshot, state) {
        Ok(()) => {
            notice!("DB saved on disk");
            succeeded(state, 0);
            Ok(())
        }
        Err(error) => {
            let (SaveError::Failed(reason) | SaveError::Refused(reason)) = &error else { return Err(error) };
            warning!("{reason}");
            Err(error)
        }
    }
}

fn save_to_target(snapshot: &Snapshot<'_>, state: &State) -> Result<(), SaveError> {
    let mut target = Target::create(&state.config).map_err(SaveError::Failed)?;
    snapshot.write(&mut target.file, |_| ()).map_err(|error| match &error {
        rdb::SaveError::Unsupported { .. } => SaveError::Refused(why(&error)),
        rdb::SaveError::Io(_) => SaveError::Failed(why(&error)),
    })?;
    target.replace().map_err(SaveError::Failed)
}

/// What the log says of content that could not be written.
fn why(error: &rdb::SaveError) -> String {
    match error {
        rdb::SaveError::Io(error) => write_error("rdbSaveRio", error),
        rdb::SaveError::Unsupported { .. } => format!("Can't save the DB: {error} (see rdb-save-version)"),
    }
}

/// What the log says of a file that could not be written; `step` as the real server calls it.
fn write_error(step: &str, error: &std::io::Error) -> String {
    format!("Write error while saving DB to the disk({step}): {}", system::reason(error))
}

/// A save went well: what it held counts as saved.
fn succeeded(state: &mut State, dirty_since: u64) {
    let now = state.clock.now().ms / 1000;
    state.saving.dirty = dirty_since;
    state.saving.last_save = now;
    state.saving.last_ok = true;
}

/// Forks a child that saves. True: another child is busy and this save was put off (`schedule`).
pub(super) fn bgsave(
    server: &Server,
    keyspace: &mut Keyspace,
    state: &mut State,
    schedule: bool,
) -> Result<bool, SaveError> {
    match state.saving.running {
        Some(running) if running.child == Child::Save => return Err(SaveError::Running),
        Some(_) if schedule => {
            state.saving.scheduled = true;
            return Ok(true);
        }
        Some(_) => return Err(SaveError::Busy),
        None => {}
    }
    let now = state.clock.now();
    state.saving.last_try = now.ms / 1000;
    state.saving.scheduled = false;
    state.saving.saves += 1;
    match start_child(server, keyspace, state, now, Purpose::Keep) {
        Ok(()) => Ok(false),
        Err(reason) => {
            warning!("Can't save in background: {reason}");
            state.saving.last_ok = false;
            Err(SaveError::Failed(reason))
        }
    }
}

/// For whom a child writes a snapshot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Keep,
    Follow,
}

fn start_child(
    server: &Server,
    keyspace: &mut Keyspace,
    state: &mut State,
    now: Now,
    purpose: Purpose,
) -> Result<(), String> {
    // Without a target there is a child all the same, which fails: that is how the real server tells.
    let mut target = Target::create(&state.config);
    let (report, reports) = pipe()?;
    let orders = reap::Orders { report, title: title::of_child(&state.config, "redis-rdb-bgsave") };
    let forked_at = state.clock.mono_us();
    let pid = {
        let snapshot = Snapshot::of(keyspace, state);
        let report = report_fd(&orders.report);
        let keep = [report, target.as_ref().map_or(report, Target::fd)];
        let child = || {
            // The reason of a failure is in the log, and no reason not to save.
            let _ = oom::apply(&state.config, oom::Role::Child);
            reap::child(&snapshot, &mut target, &orders)
        };
        fork(child, &keep)?
    };
    drop(orders);
    let target = target.map(|target| target.name_after(pid.unsigned_abs()));
    state.saving.forks += 1;
    state.saving.last_fork_us = state.clock.mono_us().saturating_sub(forked_at);
    state.note_delay("fork", state.saving.last_fork_us);
    notice!("Background saving started by pid {pid}");
    keyspace.set_resizing(false);
    hold_shrinking(true);
    let file = target.as_ref().ok().map(|target| target.temporary().to_owned());
    state.saving.begin_child(Child::Save, pid, now, keyspace.total_keys(), file);
    super::append::obey(&server.append, state);
    let work = match purpose {
        Purpose::Keep => Work::Save(target.ok()),
        Purpose::Follow => Work::Follow(target.ok()),
    };
    watch(server, pid, reports, work);
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
    let failed = CmdError::text("ERR Error trying to load the RDB dump, check server logs.");
    if how.flush {
        (0..ctx.db.all().count()).for_each(|index| ctx.touch_watched(index, None));
        let all = (0..ctx.db.all().count()).map(|index| ctx.db.keyspace().take_database(index)).collect();
        super::trash::discard_databases(all);
        ctx.state.invalidate_all();
        ctx.state.libraries = Default::default();
    }
    let request = boot::Request::of(&ctx.state.config, ctx.now, how.merge);
    match boot::load_file(&request, ctx.db.keyspace(), &mut ctx.state.libraries, &|_| ()) {
        Ok(Some(found)) => {
            let saving = &mut ctx.state.saving;
            (saving.loaded_keys, saving.loaded_expired) = (found.keys, found.expired);
            Ok(())
        }
        Ok(None) => Err(failed),
        Err(error) => {
            warning!("{error}");
            Err(failed)
        }
    }
}

/// Tells the child, if there is one, to stop. Its end is settled later, as no success and no failure.
pub(super) fn kill_child(state: &mut State) {
    let Some(running) = &mut state.saving.running else { return };
    running.aborted = true;
    if !running.ended {
        fork::kill(running.pid);
    }
    if let Some(file) = state.saving.child_file.take() {
        // The process may end before the reaper removes it.
        let _ = std::fs::remove_file(file);
    }
}

/// All databases were emptied by FLUSHALL: so is the file, if there are save points.
pub(super) fn flushed_all(keyspace: &Keyspace, state: &mut State) {
    if state.saving.running_child(Child::Save).is_some() {
        kill_child(state);
    }
    // A replay only comes by.
    if !state.config.save.is_empty() && state.loading.is_none() {
        // Its failure is in the log.
        let _ = save_now(keyspace, state);
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
