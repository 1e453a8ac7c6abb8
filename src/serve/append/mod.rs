//! The append log's life: opened at the start, written at the ends of turns, rewritten by a forked child, closed.
//!
//! Writes reach the log by the road of every change: frames collect in `engine::log` while the engine is locked,
//! leave it for `persist::aof::tail` when it becomes free, and are written there before replies leave. What is here
//! opens and replaces files, and knows what the real server says about it.

mod files;
mod rewrite;

use std::borrow::Cow;
use std::sync::Arc;

use super::Server;
use super::save::{self, Snapshot};
use crate::command::{Ctx, RewriteError, Rewriting};
use crate::engine::config::{Config, Fsync};
use crate::engine::{Child, Engine, LogState, State};
use crate::keyspace::Keyspace;
use crate::notice;
use crate::persist::aof::{Disk, Manifest, Policy, Tail};
use crate::persist::rdb::SaveError;
use crate::text::clock::Now;
use crate::text::os::reason;

use files::{Files, Logged, text};
pub(super) use rewrite::Rewrite;

/// What the log needs outside the engine.
pub struct Append {
    /// What was logged, on its way to the disk.
    pub tail: Arc<Tail>,
    disk: Arc<dyn Disk>,
    /// The thread that syncs was started.
    thread: std::sync::Once,
}

impl Append {
    /// On this disk. `die` ends the process, after an error that `always` does not survive.
    pub(super) fn new(disk: Arc<dyn Disk>, die: impl Fn() + Send + Sync + 'static) -> Append {
        Append { tail: Arc::new(Tail::new(die)), disk, thread: std::sync::Once::new() }
    }

    fn start_thread(&self) {
        let tail = self.tail.clone();
        let start = || {
            let work = move || tail.serve();
            std::thread::Builder::new().name("bio_aof".into()).spawn(work).expect("a thread can be started");
        };
        self.thread.call_once(start);
    }
}

/// Hands over what the engine has logged, as it is about to be free.
#[inline]
pub(super) fn hand_over(tail: &Tail, state: &mut State) {
    let end = state.log.lsn();
    let pending = state.log.pending();
    if !pending.is_empty() {
        tail.push(pending, end);
    }
}

/// Makes the log behave as configured: when to sync.
pub(super) fn obey(append: &Append, state: &State) {
    let config = &state.config;
    let policy = match config.appendfsync {
        Fsync::EverySecond => Policy::EverySecond,
        Fsync::Always => Policy::Always,
        Fsync::Never => Policy::Never,
    };
    let lenient = config.no_appendfsync_on_rewrite && state.saving.running.is_some();
    append.tail.set_policy(policy, lenient);
    append.tail.set_child(state.saving.running.is_some());
}

/// The latency monitor learns what the log has met since the last time.
pub(super) fn note_delays(append: &Append, state: &mut State) {
    append.tail.spent().take().for_each(|(event, us)| state.note_delay(event, us));
}

/// The data set is loaded (or empty): from now on writes are logged, if they are to be. An error is in the log, and
/// the server must not run. `from_log`: it is what the log said.
pub(super) fn open_at_start(server: &Server, engine: &mut Engine, from_log: bool) -> Result<(), NotOpened> {
    let Engine { keyspace, state } = engine;
    obey(&server.append, state);
    reread(server, state).map_err(|Logged| NotOpened)?;
    if !state.config.appendonly {
        return Ok(());
    }
    if !from_log {
        // Turned on since. A log that is there says something else.
        state.log.state = LogState::Waiting;
        state.log.rewriting.scheduled = true;
        return Ok(());
    }
    open(&server.append, keyspace, state).map_err(|Logged| NotOpened)
}

/// Takes over the manifest that lies there, also of a log that is turned off: the next base must not take the place of
/// one that is still named.
pub(super) fn reread(server: &Server, state: &mut State) -> Result<(), Logged> {
    if state.saving.running_child(Child::Rewrite).is_none() {
        state.log.manifest = Files::of(&state.config, &*server.append.disk).manifest()?;
    }
    Ok(())
}

/// The log could not be opened, as its lines say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpened;

fn open(append: &Append, keyspace: &Keyspace, state: &mut State) -> Result<(), Logged> {
    let files = Files::of(&state.config, &*append.disk);
    files.make_dir()?;
    let mut manifest = state.log.manifest.clone();
    let base_size = manifest.base().map_or(0, |base| files.size(&base.name));
    if manifest.is_empty() {
        first_base(&files, &mut manifest, keyspace, state)?;
    }
    let is_new = manifest.incrs().is_empty();
    state.log.offset = offset_of(&files, &manifest);
    if is_new {
        manifest.next_incr(files.names(), state.log.manifest_offset());
    }
    manifest.set_end_offset(None);
    let name = manifest.incrs().last().map(|part| part.name.clone()).expect("there is one, now");
    let file = files.append(&name)?;
    // What an earlier process wrote and did not sync counts from here on, and others may follow it.
    file.sync().map_err(|error| files::logged("Fail to fsync the AOF file", &error))?;
    files.replace_manifest(&manifest)?;
    let (size, name) = (files.size(&name), text(&name));
    match is_new {
        true => notice!("Creating AOF incr file {name} on server start"),
        false => notice!("Opening AOF incr file {name} on server start"),
    }
    append.tail.open(file, size);
    append.start_thread();
    let total = manifest.parts().map(|part| files.size(&part.name)).sum();
    state.log.measure(total, state.log.lsn());
    state.log.base_size = base_size;
    state.log.state = LogState::On;
    state.log.take_frames(true);
    collect(&files, &mut manifest, &state.config);
    state.log.manifest = manifest;
    Ok(())
}

