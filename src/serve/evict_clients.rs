//! `maxmemory-clients`: closes the biggest clients while all together take more.
//!
//! Source: `evictClients` of Redis 8.0.6. There, too, clients are judged between commands, before keys go.

use crate::command::connection::client_line;
use crate::engine::{Session, State};
use crate::notice;
use crate::resp::Out;

/// Whether keys may have to go while clients are to go first.
#[inline]
pub(super) fn go_before_keys(state: &State) -> bool {
    state.config.maxmemory != 0 && state.config.maxmemory_clients != 0
}

/// Between two requests of a session: counts what its replies take by now, and closes whoever is too much. False if that
/// is the session itself; its replies are gone then.
#[cold]
pub(super) fn may_go_on(state: &mut State, session: &mut Session, out: &mut Out) -> bool {
    // Not the capacity: that may be the worker's, lent for a turn.
    session.mirror.output_memory = out.len();
    make_room_for(state, session);
    let stays = state.clients.is_open(session.id);
    if !stays {
        *out = Out::new();
    }
    stays
}

/// Counts a session that goes back to rest, and closes whoever is too much: perhaps that one.
#[cold]
pub fn make_room_for(state: &mut State, session: &Session) {
    state.count_client(session);
    for id in state.clients_over_limit(session) {
        let victim = state.clients.get(id).unwrap_or(session);
        notice!("Evicting client: {}", client_line(victim, state));
        state.stats.evicted_clients += 1;
        state.forget(id);
    }
}
