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

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use super::crowd::Crowd;
use super::disk::{DiskFile, write_all};
use super::spent::{Event, Spent};
use crate::text::os::reason;
use crate::{notice, warning};

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

/// A sync that takes longer than this has a thread of its own.
const SHORT_SYNC: Duration = Duration::from_millis(2);
/// How long a write is put off while a sync runs.
const PUT_OFF: Duration = Duration::from_secs(2);
const SECOND: Duration = Duration::from_secs(1);
/// Time between two log lines about failing writes.
const LOG_AGAIN: Duration = Duration::from_secs(30);
/// An empty buffer keeps this much capacity.
const KEEP: usize = 1 << 20;

/// What the engine handed over.
#[derive(Default)]
struct Queue {
    bytes: Vec<u8>,
    /// The LSN behind them.
    end: u64,
}

/// Whoever writes.
struct Writer {
    file: Option<Arc<dyn DiskFile>>,
    /// Bytes of the file that count: all but what a failed write may have left.
    size: u64,
    /// What is to be written: `bytes[at..]`.
    bytes: Vec<u8>,
    at: usize,
    /// The LSN of `bytes[at]`.
    written: u64,
    /// When the last sync began, or none was needed.
    last_sync: Instant,
    /// Since when writes are put off.
    put_off: Option<Instant>,
    /// When a failing write was logged last.
    logged: Option<Instant>,
}

/// What the syncing thread is asked for.
#[derive(Default)]
struct Orders {
    wanted: bool,
    waiting: Vec<Waiter>,
    /// Who is to hear when it is durable up to one; the lowest of them counts for all.
    told: Option<(u64, Waker)>,
}