/// The replication offset at the log's end: as it was left behind, or by the bytes of the last increment.
fn offset_of(files: &Files<'_>, manifest: &Manifest) -> u64 {
    let Some(last) = manifest.incrs().last() else { return 0 };
    let estimate = || last.start_offset.unwrap_or(0).saturating_add_unsigned(files.size(&last.name));
    u64::try_from(last.end_offset.unwrap_or_else(estimate)).unwrap_or(0)
}

/// The log ends in order: the manifest says at which replication offset. That is no more than a help.
fn note_end(append: &Append, state: &mut State) {
    // One whose child has ended is about to replace the manifest itself.
    let rewriting = state.saving.running_child(Child::Rewrite).is_some_and(|running| running.ended);
    if state.log.state != LogState::On || state.log.manifest.incrs().is_empty() || rewriting {
        return;
    }
    let offset = state.log.manifest_offset();
    state.log.manifest.set_end_offset(offset);
    let _ = Files::of(&state.config, &*append.disk).replace_manifest(&state.log.manifest);
}

/// Removes what rewrites left, if it is not to be kept any longer.
pub(super) fn remove_garbage(server: &Server, state: &mut State) {
    // A rewrite that runs will do it at its end, and has the manifest until then.
    if state.saving.running_child(Child::Rewrite).is_none() {
        let files = Files::of(&state.config, &*server.append.disk);
        collect(&files, &mut state.log.manifest, &state.config);
    }
}

/// A log begins with a base: what there is, mostly nothing.
fn first_base(
    files: &Files<'_>,
    manifest: &mut Manifest,
    keyspace: &Keyspace,
    state: &State,
) -> Result<(), Logged> {
    let config = &state.config;
    let temporary = format!("temp-rewriteaof-{}.aof", std::process::id());
    let mut base = files.create_temporary(&temporary, config.aof_rewrite_incremental_fsync)?;
    let name = manifest.next_base(files.names(), config.aof_use_rdb_preamble).name.clone();
    let snapshot = Snapshot::of(keyspace, state);
    let written = write_base(&snapshot, &mut base, config, |_| ()).and_then(|()| {
        let placed = files.place_base(&base.path, &name);
        let what = "Error moving temp append only file on the final destination";
        placed.map_err(|error| files::logged(what, &error))
    });
    if written.is_err() {
        files.remove(&base.path);
    }
    written?;
    notice!("Creating AOF base file {} on server start", text(&name));
    Ok(())
}

/// Writes and syncs a base, in the configured form. `progress` hears how many keys are done.
fn write_base(
    snapshot: &Snapshot<'_>,
    base: &mut files::Base,
    config: &Config,
    progress: impl FnMut(u64),
) -> Result<(), Logged> {
    let failed = |why: String| {
        crate::warning!("Write error writing append only file on disk: {why}");
        Logged
    };
    match config.aof_use_rdb_preamble {
        true => snapshot.write_base(&mut *base, progress).map_err(|error| match error {
            SaveError::Io(error) => failed(reason(&error)),
            other => failed(other.to_string()),
        })?,
        false => snapshot
            .write_commands(&mut *base, config.aof_timestamp_enabled, progress)
            .map_err(|error| failed(reason(&error)))?,
    }
    base.file.sync().map_err(|error| failed(reason(&error)))
}

/// Removes history, once nobody names it any more. Whatever fails, the log is whole.
fn collect(files: &Files<'_>, manifest: &mut Manifest, config: &Config) {
    if config.aof_disable_auto_gc || manifest.history().is_empty() {
        return;
    }
    let mut without = manifest.clone();
    let history = without.take_history();
    if files.replace_manifest(&without).is_ok() {
        *manifest = without;
        files.remove_history(&history);
    }
}

