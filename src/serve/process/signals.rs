#![allow(unsafe_code)] // signal
//! What the process does not want to hear.

/// Ignores SIGPIPE (a write to a gone client is an error, not the end) and SIGHUP (a closed terminal).
pub fn ignore() {
    for signal in [libc::SIGPIPE, libc::SIGHUP] {
        // SAFETY: SIG_IGN is no function of ours that could be called at a bad time.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
