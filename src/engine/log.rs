//! The append log as the engine sees it: whether there is one, and the bytes that the running batch adds to it.
//!
//! Frames go straight into one buffer, which leaves it whenever the engine becomes free; what happens to it then is
//! the business of `persist::aof`.

use std::sync::Arc;

use crate::persist::aof::{Buffered, Manifest, Trouble};
use crate::resp;

/// Whether there is a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogState {
    /// No.
    #[default]
    Off,
    /// It was turned on, and becomes one when its base is written.
    Waiting,
    /// Yes.
    On,
}

/// How rewriting goes.
#[derive(Debug, Clone)]
pub struct Rewriting {
    /// One is wanted as soon as there is no child.
    pub scheduled: bool,
    /// Rewrites begun since the start.
    pub begun: u64,
    /// Failures since the last success.
    pub failures: u64,
    /// Whether the last one went well.
    pub last_ok: bool,
    /// Seconds that the last one took; -1 before the first.
    pub last_seconds: i64,
    /// Bytes copied on write by the last child.
    pub last_cow_bytes: u64,
    /// Minutes to wait after so many failures, and until when (unix seconds), 0: not set.
    delay_minutes: u64,
    not_before: u64,
}

impl Default for Rewriting {
    fn default() -> Rewriting {
        Rewriting {
            scheduled: false,
            begun: 0,
            failures: 0,
            last_ok: true,
            last_seconds: -1,
            last_cow_bytes: 0,
            delay_minutes: 0,
            not_before: 0,
        }
    }
}

impl Rewriting {
    /// Failures in a row from which on the server waits before it tries again by itself, twice as long each time.
    const PATIENCE: u64 = 3;
    const MOST_MINUTES: u64 = 60;

    /// Whether it is too early to try again by itself.
    pub fn is_limited(&mut self, now_s: u64) -> bool {
        if self.failures < Self::PATIENCE {
            (self.delay_minutes, self.not_before) = (0, 0);
            return false;
        }
        if self.not_before != 0 {
            let early = now_s < self.not_before;
            self.not_before = if early { self.not_before } else { 0 };
            return early;
        }
        self.delay_minutes = (self.delay_minutes * 2).clamp(1, Self::MOST_MINUTES);
        self.not_before = now_s + self.delay_minutes * 60;
        crate::warning!(
            "Background AOF rewrite has repeatedly failed and triggered the limit, will retry in {} minutes",
            self.delay_minutes
        );
        true
    }
}

/// The append log.
#[derive(Debug, Default)]
pub struct Log {
    /// Whether there is one.
    pub state: LogState,
    /// The files that make it up.
    pub manifest: Manifest,
    /// How rewriting goes.
    pub rewriting: Rewriting,
    /// What keeps the log from being written.
    pub trouble: Arc<Trouble>,
    /// What has left the engine and is not written yet.
    buffered: Arc<Buffered>,
    /// A sync failed, and a rewrite was begun to be sure of what is on the disk.
    pub doubted: bool,
    /// Bytes of the log after the last rewrite, or at the start.
    pub base_size: u64,
    /// Its bytes at an LSN, see [`size_at`](Self::size_at).
    measured: (u64, u64),
    /// Frames are taken: there is a file for them.
    taking: bool,
    bytes: Vec<u8>,
    /// Bytes taken since the start of the process: the LSN.
    lsn: u64,
    /// Frames taken since the log's beginning: what stands for the replication offset while nobody replicates.
    pub offset: u64,
    /// The database that the log's reader would be in; unknown at the beginning of a file.
    selected: Option<usize>,
    /// Frames of the running unit, and where the first one begins.
    frames: usize,
    unit: usize,
    /// The second that was noted last (`aof-timestamp-enabled`).
    noted_s: u64,
}

const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

impl Log {
    /// None so far.
    pub fn new(trouble: Arc<Trouble>, buffered: Arc<Buffered>) -> Log {
        Log { trouble, buffered, ..Log::default() }
    }

    /// Bytes of memory for what is not in the file yet.
    pub fn buffer_bytes(&self) -> usize {
        self.bytes.capacity() + self.buffered.bytes()
    }

    /// The error, as the operating system numbers it, for which writes are refused.
    #[inline]
    pub fn error(&self) -> Option<i32> {
        if self.state == LogState::Off { None } else { self.trouble.error() }
    }

    /// [`offset`](Self::offset) as manifests have it.
    pub fn manifest_offset(&self) -> Option<i64> {
        i64::try_from(self.offset).ok()
    }

    /// Whether frames are taken at all.
    #[inline]
    pub fn is_taking(&self) -> bool {
        self.taking
    }

    /// Begins or ends to take frames.
    pub fn take_frames(&mut self, taking: bool) {
        self.taking = taking;
        self.selected = None;
    }

    /// What comes next is read by itself: it goes to another file.
    pub fn begin_file(&mut self) {
        self.selected = None;
    }

    /// The log had `bytes` when it had come to `lsn`.
    pub fn measure(&mut self, bytes: u64, lsn: u64) {
        self.measured = (bytes, lsn);
    }

