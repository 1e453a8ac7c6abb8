//! Signals: SIGTERM and SIGINT save and leave; a second SIGINT leaves at once.
//!
//! They are heard on a thread of their own, which never waits for the engine: the second one must be heard while the
//! first one's save has it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::serve::{Leave, Server, leave, leave_at_once};
use crate::text::log::{self, Level};
use crate::warning;

/// How often it is looked whether the timers go on.
const PAUSED: Duration = Duration::from_millis(10);

/// Hears signals for ever.
pub(super) fn listen(server: &Arc<Server>) {
    let server = server.clone();
    let hear = move || match Builder::new_current_thread().enable_io().build() {
        Ok(runtime) => runtime.block_on(hear(&server)),
        Err(error) => warning!("Can't listen to signals: {error}"),
    };
    std::thread::Builder::new().name("signals".into()).spawn(hear).expect("a thread can be started");
}

async fn hear(server: &Arc<Server>) {
    let streams = signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)));
    let (mut interrupts, mut terminations) = match streams {
        Ok(streams) => streams,
        Err(error) => return warning!("Can't listen to signals: {error}"),
    };
    let leaving = Arc::new(AtomicBool::new(false));
    loop {
        let interrupt = next(&mut interrupts, &mut terminations).await;
        let again = leaving.swap(true, Ordering::SeqCst);
        if again && interrupt {
            say("You insist... exiting now.");
            leave_at_once();
        }
        say(match (server.is_loading(), interrupt) {
            (true, _) => "Received shutdown signal during loading, scheduling shutdown.",
            (false, true) => "Received SIGINT scheduling shutdown...",
            (false, false) => "Received SIGTERM scheduling shutdown...",
        });
        if !again {
            let (server, leaving) = (server.clone(), leaving.clone());
            let work = move || {
                obey(&server, interrupt);
                // Still here: the save failed, as the log says.
                leaving.store(false, Ordering::SeqCst);
            };
            std::thread::Builder::new().name("leave".into()).spawn(work).expect("a thread can be started");
        }
    }
}

/// Whether the next signal is SIGINT.
async fn next(interrupts: &mut Signal, terminations: &mut Signal) -> bool {
    tokio::select! {
        _ = interrupts.recv() => true,
        _ = terminations.recv() => false,
    }
}

/// Logs in the form that lines from signal handlers have.
fn say(message: &str) {
    let seconds = crate::text::clock::system_us() / 1_000_000;
    log::raw(Level::Warning, &format!("{}:signal-handler ({seconds}) {message}\n", std::process::id()));
}

/// Leaves, when the timers' turn comes: while they stand still (DEBUG PAUSE-CRON) SHUTDOWN ABORT may take it back.
fn obey(server: &Server, interrupt: bool) {
    server.leaving.store(true, Ordering::SeqCst);
    let mut guard = server.lock();
    while guard.state.pause_cron && server.leaving.load(Ordering::SeqCst) {
        drop(guard);
        std::thread::sleep(PAUSED);
        guard = server.lock();
    }
    if !server.leaving.swap(false, Ordering::SeqCst) {
        return;
    }
    let engine = &mut *guard;
    let config = &engine.state.config;
    let flags = if interrupt { config.shutdown_on_sigint } else { config.shutdown_on_sigterm };
    // An error is in the log.
    let _ = leave(server, &mut engine.keyspace, &mut engine.state, Leave::from_flags(flags));
}
