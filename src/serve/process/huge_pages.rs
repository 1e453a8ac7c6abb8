#![allow(unsafe_code)] // prctl, mincore, madvise
//! Whether the kernel may give this process pages of 2 MiB.
//!
//! They make a fork cheap: its page tables are what a fork copies. A write after a fork copies 4 KiB all the same, since
//! Linux 5.8, and leaves 512 small pages, which are gathered again when the child is gone. A small server does better
//! without: each is zeroed as a whole, which at 6 MiB is most of the start. The allocator asks for them always
//! (`main.rs`); a flag of the process, which counts for memory that is touched from then on, decides. It is set while
//! the data grows and while we gather, and no longer: the kernel's own thread would also fill the holes that deleted data
//! has left.

use super::turns;
use crate::engine::config::Config;
use std::ops::Range;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// Bytes in use from which on the data gets huge pages.
const FROM_BYTES: usize = 64 << 20;
/// So many bytes more are growth.
const STEP: usize = 1 << 20;
/// So long after a step the data counts as growing.
const GROWS_US: u64 = 1_000_000;
/// After growth, what lies in small pages is gathered no more often than this: it means looking at all memory.
const GATHER_EVERY_US: u64 = 60_000_000;

/// Allows or forbids huge pages for what is touched from now on, also in children. Says whether it worked.
pub fn allow(yes: bool) -> bool {
    const UNUSED: libc::c_ulong = 0;
    let forbid = libc::c_ulong::from(!yes);
    // SAFETY: plain numbers.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, forbid, UNUSED, UNUSED, UNUSED) == 0 }
}

/// What the settings want of a process that begins: none where the data is still to come, or `disable-thp` says so.
pub fn settle(config: &Config) -> bool {
    !config.huge_pages && !config.disable_thp && allow(true) || allow(false)
}

/// Data is about to be loaded of which a snapshot takes so many bytes: it hardly takes less in memory, and being touched
/// page by page is a fifth of the time of a load. [`follow`] sees its end.
pub fn expect(config: &Config, snapshot_bytes: u64) {
    if config.huge_pages && snapshot_bytes >= FROM_BYTES as u64 {
        for_reason(Reason::Loading, true);
    }
}

/// How the data grows.
struct Growth {
    /// Bytes that were in use at the last step, or fewer since.
    mark: usize,
    grows_until_us: u64,
    /// Something has grown that was not gathered.
    loose: bool,
    gathered_us: Option<u64>,
}

impl Growth {
    /// Whether the data grows, and whether it is to be gathered.
    fn note(&mut self, used: usize, now_us: u64) -> (bool, bool) {
        if used >= self.mark + STEP {
            (self.grows_until_us, self.loose) = (now_us + GROWS_US, true);
            self.mark = used;
        }
        self.mark = self.mark.min(used);
        if used < FROM_BYTES {
            return (false, false);
        }
        let grows = now_us < self.grows_until_us;
        let rested = self.gathered_us.is_none_or(|then| now_us >= then + GATHER_EVERY_US);
        let gather = self.loose && !grows && rested;
        if gather {
            (self.loose, self.gathered_us) = (false, Some(now_us));
        }
        (grows, gather)
    }
}

/// Follows how big the data has become, and whether it is still being loaded; to be called now and then, with what
/// [`gather`] takes.
pub fn follow(
    config: &Config,
    loading: bool,
    used_bytes: usize,
    now_us: u64,
    goes_on: impl Fn() -> bool + Send + 'static,
) {
    static GROWTH: Mutex<Growth> =
        Mutex::new(Growth { mark: 0, grows_until_us: 0, loose: false, gathered_us: None });
    if !config.huge_pages {
        return;
    }
    let (grows, now) = GROWTH.lock().unwrap_or_else(PoisonError::into_inner).note(used_bytes, now_us);
    for_reason(Reason::Growth, grows);
    if !loading {
        for_reason(Reason::Loading, false);
    }
    if now {
        gather(goes_on);
    }
}

/// A child is gone, and what was written beside it lies in small pages; with what [`gather`] takes.
pub fn child_is_gone(used_bytes: usize, goes_on: impl Fn() -> bool + Send + 'static) {
    if used_bytes >= FROM_BYTES {
        gather(goes_on);
    }
}

#[derive(Clone, Copy)]
enum Reason {
    Loading,
    Growth,
    Gathering,
}

/// Why huge pages are allowed, by [`Reason`].
struct Reasons([bool; 3]);

impl Reasons {
    /// Whether they are to be allowed or forbidden now, if that changes.
    fn note(&mut self, reason: Reason, yes: bool) -> Option<bool> {
        let before = self.0.contains(&true);
        self.0[reason as usize] = yes;
        let now = self.0.contains(&true);
        (now != before).then_some(now)
    }
}

/// Allows huge pages as long as there is a reason to.
fn for_reason(reason: Reason, yes: bool) {
    static REASONS: Mutex<Reasons> = Mutex::new(Reasons([false; 3]));
    let mut reasons = REASONS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(now) = reasons.note(reason, yes) {
        // Where the kernel has no such flag, there is nothing to be done.
        let _ = allow(now);
    }
}

type GoesOn = Box<dyn Fn() -> bool + Send>;