    /// The log's bytes when it has come to `lsn`.
    pub fn size_at(&self, lsn: u64) -> u64 {
        let (bytes, at) = self.measured;
        bytes + lsn.saturating_sub(at)
    }

    /// The LSN behind everything so far.
    #[inline]
    pub fn lsn(&self) -> u64 {
        self.lsn
    }

    /// Bytes that did not leave yet, to be taken together with [`lsn`](Self::lsn). Not within a unit.
    #[inline]
    pub fn pending(&mut self) -> &mut Vec<u8> {
        self.frames = 0;
        &mut self.bytes
    }

    /// Adds a frame that means database `db`. `now_s`: the time is to be noted.
    #[inline]
    pub fn add<'w>(&mut self, db: usize, words: impl ExactSizeIterator<Item = &'w [u8]>, now_s: Option<u64>) {
        self.add_with(db, now_s, |bytes| resp::request(bytes, words));
    }

    /// Adds a frame that is rendered already.
    #[inline]
    pub fn add_rendered(&mut self, db: usize, frame: &[u8], now_s: Option<u64>) {
        self.add_with(db, now_s, |bytes| bytes.extend_from_slice(frame));
    }

    #[inline]
    fn add_with(&mut self, db: usize, now_s: Option<u64>, render: impl FnOnce(&mut Vec<u8>)) {
        let before = self.bytes.len();
        if self.frames == 0 {
            if let Some(now_s) = now_s.filter(|now_s| *now_s > self.noted_s) {
                self.note_time(now_s);
            }
            self.unit = self.bytes.len();
        }
        self.frames += 1;
        self.offset += 1;
        if self.selected != Some(db) {
            self.select(db);
        }
        render(&mut self.bytes);
        self.lsn += (self.bytes.len() - before) as u64;
    }

    #[cold]
    fn select(&mut self, db: usize) {
        self.selected = Some(db);
        let mut number = itoa::Buffer::new();
        let words: [&[u8]; 2] = [b"SELECT", number.format(db).as_bytes()];
        resp::request(&mut self.bytes, words.into_iter());
    }

    #[cold]
    fn note_time(&mut self, now_s: u64) {
        self.noted_s = now_s;
        self.bytes.extend_from_slice(format!("#TS:{now_s}\r\n").as_bytes());
    }

    /// The unit ends. `whole`: several frames are a transaction.
    #[inline]
    pub fn close_unit(&mut self, whole: bool) {
        if whole && self.frames > 1 {
            self.wrap();
        }
        self.frames = 0;
    }

    /// Puts MULTI and EXEC around the unit. The first frames have to move; that is cheap beside having run them.
    fn wrap(&mut self) {
        self.bytes.splice(self.unit..self.unit, MULTI.iter().copied());
        self.bytes.extend_from_slice(EXEC);
        self.lsn += (MULTI.len() + EXEC.len()) as u64;
        self.offset += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(log: &mut Log) -> String {
        let text = String::from_utf8(std::mem::take(log.pending())).unwrap();
        text.replace("\r\n", " ")
    }

    fn add(log: &mut Log, db: usize, words: &[&[u8]]) {
        log.add(db, words.iter().copied(), None);
    }

    #[test]
    fn a_single_frame_stands_alone() {
        let mut log = Log::default();
        add(&mut log, 0, &[b"DEL", b"k"]);
        log.close_unit(true);
        add(&mut log, 0, &[b"DEL", b""]);
        log.close_unit(true);
        assert_eq!(taken(&mut log), "*2 $6 SELECT $1 0 *2 $3 DEL $1 k *2 $3 DEL $0  ",);
        assert_eq!(log.lsn(), 23 + 20 + 19);
    }

    #[test]
    fn several_frames_are_a_transaction_and_select_within() {
        let mut log = Log::default();
        add(&mut log, 3, &[b"a"]);
        add(&mut log, 4, &[b"b"]);
        log.close_unit(true);
        add(&mut log, 4, &[b"c"]);
        add(&mut log, 4, &[b"d"]);
        log.close_unit(false);
        let bytes = log.pending().len() as u64;
        assert_eq!(log.lsn(), bytes);
        assert_eq!(
            taken(&mut log),
            "*1 $5 MULTI *2 $6 SELECT $1 3 *1 $1 a *2 $6 SELECT $1 4 *1 $1 b *1 $4 EXEC *1 $1 c *1 $1 d ",
        );
    }

    #[test]
    fn the_time_is_noted_once_a_second_before_a_unit() {
        let mut log = Log::default();
        log.add(0, [&b"a"[..]].into_iter(), Some(5));
        log.add(0, [&b"b"[..]].into_iter(), Some(6));
        log.close_unit(true);
        log.add(0, [&b"c"[..]].into_iter(), Some(6));
        assert_eq!(
            taken(&mut log),
            "#TS:5 *1 $5 MULTI *2 $6 SELECT $1 0 *1 $1 a *1 $1 b *1 $4 EXEC #TS:6 *1 $1 c ",
        );
    }
}
