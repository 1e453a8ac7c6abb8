//! The log's tail: bytes on their way from the engine to the disk, and how far they have come.
//!
//! Positions are counted in bytes since the start of the process, over file switches: the LSN. Three threads meet
//! here: whoever holds the engine hands bytes over ([`Tail::push`]), workers write them at the end of their turns and
//! ask whether replies may leave ([`Tail::reach`]), and one thread syncs beside them. The order of locks is engine,
//! writer, queue; nobody who holds a lock of this file takes the engine's.
//!
//! What may leave a connection is [`Tail::released`]: *synced* for `always`, *written* otherwise. There, as in real
//! servers, a write is put off while a sync runs, two seconds at most, and what was answered goes all the same; so it
//! does when a write fails, after which writes are refused until it succeeds.

mod queue;
#[cfg(test)]
mod tests;
mod thread;
mod writer;

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::disk::DiskFile;
use super::spent::Spent;
use crate::warning;
pub use queue::Buffered;
use queue::Queue;
use thread::{Orders, Waiter};
use writer::Writer;

/// When the log is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Once a second, beside the work.
    EverySecond,
    /// Before anybody hears of a write.
    Always,
    /// When the system likes.
    Never,
}

/// What keeps the log from being written or synced, for whoever refuses writes then.
#[derive(Debug, Default)]
pub struct Trouble {
    /// As the operating system numbers errors; 0: none.
    write: AtomicI32,
    sync: AtomicI32,
}

impl Trouble {
    /// The error, as the operating system numbers it.
    #[inline]
    pub fn error(&self) -> Option<i32> {
        match (self.write.load(Ordering::Relaxed), self.sync.load(Ordering::Relaxed)) {
            (0, 0) => None,
            (0, error) | (error, _) => Some(error),
        }
    }

    /// Whether the last sync failed.
    pub fn is_unsynced(&self) -> bool {
        self.sync.load(Ordering::Relaxed) != 0
    }
}

/// The log's tail. One for the life of the process, whether the log is on or not.
pub struct Tail {
    queue: Mutex<Queue>,
    writer: Mutex<Writer>,
    orders: Mutex<Orders>,
    ordered: Condvar,
    released: AtomicU64,
    written: AtomicU64,
    synced: AtomicU64,
    policy: AtomicU8,
    /// No syncs for now (`no-appendfsync-on-rewrite`).
    lenient: AtomicBool,
    /// The last sync took long.
    slow: AtomicBool,
    /// A sync that is not waited for is under way.
    syncing: AtomicBool,
    /// A forked child writes beside us.
    has_child: AtomicBool,
    /// Writes that did not wait for a sync any longer.
    delayed: AtomicU64,
    /// Microseconds that every write takes longer, for tests.
    write_delay: AtomicU64,
    spent: Spent,
    buffered: Arc<Buffered>,
    /// The error of the last write and of the last sync.
    trouble: Arc<Trouble>,
    /// An error that ends the process was met: nothing is released any more.
    dead: AtomicBool,
    /// Ends the process.
    die: Box<dyn Fn() + Send + Sync>,
}

