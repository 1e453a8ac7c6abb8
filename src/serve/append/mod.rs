//! The append log's life: opened at the start, written at the ends of turns, rewritten by a forked child, closed.
//!
//! Writes reach the log by the road of every change: frames collect in `engine::log` while the engine is locked,
//! leave it for `persist::aof::tail` when it becomes free, and are written there before replies leave. What is here
//! opens and replaces files, and knows what the real server says about it.

mod files;

use std::borrow::Cow;
use std::sync::Arc;

use super::Server;
use super::save::Snapshot;
use crate::command::Ctx;
use crate::engine::config::{Config, Fsync};
use crate::engine::{Engine, LogState, State};
use crate::keyspace::Keyspace;
use crate::notice;
use crate::persist::aof::{Disk, Manifest, Policy, RealDisk, Tail};
use crate::text::os::reason;

use files::{Files, Logged, text};

/// What the log needs outside the engine.
pub struct Append {
    /// What was logged, on its way to the disk.
    pub tail: Arc<Tail>,
    disk: Arc<dyn Disk>,
    /// The thread that syncs was started.
    thread: std::sync::Once,
}

impl Append {
    /// On this machine's disk. An error that `always` does not survive ends the process.
    pub(super) fn new() -> Append {
        let die = || std::process::exit(1);
        Append { tail: Arc::new(Tail::new(die)), disk: Arc::new(RealDisk), thread: std::sync::Once::new() }
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
}

/// The data set is loaded (or empty): from now on writes are logged, if they are to be. An error is in the log, and
/// the server must not run.
pub(super) fn open_at_start(server: &Server, engine: &mut Engine) -> Result<(), NotOpened> {
    let Engine { keyspace, state } = engine;
    if !state.config.appendonly {
        return Ok(());
    }
    obey(&server.append, state);
    open(&server.append, keyspace, state).map_err(|Logged| NotOpened)
}

/// The log could not be opened, as its lines say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpened;

fn open(append: &Append, keyspace: &Keyspace, state: &mut State) -> Result<(), Logged> {
    let files = Files::of(&state.config, &*append.disk);
    files.make_dir()?;
    let mut manifest = files.manifest()?;
    if !manifest.is_empty() {
        crate::warning!("Fatal error: an existing append log can't be read yet");
        return Err(Logged);
    }
    if manifest.is_empty() {
        first_base(&files, &mut manifest, keyspace, state)?;
    }
    let is_new = manifest.incrs().is_empty();
    if is_new {
        manifest.next_incr(files.names(), Some(0));
    }
    manifest.set_end_offset(None);
    let name = manifest.incrs().last().map(|part| part.name.clone()).expect("there is one, now");
    let file = files.append(&name)?;
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
    state.log.base_size = total;
    state.log.state = LogState::On;
    state.log.take_frames(true);
    collect(&files, &mut manifest, &state.config);
    state.log.manifest = manifest;
    Ok(())
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
    let written = write_base(&snapshot, &mut base).and_then(|()| {
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

fn write_base(snapshot: &Snapshot<'_>, base: &mut files::Base) -> Result<(), Logged> {
    let failed = |why: String| {
        crate::warning!("Write error writing append only file on disk: {why}");
        Logged
    };
    snapshot.write_base(&mut *base, |_| ()).map_err(|error| failed(error.to_string()))?;
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

/// CONFIG SET appendonly: begins or ends to log.
pub(super) fn turn(server: &Server, ctx: &mut Ctx<'_>) -> Result<(), Cow<'static, str>> {
    let wanted = ctx.state.config.appendonly;
    match ctx.state.log.state {
        LogState::Off if wanted => Err("the append log can't be turned on at run time yet".into()),
        LogState::On | LogState::Waiting if !wanted => {
            stop(&server.append, ctx.state);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Writes and syncs what there is, as the server is about to leave.
pub(super) fn finish(server: &Server, state: &mut State) {
    if state.log.state != LogState::Off {
        notice!("Calling fsync() on the AOF file.");
        hand_over(&server.append.tail, state);
        server.append.tail.finish();
    }
}

/// Writes and syncs what there is, and ends to log.
fn stop(append: &Append, state: &mut State) {
    hand_over(&append.tail, state);
    append.tail.close();
    state.log.take_frames(false);
    state.log.state = LogState::Off;
}
