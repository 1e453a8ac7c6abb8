//! The child's work, and what the parent learns of it.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fork::{self, Ended};
use super::target::{Paced, Target};
use super::write::Snapshot;
use crate::engine::State;
use crate::serve::Server;
use crate::{notice, warning};

/// What the child tells: keys done and bytes copied on write, two u64 in native order.
const REPORT: usize = 16;
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Keys between two looks at the time.
const LOOK_EVERY: u64 = 1024;

fn tell(mut report: &File, keys: u64, cow_bytes: u64) {
    let mut bytes = [0; REPORT];
    bytes[..8].copy_from_slice(&keys.to_ne_bytes());
    bytes[8..].copy_from_slice(&cow_bytes.to_ne_bytes());
    // The parent is gone: then nobody wants to know.
    let _ = report.write_all(&bytes);
}

/// Writes the snapshot; the exit code.
pub(super) fn child(snapshot: &Snapshot<'_>, file: &mut Paced, report: &File) -> i32 {
    let mut last = Instant::now();
    let progress = |done: u64| {
        if done.is_multiple_of(LOOK_EVERY) && last.elapsed() >= REPORT_EVERY {
            last = Instant::now();
            tell(report, done, private_bytes());
        }
    };
    if let Err(error) = snapshot.write(&mut *file, progress) {
        warning!("Write error saving DB on disk: {error}");
        return 1;
    }
    if let Err(error) = file.sync() {
        warning!("Write error saving DB on disk(fsync): {error}");
        return 1;
    }
    let copied = private_bytes();
    tell(report, snapshot.keys(), copied);
    notice!("DB saved on disk");
    notice!("Fork CoW for RDB: current {0} MB, peak {0} MB, average {0} MB", copied >> 20);
    0
}

/// Bytes of this process that are its own: what was copied since the fork.
fn private_bytes() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/self/smaps_rollup") else { return 0 };
    let kib = |line: &str| line.split_ascii_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok());
    text.lines().find(|line| line.starts_with("Private_Dirty:")).and_then(kib).unwrap_or(0) << 10
}

/// Follows a child on a thread of its own, and settles its end under the engine's lock.
pub(super) fn watch(server: &Server, pid: i32, reports: File, target: Target) {
    let server = server.handle();
    let follow = move || follow(&server, pid, reports, target);
    std::thread::Builder::new().name("reaper".into()).spawn(follow).expect("a thread can be started");
}

fn follow(server: &Arc<Server>, pid: i32, mut reports: File, target: Target) {
    let mut bytes = [0; REPORT];
    while reports.read_exact(&mut bytes).is_ok() {
        let (keys, copied) = bytes.split_at(8);
        let number = |half: &[u8]| u64::from_ne_bytes(half.try_into().expect("half of 16 bytes"));
        let saving = &mut server.lock().state.saving;
        saving.child_keys_done = number(keys);
        saving.child_cow_bytes = saving.child_cow_bytes.max(number(copied));
    }
    let ended = fork::wait(pid);
    let mut guard = server.lock();
    guard.keyspace.set_resizing(true);
    settle(&mut guard.state, pid, ended, target);
}

/// The child is gone: the file takes its place, or goes.
fn settle(state: &mut State, pid: i32, ended: Ended, target: Target) {
    let Some(running) = state.saving.running.take().filter(|running| running.pid == pid) else { return };
    state.saving.child_file = None;
    let now = state.clock.now();
    state.saving.last_seconds = (now.mono_us.saturating_sub(running.started_us) / 1_000_000) as i64;
    state.saving.last_cow_bytes = state.saving.child_cow_bytes;
    match ended {
        Ended::Code(0) => match target.adopt() {
            Ok(()) => {
                notice!("Background saving terminated with success");
                let since = state.saving.dirty.saturating_sub(running.dirty_at_start);
                super::succeeded(state, since);
                state.saving.last_save = now.ms / 1000;
            }
            Err(reason) => {
                warning!("Background saving error: {reason}");
                state.saving.last_ok = false;
            }
        },
        Ended::Code(_) => {
            warning!("Background saving error");
            state.saving.last_ok = false;
        }
        Ended::Signal(signal) => {
            warning!("Background saving terminated by signal {signal}");
            // SIGUSR1 is how we ask a child to stop: no error.
            state.saving.last_ok &= signal == libc::SIGUSR1;
        }
    }
}
