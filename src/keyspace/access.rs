//! The access clock: 24 bits per key from which LRU and LFU eviction, OBJECT IDLETIME and OBJECT FREQ are told.
//!
//! LRU: seconds modulo 2^24. LFU: 16 bits of minutes of the last decay, 8 bits of a logarithmic counter.

/// Which of the two the clock holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    #[default]
    Lru,
    Lfu,
}

/// How the access clock runs.
#[derive(Debug, Clone)]
pub struct Access {
    /// What the clock holds.
    pub policy: Policy,
    /// `lfu-log-factor`: the higher, the slower the counter grows.
    pub log_factor: u32,
    /// `lfu-decay-time`: minutes after which the counter loses one.
    pub decay_minutes: u32,
}

impl Default for Access {
    fn default() -> Self {
        Access { policy: Policy::Lru, log_factor: 10, decay_minutes: 1 }
    }
}

const LFU_START: u32 = 5;
const MASK: u32 = 0xff_ffff;

fn seconds(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & MASK
}

fn minutes(now_ms: u64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

impl Access {
    /// The clock of a key that is made now.
    pub fn fresh(&self, now_ms: u64) -> u32 {
        match self.policy {
            Policy::Lru => seconds(now_ms),
            Policy::Lfu => minutes(now_ms) << 8 | LFU_START,
        }
    }

    /// The clock of a key that is used now.
    #[inline]
    pub fn used(&self, clock: u32, now_ms: u64) -> u32 {
        match self.policy {
            Policy::Lru => seconds(now_ms),
            Policy::Lfu => minutes(now_ms) << 8 | self.grown(self.counter(clock, now_ms)),
        }
    }

    /// The LFU counter as of now.
    pub fn counter(&self, clock: u32, now_ms: u64) -> u32 {
        let idle_minutes = minutes(now_ms).wrapping_sub(clock >> 8) & 0xffff;
        let periods = idle_minutes.checked_div(self.decay_minutes).unwrap_or(0);
        (clock & 0xff).saturating_sub(periods)
    }

    fn grown(&self, counter: u32) -> u32 {
        if counter >= 255 {
            return 255;
        }
        let above = counter.saturating_sub(LFU_START);
        let chance = 1.0 / (f64::from(above) * f64::from(self.log_factor) + 1.0);
        if fastrand::f64() < chance { counter + 1 } else { counter }
    }

    /// Seconds since the last use, of an LRU clock.
    pub fn idle_seconds(&self, clock: u32, now_ms: u64) -> u64 {
        u64::from(seconds(now_ms).wrapping_sub(clock) & MASK)
    }

    /// A clock that says: unused for so many seconds (from a snapshot, RESTORE IDLETIME).
    pub fn idle_since(&self, idle_seconds: u64, now_ms: u64) -> u32 {
        let idle = u32::try_from(idle_seconds).unwrap_or(MASK).min(MASK >> 1);
        seconds(now_ms).wrapping_sub(idle) & MASK
    }

    /// A clock with this LFU counter (from a snapshot, RESTORE FREQ).
    pub fn with_counter(&self, counter: u8, now_ms: u64) -> u32 {
        minutes(now_ms) << 8 | u32::from(counter)
    }
}
