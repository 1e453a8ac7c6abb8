//! Time that the log takes: how much in all, and the longest of each kind of event, for the latency monitor.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What can take long, by its name in the latency monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Any write.
    Write,
    /// One while a sync runs that nobody waits for.
    WriteBesideSync,
    /// One while a forked child writes.
    WriteBesideChild,
    /// One with nothing beside it.
    WriteAlone,
    /// A sync that replies wait for.
    Sync,
    /// A finished file gets its name.
    Rename,
}

const NAMES: [&str; 6] = [
    "aof-write",
    "aof-write-pending-fsync",
    "aof-write-active-child",
    "aof-write-alone",
    "aof-fsync-always",
    "aof-rename",
];

/// See the module.
#[derive(Debug, Default)]
pub struct Spent {
    /// Microseconds of writes and of syncs in a worker's way.
    micros: AtomicU64,
    /// Microseconds of the longest since the last look, by event.
    longest: [AtomicU64; NAMES.len()],
}

impl Spent {
    /// Counts what a worker has waited for.
    pub(super) fn add(&self, took: Duration) {
        self.micros.fetch_add(micros(took), Ordering::Relaxed);
    }

    /// An event has taken so long.
    #[inline]
    pub fn note(&self, event: Event, took: Duration) {
        self.longest[event as usize].fetch_max(micros(took), Ordering::Relaxed);
    }

    /// The events since the last call that took a millisecond or more, and the microseconds of the longest of each.
    pub fn take(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let longest = NAMES.iter().zip(&self.longest);
        longest.filter_map(|(name, us)| {
            let us = us.swap(0, Ordering::Relaxed);
            (us >= 1000).then_some((*name, us))
        })
    }

    /// Microseconds that workers have waited, in all.
    pub fn micros(&self) -> u64 {
        self.micros.load(Ordering::Relaxed)
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
