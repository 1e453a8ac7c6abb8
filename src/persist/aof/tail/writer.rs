//! Writing, and syncing on the spot: whoever does it holds the writer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::queue::Queue;
use super::{Policy, Tail, lock};
use crate::persist::aof::disk::{DiskFile, write_all};
use crate::persist::aof::spent::Event;
use crate::text::os::reason;
use crate::{notice, warning};

/// A sync that takes longer than this has a thread of its own.
const SHORT_SYNC: Duration = Duration::from_millis(2);
/// How long a write is put off while a sync runs.
pub(super) const PUT_OFF: Duration = Duration::from_secs(2);
pub(super) const SECOND: Duration = Duration::from_secs(1);
/// Time between two log lines about failing writes.
const LOG_AGAIN: Duration = Duration::from_secs(30);
/// An empty buffer keeps this much capacity.
const KEEP: usize = 1 << 20;

/// Whoever writes.
pub(super) struct Writer {
    pub file: Option<Arc<dyn DiskFile>>,
    /// Bytes of the file that count: all but what a failed write may have left.
    pub size: u64,
    /// What is to be written: `bytes[at..]`.
    pub bytes: Vec<u8>,
    pub at: usize,
    /// The LSN of `bytes[at]`.
    pub written: u64,
    /// When the last sync began, or none was needed.
    pub last_sync: Instant,
    /// Since when writes are put off.
    pub put_off: Option<Instant>,
    /// When a failing write was logged last.
    pub logged: Option<Instant>,
}

impl Tail {
    pub(super) fn puts_off(&self, writer: &mut Writer) -> bool {
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
    pub(super) fn write(&self, writer: &mut Writer) -> bool {
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
    pub(super) fn settle(&self, writer: &mut Writer) {
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
    pub(super) fn sync_now(&self, writer: &mut Writer) -> bool {
        let Some(file) = &writer.file else { return true };
        let started = Instant::now();
        writer.last_sync = started;
        let synced = self.synced_up_to(writer.written, file.sync());
        let took = started.elapsed();
        self.spent.add(took);
        self.note_sync(took);
        synced
    }

    pub(super) fn note_sync(&self, took: Duration) {
        self.slow.store(took >= SHORT_SYNC, Ordering::Relaxed);
        if self.policy() == Policy::Always {
            self.spent.note(Event::Sync, took);
        }
    }

    /// Takes note of a sync. False: it failed.
    pub(super) fn synced_up_to(&self, lsn: u64, result: io::Result<()>) -> bool {
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
}

impl Writer {
    pub fn new() -> Writer {
        Writer {
            file: None,
            size: 0,
            bytes: Vec::new(),
            at: 0,
            written: 0,
            last_sync: Instant::now(),
            put_off: None,
            logged: None,
        }
    }

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
