//! Counters for INFO.

use std::collections::BTreeMap;

/// What INFO commandstats tells of one command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: u64,
    /// Microseconds it ran.
    pub usec: u64,
    /// Times it was refused before it ran.
    pub rejected: u64,
    /// Times it ran and answered an error.
    pub failed: u64,
}

/// A rate per second, from samples of a growing counter.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    samples: [u64; 16],
    next: usize,
    last_value: u64,
    last_us: u64,
}

impl Rate {
    /// Takes a sample: the counter's value now (monotonic microseconds).
    pub fn sample(&mut self, value: u64, now_mono_us: u64) {
        let elapsed = now_mono_us.saturating_sub(self.last_us);
        if self.last_us > 0 && elapsed > 0 {
            let grown = value.saturating_sub(self.last_value);
            self.samples[self.next] = grown.saturating_mul(1_000_000) / elapsed;
            self.next = (self.next + 1) % self.samples.len();
        }
        (self.last_value, self.last_us) = (value, now_mono_us);
    }

    /// The mean of the last samples.
    pub fn per_second(&self) -> u64 {
        self.samples.iter().sum::<u64>() / self.samples.len() as u64
    }
}

/// What went through sockets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes from clients.
    pub received: u64,
    /// Bytes to clients.
    pub sent: u64,
    /// Reads from clients' sockets.
    pub reads: u64,
    /// Writes to clients' sockets.
    pub writes: u64,
}

impl Traffic {
    /// Adds what went through in between.
    pub fn add(&mut self, more: Traffic) {
        self.received += more.received;
        self.sent += more.sent;
        self.reads += more.reads;
        self.writes += more.writes;
    }
}

/// Counters since the start or CONFIG RESETSTAT.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// By row of the command table.
    pub commands: Vec<CommandStats>,
    /// Error replies by their first word.
    pub errors: BTreeMap<String, u64>,
    /// Error replies.
    pub error_replies: u64,
    /// Commands that ran.
    pub calls: u64,
    /// Connections that were accepted.
    pub connections: u64,
    /// Connections that were refused (`maxclients`).
    pub refused: u64,
    /// What went through sockets, by worker.
    pub traffic: Vec<Traffic>,
    /// Clients closed for their query buffer.
    pub query_limit_closed: u64,
    /// Clients closed for their output buffer.
    pub output_limit_closed: u64,
    /// Commands per second.
    pub rate_commands: Rate,
    /// Bytes in per second.
    pub rate_in: Rate,
    /// Bytes out per second.
    pub rate_out: Rate,
    /// Highest `used_memory` seen.
    pub peak_memory: usize,
    /// The most error kinds are kept; then the real server stops counting by kind.
    pub errors_full: bool,
}

/// Kinds of errors that are counted one by one.
const MAX_ERROR_KINDS: usize = 128;

impl Stats {
    /// Counters for so many rows of the command table.
    pub fn new(commands: usize) -> Stats {
        Stats { commands: vec![CommandStats::default(); commands], ..Stats::default() }
    }

    /// Counts what went through a worker's sockets.
    #[inline]
    pub fn count_traffic(&mut self, worker: usize, more: Traffic) {
        if worker >= self.traffic.len() {
            self.traffic.resize(worker + 1, Traffic::default());
        }
        self.traffic[worker].add(more);
    }

    /// What went through all sockets.
    pub fn all_traffic(&self) -> Traffic {
        let mut all = Traffic::default();
        self.traffic.iter().for_each(|of_worker| all.add(*of_worker));
        all
    }

    /// Counts an error reply under its first word.
    pub fn count_error(&mut self, code: String) {
        self.error_replies += 1;
        if self.errors.len() < MAX_ERROR_KINDS || self.errors.contains_key(&code) {
            *self.errors.entry(code).or_default() += 1;
        }
    }

    /// Forgets everything that CONFIG RESETSTAT forgets.
    pub fn reset(&mut self) {
        let peak_memory = self.peak_memory;
        *self = Stats { peak_memory, ..Stats::new(self.commands.len()) };
    }
}

/// Bytes that the program has allocated, as the allocator counts them.
pub fn used_memory() -> usize {
    use tikv_jemalloc_ctl::{epoch, stats};
    // The allocator keeps its figures for an epoch; both calls fail only if it was built without them.
    let _ = epoch::advance();
    stats::allocated::read().unwrap_or(0)
}