/// CONFIG SET appendonly: begins or ends to log. While a data set is loaded, its end sees to it.
pub(super) fn turn(server: &Server, ctx: &mut Ctx<'_>) -> Result<(), Cow<'static, str>> {
    if ctx.state.loading.is_some() {
        return Ok(());
    }
    if ctx.state.config.appendonly && !ctx.state.config.aof_until.is_empty() {
        return Err(
            "the log's files are left alone: this is the state of an earlier moment (aof-until)".into()
        );
    }
    match (ctx.state.config.appendonly, ctx.state.log.state) {
        (true, LogState::Off) => {
            let in_exec = ctx.session.executing;
            begin(server, ctx.db.keyspace(), ctx.state, in_exec)
                .map_err(|Logged| "Unable to turn on AOF. Check server logs.".into())
        }
        (false, LogState::On | LogState::Waiting) => {
            stop(server, ctx.state);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Begins to log: as soon as there is a base for what is logged to stand on.
fn begin(server: &Server, keyspace: &mut Keyspace, state: &mut State, in_exec: bool) -> Result<(), Logged> {
    state.log.state = LogState::Waiting;
    let scheduled = "An AOF background was scheduled to start when possible.";
    if state.saving.running_child(Child::Rewrite).is_some() {
        notice!(
            "AOF was enabled but there is already an AOF rewriting in background. Stopping background AOF and starting \
             a rewrite now."
        );
        // It does not collect what comes after it. The next one starts as soon as this one is gone.
        save::kill_child(state);
        state.log.rewriting.scheduled = true;
    } else if state.saving.running.is_some() {
        notice!("AOF was enabled but there is already another background operation. {scheduled}");
        state.log.rewriting.scheduled = true;
    } else if in_exec {
        notice!("AOF was enabled during a transaction. {scheduled}");
        state.log.rewriting.scheduled = true;
    } else if rewrite::start(server, keyspace, state).is_err() {
        state.log.state = LogState::Off;
        crate::warning!(
            "Redis needs to enable the AOF but can't trigger a background AOF rewrite operation. Check the above logs \
             for more info about the error."
        );
        return Err(Logged);
    }
    server.append.tail.forgive();
    Ok(())
}

/// Writes and syncs what there is, and ends to log.
fn stop(server: &Server, state: &mut State) {
    hand_over(&server.append.tail, state);
    server.append.tail.close();
    note_end(&server.append, state);
    if state.log.state == LogState::Waiting {
        rewrite::forget_increment(&server.append, state);
    }
    state.log.take_frames(false);
    state.log.state = LogState::Off;
    state.log.rewriting.scheduled = false;
    if let Some(running) = state.saving.running_child(Child::Rewrite) {
        notice!("Killing running AOF rewrite child: {}", running.pid);
        save::kill_child(state);
    }
}

/// The server is about to leave: writes and syncs what there is. False if it must not leave yet: what is logged has no
/// base to stand on.
pub(super) fn finish(server: &Server, state: &mut State, force: bool) -> bool {
    if state.saving.running_child(Child::Rewrite).is_some() {
        if state.log.state == LogState::Waiting {
            if !force {
                crate::warning!("Writing initial AOF, can't exit.");
                return false;
            }
            crate::warning!("Writing initial AOF. Exit anyway.");
        }
        crate::warning!("There is a child rewriting the AOF. Killing it!");
        save::kill_child(state);
    }
    if state.log.state != LogState::Off {
        notice!("Calling fsync() on the AOF file.");
        hand_over(&server.append.tail, state);
        server.append.tail.finish();
        note_end(&server.append, state);
    }
    true
}

/// BGREWRITEAOF.
pub(super) fn rewrite(server: &Server, ctx: &mut Ctx<'_>) -> Result<Rewriting, RewriteError> {
    let (in_exec, state) = (ctx.session.executing, &mut *ctx.state);
    if state.saving.running_child(Child::Rewrite).is_some() {
        return Err(RewriteError::Running);
    }
    if state.saving.running.is_some() || in_exec {
        state.log.rewriting.scheduled = true;
        // Asked for by hand, it need not wait because it failed so often.
        state.log.rewriting.failures = 0;
        return Ok(Rewriting::Scheduled);
    }
    let started = rewrite::start(server, ctx.db.keyspace(), ctx.state);
    started.map(|()| Rewriting::Started).map_err(|Logged| RewriteError::Failed)
}

/// What the timers do for the log: rewrites that are wanted, or due because it has grown.
pub(super) fn cron(server: &Server, keyspace: &mut Keyspace, state: &mut State, now: Now) {
    note_delays(&server.append, state);
    if state.saving.running.is_some() {
        return;
    }
    let now_s = now.ms / 1000;
    if state.log.trouble.is_unsynced() && state.log.state == LogState::On && !state.log.doubted {
        // What a failed sync was about may be lost, though the next one succeeds: a new base is not.
        state.log.doubted = true;
        state.log.rewriting.scheduled = true;
    }
    let growth = grown(server, state);
    if (state.log.rewriting.scheduled || growth.is_some()) && !state.log.rewriting.is_limited(now_s) {
        if let Some(growth) = growth.filter(|_| !state.log.rewriting.scheduled) {
            notice!("Starting automatic rewriting of AOF on {growth}% growth");
        }
        // Its failure is in the log and in INFO.
        let _ = rewrite::start(server, keyspace, state);
    }
}

/// By how many percent the log has grown since the last rewrite, if it is time for one.
fn grown(server: &Server, state: &State) -> Option<u64> {
    let config = &state.config;
    let percent = u64::from(config.auto_aof_rewrite_percentage);
    if state.log.state != LogState::On || percent == 0 {
        return None;
    }
    let size = state.log.size_at(server.append.tail.written());
    let growth = (size.saturating_mul(100) / state.log.base_size.max(1)).checked_sub(100)?;
    (size > config.auto_aof_rewrite_min_size && growth >= percent).then_some(growth)
}
