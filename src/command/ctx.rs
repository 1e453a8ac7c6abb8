//! What a handler works with.

use super::error::CmdError;
use super::host::Host;
use crate::engine::blocked::WaitFor;
use crate::engine::session::Peer;
use crate::engine::watch::Found;
use crate::engine::{Engine, Session, State};
use crate::keyspace::{Db, Effect};
use crate::resp::{Args, OwnedArgs, Replied, Reply};
use crate::text::clock::Now;

/// What a handler works with. Separate fields: a value borrowed from `db` can be written into `reply`.
pub struct Ctx<'a> {
    /// The only door to values.
    pub db: Db<'a>,
    /// The connection's output.
    pub reply: Reply<'a>,
    /// The client, taken out of its place for the batch.
    pub session: &'a mut Session,
    /// Every other noun.
    pub state: &'a mut State,
    /// The way up.
    pub host: &'a dyn Host,
    /// The time, read once per command.
    pub now: Now,
}

impl<'a> Ctx<'a> {
    /// A context on the session's database.
    pub fn new(
        engine: &'a mut Engine,
        session: &'a mut Session,
        reply: Reply<'a>,
        host: &'a dyn Host,
        now: Now,
    ) -> Ctx<'a> {
        let db = Db::new(&mut engine.keyspace, session.db, now, session.no_touch);
        Ctx { db, reply, session, state: &mut engine.state, host, now }
    }

    /// Tells everyone what a key went through: the dirty count, watchers, keyspace events, blocked clients.
    ///
    /// Effects are recorded in the order in which they happened.
    pub fn record(&mut self, effect: Effect<'_>) {
        if effect.is_none() {
            return;
        }
        self.record_lapsed();
        self.state.saving.dirty += effect.dirty;
        self.state.unit.note_effect();
        self.state.tell(self.db.index(), &effect);
    }

    /// The command changed a whole database, even if there was nothing in it: it is logged in any case.
    pub fn note_whole_database(&mut self) {
        self.state.unit.note_effect();
    }

    /// Database `db` is about to be emptied, or to get the contents of `from`: watchers of its keys learn of it.
    pub fn touch_watched(&mut self, db: usize, from: Option<usize>) {
        self.state.blocked.touch_all(&[db]);
        if self.state.watches.is_empty() {
            return;
        }
        let (all, now_ms) = (self.db.all(), self.now.ms);
        let found = |db: usize, key: &[u8]| match all.database(db).entry(key) {
            None => Found::Missing,
            Some(entry) if entry.expiry().is_some_and(|when| when < now_ms) => Found::Past,
            Some(_) => Found::There,
        };
        self.state
            .watches
            .touch_all(db, |key| (found(db, key), from.map_or(Found::Missing, |from| found(from, key))));
    }

    /// Keeps the request until one of `keys` has something for it, or `timeout_us` is over (0: never).
    ///
    /// `None` where nobody may wait, in MULTI and the like, and where the time is up: the handler answers so.
    pub fn block<'k>(
        &mut self,
        request: &Args<'_>,
        keys: impl Iterator<Item = &'k [u8]>,
        wait_for: WaitFor,
        timeout_us: u64,
    ) -> Option<Replied> {
        if self.session.executing || self.session.peer == Peer::Internal {
            return None;
        }
        let now_us = self.state.clock.mono_us();
        let fresh = (timeout_us > 0).then(|| now_us.saturating_add(timeout_us));
        let (place, deadline, since) = match self.session.keeps_place {
            Some(((_, Some(deadline)), _)) if deadline <= now_us => return None,
            Some(((place, deadline), since)) => (Some(place), deadline, since),
            None => (None, fresh, now_us),
        };
        let keys = keys.map(Box::from).collect();
        let (id, db) = (self.session.id, self.db.index());
        let kept = OwnedArgs::from(request);
        self.state.blocked.wait(id, kept, db, keys, wait_for, deadline, since, place);
        self.session.blocked = true;
        if place.is_none() && deadline.is_some() {
            self.host.rearm();
        }
        Some(Replied::nothing())
    }

    /// Records the keys that lookups deleted since the last call, as whoever logs them must hear of them first.
    #[inline]
    pub fn record_lapsed(&mut self) {
        if self.db.all().has_lapsed() {
            self.record_lapsed_now();
        }
    }

    #[cold]
    fn record_lapsed_now(&mut self) {
        let lapsed = self.db.keyspace().take_lapsed();
        self.state.record_lapsed(&lapsed);
    }

    /// Says how the log tells what this command did, in place of the request itself. May be called several times.
    ///
    /// Returns the context, so that the change can follow in the same line.
    pub fn propagate(&mut self, words: &[&[u8]]) -> &mut Self {
        self.propagate_words(words.iter().copied());
        self
    }

    /// The same from an iterator, which is not run through if nobody listens.
    pub fn propagate_words<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        self.record_lapsed();
        self.state.unit.mark_rewritten();
        if self.state.listens() {
            let db = self.db.index();
            self.state.add_frame(db, words);
        }
    }

    /// The log hears nothing of this command, though it changed something.
    pub fn propagate_nothing(&mut self) {
        self.state.unit.mark_rewritten();
    }

    /// Whether an absolute expiry lies in the past, so that the key goes at once. Never so in a replay.
    pub fn already_past(&self, when_ms: u64) -> bool {
        when_ms <= self.now.ms && self.state.loading.is_none()
    }

    /// Records what a key of another database went through.
    pub fn record_in(&mut self, db: usize, effect: Effect<'_>) {
        let here = self.db.index();
        self.db.select(db);
        self.record(effect);
        self.db.select(here);
    }

    /// Switches to another database, which exists.
    pub fn select(&mut self, index: usize) {
        self.session.db = index;
        self.db.select(index);
    }

    /// Checks a database number from an argument.
    pub fn db_number(&self, number: i64) -> Result<usize, CmdError> {
        usize::try_from(number)
            .ok()
            .filter(|index| *index < self.db.all().count())
            .ok_or(CmdError::Other("ERR DB index is out of range".into()))
    }
}
