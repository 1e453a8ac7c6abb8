//! What happens by itself, `hz` times a second.

use super::{Server, save};
use crate::engine::stats::used_memory;
use crate::engine::{Engine, State};
use crate::keyspace::Keyspace;
use crate::text::clock::Now;

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
    sample(state, now);
    close_idle(state, now);
    if state.loading.is_none() {
        expire(keyspace, state, now);
        save::by_save_points(server, keyspace, state, now);
    }
}

fn sample(state: &mut State, now: Now) {
    let stats = &mut state.stats;
    let traffic = stats.all_traffic();
    stats.rate_commands.sample(stats.calls, now.mono_us);
    stats.rate_in.sample(traffic.received, now.mono_us);
    stats.rate_out.sample(traffic.sent, now.mono_us);
    stats.peak_memory = stats.peak_memory.max(used_memory());
}

/// `timeout`: clients that asked nothing for so long.
fn close_idle(state: &mut State, now: Now) {
    let limit_us = u64::from(state.config.timeout) * 1_000_000;
    if limit_us == 0 {
        return;
    }
    let idle = |active_us: u64| now.mono_us.saturating_sub(active_us) > limit_us;
    let gone: Vec<_> = state.clients.resting().filter(|s| idle(s.active_us)).map(|s| s.id).collect();
    gone.into_iter().for_each(|id| {
        state.clients.kill(id);
    });
}

fn expire(keyspace: &mut Keyspace, state: &mut State, now: Now) {
    if !state.active_expire {
        return;
    }
    let end_us = now.mono_us + EXPIRE_US;
    // In rounds, so that a database that has much to do does not keep the others from theirs.
    let mut busy: Vec<usize> = (0..keyspace.count()).collect();
    while !busy.is_empty() && state.clock.now().mono_us < end_us {
        busy.retain(|db| {
            let more = keyspace.expire_some(*db, now, EXPIRE_BUDGET);
            if keyspace.has_lapsed() {
                state.record_lapsed(&keyspace.take_lapsed());
                state.unit.close_loose();
            }
            more
        });
    }
}
