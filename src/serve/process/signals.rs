#![allow(unsafe_code)] // signal, umask, prctl
//! What the process does not want to hear, and what it inherits.

/// Ignores SIGPIPE (a write to a gone client is an error, not the end) and SIGHUP (a closed terminal).
pub fn ignore() {
    for signal in [libc::SIGPIPE, libc::SIGHUP] {
        // SAFETY: SIG_IGN is no function of ours that could be called at a bad time.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// The permissions that new files do not get. Before threads exist: reading it means setting it for a moment.
pub fn umask() -> u32 {
    // SAFETY: plain numbers.
    unsafe {
        let mask = libc::umask(0o777);
        libc::umask(mask);
        mask
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
