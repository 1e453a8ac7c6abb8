//! The child's work, and what the parent learns of it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fork::{self, Ended};
use super::target::{Paced, Replaced, Target, temporary_name};
use super::write::Snapshot;
use crate::engine::stats::used_memory;
use crate::engine::{Engine, State};
use crate::serve::Server;
use crate::serve::append::Rewrite;
use crate::serve::process::{huge_pages, title};
use crate::value::table::hold_shrinking;
use crate::{notice, warning};

/// What the child tells: keys done and bytes copied on write, two u64 in native order.
const REPORT: usize = 16;
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Keys between two looks at the time.
const LOOK_EVERY: u64 = 1024;

/// What a child needs, put together before the fork.
pub(in crate::serve) struct Orders {
    /// For its reports.
    pub report: File,
    /// For `ps`.
    pub title: Option<String>,
}

impl Orders {
    /// What the child reports by.
    pub fn descriptor(&self) -> RawFd {
        self.report.as_raw_fd()
    }

    /// Shows in the process list what the child is at.
    pub fn show_title(&self) {
        if let Some(text) = &self.title {
            title::show(text);
        }
    }

    /// Tells that all is done; gives the bytes that were copied since the fork.
    pub fn tell_end(&self, file: &Path, keys: u64) -> u64 {
        let copied = private_bytes();
        self.tell(file, keys, copied);
        copied
    }

    /// Tells the parent. If it is gone nobody wants the file: the child removes it, under the name that it had at the
    /// fork or the one that it got then, and ends.
    fn tell(&self, file: &Path, keys: u64, cow_bytes: u64) {
        let mut bytes = [0; REPORT];
        bytes[..8].copy_from_slice(&keys.to_ne_bytes());
        bytes[8..].copy_from_slice(&cow_bytes.to_ne_bytes());
        if let Err(error) = (&self.report).write_all(&bytes) {
            warning!("Child failed reporting info to parent, exiting. {error}");
            let _ = std::fs::remove_file(file.with_file_name(temporary_name(std::process::id())));
            let _ = std::fs::remove_file(file);
            fork::exit(1);
        }
    }
}

/// Writes the snapshot; the exit code. No target: creating it failed for the reason given.
pub(super) fn child(snapshot: &Snapshot<'_>, target: &mut Result<Target, String>, orders: &Orders) -> i32 {
    orders.show_title();
    let written = match target {
        Ok(target) => {
            let path = target.temporary().to_owned();
            write(snapshot, &mut target.file, &path, orders)
        }
        Err(reason) => Err(std::mem::take(reason)),
    };
    match written {
        Ok(()) => 0,
        Err(reason) => {
            warning!("{reason}");
            1
        }
    }
}

fn write(snapshot: &Snapshot<'_>, file: &mut Paced, path: &Path, orders: &Orders) -> Result<(), String> {
    snapshot.write(&mut *file, progress(orders, path)).map_err(|error| super::why(&error))?;
    file.sync().map_err(|error| super::write_error("fsync", &error))?;
    let copied = orders.tell_end(path, snapshot.keys());
    notice!("DB saved on disk");
    notice!("Fork CoW for RDB: current {0} MB, peak {0} MB, average {0} MB", copied >> 20);
    Ok(())
}

/// Hears how many keys are done, and tells the parent now and then.
pub(in crate::serve) fn progress(orders: &Orders, path: &Path) -> impl FnMut(u64) {
    let mut last = Instant::now();
    move |done: u64| {
        if done.is_multiple_of(LOOK_EVERY) && last.elapsed() >= REPORT_EVERY {
            last = Instant::now();
            orders.tell(path, done, private_bytes());
        }
    }
}

/// Bytes of this process that are its own: what was copied since the fork.
fn private_bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/smaps_rollup") else { return 0 };
    let kib = |line: &str| line.split_ascii_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
    text.lines().find(|line| line.starts_with("Private_Dirty:")).and_then(kib).unwrap_or(0) << 10
}

/// What becomes of a child's work.
pub(in crate::serve) enum Work {
    /// A snapshot takes the old one's place, if its file could be created.
    Save(Option<Target>),
    /// A snapshot is sent to those who follow.
    Follow(Option<Target>),
    /// A new base of the append log.
    Rewrite(Rewrite),
}

/// Follows a child on a thread of its own, and settles its end.
pub(in crate::serve) fn watch(server: &Server, pid: i32, reports: File, work: Work) {
    let server = server.handle();
    let follow = move || follow(&server, pid, reports, work);
    std::thread::Builder::new().name("reaper".into()).spawn(follow).expect("a thread can be started");
}

