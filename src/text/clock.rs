//! The one clock, read once per command and handed down.
//!
//! It can stand still, be set and be moved: a snapshot is served as of the moment when it was written, and tests
//! move time instead of sleeping. The monotonic part runs on regardless; timeouts use that.

use super::tsc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970: expiry.
    pub ms: u64,
    /// Microseconds since 1970: TIME, logs.
    pub us: u64,
    /// Microseconds since the clock was made: durations and timeouts. Never goes back, never stands still.
    pub mono_us: u64,
}

/// Tells the time.
///
/// A read costs one look at the monotonic clock (or the cycle counter, where the kernel trusts it); the wall clock is
/// that plus an offset. [`sync`](Clock::sync) renews what is assumed about both: called ten times a second, the clock
/// follows when someone sets the system's.
#[derive(Clone, Debug)]
pub struct Clock {
    mono: Mono,
    wall: Wall,
}

#[derive(Clone, Copy, Debug)]
enum Wall {
    /// Unix microseconds at the clock's start, as the system has it now, and how far we were moved from it.
    Running { at_start_us: u64, moved_us: i64 },
    /// Stands still at these Unix microseconds.
    Frozen { us: u64 },
}

impl Default for Clock {
    fn default() -> Self {
        Self::real()
    }
}

impl Clock {
    /// A clock that shows the system's time.
    pub fn real() -> Self {
        let mut clock = Clock { mono: Mono::start(), wall: Wall::Running { at_start_us: 0, moved_us: 0 } };
        clock.sync();
        clock
    }

    /// A clock that stands still at a moment (Unix milliseconds).
    pub fn frozen(ms: u64) -> Self {
        Clock { mono: Mono::start(), wall: Wall::Frozen { us: ms.saturating_mul(1000) } }
    }

    /// What time it is.
    #[inline]
    pub fn now(&self) -> Now {
        let mono_us = self.mono_us();
        let us = match self.wall {
            Wall::Running { at_start_us, moved_us } => {
                (at_start_us + mono_us).saturating_add_signed(moved_us)
            }
            Wall::Frozen { us } => us,
        };
        Now { ms: us / 1000, us, mono_us }
    }

    /// Only the monotonic part, for measuring durations.
    #[inline]
    pub fn mono_us(&self) -> u64 {
        self.mono.ns() / 1000
    }

    /// Looks at the system's clocks again.
    pub fn sync(&mut self) {
        self.mono.sync();
        let (mono_us, system_us) = together(|| self.mono_us(), system_us, 50);
        if let Wall::Running { at_start_us, .. } = &mut self.wall {
            *at_start_us = system_us.saturating_sub(mono_us);
        }
    }

    /// Sets the time (Unix milliseconds); a running clock runs on from there.
    pub fn set(&mut self, ms: u64) {
        let target = ms.saturating_mul(1000);
        let shown = self.now().us;
        match &mut self.wall {
            Wall::Running { moved_us, .. } => {
                *moved_us = moved_us.saturating_add(target.wrapping_sub(shown) as i64)
            }
            Wall::Frozen { us } => *us = target,
        }
    }

    /// Moves the time forward (or back) by milliseconds.
    pub fn advance(&mut self, ms: i64) {
        let by = ms.saturating_mul(1000);
        match &mut self.wall {
            Wall::Running { moved_us, .. } => *moved_us = moved_us.saturating_add(by),
            Wall::Frozen { us } => *us = us.saturating_add_signed(by),
        }
    }

    /// Stops the time where it is.
    pub fn freeze(&mut self) {
        self.wall = Wall::Frozen { us: self.now().us };
    }

    /// Lets a frozen clock run on from where it stands.
    pub fn thaw(&mut self) {
        if let Wall::Frozen { us } = self.wall {
            self.wall = Wall::Running { at_start_us: 0, moved_us: 0 };
            self.sync();
            self.set(us / 1000);
        }
    }

    /// Whether the time stands still.
    pub fn is_frozen(&self) -> bool {
        matches!(self.wall, Wall::Frozen { .. })
    }
}

/// The system's wall clock, in Unix microseconds (0 before 1970).
pub fn system_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as u64)
}

/// Reads two clocks at the same moment: the first one, looked at before and after the other, has moved by no more than
/// `most`. On a busy machine a thread may stand still between two looks for long, and keys would lapse before their
/// time; where that happens again and again the nearest pair is taken.
fn together(first: impl Fn() -> u64, other: impl Fn() -> u64, most: u64) -> (u64, u64) {
    let look = || {
        let (before, other, after) = (first(), other(), first());
        (after.saturating_sub(before), before, other)
    };
    let mut best = look();
    for _ in 0..16 {
        if best.0 <= most {
            break;
        }
        best = best.min(look());
    }
    (best.1, best.2)
}

