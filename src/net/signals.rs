//! Signals: SIGTERM and SIGINT save and leave; a second SIGINT leaves at once.
//!
//! They are heard on a thread of their own, which never waits for the engine: the second one must be heard while the
//! first one's save has it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::serve::{Leave, Server, leave, leave_at_once};
use crate::text::log::{self, Level};
use crate::warning;

/// How often it is looked whether the timers go on.
const PAUSED: Duration = Duration::from_millis(10);

/// Hears signals for ever. `heard` is called, on their thread, as soon as none is missed any more.
pub(super) fn listen(server: &Arc<Server>, heard: impl FnOnce() + Send + 'static) {
    let server = server.clone();
    let hear = move || match Builder::new_current_thread().enable_io().build() {
        Ok(runtime) => runtime.block_on(hear(&server, heard)),
        Err(error) => warning!("Can't listen to signals: {error}"),
    };
    std::thread::Builder::new().name("signals".into()).spawn(hear).expect("a thread can be started");
}

async fn hear(server: &Arc<Server>, heard: impl FnOnce()) {
    let streams = signal(SignalKind::interrupt()).and_then(|i| Ok((i, signal(SignalKind::terminate())?)));
    heard();
    let (mut interrupts, mut terminations) = match streams {
        Ok(streams) => streams,
        Err(error) => return warning!("Can't listen to signals: {error}"),
    };
    let phase = Arc::new(Mutex::new(Phase::Stays));
    loop {
        let interrupt = next(&mut interrupts, &mut terminations).await;
        let mut now = lock(&phase);
        // Taken back, but the thread that waits has not seen it yet.
        let taken_back = matches!(*now, Phase::Waits { .. }) && !server.leaving.load(Ordering::SeqCst);
        let begins = *now == Phase::Stays;
        if !begins && !taken_back && interrupt {
            say("You insist... exiting now.");
            leave_at_once();
        }
        say(match (server.is_loading(), interrupt) {
            (true, _) => "Received shutdown signal during loading, scheduling shutdown.",
            (false, true) => "Received SIGINT scheduling shutdown...",
            (false, false) => "Received SIGTERM scheduling shutdown...",
        });
        if begins || taken_back {
            *now = Phase::Waits { interrupt };
            server.leaving.store(true, Ordering::SeqCst);
        }
        drop(now);
        if begins {
            let (server, phase) = (server.clone(), phase.clone());
            let work = move || {
                if obey(&server, &phase) {
                    // Still here: the save failed, as the log says.
                    *lock(&phase) = Phase::Stays;
                }
            };
            std::thread::Builder::new().name("leave".into()).spawn(work).expect("a thread can be started");
        }
    }
}

/// How far leaving is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Stays,
    /// For the timers' turn; `server.leaving` goes when it is taken back.
    Waits {
        interrupt: bool,
    },
    Leaves,
}

fn lock(phase: &Mutex<Phase>) -> MutexGuard<'_, Phase> {
    phase.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Leaves, when the timers' turn comes: while they stand still (DEBUG PAUSE-CRON) SHUTDOWN ABORT may take it back. False
/// if that happened.
fn obey(server: &Server, phase: &Mutex<Phase>) -> bool {
    let (mut guard, interrupt) = loop {
        let guard = server.lock();
        let mut now = lock(phase);
        let Phase::Waits { interrupt } = *now else { return false };
        if !server.leaving.load(Ordering::SeqCst) {
            // Under the same lock, so that a signal that comes now begins anew.
            *now = Phase::Stays;
            return false;
        }
        if !guard.state.pause_cron {
            *now = Phase::Leaves;
            server.leaving.store(false, Ordering::SeqCst);
            drop(now);
            break (guard, interrupt);
        }
        drop((now, guard));
        std::thread::sleep(PAUSED);
    };
    let engine = &mut *guard;
    let config = &engine.state.config;
    let flags = if interrupt { config.shutdown_on_sigint } else { config.shutdown_on_sigterm };
    // An error is in the log.
    let _ = leave(server, &mut engine.keyspace, &mut engine.state, Leave::from_flags(flags));
    true
}
