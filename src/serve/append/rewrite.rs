//! Rewriting: a forked child writes a new base, the parent goes on in a new increment, and a manifest joins the two.
//!
//! In this order, so that a crash anywhere leaves a directory that loads with everything acknowledged: the old increment
//! is written out and synced; the new one is created, then named by a durable manifest; the child writes and syncs
//! the base under another name; it gets its own name; a manifest names it and the last increment, and the rest as
//! history; when that is durable, too, history is forgotten and removed.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use super::files::{self, Base, Files, Logged, Unreplaced, text};
use super::{Append, collect, hand_over};
use crate::command::Host;
use crate::engine::config::Config;
use crate::engine::{Child, Engine, LogState, State};
use crate::keyspace::Keyspace;
use crate::persist::aof::{DiskFile, Event, Manifest, Spent};
use crate::serve::Server;
use crate::serve::process::{oom, title};
use crate::serve::save::{Ended, Orders, Snapshot, Work, fork, pipe, progress, take_leave, watch};
use crate::value::table::hold_shrinking;
use crate::{notice, warning};

/// A rewrite that a child is at.
pub(in crate::serve) struct Rewrite {
    temporary: PathBuf,
    /// The base will be a snapshot, not commands.
    snapshot: bool,
    /// The log is being turned on: the increment has no name yet.
    first: bool,
    /// There is a log, whose last increment was begun at the fork. Without, the base covers them all.
    logs: bool,
    /// The replication offset at the fork.
    offset: Option<i64>,
    /// The LSN at the fork.
    forked_at: u64,
}

/// Forks a child that writes a new base, and goes on in a new increment. What fails is in the log, and leaves the log
/// as it was.
pub(super) fn start(server: &Server, keyspace: &mut Keyspace, state: &mut State) -> Result<(), Logged> {
    let started = begin(server, keyspace, state);
    if started.is_err() {
        state.log.rewriting.last_ok = false;
    }
    started
}

fn begin(server: &Server, keyspace: &mut Keyspace, state: &mut State) -> Result<(), Logged> {
    let append = &server.append;
    let files = Files::of(&state.config, &*append.disk);
    files.make_dir()?;
    hand_over(&append.tail, state);
    let first = match state.log.state {
        LogState::Off => false,
        LogState::On => {
            next_increment(server, &files, state)?;
            false
        }
        LogState::Waiting => {
            first_increment(server, &files, state)?;
            true
        }
    };
    state.log.rewriting.begun += 1;
    let forked = fork_child(server, &files, keyspace, state, first);
    if forked.is_err() && first {
        abandon(server, state);
    }
    forked
}

/// The log goes on in a new increment, which the manifest names by then.
fn next_increment(server: &Server, files: &Files<'_>, state: &mut State) -> Result<(), Logged> {
    let tail = &server.append.tail;
    if !tail.finish() {
        warning!("Can't rewrite append only file in background: what was logged can't be written");
        return Err(Logged);
    }
    let mut manifest = state.log.manifest.clone();
    let name = manifest.next_incr(files.names(), state.log.manifest_offset()).name.clone();
    let file = files.create(&name)?;
    if let Err(unreplaced) = files.replace_manifest(&manifest) {
        if unreplaced == Unreplaced::InPlace {
            // The old increment goes on, so it must be the last again, at least for whoever looks now.
            let _ = files.replace_manifest(&state.log.manifest);
        }
        return Err(Logged);
    }
    notice!("Creating AOF incr file {} on background rewrite", text(&name));
    switch(server, state, file);
    state.log.manifest = manifest;
    Ok(())
}

/// The log is being turned on: an increment collects what comes after the fork, to be named when the base is there.
fn first_increment(server: &Server, files: &Files<'_>, state: &mut State) -> Result<(), Logged> {
    let name = files.names().temp_incr();
    let file = files.create(&name)?;
    notice!("Creating AOF incr file {} on background rewrite", text(&name));
    switch(server, state, file);
    server.append.start_thread();
    state.log.take_frames(true);
    Ok(())
}

fn switch(server: &Server, state: &mut State, file: Arc<dyn DiskFile>) {
    server.append.tail.open(file, 0);
    state.log.begin_file();
}

/// The log is not turned on yet after all: what was collected is worth nothing without a base.
fn abandon(server: &Server, state: &mut State) {
    hand_over(&server.append.tail, state);
    server.append.tail.abandon();
    state.log.take_frames(false);
    forget_increment(&server.append, state);
}

/// Removes the increment that has no name yet.
pub(super) fn forget_increment(append: &Append, state: &State) {
    let files = Files::of(&state.config, &*append.disk);
    let name = files.names().temp_incr();
    notice!("Removing the temp incr aof file {} in the background", text(&name));
    files.remove(&files.path(&name));
}

