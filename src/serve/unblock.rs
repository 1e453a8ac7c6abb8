//! Blocked clients' turns: their requests run again when a key that they wait for has changed, or their time is up.

use super::Server;
use super::dispatch;
use super::gate::find_row;
use crate::engine::blocked::WaitFor;
use crate::engine::{Engine, Session, SessionId, State};
use crate::keyspace::Lapse;
use crate::resp::{Out, OwnedArgs, Replied, Reply};
use crate::text::clock::Now;

/// Serves everyone whose turn has come, until nothing is ready any more. `now_ms`: when the command began that made
/// something ready; a key that was past its time then is not ready.
#[cold]
pub(super) fn serve_ready(server: &Server, engine: &mut Engine, now_ms: u64) {
    engine.state.blocked.set_serving(true);
    loop {
        while let Some(((db, key), elements, ids)) = engine.state.blocked.next_ready() {
            for id in ids {
                if is_ready(engine, id, db, &key, elements, now_ms) {
                    run_again(server, engine, id, false);
                }
            }
        }
        let Some((id, request)) = engine.state.blocked.next_released() else { break };
        run_released(server, engine, id, &request);
    }
    engine.state.blocked.set_serving(false);
}

/// Runs a request that a pause has delayed, unless there is a new one.
fn run_released(server: &Server, engine: &mut Engine, id: SessionId, request: &OwnedArgs) {
    let Some(mut session) = engine.state.clients.take(id) else { return };
    let mut out = Out::new();
    session.blocked = false;
    let args = request.args();
    let paused = engine.state.blocked.paused();
    if paused.is_some_and(|all| dispatch::is_postponed(&session, &args, all)) {
        dispatch::postpone(engine, &mut session, &args);
    } else {
        let now = engine.state.clock.now();
        dispatch::execute(server, engine, &mut session, args, &mut out, now);
    }
    settle(&mut engine.state, session, &mut out);
}

/// What is past its time is as good as gone, but stays until somebody asks for it. What is overwritten by a value of
/// another type is news for who waits for a change, not for who waits for elements.
fn is_ready(engine: &Engine, id: SessionId, db: usize, key: &[u8], elements: bool, now_ms: u64) -> bool {
    let entry = engine.keyspace.database(db).entry(key);
    let entry = entry.filter(|entry| entry.expiry().is_none_or(|when| when >= now_ms));
    let kind = entry.map(|entry| entry.kind().type_of());
    match engine.state.blocked.of(id).map(|waiting| waiting.wait_for) {
        Some(WaitFor::Elements(wanted)) => elements && kind == Some(wanted),
        Some(WaitFor::Change) => true,
        Some(WaitFor::Copies) | None => false,
    }
}

/// `late`: the time is up, so it does not wait again.
fn run_again(server: &Server, engine: &mut Engine, id: SessionId, late: bool) {
    let Some(mut session) = engine.state.clients.take(id) else { return };
    let Some(waiting) = engine.state.blocked.end(id) else { return engine.state.clients.put_back(session) };
    let mut out = Out::new();
    session.blocked = false;
    let (place, deadline) = waiting.place();
    session.keeps_place = Some(((place, if late { Some(0) } else { deadline }), waiting.since_us));
    let now = engine.state.clock.now();
    dispatch::run_kept(server, engine, &mut session, waiting.request.args(), &mut out, now);
    session.keeps_place = None;
    settle(&mut engine.state, session, &mut out);
}

fn settle(state: &mut State, mut session: Box<Session>, out: &mut Out) {
    session.outbox.append(&mut out.take());
    if !session.blocked {
        state.clients.wake(&mut session);
    }
    state.clients.put_back(session);
}

/// Ends a wait with an answer instead of its turn: a time-out, CLIENT UNBLOCK. False if the session does not wait.
/// Who waits for copies answers how many there are, in the timers' next turn.
pub(super) fn give_up(state: &mut State, id: SessionId, error: Option<&str>) -> bool {
    if error.is_none() && state.blocked.hurry(id) {
        return true;
    }
    let Some(waiting) = state.blocked.end(id) else { return false };
    let answer = |reply: &mut Reply<'_>| match error {
        None => reply.null_array(),
        Some(text) => reply.error(text.as_bytes()),
    };
    let outcome = error.map_or(Ok(()), |text| Err(first_word(text)));
    end_wait(state, id, &waiting.request, 0, outcome, answer);
    true
}

fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}

/// Answers a session that waited, and counts the command that ends so.
fn end_wait(
    state: &mut State,
    id: SessionId,
    request: &OwnedArgs,
    took_us: u64,
    outcome: Result<(), String>,
    answer: impl FnOnce(&mut Reply<'_>) -> Replied,
) {
    let Some(mut session) = state.clients.take(id) else { return };
    session.blocked = false;
    let mut out = Out::new();
    let _ = answer(&mut Reply::new(&mut out, session.protocol));
    if let Ok(row) = find_row(&session, &request.args()) {
        let now = state.clock.now();
        let start = Now { mono_us: now.mono_us.saturating_sub(took_us), ..now };
        dispatch::account(state, &session, row, &request.args(), start, now, outcome);
    }
    settle(state, session, &mut out);
}

/// Everything is free that a FLUSHALL or FLUSHDB has thrown away: it gets its answer.
pub(super) fn trash_is_out(server: &Server, id: SessionId) {
    let state = &mut server.lock().state;
    let Some((request, since_us)) = state.blocked.end_wait_for_trash(id) else { return };
    let took_us = state.clock.mono_us().saturating_sub(since_us);
    end_wait(state, id, &request, took_us, Ok(()), |reply| reply.ok());
}

/// Ends all waits whose time is up.
pub fn expire_waits(server: &Server) {
    let mut engine = server.lock();
    let now_us = engine.state.clock.mono_us();
    while let Some(id) = engine.state.blocked.next_expired(now_us) {
        if engine.state.blocked.waits_for_copies(id) {
            run_again(server, &mut engine, id, true);
        } else {
            give_up(&mut engine.state, id, None);
        }
    }
    let Engine { keyspace, state } = &mut *engine;
    if state.blocked.is_pause_over(now_us) {
        state.blocked.end_pause();
        keyspace.lapse = if state.config.aof_until.is_empty() { Lapse::Delete } else { Lapse::Ignore };
        let now_ms = engine.state.clock.now().ms;
        serve_ready(server, &mut engine, now_ms);
    }
}

/// The append log or a follower has come further: whoever waits for that looks again.
pub fn recount_copies(server: &Server) {
    let mut engine = server.lock();
    for id in engine.state.blocked.waiting_for_copies() {
        run_again(server, &mut engine, id, false);
    }
}