fn follow(server: &Arc<Server>, pid: i32, mut reports: File, work: Work) {
    let mut bytes = [0; REPORT];
    while reports.read_exact(&mut bytes).is_ok() {
        let (keys, copied) = bytes.split_at(8);
        let number = |half: &[u8]| u64::from_ne_bytes(half.try_into().expect("half of 16 bytes"));
        let saving = &mut server.lock().state.saving;
        saving.child_keys_done = number(keys);
        saving.child_cow_bytes = saving.child_cow_bytes.max(number(copied));
    }
    fork::wait_for_end(pid);
    match work {
        Work::Save(target) => end_save(server, pid, target),
        Work::Follow(target) => super::feed::conclude(server, pid, target),
        Work::Rewrite(rewrite) => rewrite.conclude(server, pid),
    }
    if server.lock().state.config.huge_pages {
        huge_pages::child_is_gone(used_memory(), while_no_child(server));
    }
}

/// Whether there is no child that shares this process's memory.
pub(in crate::serve) fn while_no_child(server: &Server) -> impl Fn() -> bool + Send + 'static {
    let server = std::sync::Weak::clone(&server.me);
    move || server.upgrade().is_some_and(|server| server.lock().state.saving.running.is_none())
}

fn end_save(server: &Server, pid: i32, mut target: Option<Target>) {
    let replaced = {
        let mut guard = server.lock();
        let (ended, _) = take_leave(&mut guard, pid);
        let replaced = conclude(&mut guard.state, ended, &mut target);
        crate::serve::append::obey(&server.append, &guard.state);
        replaced
    };
    // Without the lock: the name's place on the disk is made sure of, and files go that nobody wants.
    let synced = replaced.as_ref().map(Replaced::sync);
    drop(target);
    let mut guard = server.lock();
    if let Some(synced) = synced {
        settle(&mut guard.state, synced);
    }
    done(&mut guard.state);
    crate::serve::append::obey(&server.append, &guard.state);
}

/// Reaps the child that ran; how it ended, and whether it was told to.
pub(in crate::serve) fn take_leave(engine: &mut Engine, pid: i32) -> (Ended, bool) {
    let ended = fork::reap(pid);
    engine.keyspace.set_resizing(true);
    hold_shrinking(false);
    (ended, engine.state.saving.end_child())
}

/// The child is gone: its file takes its place, to be synced before it counts, or stays in `target`.
fn conclude(state: &mut State, ended: Ended, target: &mut Option<Target>) -> Option<Replaced> {
    let aborted = state.saving.running?.aborted;
    state.saving.last_cow_bytes = state.saving.child_cow_bytes;
    let replaced = match (ended, target.take_if(|_| !aborted && ended == Ended::Code(0))) {
        _ if aborted => Err(Some(libc::SIGUSR1)),
        (Ended::Code(0), Some(target)) => target.rename().map_err(|reason| {
            warning!("{reason}");
            None
        }),
        (Ended::Code(_), _) => Err(None),
        (Ended::Signal(signal), _) => Err(Some(signal)),
    };
    match replaced {
        Ok(replaced) => return Some(replaced),
        Err(None) => {
            warning!("Background saving error");
            state.saving.last_ok = false;
        }
        Err(Some(signal)) => {
            warning!("Background saving terminated by signal {signal}");
            // SIGUSR1 is how a child is asked to stop: no error.
            state.saving.last_ok &= signal == libc::SIGUSR1;
        }
    }
    None
}

fn settle(state: &mut State, synced: Result<(), String>) {
    let Some(running) = state.saving.running else { return };
    match synced {
        // Something newer has taken its place meanwhile.
        _ if running.aborted => {}
        Ok(()) => {
            notice!("Background saving terminated with success");
            let since = state.saving.dirty.saturating_sub(running.dirty_at_start);
            super::succeeded(state, since);
        }
        Err(reason) => {
            warning!("{reason}");
            warning!("Background saving error");
            state.saving.last_ok = false;
        }
    }
}

/// Nothing is running any more.
pub(super) fn done(state: &mut State) {
    let now = state.clock.now();
    if let Some(running) = state.saving.running.take() {
        state.saving.last_seconds = (now.ms / 1000).saturating_sub(running.started) as i64;
    }
    state.saving.child_file = None;
}
