#![allow(unsafe_code)] // a figure of jemalloc's that has no typed access
//! How much memory is in use, as the allocator counts it.

use std::cell::Cell;

use tikv_jemalloc_ctl::thread::{self, ThreadLocal};
use tikv_jemalloc_ctl::{epoch, raw, stats};

/// What the allocator said last, and what this thread has taken since.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryGauge {
    used: usize,
    read_us: u64,
}

thread_local! {
    /// Where the allocator counts this thread's allocated and freed bytes.
    static COUNTERS: Option<(ThreadLocal<u64>, ThreadLocal<u64>)> =
        thread::allocatedp::read().ok().zip(thread::deallocatedp::read().ok());
    /// The gauge's `read_us` and this thread's balance when it first met that reading.
    static SEEN: Cell<(u64, i64)> = const { Cell::new((u64::MAX, 0)) };
}

/// Bytes that this thread has allocated and not freed.
fn balance() -> i64 {
    COUNTERS.with(|counters| {
        counters.as_ref().map_or(0, |(taken, freed)| taken.get().wrapping_sub(freed.get()) as i64)
    })
}

/// So long a figure holds: to ask the allocator is not cheap.
const GAUGE_US: u64 = 1_000;

impl MemoryGauge {
    /// Asks the allocator now.
    pub fn renew(&mut self, now_mono_us: u64) -> usize {
        *self = MemoryGauge { used: used_memory(), read_us: now_mono_us };
        SEEN.set((now_mono_us, balance()));
        self.used
    }

    /// Bytes in use: as the allocator said no more than a millisecond ago, and what this thread has taken since.
    pub fn used(&mut self, now_mono_us: u64) -> usize {
        if self.used == 0 || now_mono_us.saturating_sub(self.read_us) > GAUGE_US {
            return self.renew(now_mono_us);
        }
        let balance = balance();
        match SEEN.get() {
            (read_us, before) if read_us == self.read_us => {
                self.used.saturating_add_signed((balance - before) as isize)
            }
            _ => {
                SEEN.set((self.read_us, balance));
                self.used
            }
        }
    }
}

/// Bytes that the program has allocated and not freed. What threads have freed and keep for themselves is free.
pub fn used_memory() -> usize {
    // The allocator keeps its figures for an epoch; all calls fail only if it was built without them.
    let _ = epoch::advance();
    let cached = b"stats.arenas.4096.tcache_bytes\0";
    // SAFETY: the figure (of all arenas together: that is what 4096 means) is a `size_t`, and the name ends with a zero.
    let cached: usize = unsafe { raw::read(cached) }.unwrap_or(0);
    stats::allocated::read().unwrap_or(0).saturating_sub(cached)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was freed counts no more, though the thread may keep it at hand.
    #[test]
    fn what_is_freed_is_free() {
        let mut gauge = MemoryGauge::default();
        let before = gauge.used(1);
        let blocks: Vec<Vec<u8>> = (0..64).map(|_| vec![1; 16 << 10]).collect();
        let full = gauge.used(2);
        assert!(full >= before + (1 << 20), "{before} {full}");
        drop(blocks);
        let after = gauge.used(3);
        assert!(after + (1 << 20) <= full, "{full} {after}");
    }
}
