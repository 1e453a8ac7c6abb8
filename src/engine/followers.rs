//! SYNC: who follows the stream of changes, each after a snapshot of what was there before it.
//!
//! The stream is rendered like the log, with its own SELECTs. What a follower misses while its snapshot is on its way
//! is kept for it.

use super::clients::Clients;
use super::log::Log;
use super::session::SessionId;

/// How far a follower is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// No snapshot for it has begun.
    Waiting,
    /// One is being written.
    Writing,
    /// It is being sent.
    Sending,
    /// It gets the stream.
    Online,
}

impl Stage {
    /// As INFO calls it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Waiting | Stage::Writing => "wait_bgsave",
            Stage::Sending => "send_bulk",
            Stage::Online => "online",
        }
    }
}

/// A session that follows.
#[derive(Debug)]
pub struct Follower {
    /// Which.
    pub id: SessionId,
    /// How far it is.
    pub stage: Stage,
    /// The offset up to which it says to have the stream.
    received: u64,
    /// The offset up to which it says that its own append log is durable.
    synced: u64,
    /// The stream since its snapshot began, until that is sent.
    kept: Vec<u8>,
}

/// Everyone who follows.
#[derive(Debug, Default)]
pub struct Followers {
    all: Vec<Follower>,
    stream: Log,
    /// Bytes of the stream so far.
    pub offset: u64,
    /// Monotonic microseconds of the last ping.
    pub pinged_us: u64,
}

const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";
/// Asks how far they are.
const GETACK: &[u8] = b"*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n";

impl Followers {
    /// Whether nobody follows.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// In the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = &Follower> {
        self.all.iter()
    }

    /// Whether this session follows.
    #[inline]
    pub fn has(&self, id: SessionId) -> bool {
        self.all.iter().any(|follower| follower.id == id)
    }

    /// Whether frames are wanted.
    #[inline]
    pub fn is_taking(&self) -> bool {
        self.stream.is_taking()
    }

    /// A session begins to follow; false if it does already.
    pub fn add(&mut self, id: SessionId) -> bool {
        let is_new = !self.has(id);
        if is_new {
            self.all.push(Follower { id, stage: Stage::Waiting, received: 0, synced: 0, kept: Vec::new() });
        }
        is_new
    }

    /// A follower that waits has all that it wants of a snapshot: it gets the stream from here on.
    pub fn skip_snapshot(&mut self, id: SessionId) {
        self.in_stage(Stage::Waiting)
            .filter(|follower| follower.id == id)
            .for_each(|follower| follower.stage = Stage::Online);
        self.stream.take_frames(true);
    }

    /// A session follows no longer.
    pub fn remove(&mut self, id: SessionId) {
        self.all.retain(|follower| follower.id != id);
        if self.all.is_empty() && self.is_taking() {
            self.stream.take_frames(false);
        }
    }

    /// Whether somebody waits for a snapshot to begin.
    pub fn has_waiting(&self) -> bool {
        self.all.iter().any(|follower| follower.stage == Stage::Waiting)
    }

    /// A snapshot of the present begins: what comes now follows it.
    pub fn begin(&mut self) {
        self.in_stage(Stage::Waiting).for_each(|follower| follower.stage = Stage::Writing);
        self.stream.take_frames(true);
    }

    /// The snapshot came to nothing: back to waiting.
    pub fn begin_again(&mut self) {
        self.in_stage(Stage::Writing).for_each(|follower| {
            follower.stage = Stage::Waiting;
            follower.kept.clear();
        });
    }

    /// The snapshot is whole; to whom it is to be sent.
    pub fn send(&mut self) -> Vec<SessionId> {
        self.in_stage(Stage::Writing).for_each(|follower| follower.stage = Stage::Sending);
        self.in_stage(Stage::Sending).map(|follower| follower.id).collect()
    }

    /// A follower has its snapshot: it gets what it missed, and the stream.
    pub fn go_online(&mut self, id: SessionId, clients: &mut Clients) {
        let found = self.in_stage(Stage::Sending).find(|follower| follower.id == id);
        if let Some(follower) = found {
            follower.stage = Stage::Online;
            clients.push(id, &std::mem::take(&mut follower.kept));
        }
    }

    fn in_stage(&mut self, stage: Stage) -> impl Iterator<Item = &mut Follower> {
        self.all.iter_mut().filter(move |follower| follower.stage == stage)
    }

    /// Adds a frame that means database `db`.
    pub fn add_frame(&mut self, db: usize, frame: &[u8]) {
        self.stream.add_rendered(db, frame, None);
    }

    /// The unit ends: its frames leave. `whole`: several are a transaction.
    #[inline]
    pub fn close_unit(&mut self, whole: bool, clients: &mut Clients) {
        if self.is_taking() {
            self.stream.close_unit(whole);
            self.flush(clients);
        }
    }

    fn flush(&mut self, clients: &mut Clients) {
        let bytes = std::mem::take(self.stream.pending());
        if !bytes.is_empty() {
            self.tell(&bytes, clients);
        }
    }

    /// Lets everyone know that the stream goes on.
    pub fn ping(&mut self, clients: &mut Clients) {
        if self.is_taking() {
            self.tell(PING, clients);
        }
    }

    /// Asks everyone how far they are; they answer by [`acknowledge`](Self::acknowledge).
    pub fn ask(&mut self, clients: &mut Clients) {
        if self.is_taking() {
            self.tell(GETACK, clients);
        }
    }

    /// A follower says how far it is, and how far its log is durable if it has one. Offsets never go back.
    pub fn acknowledge(&mut self, id: SessionId, received: u64, synced: u64) {
        let found = self.in_stage(Stage::Online).find(|follower| follower.id == id);
        if let Some(follower) = found {
            follower.received = follower.received.max(received);
            follower.synced = follower.synced.max(synced);
        }
    }

    /// How many have the stream up to `offset`.
    pub fn received(&self, offset: u64) -> usize {
        self.count(|follower| follower.received >= offset)
    }

    /// How many have it in a durable log.
    pub fn synced(&self, offset: u64) -> usize {
        self.count(|follower| follower.synced >= offset)
    }

    fn count(&self, has: impl Fn(&Follower) -> bool) -> usize {
        self.all.iter().filter(|follower| follower.stage == Stage::Online && has(follower)).count()
    }

    fn tell(&mut self, bytes: &[u8], clients: &mut Clients) {
        self.offset += bytes.len() as u64;
        for follower in &mut self.all {
            match follower.stage {
                Stage::Waiting => {}
                Stage::Writing | Stage::Sending => follower.kept.extend_from_slice(bytes),
                Stage::Online => clients.push(follower.id, bytes),
            }
        }
    }
}
