//! Counters for INFO.

use std::collections::BTreeMap;

use super::latency::Latencies;
use super::memory::MemoryGauge;

pub use super::memory::used_memory;

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

/// How fast a counter grows beside another one, from samples.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    samples: [u64; 16],
    next: usize,
    last: Option<(u64, u64)>,
}

impl Rate {
    /// Takes a sample of a rate per second: the counter's value now (monotonic microseconds).
    pub fn sample(&mut self, value: u64, now_mono_us: u64) {
        self.sample_beside(value, now_mono_us, 1_000_000);
    }

    /// Takes a sample of a rate per `unit` of another counter.
    pub fn sample_beside(&mut self, value: u64, other: u64, unit: u64) {
        if let Some((last_value, last_other)) = self.last {
            let (grown, beside) = (value.saturating_sub(last_value), other.saturating_sub(last_other));
            self.samples[self.next] = grown.saturating_mul(unit).checked_div(beside).unwrap_or(0);
            self.next = (self.next + 1) % self.samples.len();
        }
        self.last = Some((value, other));
    }

    /// The mean of the last samples.
    pub fn mean(&self) -> u64 {
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

/// What the loop did: a turn is a batch of requests that was run, or one of the timers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Turns {
    /// How many there were.
    pub count: u64,
    /// Microseconds of all of them.
    pub usec: u64,
    /// Microseconds of the timers' turns.
    pub cron_usec: u64,
    /// Microseconds of the longest.
    pub longest_us: u64,
    /// Commands in the batch that had most.
    pub most_commands: usize,
}

impl Turns {
    /// A batch was run.
    #[inline]
    pub fn count(&mut self, usec: u64, commands: usize) {
        self.count += 1;
        self.usec += usec;
        self.longest_us = self.longest_us.max(usec);
        self.most_commands = self.most_commands.max(commands);
    }

    /// The timers had their turn.
    pub fn count_cron(&mut self, usec: u64) {
        self.count(usec, 0);
        self.cron_usec += usec;
    }
}

/// Counters since the start or CONFIG RESETSTAT.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// By row of the command table.
    pub commands: Vec<CommandStats>,
    /// How long commands took, by row of the command table.
    pub latencies: Latencies,
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
    /// Wrong passwords.
    pub denied_auth: u64,
    /// What no cluster would do: keys in several slots, other databases than 0.
    pub cluster_incompatible: u64,
    /// Clients closed for their output buffer.
    pub output_limit_closed: u64,
    /// Clients closed to make room (`maxmemory-clients`).
    pub evicted_clients: u64,
    /// What the loop did.
    pub turns: Turns,
    /// Turns of the loop per second.
    pub rate_turns: Rate,
    /// Microseconds per turn of the loop.
    pub turn_length: Rate,
    /// Commands per second.
    pub rate_commands: Rate,
    /// Bytes in per second.
    pub rate_in: Rate,
    /// Bytes out per second.
    pub rate_out: Rate,
    /// Memory in use, for the limit.
    pub gauge: MemoryGauge,
    /// Highest `used_memory` seen.
    pub peak_memory: usize,
    /// There were too many kinds of errors: they are not told apart any more.
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
        if self.errors_full {
            return;
        }
        if self.errors.len() < MAX_ERROR_KINDS || self.errors.contains_key(&code) {
            *self.errors.entry(code).or_default() += 1;
        } else {
            self.give_up_errors();
        }
    }

    /// Somebody makes up errors: they are in the log, and from here on only their number counts.
    #[cold]
    fn give_up_errors(&mut self) {
        let kinds: Vec<String> = std::mem::take(&mut self.errors).into_keys().collect();
        crate::warning!(
            "Errorstats stopped adding new errors because there are {MAX_ERROR_KINDS} kinds already; CONFIG RESETSTAT \
             begins anew."
        );
        crate::warning!("Current errors code list: {}", kinds.join(", ").escape_debug());
        self.errors.insert("ERRORSTATS_DISABLED".into(), 1);
        self.errors_full = true;
    }

    /// Forgets everything that CONFIG RESETSTAT forgets.
    pub fn reset(&mut self) {
        let peak_memory = self.peak_memory;
        *self = Stats { peak_memory, ..Stats::new(self.commands.len()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Redis 8.0.6: one kind too many, and only CONFIG RESETSTAT lets them be told apart again.
    #[test]
    fn errors_are_told_apart_up_to_a_limit() {
        let mut stats = Stats::new(0);
        for n in 0..MAX_ERROR_KINDS {
            stats.count_error(format!("E{n}"));
            stats.count_error("E0".into());
        }
        assert_eq!((stats.errors.len(), stats.errors["E0"]), (MAX_ERROR_KINDS, MAX_ERROR_KINDS as u64 + 1));
        stats.count_error("ONE-MORE".into());
        stats.count_error("E0".into());
        let only = BTreeMap::from([("ERRORSTATS_DISABLED".to_owned(), 1)]);
        assert_eq!((&stats.errors, stats.error_replies), (&only, 2 * MAX_ERROR_KINDS as u64 + 2));
        stats.reset();
        stats.count_error("E0".into());
        assert_eq!(stats.errors["E0"], 1);
    }
}
