//! Who speaks HTTP to us is sent away: a web page could otherwise make its visitor's browser send commands.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::engine::{Engine, Session};
use crate::warning;

/// Whether a request's name is what a line of HTTP begins with. No command is called so.
pub(super) fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// Ends the connection at once: nothing more of it runs, and no reply leaves.
#[cold]
pub(super) fn send_away(engine: &mut Engine, session: &mut Session) {
    warn(engine.state.clock.now().ms / 1000, &session.peer.addr());
    session.cut_off = true;
    engine.state.forget(session.id);
}

/// Once a minute is enough for the log.
fn warn(now_s: u64, addr: &str) {
    static WARNED: AtomicU64 = AtomicU64::new(0);
    if now_s.abs_diff(WARNED.load(Relaxed)) > 60 {
        warning!(
            "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands to Redis. \
             This is likely due to an attacker attempting to use Cross Protocol Scripting to compromise your Redis \
             instance. Connection from {addr} aborted."
        );
        WARNED.store(now_s, Relaxed);
    }
}