/// A panic ends the process, so nobody meets half a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tail {
    /// A tail without a file. `die` ends the process, after an error that `always` does not survive.
    pub fn new(die: impl Fn() + Send + Sync + 'static) -> Tail {
        Tail {
            queue: Mutex::default(),
            writer: Mutex::new(Writer::new()),
            orders: Mutex::default(),
            ordered: Condvar::new(),
            released: AtomicU64::new(0),
            written: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            policy: AtomicU8::new(Policy::EverySecond as u8),
            lenient: AtomicBool::new(false),
            slow: AtomicBool::new(false),
            syncing: AtomicBool::new(false),
            has_child: AtomicBool::new(false),
            delayed: AtomicU64::new(0),
            write_delay: AtomicU64::new(0),
            spent: Spent::default(),
            buffered: Arc::default(),
            trouble: Arc::default(),
            dead: AtomicBool::new(false),
            die: Box::new(die),
        }
    }

    /// The LSN up to which replies may leave.
    #[inline]
    pub fn released(&self) -> u64 {
        self.released.load(Ordering::Acquire)
    }

    /// The LSN up to which the bytes are in the file.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// The LSN up to which they are durable.
    pub fn synced(&self) -> u64 {
        self.synced.load(Ordering::Acquire)
    }

    /// Writes that did not wait for a running sync any longer (`aof_delayed_fsync`).
    pub fn delayed(&self) -> u64 {
        self.delayed.load(Ordering::Relaxed)
    }

    /// Whether a sync that nobody waits for is under way (`aof_pending_bio_fsync`).
    pub fn is_syncing(&self) -> bool {
        self.syncing.load(Ordering::Relaxed)
    }

    /// How long all of it takes.
    pub fn spent(&self) -> &Spent {
        &self.spent
    }

    /// How much waits for the file.
    pub fn buffered(&self) -> &Arc<Buffered> {
        &self.buffered
    }

    /// What keeps the log from being written or synced.
    pub fn trouble(&self) -> &Arc<Trouble> {
        &self.trouble
    }

    /// Forgets errors: the log was turned on anew.
    pub fn forgive(&self) {
        if self.trouble.sync.swap(0, Ordering::Relaxed) != 0 {
            warning!("AOF reopen, just ignore the AOF fsync error in bio job");
        }
        if self.trouble.write.swap(0, Ordering::Relaxed) != 0 {
            warning!("AOF reopen, just ignore the last error.");
        }
    }

    fn policy(&self) -> Policy {
        match self.policy.load(Ordering::Relaxed) {
            policy if policy == Policy::Always as u8 => Policy::Always,
            policy if policy == Policy::Never as u8 => Policy::Never,
            _ => Policy::EverySecond,
        }
    }

    /// When to sync from now on. `lenient`: not at all for now.
    pub fn set_policy(&self, policy: Policy, lenient: bool) {
        self.policy.store(policy as u8, Ordering::Relaxed);
        self.lenient.store(lenient, Ordering::Relaxed);
    }

    /// Whether a forked child writes beside us from now on.
    pub fn set_child(&self, has_child: bool) {
        self.has_child.store(has_child, Ordering::Relaxed);
    }

    /// Lets every write take so many microseconds longer, for tests.
    pub fn set_write_delay(&self, micros: u64) {
        self.write_delay.store(micros, Ordering::Relaxed);
    }

    /// Hands bytes over, the engine being locked; `end` is the LSN behind them. Takes them, and leaves an empty
    /// buffer.
    pub fn push(&self, bytes: &mut Vec<u8>, end: u64) {
        let mut queue = lock(&self.queue);
        if queue.bytes.is_empty() {
            std::mem::swap(&mut queue.bytes, bytes);
        } else {
            queue.bytes.extend_from_slice(bytes);
            bytes.clear();
        }
        queue.end = end;
        self.buffered.queue.store(queue.bytes.capacity(), Ordering::Relaxed);
    }

    /// What comes next goes to this file of `size` bytes, all of them durable. The engine is locked, and nothing is
    /// waiting.
    ///
    /// A rewrite calls [`finish`](Self::finish) before: a torn end is forgiven in a log's last file only, so whatever
    /// goes before another one must be whole, and durable, before a manifest says so.
    pub fn open(&self, file: Arc<dyn DiskFile>, size: u64) {
        let mut writer = lock(&self.writer);
        writer.file = Some(file);
        writer.size = size;
        writer.last_sync = Instant::now();
        writer.put_off = None;
    }

    /// Writes and syncs all that was handed over, and lets go of the file. The engine is locked, or gone.
    pub fn close(&self) {
        self.finish();
        self.abandon();
    }

    /// Lets go of the file and of what was not written.
    pub fn abandon(&self) {
        let mut writer = lock(&self.writer);
        let mut queue = lock(&self.queue);
        queue.bytes = Vec::new();
        writer.file = None;
        (writer.bytes, writer.at, writer.put_off) = (Vec::new(), 0, None);
        self.buffered.queue.store(0, Ordering::Relaxed);
        self.buffered.writer.store(0, Ordering::Relaxed);
        writer.written = queue.end;
        self.written.store(queue.end, Ordering::Release);
        self.synced.store(queue.end, Ordering::Release);
        self.tell_synced();
        self.release(queue.end);
        self.wake();
    }

    /// Writes and syncs all that was handed over, whatever the policy. False: that failed, or there is no file.
    pub fn finish(&self) -> bool {
        let mut writer = lock(&self.writer);
        let done = self.write(&mut writer) && (self.synced() >= writer.written || self.sync_now(&mut writer));
        if done {
            self.release(writer.written);
            self.wake();
        }
        done
    }

    /// Whether replies wait for syncs, so that it pays to collect more for the next one.
    pub fn is_dear(&self) -> bool {
        self.policy() == Policy::Always && !self.lenient.load(Ordering::Relaxed)
    }

    /// Gets the log to `lsn`, for somebody who waits for that, on behalf of `many` clients, and has done all else.
    /// Writes what there is to be written, and syncs it as the policy says. If it is not [released](Self::released)
    /// by then, that is left to the thread, and `waker` hears of it.
    pub fn reach(&self, lsn: u64, many: usize, waker: &Waker) {
        if self.policy() != Policy::Always || !self.slow.load(Ordering::Relaxed) {
            self.flush();
        }
        if self.released() < lsn {
            self.wait(Waiter { lsn, many, waker: waker.clone() });
        }
    }

    /// Writes what was handed over, unless a sync that runs puts it off, and syncs as the policy says.
    pub fn flush(&self) {
        let mut writer = lock(&self.writer);
        if self.puts_off(&mut writer) {
            return self.release(lock(&self.queue).end);
        }
        if self.write(&mut writer) {
            self.settle(&mut writer);
        }
    }

    /// Looks after what flushes left: a write that was put off or failed, the last second's sync.
    pub fn tick(&self) {
        let behind = lock(&self.queue).end > self.written();
        if !behind && self.synced() >= self.written() {
            return;
        }
        if self.policy() == Policy::Always && self.slow.load(Ordering::Relaxed) {
            self.ask();
        } else {
            self.flush();
        }
    }

    fn release(&self, lsn: u64) {
        if !self.dead.load(Ordering::Relaxed) {
            self.released.fetch_max(lsn, Ordering::AcqRel);
        }
    }

    /// Ends the process, before anything is released that is not safe.
    fn end(&self) {
        self.dead.store(true, Ordering::Relaxed);
        (self.die)();
    }
}
