//! Signals: SIGTERM and SIGINT save and leave; a second SIGINT leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

use crate::serve::{Leave, Server, leave};
use crate::warning;

/// Hears signals for ever.
pub(super) fn listen(server: &Arc<Server>) {
    static ASKED: AtomicBool = AtomicBool::new(false);
    for (kind, name) in [(SignalKind::interrupt(), "SIGINT"), (SignalKind::terminate(), "SIGTERM")] {
        let Ok(mut stream) = signal(kind) else { continue };
        let server = server.clone();
        tokio::task::spawn_local(async move {
            while stream.recv().await.is_some() {
                if name == "SIGINT" && ASKED.swap(true, Ordering::SeqCst) {
                    warning!("You insist... exiting now.");
                    std::process::exit(1);
                }
                warning!("Received {name} scheduling shutdown...");
                by_signal(&server, name == "SIGINT");
                ASKED.store(false, Ordering::SeqCst);
            }
        });
    }
}

fn by_signal(server: &Server, interrupt: bool) {
    let mut guard = server.lock();
    let engine = &mut *guard;
    let config = &engine.state.config;
    let flags = if interrupt { config.shutdown_on_sigint } else { config.shutdown_on_sigterm };
    let how = Leave::from_flags(flags);
    if leave(server, &mut engine.keyspace, &mut engine.state, how).is_err() {
        warning!(
            "SIGTERM received but errors trying to shut down the server, check the logs for more information"
        );
    }
}
