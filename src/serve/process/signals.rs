#![allow(unsafe_code)] // signal, prctl
//! What the process does not want to hear, and how the kernel treats its memory.

/// Ignores SIGPIPE (a write to a gone client is an error, not the end) and SIGHUP (a closed terminal).
pub fn ignore() {
    for signal in [libc::SIGPIPE, libc::SIGHUP] {
        // SAFETY: SIG_IGN is no function of ours that could be called at a bad time.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Turns transparent huge pages off for this process and what it forks: after a fork, a write would copy 2 MiB
/// instead of 4 KiB. Says whether it worked.
pub fn disable_huge_pages() -> bool {
    const ON: libc::c_ulong = 1;
    const UNUSED: libc::c_ulong = 0;
    // SAFETY: plain numbers.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, ON, UNUSED, UNUSED, UNUSED) == 0 }
}