fn fork_child(
    server: &Server,
    files: &Files<'_>,
    keyspace: &mut Keyspace,
    state: &mut State,
    first: bool,
) -> Result<(), Logged> {
    let cant = |why: String| {
        warning!("Can't rewrite append only file in background: {why}");
        Logged
    };
    let name = format!("temp-rewriteaof-bg-{}.aof", std::process::id());
    let mut base = files.create_temporary(&name, state.config.aof_rewrite_incremental_fsync)?;
    let Some(descriptor) = base.file.descriptor() else {
        return write_here(server, keyspace, state, base, first);
    };
    let (report, reports) = pipe().map_err(cant)?;
    let orders = Orders { report, title: title::of_child(&state.config, "redis-aof-rewrite") };
    let forked_at_us = state.clock.mono_us();
    let pid = {
        let snapshot = Snapshot::of(keyspace, state);
        let keep = [orders.descriptor(), descriptor];
        let work = || {
            // The reason of a failure is in the log, and no reason not to go on.
            let _ = oom::apply(&state.config, oom::Role::Child);
            child(&snapshot, &mut base, &orders, &state.config)
        };
        fork(work, &keep).map_err(|why| {
            files.remove(&files.temporary(&name));
            cant(why)
        })?
    };
    drop(orders);
    state.saving.forks += 1;
    state.saving.last_fork_us = state.clock.now().mono_us.saturating_sub(forked_at_us);
    notice!("Background append only file rewriting started by pid {pid}");
    keyspace.set_resizing(false);
    hold_shrinking(true);
    let rewrite = Rewrite::begun(server, keyspace, state, pid, base.path, first);
    watch(server, pid, reports, Work::Rewrite(rewrite));
    Ok(())
}

/// A disk whose files a child can't reach (a test's): the base is written here, and what follows, too, as soon as the
/// engine is free.
fn write_here(
    server: &Server,
    keyspace: &Keyspace,
    state: &mut State,
    mut base: Base,
    first: bool,
) -> Result<(), Logged> {
    let written = super::write_base(&Snapshot::of(keyspace, state), &mut base, &state.config, |_| ());
    let rewrite = Rewrite::begun(server, keyspace, state, 0, base.path, first);
    let server = server.handle();
    let follow = move || {
        let ended = Ended::Code(i32::from(written.is_err()));
        rewrite.conclude_as(&server, |engine| (ended, engine.state.saving.end_child()));
    };
    std::thread::Builder::new().name("reaper".into()).spawn(follow).expect("a thread can be started");
    Ok(())
}

impl Rewrite {
    /// A child is at it, or as good as.
    fn begun(
        server: &Server,
        keyspace: &Keyspace,
        state: &mut State,
        pid: i32,
        temporary: PathBuf,
        first: bool,
    ) -> Rewrite {
        let now = state.clock.now();
        state.log.rewriting.scheduled = false;
        let file = Some(temporary.clone());
        state.saving.begin_child(Child::Rewrite, pid, now, keyspace.total_keys(), file);
        super::obey(&server.append, state);
        let snapshot = state.config.aof_use_rdb_preamble;
        Rewrite {
            temporary,
            snapshot,
            first,
            logs: state.log.state != LogState::Off,
            offset: state.log.manifest_offset(),
            forked_at: state.log.lsn(),
        }
    }
}