/// Who waits until the log has reached an LSN.
struct Waiter {
    lsn: u64,
    /// For so many clients.
    many: usize,
    waker: Waker,
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

/// Memory that holds what is not in the file yet.
#[derive(Debug, Default)]
pub struct Buffered {
    queue: AtomicUsize,
    writer: AtomicUsize,
}

impl Buffered {
    /// Bytes, with what is reserved beside them.
    pub fn bytes(&self) -> usize {
        self.queue.load(Ordering::Relaxed) + self.writer.load(Ordering::Relaxed)
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
        let writer = Writer {
            file: None,
            size: 0,
            bytes: Vec::new(),
            at: 0,
            written: 0,
            last_sync: Instant::now(),
            put_off: None,
            logged: None,
        };
        Tail {
            queue: Mutex::default(),
            writer: Mutex::new(writer),
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

    /// Whether the log has reached `lsn`, which is what somebody waits for, on behalf of `many` clients, who has done
    /// all else. Writes what there is to be written, and syncs it as the policy says. If that is left to the thread,
    /// `waker` hears of it.
    pub fn reach(&self, lsn: u64, many: usize, waker: &Waker) -> bool {
        if self.policy() != Policy::Always || !self.slow.load(Ordering::Relaxed) {
            self.flush();
        }
        self.released() >= lsn || self.wait(Waiter { lsn, many, waker: waker.clone() })
    }

    /// Leaves it to the thread. True: it is done already.
    #[cold]
    fn wait(&self, waiter: Waiter) -> bool {
        let mut orders = lock(&self.orders);
        // The thread publishes what it has done before it looks who waits.
        if self.released() >= waiter.lsn {
            return true;
        }
        orders.waiting.push(waiter);
        orders.wanted = true;
        self.ordered.notify_one();
        false
    }

    /// Wakes `waker` when the log is durable up to `lsn`, or up to less that somebody else asked for, or closed.
    pub fn tell_when_synced(&self, lsn: u64, waker: Waker) {
        let mut orders = lock(&self.orders);
        let lowest = orders.told.take().map_or(lsn, |(other, _)| lsn.min(other));
        orders.told = Some((lowest, waker));
        drop(orders);
        // It may have come there meanwhile.
        self.tell_synced();
    }

    fn tell_synced(&self) {
        let synced = self.synced();
        let told = lock(&self.orders).told.take_if(|(lsn, _)| *lsn <= synced);
        if let Some((_, waker)) = told {
            waker.wake();
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

    fn ask(&self) {
        lock(&self.orders).wanted = true;
        self.ordered.notify_one();
    }

    fn puts_off(&self, writer: &mut Writer) -> bool {
        if self.policy() != Policy::EverySecond || !self.is_syncing() {
            return false;
        }
        let since = *writer.put_off.get_or_insert_with(Instant::now);
        if since.elapsed() < PUT_OFF {
            return true;
        }
        self.delayed.fetch_add(1, Ordering::Relaxed);
        notice!(
            "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without waiting for \
             fsync to complete, this may slow down Redis."
        );
        false
    }

    /// Writes what was handed over. False if that failed, or there is no file.
    fn write(&self, writer: &mut Writer) -> bool {
        let end = self.take(writer);
        writer.put_off = None;
        if writer.file.is_none() || self.dead.load(Ordering::Relaxed) {
            return false;
        }
        let delay = self.write_delay.load(Ordering::Relaxed);
        if delay > 0 && writer.at < writer.bytes.len() {
            std::thread::sleep(Duration::from_micros(delay));
        }
        let result = self.timed(writer);
        self.written.store(writer.written, Ordering::Release);
        match result {
            Ok(()) => {
                if self.trouble.write.load(Ordering::Relaxed) != 0 {
                    notice!("AOF write error looks solved, Redis can write again.");
                    self.trouble.write.store(0, Ordering::Relaxed);
                }
                true
            }
            Err(_) if self.policy() == Policy::Always => {
                warning!(
                    "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
                );
                self.end();
                false
            }
            Err(error) => {
                self.trouble.write.store(error.raw_os_error().unwrap_or(libc::EIO), Ordering::Relaxed);
                // What was answered is answered; from now on writes are refused.
                self.release(end);
                false
            }
        }
    }

    /// Takes over what was handed over; gives the LSN behind it.
    fn take(&self, writer: &mut Writer) -> u64 {
        let mut queue = lock(&self.queue);
        let end = writer.take(&mut queue);
        self.buffered.queue.store(queue.bytes.capacity(), Ordering::Relaxed);
        self.buffered.writer.store(writer.bytes.capacity(), Ordering::Relaxed);
        end
    }

    /// Writes what was taken over, and takes note of how long that was.
    fn timed(&self, writer: &mut Writer) -> io::Result<()> {
        if writer.at == writer.bytes.len() {
            return Ok(());
        }
        let started = Instant::now();
        let result = writer.write();
        let took = started.elapsed();
        let beside = match () {
            () if self.is_syncing() => Event::WriteBesideSync,
            () if self.has_child.load(Ordering::Relaxed) => Event::WriteBesideChild,
            () => Event::WriteAlone,
        };
        self.spent.add(took);
        self.spent.note(Event::Write, took);
        self.spent.note(beside, took);
        result
    }

    /// After a write: releases what may be, syncs or lets sync.
    fn settle(&self, writer: &mut Writer) {
        let lenient = self.lenient.load(Ordering::Relaxed);
        match self.policy() {
            Policy::Always if !lenient => {
                if self.synced() >= writer.written || self.sync_now(writer) {
                    self.release(writer.written);
                }
            }
            policy => {
                self.release(writer.written);
                let due = || self.synced() < writer.written && writer.last_sync.elapsed() >= SECOND;
                if policy == Policy::EverySecond && !lenient && !self.is_syncing() && due() {
                    writer.last_sync = Instant::now();
                    self.syncing.store(true, Ordering::Relaxed);
                    self.ask();
                }
            }
        }
    }

    /// Syncs while the writer is locked. False: that failed.
    fn sync_now(&self, writer: &mut Writer) -> bool {
        let Some(file) = &writer.file else { return true };
        let started = Instant::now();
        writer.last_sync = started;
        let synced = self.synced_up_to(writer.written, file.sync());
        let took = started.elapsed();
        self.spent.add(took);
        self.note_sync(took);
        synced
    }

    fn note_sync(&self, took: Duration) {
        self.slow.store(took >= SHORT_SYNC, Ordering::Relaxed);
        if self.policy() == Policy::Always {
            self.spent.note(Event::Sync, took);
        }
    }

    /// Takes note of a sync. False: it failed.
    fn synced_up_to(&self, lsn: u64, result: io::Result<()>) -> bool {
        let Err(error) = result else {
            self.synced.fetch_max(lsn, Ordering::AcqRel);
            self.trouble.sync.store(0, Ordering::Relaxed);
            self.tell_synced();
            return true;
        };
        if self.policy() == Policy::Always {
            warning!(
                "Can't persist AOF for fsync error when the AOF fsync policy is 'always': {}. Exiting...",
                reason(&error)
            );
            self.end();
        } else if self.trouble.sync.swap(error.raw_os_error().unwrap_or(libc::EIO), Ordering::Relaxed) == 0 {
            warning!("Fail to fsync the AOF file: {}", reason(&error));
        }
        false
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

    /// The thread's work, for ever: syncs beside the others; with `always`, when syncs take long, writes, too.
    pub fn serve(&self) {
        let mut crowd = Crowd::default();
        loop {
            let mut orders = lock(&self.orders);
            while !orders.wanted {
                orders = self.ordered.wait(orders).unwrap_or_else(PoisonError::into_inner);
            }
            orders.wanted = false;
            drop(orders);
            let started = Instant::now();
            self.sync_beside();
            let took = started.elapsed();
            let (freed, staying) = self.wake();
            if self.policy() == Policy::Always && freed > 1 && crowd.is_expected() {
                crowd.came(self.linger(freed + staying, took));
            }
        }
    }

    /// Writes (with `always`) and syncs, the writer being free during the sync.
    fn sync_beside(&self) {
        let always = self.policy() == Policy::Always;
        let mut writer = lock(&self.writer);
        if always && !self.write(&mut writer) {
            return;
        }
        let (file, end) = (writer.file.clone(), writer.written);
        drop(writer);
        let lenient = always && self.lenient.load(Ordering::Relaxed);
        if let Some(file) = file
            && self.synced() < end
            && !lenient
        {
            let started = Instant::now();
            let synced = self.synced_up_to(end, file.sync());
            self.note_sync(started.elapsed());
            if synced {
                self.release(end);
            }
        } else {
            self.release(end);
        }
        self.syncing.store(false, Ordering::Relaxed);
        if !always && lock(&self.queue).end > self.written() {
            // Put off by this sync, and answered: the sooner it is written the less a crash can take.
            self.flush();
        }
    }

    /// Wakes who waited for what is released by now; how many clients that lets go, and how many go on waiting.
    fn wake(&self) -> (usize, usize) {
        let mut orders = lock(&self.orders);
        let released = self.released();
        let (stay, free) = orders.waiting.drain(..).partition::<Vec<_>, _>(|waiter| waiter.lsn > released);
        orders.waiting = stay;
        orders.wanted |= !orders.waiting.is_empty();
        let counts = (clients(&free), clients(&orders.waiting));
        drop(orders);
        free.into_iter().for_each(|waiter| waiter.waker.wake());
        counts
    }

    /// Waits until so many clients wait for the next sync, or for a quarter of the time of the last one. Whether they
    /// came.
    fn linger(&self, expected: usize, took: Duration) -> bool {
        let until = Instant::now() + took / 4;
        let mut orders = lock(&self.orders);
        while clients(&orders.waiting) < expected {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            orders = self.ordered.wait_timeout(orders, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

fn clients(waiting: &[Waiter]) -> usize {
    waiting.iter().map(|waiter| waiter.many).sum()
}

impl Writer {
    /// Takes over what was handed over; gives the LSN behind it.
    fn take(&mut self, queue: &mut Queue) -> u64 {
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.bytes.shrink_to(KEEP);
            self.at = 0;
            std::mem::swap(&mut self.bytes, &mut queue.bytes);
        } else {
            self.bytes.extend_from_slice(&queue.bytes);
            queue.bytes.clear();
        }
        queue.end
    }

    /// Writes all that is there. What a failed write left in the file is cut off again.
    fn write(&mut self) -> io::Result<()> {
        let len = self.bytes.len() - self.at;
        let Some(file) = self.file.clone().filter(|_| len > 0) else { return Ok(()) };
        let Err((written, error)) = write_all(&*file, &self.bytes[self.at..]) else {
            self.advance(len);
            return Ok(());
        };
        let logs = self.logged.is_none_or(|last| last.elapsed() > LOG_AGAIN);
        if logs {
            self.logged = Some(Instant::now());
            match written {
                0 => warning!("Error writing to the AOF file: {}", reason(&error)),
                _ => warning!(
                    "Short write while writing to the AOF file: (nwritten={written}, expected={len})"
                ),
            }
        }
        if written == 0 {
            return Err(error);
        }
        if let Err(why) = file.truncate(self.size) {
            if logs {
                warning!(
                    "Could not remove short write from the append-only file.  Redis may refuse to load the AOF the \
                     next time it starts.  ftruncate: {}",
                    reason(&why)
                );
            }
            // What is there stays, and the next write goes on behind it.
            self.advance(written);
        }
        Err(io::Error::from_raw_os_error(libc::ENOSPC))
    }

    fn advance(&mut self, n: usize) {
        self.at += n;
        self.size += n as u64;
        self.written += n as u64;
    }
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