/// Has a thread put into huge pages what lies in small ones, as long as `goes_on`: a child would have its memory
/// copied.
fn gather(goes_on: impl Fn() -> bool + Send + 'static) {
    static THREAD: OnceLock<Sender<GoesOn>> = OnceLock::new();
    let thread = THREAD.get_or_init(|| {
        let (sender, receiver) = channel::<GoesOn>();
        let work = move || {
            turns::stand_back();
            for goes_on in receiver {
                for_reason(Reason::Gathering, true);
                gather_now(&*goes_on);
                for_reason(Reason::Gathering, false);
            }
        };
        std::thread::Builder::new().name("huge_pages".into()).spawn(work).expect("a thread can be started");
        sender
    });
    // Its receiver lives as long as the process.
    let _ = thread.send(Box::new(goes_on));
}

const HUGE: usize = 2 << 20;
const PAGES: usize = HUGE / 4096;
/// Huge pages that the kernel is asked for at once. It makes one after the other.
const AT_ONCE: usize = 8;
/// With so many small pages a window is worth a huge one. The others are holes that the allocator gave back, to be filled.
const ENOUGH: usize = PAGES - PAGES / 32;

/// Where huge pages could be.
fn windows() -> impl Iterator<Item = usize> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let areas: Vec<_> = maps.lines().filter_map(anonymous).collect();
    areas.into_iter().flat_map(|area| {
        let first = area.start.next_multiple_of(HUGE);
        (first..(area.end + 1).saturating_sub(HUGE)).step_by(HUGE)
    })
}

/// Puts what lies in small pages into huge ones, where it fills them (almost).
/// Takes about 0.3 ms for each, in which who touches that memory waits, and rests as long as it works. Does nothing before
/// Linux 6.1.
fn gather_now(goes_on: &dyn Fn() -> bool) {
    let mut full = windows().filter(|at| resident_pages(*at) >= ENOUGH).peekable();
    while let Some(from) = full.next() {
        let mut to = from + HUGE;
        while to < from + AT_ONCE * HUGE && full.next_if_eq(&to).is_some() {
            to += HUGE;
        }
        let began = Instant::now();
        if !goes_on() || !collapse(from..to) {
            return;
        }
        std::thread::sleep(began.elapsed());
    }
}

/// Where memory lies that belongs to no file and has no other purpose, of a line of `/proc/self/maps`.
fn anonymous(line: &str) -> Option<Range<usize>> {
    let mut fields = line.split_ascii_whitespace();
    let (from, to) = fields.next()?.split_once('-')?;
    let (access, inode) = (fields.next()?, fields.nth(2)?);
    let address = |text| usize::from_str_radix(text, 16).ok();
    (access == "rw-p" && inode == "0" && fields.next().is_none()).then_some(address(from)?..address(to)?)
}

/// How many of the small pages of a window are there.
fn resident_pages(from: usize) -> usize {
    let mut resident = [0; PAGES];
    let address = std::ptr::without_provenance_mut(from);
    // SAFETY: nothing is read or written at the address, which may even be gone; there is a byte for each page.
    let known = unsafe { libc::mincore(address, HUGE, resident.as_mut_ptr()) == 0 };
    if known { resident.iter().filter(|page| **page & 1 == 1).count() } else { 0 }
}

/// False: the machine has no such memory left.
fn collapse(range: Range<usize>) -> bool {
    const MADV_COLLAPSE: libc::c_int = 25;
    let address = std::ptr::without_provenance_mut(range.start);
    // SAFETY: what the memory holds stays the same; where nothing is any more, nothing happens.
    let done = unsafe { libc::madvise(address, range.len(), MADV_COLLAPSE) == 0 };
    done || std::io::Error::last_os_error().raw_os_error() != Some(libc::ENOMEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_memory_without_a_name_is_gathered() {
        for (line, found) in [
            ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0 ", Some(0x7f00_0000_0000..0x7f00_0040_0000)),
            ("7f0000000000-7f0000400000 rw-p 00000000 00:00 0    [heap]", None),
            ("7f0000000000-7f0000400000 ---p 00000000 00:00 0 ", None),
            ("7f0000000000-7f0000400000 rw-p 00001000 fe:00 326279  /usr/lib/libc.so.6", None),
            ("", None),
        ] {
            assert_eq!(anonymous(line), found, "{line}");
        }
    }

    #[test]
    fn huge_pages_are_allowed_as_long_as_anything_asks_for_them() {
        let mut reasons = Reasons([false; 3]);
        for (reason, yes, changes) in [
            (Reason::Growth, false, None), // as the timers say while there is little
            (Reason::Loading, true, Some(true)),
            (Reason::Growth, false, None),
            (Reason::Loading, false, Some(false)), // what was loaded had expired
            (Reason::Growth, true, Some(true)),
            (Reason::Gathering, true, None),
            (Reason::Growth, false, None),
            (Reason::Gathering, false, Some(false)),
        ] {
            assert_eq!(reasons.note(reason, yes), changes);
        }
    }

    #[test]
    fn growth_is_gathered_when_it_pauses() {
        const MIB: usize = 1 << 20;
        const S: u64 = 1_000_000;
        let mut growth = Growth { mark: 0, grows_until_us: 0, loose: false, gathered_us: None };
        for (at, used, expected) in [
            (0, 7 * MIB, (false, false)), // a small server
            (S, 140 * MIB, (true, false)),
            (2 * S, 140 * MIB, (false, true)),
            (3 * S, 140 * MIB, (false, false)),
            (4 * S, 141 * MIB, (true, false)),
            (5 * S, 141 * MIB, (false, false)), // not so soon again
            (61 * S, 141 * MIB, (false, false)),
            (62 * S, 141 * MIB, (false, true)),
            (200 * S, 120 * MIB, (false, false)), // deleting is no growth
            (201 * S, 121 * MIB, (true, false)),
            (201 * S, 7 * MIB, (false, false)),
        ] {
            assert_eq!(growth.note(used, at), expected, "{at} {used}");
        }
    }
}
