//! `maxmemory-clients`: closes the biggest clients while all together take more.
//!
//! Source: `evictClients` of Redis 8.0.6. There, too, no client is judged in the middle of a command.

use crate::command::connection::client_line;
use crate::engine::{Session, State};
use crate::notice;

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
