//! What happens by itself, `hz` times a second.

use super::process::{crash, huge_pages};
use super::{Server, append, evict, save};
use crate::command::connection::client_line;
use crate::engine::stats::used_memory;
use crate::engine::{Engine, Session, State};
use crate::keyspace::Keyspace;
use crate::text::clock::Now;
use crate::{verbose, warning};

/// Keys looked at, and fields deleted, in one go of active expiry.
const EXPIRE_BUDGET: usize = 1_000;
/// How long active expiry goes on in one turn; the lock is held meanwhile, so clients wait as long at worst.
const EXPIRE_US: u64 = 5_000;

/// One turn of the timers.
pub fn cron(server: &Server) {
    let mut guard = server.lock();
    let Engine { keyspace, state } = &mut *guard;
    state.clock.sync();
    if state.pause_cron {
        return;
    }
    let now = state.clock.now();
    state.tracking.current = None;
    if state.tracking.is_on() {
        state.limit_tracking();
    }
    sample(server, state, now);
    close_idle(state, now);
    close_overflowing(state, now);
    if let Some(wires) = server.wires.get() {
        wires.tidy_links();
    }
    if state.loading.is_none() {
        expire(keyspace, state, now);
        if state.config.maxmemory > 0 {
            evict::make_room(keyspace, state);
        }
        append::cron(server, keyspace, state, now);
        save::by_save_points(server, keyspace, state, now);
        follow(server, keyspace, state, now);
    }
    let usec = state.clock.now().mono_us.saturating_sub(now.mono_us);
    state.stats.turns.count_cron(usec);
    if guard.state.blocked.has_ready() {
        super::unblock::serve_ready(server, &mut guard, now.ms);
    }
    drop(guard);
    server.tail().tick();
}

/// Those who follow get their snapshots, and a sign of life (`repl-ping-replica-period`).
fn follow(server: &Server, keyspace: &mut Keyspace, state: &mut State, now: Now) {
    if state.followers.is_empty() {
        return;
    }
    save::feed::start(server, keyspace, state);
    let period_us = u64::from(state.config.repl_ping_replica_period) * 1_000_000;
    if now.mono_us.saturating_sub(state.followers.pinged_us) >= period_us {
        state.followers.pinged_us = now.mono_us;
        state.followers.ping(&mut state.clients);
    }
}

fn sample(server: &Server, state: &mut State, now: Now) {
    let stats = &mut state.stats;
    let traffic = stats.all_traffic();
    stats.rate_commands.sample(stats.calls, now.mono_us);
    stats.rate_in.sample(traffic.received, now.mono_us);
    stats.rate_out.sample(traffic.sent, now.mono_us);
    stats.rate_turns.sample(stats.turns.count, now.mono_us);
    stats.turn_length.sample_beside(stats.turns.usec, stats.turns.count, 1);
    let used = used_memory();
    stats.peak_memory = stats.peak_memory.max(used);
    let loading = state.loading.is_some();
    huge_pages::follow(&state.config, loading, used, now.mono_us, save::while_no_child(server));
    crash::note(state.clients.len(), used, stats.calls);
}

/// `timeout`: clients that asked nothing for so long.
fn close_idle(state: &mut State, now: Now) {
    let limit_us = u64::from(state.config.timeout) * 1_000_000;
    if limit_us == 0 {
        return;
    }
    let (clients, pubsub, followers) = (&state.clients, &state.pubsub, &state.followers);
    let idle = |s: &&Session| {
        now.mono_us.saturating_sub(s.active_us) > limit_us
            && !s.blocked
            && !pubsub.is_subscribed(s.id)
            && !followers.has(s.id)
    };
    let gone: Vec<_> = clients.resting().filter(idle).map(|s| s.id).collect();
    gone.into_iter().for_each(|id| {
        verbose!("Closing idle client");
        state.clients.kill(id);
    });
}

/// `client-output-buffer-limit`: clients that read too slowly for too long.
fn close_overflowing(state: &mut State, now: Now) {
    let limits = state.config.client_output_buffer_limit;
    let none = limits[0].is_none()
        && (limits[1].is_none() || state.followers.is_empty())
        && (limits[2].is_none() || state.pubsub.session_count() == 0);
    if none {
        return;
    }
    let waiting = state.clients.resting().filter(|s| s.listed_output() > 0 || s.soft_since_us.is_some());
    let waiting: Vec<_> = waiting.map(|s| s.id).collect();
    for id in waiting {
        let limit = state.output_limit(id);
        let Some(session) = state.clients.get_mut(id) else { continue };
        if !session.overflows(limit, now.mono_us) {
            continue;
        }
        if let Some(session) = state.clients.get(id) {
            let line = client_line(session, state);
            warning!("Client {line} closed for overcoming of output buffer limits.");
        }
        state.clients.kill(id);
        state.stats.output_limit_closed += 1;
    }
}

fn expire(keyspace: &mut Keyspace, state: &mut State, now: Now) {
    if !state.active_expire {
        return;
    }
    let start_us = state.clock.mono_us();
    let end_us = now.mono_us + EXPIRE_US;
    // In rounds, so that a database that has much to do does not keep the others from theirs.
    let mut busy: Vec<usize> = (0..keyspace.count()).collect();
    while !busy.is_empty() && state.clock.now().mono_us < end_us {
        busy.retain(|db| {
            let more = keyspace.expire_some(*db, now, EXPIRE_BUDGET);
            if keyspace.has_lapsed() {
                state.record_lapsed(&keyspace.take_lapsed());
                state.close_unit(false);
            }
            more
        });
    }
    let took_us = state.clock.mono_us().saturating_sub(start_us);
    state.note_delay("expire-cycle", took_us);
}