/// The child's work; its exit code.
fn child(snapshot: &Snapshot<'_>, base: &mut Base, orders: &Orders, config: &Config) -> i32 {
    orders.show_title();
    let path = base.path.clone();
    let report = progress(orders, &path);
    if super::write_base(snapshot, base, config, report).is_err() {
        return 1;
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    notice!("Successfully created the temporary AOF base file {name}");
    let copied = orders.tell_end(&path, snapshot.keys());
    notice!("Fork CoW for AOF rewrite: current {0} MB, peak {0} MB, average {0} MB", copied >> 20);
    0
}

impl Rewrite {
    /// The child has ended: its base becomes the log's, or goes. Not under the engine's lock.
    pub fn conclude(self, server: &Server, pid: i32) {
        self.conclude_as(server, |engine| take_leave(engine, pid));
    }

    fn conclude_as(self, server: &Server, leave: impl FnOnce(&mut Engine) -> (Ended, bool)) {
        let ready = {
            let mut engine = server.lock();
            let (ended, aborted) = leave(&mut engine);
            let state = &mut engine.state;
            state.log.rewriting.last_cow_bytes = state.saving.child_cow_bytes;
            judge(state, ended, aborted).then(|| (state.config.clone(), state.log.manifest.clone()))
        };
        // Nobody else changes the manifest: there is one child at a time, and this one still counts as running.
        let placed = match ready {
            Some((config, manifest)) => {
                let files = Files::of(&config, &*server.append.disk);
                let spent = server.append.tail.spent();
                let placed = self.put_in_place(&files, &config, manifest, spent);
                placed.map(|manifest| (files.base_size(&manifest), manifest)).ok()
            }
            None => None,
        };
        let disk = server.append.disk.clone();
        let mut engine = server.lock();
        if placed.is_none() {
            Files::of(&engine.state.config, &*disk).remove(&self.temporary);
        }
        self.settle(server, &mut engine.state, placed);
    }

    /// Gives the base its name, and the manifest that goes with it.
    fn put_in_place(
        &self,
        files: &Files<'_>,
        config: &Config,
        mut manifest: Manifest,
        spent: &Spent,
    ) -> Result<Manifest, Logged> {
        let base = manifest.next_base(files.names(), self.snapshot).name.clone();
        let temporary = self.temporary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        timed(spent, || files.place_base(&self.temporary, &base)).map_err(|error| {
            let what = "Error trying to rename the temporary AOF base file";
            files::logged(&format!("{what} {temporary} into {}", text(&base)), &error)
        })?;
        notice!("Successfully renamed the temporary AOF base file {temporary} into {}", text(&base));
        if self.first {
            self.name_increment(files, &mut manifest, spent)
                .inspect_err(|_| files.remove(&files.path(&base)))?;
        }
        manifest.retire_incrs(usize::from(self.logs));
        match files.replace_manifest(&manifest) {
            Ok(()) => {}
            Err(Unreplaced::Before) => {
                files.remove(&files.path(&base));
                return Err(Logged);
            }
            // The old one knows nothing of a log that is being turned on, so the new one must be durable.
            Err(Unreplaced::InPlace) if self.first => files.replace_manifest(&manifest)?,
            // Both manifests may be what a crash leaves, so nothing that one of them names may go.
            Err(Unreplaced::InPlace) => return Ok(manifest),
        }
        collect(files, &mut manifest, config);
        Ok(manifest)
    }

    fn name_increment(
        &self,
        files: &Files<'_>,
        manifest: &mut Manifest,
        spent: &Spent,
    ) -> Result<(), Logged> {
        let (temporary, name) =
            (files.names().temp_incr(), manifest.next_incr(files.names(), self.offset).name.clone());
        timed(spent, || files.rename(&temporary, &name)).map_err(|error| {
            let what = "Error trying to rename the temporary AOF incr file";
            files::logged(&format!("{what} {} into {}", text(&temporary), text(&name)), &error)
        })?;
        let (from, to) = (text(&temporary), text(&name));
        notice!("Successfully renamed the temporary AOF incr file {from} into {to}");
        Ok(())
    }

    /// The engine learns what became of it.
    fn settle(self, server: &Server, state: &mut State, placed: Option<(u64, Manifest)>) {
        let Some(running) = state.saving.running else { return };
        let now_s = state.clock.now().ms / 1000;
        state.log.rewriting.last_seconds = now_s.saturating_sub(running.started) as i64;
        let done = placed.is_some();
        if let Some((base_size, manifest)) = placed {
            state.log.manifest = manifest;
            if state.log.state != LogState::Off && !running.aborted {
                self.count(server, state, base_size);
            }
            state.log.rewriting.last_ok = true;
            state.log.rewriting.failures = 0;
            state.log.doubted = false;
            notice!("Background AOF rewrite finished successfully");
        } else if !running.aborted {
            state.log.rewriting.failures += 1;
            state.log.rewriting.last_ok = false;
        }
        // One that was told to stop may still have come to its end. What it stood for was turned off meanwhile, though,
        // and perhaps on again: that waits for a rewrite of its own.
        if state.log.state == LogState::Waiting && self.first && !running.aborted {
            if done {
                state.log.state = LogState::On;
                // WAITAOF may have waited for just that.
                server.rearm();
            } else {
                abandon(server, state);
                state.log.rewriting.scheduled = true;
            }
        }
        state.saving.running = None;
        state.saving.child_file = None;
        super::obey(&server.append, state);
    }

    /// The log is now the base and what came since the fork.
    fn count(&self, server: &Server, state: &mut State, base_size: u64) {
        state.log.measure(base_size, self.forked_at);
        state.log.base_size = state.log.size_at(server.append.tail.written());
    }
}

/// Gives a file its name.
fn timed(spent: &Spent, rename: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    let started = Instant::now();
    let done = rename();
    spent.note(Event::Rename, started.elapsed());
    done
}

/// Whether the child did its work; if not, the log says why.
fn judge(state: &mut State, ended: Ended, aborted: bool) -> bool {
    match ended {
        _ if aborted => false,
        Ended::Code(0) => {
            notice!("Background AOF rewrite terminated with success");
            true
        }
        Ended::Code(_) => {
            warning!("Background AOF rewrite terminated with error");
            false
        }
        Ended::Signal(signal) => {
            warning!("Background AOF rewrite terminated by signal {signal}");
            if signal == libc::SIGUSR1
                && let Some(running) = &mut state.saving.running
            {
                // That is how a child is asked to stop: no failure.
                running.aborted = true;
            }
            false
        }
    }
}
