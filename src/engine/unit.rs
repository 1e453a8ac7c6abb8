//! A unit of work: what it changed, and the frames by which the log will say it.
//!
//! A command with all that it calls is one unit. Handlers tell what changed by effects, and how the log says it
//! is their row's `propagate`; the sinks (the append log, those who follow, a tap for tests) get whole units. The
//! log renders into its own buffer, see [`super::log`]; what is kept here is for the tap.

use crate::resp;

/// One command as it goes to the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The database that it means.
    pub db: usize,
    /// The request, encoded.
    pub bytes: Vec<u8>,
}

/// The running unit.
#[derive(Debug, Default)]
pub struct Unit {
    frames: Vec<Frame>,
    /// Somebody reads frames.
    tapped: bool,
    /// A handler said itself how the log says what it did.
    rewritten: bool,
    /// Effects recorded by the running command.
    recorded: u64,
    tap: Vec<Frame>,
}

/// Renders a request as the log has it.
pub fn render<'w>(words: impl ExactSizeIterator<Item = &'w [u8]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    resp::request(&mut out, words);
    out
}

impl Unit {
    /// Whether somebody has tapped the line.
    #[inline]
    pub fn is_tapped(&self) -> bool {
        self.tapped
    }

    /// A command begins.
    #[inline]
    pub fn begin_command(&mut self) {
        self.rewritten = false;
        self.recorded = 0;
    }

    /// An effect was recorded.
    #[inline]
    pub fn note_effect(&mut self) {
        self.recorded += 1;
    }

    /// Whether the running command changed anything so far.
    #[inline]
    pub fn changed(&self) -> bool {
        self.recorded > 0
    }

    /// Whether the handler gave the log's form itself.
    #[inline]
    pub fn rewritten(&self) -> bool {
        self.rewritten
    }

    /// The handler gives the log's form itself, possibly nothing.
    pub fn mark_rewritten(&mut self) {
        self.rewritten = true;
    }

    /// Adds a frame.
    pub fn push(&mut self, db: usize, bytes: Vec<u8>) {
        self.frames.push(Frame { db, bytes });
    }

    /// The unit ends: its frames go to the sinks, as a transaction if there are several.
    #[inline]
    pub fn close(&mut self) {
        if self.frames.len() > 1 {
            self.wrap();
        }
        self.close_loose();
    }

    /// The unit ends, and its frames belong together no more than they happened one after the other: what active
    /// expiry, eviction, SCAN and RANDOMKEY met.
    #[inline]
    pub fn close_loose(&mut self) {
        if self.tapped {
            self.tap.append(&mut self.frames);
        }
    }

    /// Puts MULTI and EXEC around the frames.
    #[cold]
    fn wrap(&mut self) {
        let frame = |db, word: &[u8]| Frame { db, bytes: render(std::iter::once(word)) };
        let (first, last) = (self.frames[0].db, self.frames[self.frames.len() - 1].db);
        self.frames.insert(0, frame(first, b"MULTI"));
        self.frames.push(frame(last, b"EXEC"));
    }

    /// Starts or goes on listening, and gives the frames since the last call (a tap for tests).
    pub fn take_tapped(&mut self) -> Vec<Frame> {
        self.tapped = true;
        std::mem::take(&mut self.tap)
    }
}
