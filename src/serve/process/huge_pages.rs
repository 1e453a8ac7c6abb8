#![allow(unsafe_code)] // prctl
//! Whether the kernel may give this process pages of 2 MiB.
//!
//! They make a fork cheap: its page tables are what a fork copies. Two million keys of 250 bytes, on a busy machine: 7.8
//! ms instead of 49; after nine of ten were deleted at random 17 ms instead of 53. Memory is the same: 510 MB resident
//! before, 473 instead of 475 after (what is left lies in every page, huge or not), 42 instead of 33 after FLUSHALL.
//! What it costs: a client that does not read its replies may hold 2 MiB where a part of them would do.
//!
//! A small server does better without: each page is zeroed as a whole, which at 6 MiB is most of the start. A write
//! after a fork copies 4 KiB all the same, since Linux 5.8; before that they are not used. The allocator asks for them
//! always (`main.rs`); a flag of the process, which counts for memory that is touched from then on, decides.

use crate::engine::config::Config;
use std::fs;
use std::sync::Once;

/// Resident bytes from which on the data gets huge pages.
pub const FROM_BYTES: usize = 64 << 20;

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

/// Looks at how big the data has become; to be called now and then.
pub fn follow(config: &Config, used_bytes: usize) {
    static GROWN: Once = Once::new();
    if config.huge_pages && used_bytes >= FROM_BYTES {
        let release = || fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        // Where the kernel has no such flag, there is nothing to be done.
        GROWN.call_once(|| _ = copies_small_pages(&release()) && allow(true));
    }
}

/// Whether a write after a fork copies 4 KiB of a huge page and not all of it, by the kernel's release.
fn copies_small_pages(release: &str) -> bool {
    let mut numbers =
        release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(5), Some(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_kernels_are_known_by_their_release() {
        for (release, expected) in [
            ("5.8.0-generic", true),
            ("5.15.167.4", true),
            ("6.1", true),
            ("10.0.1", true),
            ("5.7.19", false),
            ("4.18.0-553.el8", false),
            ("", false),
            ("unknown", false),
        ] {
            assert_eq!(copies_small_pages(release), expected, "{release}");
        }
    }
}
