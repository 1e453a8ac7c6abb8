//! Snapshots for followers (SYNC): a child writes one to a file that nobody else sees, threads send it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

use super::fork::Ended;
use super::reap::{done, take_leave};
use super::target::Target;
use super::write::Snapshot;
use super::{Purpose, start_child};
use crate::engine::session::Wanted;
use crate::engine::{Libraries, SessionId, State};
use crate::keyspace::Keyspace;
use crate::serve::Server;
use crate::{notice, warning};

/// Bytes of a snapshot that are handed to a connection at once.
const PART: usize = 256 << 10;
/// Bytes that may wait in a connection before it gets the next part.
const MOST_WAITING: usize = 1 << 20;
/// How long to wait for a connection to send what it has.
const PATIENCE: Duration = Duration::from_millis(2);

/// Begins a snapshot for those who wait for one. While another child is at work they go on waiting.
pub(in crate::serve) fn start(server: &Server, keyspace: &mut Keyspace, state: &mut State) {
    if state.saving.running.is_some() || !state.followers.has_waiting() {
        return;
    }
    notice!("Starting BGSAVE for SYNC with target: disk");
    let now = state.clock.now();
    state.followers.begin();
    if let Err(reason) = start_child(server, keyspace, state, now, Purpose::Follow) {
        warning!("BGSAVE for replication failed: {reason}");
        give_up(state);
    }
}

/// Sends a snapshot without keys at once, to a follower that asked for no more.
pub(in crate::serve) fn send_small(keyspace: &Keyspace, state: &mut State, id: SessionId, wanted: Wanted) {
    let (no_keys, no_libraries) = (Keyspace::new(1, state.config.limits.clone(), drop), Libraries::default());
    let libraries = if wanted == Wanted::Functions { &state.libraries } else { &no_libraries };
    let mut snapshot = Vec::new();
    let written = Snapshot::of(keyspace, state).of_other(&no_keys, libraries).write(&mut snapshot, |_| ());
    if let Err(error) = written {
        warning!("Failed to send a snapshot: {}", super::why(&error));
        return state.forget(id);
    }
    state.clients.push(id, format!("${}\r\n", snapshot.len()).as_bytes());
    state.clients.push(id, &snapshot);
    state.followers.skip_snapshot(id);
}

/// The followers' connections end: they may come again.
fn give_up(state: &mut State) {
    for id in state.followers.send() {
        state.forget(id);
    }
}

/// The child is gone: what it wrote is sent.
pub(super) fn conclude(server: &Arc<Server>, pid: i32, target: Option<Target>) {
    let mut guard = server.lock();
    let (ended, aborted) = take_leave(&mut guard, pid);
    let state = &mut guard.state;
    done(state);
    crate::serve::append::obey(&server.append, state);
    if aborted {
        return state.followers.begin_again();
    }
    let file = target.filter(|_| matches!(ended, Ended::Code(0))).and_then(|target| target.into_file().ok());
    let Some(file) = file else {
        warning!("Background saving error");
        return give_up(state);
    };
    let ids = state.followers.send();
    drop(guard);
    let file = Arc::new(file);
    for id in ids {
        let (server, file) = (server.clone(), file.clone());
        let send = move || {
            if let Err(error) = send(&server, &file, id) {
                warning!("Failed to send a snapshot: {error}");
                server.lock().state.forget(id);
            }
        };
        std::thread::Builder::new().name("feed".into()).spawn(send).expect("a thread can be started");
    }
}

/// Sends a snapshot as fast as the connection takes it.
fn send(server: &Server, file: &File, id: SessionId) -> std::io::Result<()> {
    let len = file.metadata()?.len();
    let mut part = format!("${len}\r\n").into_bytes();
    let mut at = 0;
    loop {
        if !hand_over(server, id, &part) {
            return Ok(());
        }
        if at == len {
            break;
        }
        part.resize(usize::try_from(len - at).unwrap_or(PART).min(PART), 0);
        file.read_exact_at(&mut part, at)?;
        at += part.len() as u64;
    }
    let mut guard = server.lock();
    let state = &mut guard.state;
    state.followers.go_online(id, &mut state.clients);
    let peer = state.clients.get(id).map_or_else(String::new, |session| session.peer.addr());
    notice!("Synchronization with replica {peer} succeeded");
    Ok(())
}

/// Gives a part to the connection as soon as it has room for it. False: it has ended.
fn hand_over(server: &Server, id: SessionId, part: &[u8]) -> bool {
    loop {
        let mut guard = server.lock();
        let state = &mut guard.state;
        if !state.clients.is_open(id) || !state.followers.has(id) {
            return false;
        }
        // One that runs a batch at the moment is asked again.
        let waiting = state.clients.get(id).map_or(usize::MAX, |s| s.outbox.len() + s.mirror.output);
        if waiting <= MOST_WAITING {
            state.clients.push(id, part);
            return true;
        }
        drop(guard);
        std::thread::sleep(PATIENCE);
    }
}
