//! What clients cost in memory, for `maxmemory-clients`, INFO and CLIENT LIST.
//!
//! While there is a limit every session is counted when its connection lets go of the engine; without one nothing is.

use super::{Session, SessionId, State};
use crate::resp::OwnedArgs;

/// What a watch, a subscription or a tracked prefix costs beside its name, in bytes, roughly: an entry in a table of
/// the session's and one in a table that leads back to it.
const NOTE: usize = 128;

impl State {
    /// Bytes that a client takes: its session, what it has sent and not received, what it watches and listens to.
    /// Costs the same however much that is.
    pub fn client_memory(&self, session: &Session) -> usize {
        let queued = session.queued.as_ref();
        let queued = queued.map_or(0, |queued| queued.len() * size_of::<OwnedArgs>() + session.queued_bytes);
        let (channels, patterns, shards) = self.pubsub.counts(session.id);
        let prefixes = self.tracking.of(session.id).map_or(0, |tracking| tracking.prefixes.len());
        let notes = channels + patterns + shards + prefixes + self.watches.of(session.id).len();
        size_of::<Session>()
            + session.name.len()
            + session.mirror.query_capacity
            + session.mirror.arguments
            + session.mirror.output_memory
            + session.outbox.len()
            + queued
            + notes * NOTE
    }

    /// `maxmemory-clients` in bytes; 0: no limit. A share of `maxmemory` is kept as a negative number.
    pub fn clients_limit(&self) -> usize {
        let limit = self.config.maxmemory_clients;
        let bytes = match u64::try_from(limit) {
            Ok(bytes) => bytes,
            Err(_) => self.config.maxmemory / 100 * limit.unsigned_abs(),
        };
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    /// Counts a session that was out anew, and those that never were. Followers have limits of their own.
    pub fn count_client(&mut self, session: &Session) {
        if self.clients.begin_counting() {
            let costs: Vec<_> = self.clients.resting().map(|s| (s.id, self.counted_memory(s))).collect();
            costs.into_iter().for_each(|(id, bytes)| self.clients.count(id, bytes));
        }
        let bytes = self.counted_memory(session);
        self.clients.count(session.id, bytes);
    }

    fn counted_memory(&self, session: &Session) -> usize {
        if self.followers.has(session.id) { 0 } else { self.client_memory(session) }
    }

    /// The biggest clients, as many as must go for the others to be below the limit. `session` is out of its place.
    pub fn clients_over_limit(&self, session: &Session) -> Vec<SessionId> {
        let limit = self.clients_limit();
        let mut counted = self.clients.memory();
        if limit == 0 || counted < limit {
            return Vec::new();
        }
        let may_go = |s: &&Session| !s.no_evict && !self.followers.has(s.id) && self.clients.is_open(s.id);
        let all = self.clients.resting().chain([session]).filter(may_go);
        let mut biggest: Vec<_> = all.map(|s| (self.clients.counted(s.id), s.id)).collect();
        biggest.sort_unstable_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut over = Vec::new();
        for (bytes, id) in biggest {
            if counted < limit {
                break;
            }
            counted -= bytes;
            over.push(id);
        }
        over
    }
}