/// Nanoseconds since a start, by the cycle counter as soon as its speed is known.
#[derive(Clone, Debug)]
struct Mono {
    started: Instant,
    /// The counter at the start; `None` where it is no clock.
    ticks_at_start: Option<u64>,
    /// The counter and the time at the last look at the system's clock.
    anchor: (u64, u64),
    /// Nanoseconds per tick, times 2^32; 0 while it is not known.
    ns_per_tick: u64,
}

/// The counter's speed is measured over at least this long.
const CALIBRATION_NS: u64 = 20_000_000;

impl Mono {
    fn start() -> Self {
        let ticks_at_start = tsc::is_trusted().then(tsc::ticks);
        Mono { started: Instant::now(), ticks_at_start, anchor: (0, 0), ns_per_tick: 0 }
    }

    #[inline]
    fn ns(&self) -> u64 {
        if self.ns_per_tick == 0 {
            return self.system_ns();
        }
        let (ticks, ns) = self.anchor;
        let since = u128::from(tsc::ticks().saturating_sub(ticks));
        ns + ((since * u128::from(self.ns_per_tick)) >> 32) as u64
    }

    #[cold]
    fn system_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Measures the counter's speed anew, and starts counting from here, but not from before what was shown.
    fn sync(&mut self) {
        let Some(ticks_at_start) = self.ticks_at_start else { return };
        let shown = self.ns();
        let (system, ticks) = together(|| self.system_ns(), tsc::ticks, 20_000);
        if system < CALIBRATION_NS || ticks <= ticks_at_start {
            return;
        }
        let speed = (u128::from(system) << 32) / u128::from(ticks - ticks_at_start);
        if shown.abs_diff(system) > CALIBRATION_NS || speed >> 40 != 0 {
            self.ticks_at_start = None; // it runs unevenly after all
            self.ns_per_tick = 0;
            let ahead = Duration::from_nanos(shown.saturating_sub(system));
            self.started = self.started.checked_sub(ahead).unwrap_or(self.started); // so as not to go back
            return;
        }
        self.anchor = (ticks, system.max(shown));
        self.ns_per_tick = speed as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_between_two_looks_sets_no_clock_wrong() {
        let time = std::cell::Cell::new(0);
        let looks = std::cell::Cell::new(0);
        let first = || {
            time.set(time.get() + 1);
            time.get()
        };
        let other = || {
            looks.set(looks.get() + 1);
            time.set(time.get() + if looks.get() < 4 { 600_000 } else { 1 });
            time.get() + 7_000
        };
        let (first, other) = together(first, other, 50);
        assert!(other - first < 7_050, "{first} {other}");
        assert_eq!(looks.get(), 4);
    }

    #[test]
    fn shows_the_systems_time_and_moves() {
        let mut clock = Clock::real();
        let (now, system) = (clock.now(), system_us());
        assert!(system.abs_diff(now.us) < 1_000_000);
        assert_eq!(now.ms, now.us / 1000);
        clock.advance(3_600_000);
        assert!((clock.now().us - system).abs_diff(3_600_000_000) < 1_000_000);
        clock.sync();
        assert!((clock.now().us - system).abs_diff(3_600_000_000) < 1_000_000);
        clock.set(5000);
        assert!((5000..6000).contains(&clock.now().ms));
        assert!(clock.now().mono_us >= now.mono_us);
    }

    #[test]
    fn stands_still_until_moved() {
        let mut clock = Clock::frozen(1_000_000);
        assert!(clock.is_frozen());
        assert_eq!(clock.now().ms, 1_000_000);
        clock.sync();
        clock.advance(-1);
        assert_eq!(clock.now().us, 999_999_000);
        clock.set(7);
        assert_eq!(clock.now().ms, 7);
        clock.thaw();
        assert!(!clock.is_frozen() && (7..1000).contains(&clock.now().ms));
        clock.freeze();
        assert_eq!(clock.now().us, clock.now().us);
        clock.advance(i64::MIN);
        clock.advance(i64::MAX);
        clock.set(u64::MAX);
        assert_eq!(clock.now().us, u64::MAX);
    }

    #[test]
    fn the_cycle_counter_keeps_up_with_the_system() {
        let mut clock = Clock::real();
        let mut last = 0;
        for round in 0..60 {
            std::thread::sleep(std::time::Duration::from_millis(1));
            for _ in 0..100 {
                let now = clock.now();
                assert!(now.mono_us >= last);
                last = now.mono_us;
            }
            let drift = clock.mono.ns().abs_diff(clock.mono.system_ns());
            assert!(drift < 5_000_000, "{drift} ns off in round {round}");
            if round % 10 == 9 {
                clock.sync();
            }
        }
        assert!(clock.mono.ticks_at_start.is_none() || clock.mono.ns_per_tick != 0);
    }
}
