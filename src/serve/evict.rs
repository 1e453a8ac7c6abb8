//! `maxmemory`: makes room by deleting keys, as `maxmemory-policy` says.
//!
//! Source: `performEvictions` of Redis 8.0.6.

use crate::engine::State;
use crate::engine::config::MaxmemoryPolicy;
use crate::keyspace::evict::{Choice, Order};
use crate::keyspace::{Effect, Keyspace, Lapse};

/// Keys that go between two looks at the memory in use.
const ROUND: usize = 16;

/// Deletes keys until no more than `maxmemory` is in use, or for as long as a command may be held up. False if that is
/// not to be had: what needs memory is to be refused.
#[cold]
pub(super) fn make_room(keyspace: &mut Keyspace, state: &mut State) -> bool {
    // What waits for the log goes by itself; deletions would only add to it.
    let limit = state.config.maxmemory.saturating_add(state.log.buffer_bytes() as u64);
    let start_us = state.clock.mono_us();
    if state.stats.gauge.used(start_us) as u64 <= limit {
        return true;
    }
    if keyspace.lapse != Lapse::Delete {
        // While clients are paused nothing changes.
        return true;
    }
    let mut used = state.stats.gauge.renew(start_us);
    let choice = choice(state);
    let patience_us = patience_us(state.config.maxmemory_eviction_tenacity);
    while used as u64 > limit {
        let Some(choice) = choice else { return false };
        for _ in 0..round(used as u64 - limit) {
            let now = state.clock.now();
            let Some((db, key)) = keyspace.choose_victim(choice, now, &mut state.rng) else { return false };
            evict(keyspace, state, db, &key);
        }
        let now_us = state.clock.mono_us();
        used = state.stats.gauge.renew(now_us);
        if now_us.saturating_sub(start_us) > patience_us {
            break;
        }
    }
    let took_us = state.clock.mono_us().saturating_sub(start_us);
    state.note_delay("eviction-cycle", took_us);
    true
}

/// Keys to delete before the next look: one by one while little is to be freed.
fn round(excess: u64) -> usize {
    if excess < 4096 { 1 } else { ROUND }
}

/// Microseconds that a command may be held up.
fn patience_us(tenacity: u32) -> u64 {
    match tenacity {
        0..=10 => 50 * u64::from(tenacity),
        11..100 => (500.0 * 1.15_f64.powi(tenacity as i32 - 10)) as u64,
        _ => u64::MAX,
    }
}

fn choice(state: &State) -> Option<Choice> {
    let (order, volatile) = match state.config.maxmemory_policy {
        MaxmemoryPolicy::VolatileLru => (Order::Idle, true),
        MaxmemoryPolicy::VolatileLfu => (Order::Rare, true),
        MaxmemoryPolicy::VolatileRandom => (Order::Random, true),
        MaxmemoryPolicy::VolatileTtl => (Order::Expiry, true),
        MaxmemoryPolicy::AllkeysLru => (Order::Idle, false),
        MaxmemoryPolicy::AllkeysLfu => (Order::Rare, false),
        MaxmemoryPolicy::AllkeysRandom => (Order::Random, false),
        MaxmemoryPolicy::NoEviction => return None,
    };
    Some(Choice { order, volatile, samples: state.config.maxmemory_samples as usize })
}

/// Deletes one key, and tells everyone. It is no change since the last save.
fn evict(keyspace: &mut Keyspace, state: &mut State, db: usize, key: &[u8]) {
    let elsewhere = state.config.lazyfree_lazy_eviction;
    keyspace.evict(db, key, elsewhere);
    // Nobody's command has done it.
    let current = state.tracking.current.take();
    state.tell(db, &Effect::new(key, "evicted").told_first());
    state.tracking.current = current;
    if state.listens() {
        let verb: &[u8] = if elsewhere { b"UNLINK" } else { b"DEL" };
        state.add_frame(db, [verb, key].into_iter());
        state.close_unit(false);
    }
}
