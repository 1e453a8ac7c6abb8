//! How saving goes: what INFO persistence tells.

use crate::text::clock::Now;
use std::path::PathBuf;

/// What a forked child is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Child {
    /// It writes a snapshot.
    Save,
    /// It writes a new base of the append log.
    Rewrite,
}

/// A forked child at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Running {
    /// What it is at.
    pub child: Child,
    /// The child's process id.
    pub pid: i32,
    /// Unix seconds.
    pub started: u64,
    /// Monotonic microseconds.
    pub started_us: u64,
    /// The dirty count at the fork.
    pub dirty_at_start: u64,
    /// Keys there were at the fork.
    pub keys_total: u64,
    /// The child has ended and was reaped; what is left to do is with its file.
    pub ended: bool,
    /// It was told to stop: whatever it achieved does not count.
    pub aborted: bool,
}

/// How saving goes.
#[derive(Debug, Clone)]
pub struct Saving {
    /// Changes since the last successful save.
    pub dirty: u64,
    /// Unix seconds of the last successful save (or the start).
    pub last_save: u64,
    /// Unix seconds of the last try to save by itself.
    pub last_try: u64,
    /// Whether the last background save went well.
    pub last_ok: bool,
    /// Seconds that the last background save took; -1 before the first.
    pub last_seconds: i64,
    /// The temporary file of the child.
    pub child_file: Option<PathBuf>,
    /// The child, if there is one: there is one at a time.
    pub running: Option<Running>,
    /// A background save is wanted as soon as the running child is done.
    pub scheduled: bool,
    /// Saves begun since the start, by SAVE or in the background, whatever became of them.
    pub saves: u64,
    /// Bytes copied on write by the last child.
    pub last_cow_bytes: u64,
    /// What the child told of its progress: copied bytes, keys done.
    pub child_cow_bytes: u64,
    /// See above.
    pub child_keys_done: u64,
    /// Forks since the start, and microseconds of the last one.
    pub forks: u64,
    /// See above.
    pub last_fork_us: u64,
    /// What the last load found.
    pub loaded_keys: u64,
    /// Keys of the loaded file that were past their time.
    pub loaded_expired: u64,
}

impl Saving {
    /// A child begins its work, on a data set of so many keys, with a temporary file if it has one.
    pub fn begin_child(&mut self, child: Child, pid: i32, now: Now, keys: usize, file: Option<PathBuf>) {
        self.running = Some(Running {
            child,
            pid,
            started: now.ms / 1000,
            started_us: now.mono_us,
            dirty_at_start: self.dirty,
            keys_total: keys as u64,
            ended: false,
            aborted: false,
        });
        self.child_file = file;
        (self.child_keys_done, self.child_cow_bytes) = (0, 0);
    }

    /// The child has ended. True: it was told to.
    pub fn end_child(&mut self) -> bool {
        self.running.as_mut().is_some_and(|running| {
            running.ended = true;
            running.aborted
        })
    }

    /// The child, if it is at this.
    pub fn running_child(&self, child: Child) -> Option<Running> {
        self.running.filter(|running| running.child == child)
    }

    /// Nothing saved yet; `now` in unix seconds.
    pub fn new(now: u64) -> Saving {
        Saving {
            dirty: 0,
            last_save: now,
            last_try: 0,
            last_ok: true,
            last_seconds: -1,
            child_file: None,
            running: None,
            scheduled: false,
            saves: 0,
            last_cow_bytes: 0,
            child_cow_bytes: 0,
            child_keys_done: 0,
            forks: 0,
            last_fork_us: 0,
            loaded_keys: 0,
            loaded_expired: 0,
        }
    }
}
