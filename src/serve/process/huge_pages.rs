#![allow(unsafe_code)] // prctl
//! Whether the kernel may give this process pages of 2 MiB.
//!
//! They make a fork cheap: its page tables are what a fork copies (measured here at 145 MB: 2.4 ms instead of 9.4).
//! A small server does better without: each is zeroed as a whole, which at 6 MiB is most of the start. A write after
//! a fork copies 4 KiB all the same, since Linux 5.8. The allocator asks for them always (`main.rs`); a flag of the
//! process, which counts for memory that is touched from then on, decides. Off unless `huge-pages yes`: buffers that
//! are filled in part only (566 MB of output that wait) are resident as a whole then.

use crate::engine::config::Config;
use std::sync::Once;

/// Resident bytes from which on the data gets huge pages.
pub const FROM_BYTES: usize = 16 << 20;

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

/// Data is about to be loaded of which a snapshot takes so many bytes: it takes no less in memory, and being touched page by
/// page is a fifth of the time of a load.
pub fn expect(config: &Config, snapshot_bytes: u64) {
    if config.huge_pages && snapshot_bytes >= FROM_BYTES as u64 {
        allow(true);
    }
}

/// Looks at how big the data has become; to be called now and then.
pub fn follow(config: &Config, used_bytes: usize) {
    static GROWN: Once = Once::new();
    if config.huge_pages && used_bytes >= FROM_BYTES {
        // Where the kernel has no such flag, there is nothing to be done.
        GROWN.call_once(|| _ = allow(true));
    }
}
