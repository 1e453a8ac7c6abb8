//! Between the engine and the file: what was handed over and not yet taken to be written.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What the engine handed over.
#[derive(Default)]
pub(super) struct Queue {
    pub bytes: Vec<u8>,
    /// The LSN behind them.
    pub end: u64,
}

/// Memory that holds what is not in the file yet.
#[derive(Debug, Default)]
pub struct Buffered {
    pub(super) queue: AtomicUsize,
    pub(super) writer: AtomicUsize,
}

impl Buffered {
    /// Bytes, with what is reserved beside them.
    pub fn bytes(&self) -> usize {
        self.queue.load(Ordering::Relaxed) + self.writer.load(Ordering::Relaxed)
    }
}
