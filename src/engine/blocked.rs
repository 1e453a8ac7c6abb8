//! Clients that wait for keys: BLPOP and its like.
//!
//! A blocked client's request is kept. When a key that it waits for has changed, at the end of the unit that changed
//! it, the request runs again by the same road, in the order in which clients came; one that blocks again keeps its
//! place.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::session::SessionId;
use crate::keyspace::Type;
use crate::resp::OwnedArgs;

type Key = (usize, Box<[u8]>);

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitFor {
    /// A key of this type with something in it. While it is of another type, or missing, nothing happens.
    Elements(Type),
    /// Any change: a consumer group's reader learns of its key's end, too.
    Change,
    /// No key, but that a write has come to the append log's disk, or to followers.
    Copies,
}

/// A request that waits.
#[derive(Debug)]
pub struct Waiting {
    /// The request, to be run again.
    pub request: OwnedArgs,
    /// What it waits for.
    pub wait_for: WaitFor,
    /// Its database, which a SELECT cannot change meanwhile.
    pub db: usize,
    keys: Vec<Box<[u8]>>,
    place: u64,
    deadline_us: Option<u64>,
    /// Monotonic microseconds when it began to wait.
    pub since_us: u64,
}

/// What INFO tells of those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Who waits.
    pub clients: usize,
    /// Who does not wait for ever.
    pub with_deadline: usize,
    /// Keys that are waited for.
    pub keys: usize,
    /// Keys of whose end somebody is to hear.
    pub keys_on_change: usize,
}

/// All that wait.
#[derive(Debug, Default)]
pub struct Blocked {
    waiting: HashMap<SessionId, Waiting>,
    by_key: HashMap<Key, BTreeMap<u64, SessionId>>,
    deadlines: BTreeSet<(u64, SessionId)>,
    /// Who waits for copies, by place.
    for_copies: BTreeMap<u64, SessionId>,
    /// FLUSHALL and FLUSHDB that wait until everything is free, and since when (monotonic microseconds).
    for_trash: HashMap<SessionId, (OwnedArgs, u64)>,
    ready: VecDeque<(Key, bool)>,
    places: u64,
    pause: Option<Pause>,
    /// Requests that wait for the pause's end.
    postponed: VecDeque<(SessionId, OwnedArgs)>,
    /// Those whose pause is over.
    released: VecDeque<(SessionId, OwnedArgs)>,
    serving: bool,
}

/// CLIENT PAUSE: commands wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    /// Monotonic microseconds.
    end_us: u64,
    /// All of them, not only those that write.
    all: bool,
}

impl Blocked {
    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// How many wait, and for how many keys.
    pub fn counts(&self) -> Counts {
        let on_change = |id: &SessionId| self.of(*id).is_some_and(|w| w.wait_for == WaitFor::Change);
        Counts {
            clients: self.waiting.len() + self.postponed.len() + self.for_trash.len(),
            with_deadline: self.deadlines.len(),
            keys: self.by_key.len(),
            keys_on_change: self.by_key.values().filter(|places| places.values().any(on_change)).count(),
        }
    }

    /// Lets a session wait. With the `place` of an earlier wait it keeps that.
    #[expect(clippy::too_many_arguments, reason = "what a wait is made of, from one caller")]
    pub fn wait(
        &mut self,
        id: SessionId,
        request: OwnedArgs,
        db: usize,
        keys: Vec<Box<[u8]>>,
        wait_for: WaitFor,
        deadline_us: Option<u64>,
        since_us: u64,
        place: Option<u64>,
    ) {
        let place = place.unwrap_or_else(|| {
            self.places += 1;
            self.places
        });
        for key in &keys {
            self.by_key.entry((db, key.clone())).or_default().insert(place, id);
        }
        if let Some(at) = deadline_us {
            self.deadlines.insert((at, id));
        }
        if wait_for == WaitFor::Copies {
            self.for_copies.insert(place, id);
        }
        self.waiting.insert(id, Waiting { request, wait_for, db, keys, place, deadline_us, since_us });
    }

    /// Ends a wait; what it was.
    pub fn end(&mut self, id: SessionId) -> Option<Waiting> {
        let waiting = self.waiting.remove(&id)?;
        for key in &waiting.keys {
            let key = (waiting.db, key.clone());
            if let Some(places) = self.by_key.get_mut(&key) {
                places.remove(&waiting.place);
                if places.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
        if let Some(at) = waiting.deadline_us {
            self.deadlines.remove(&(at, id));
        }
        self.for_copies.remove(&waiting.place);
        Some(waiting)
    }

    /// Whether this session waits for copies of a write.
    pub fn waits_for_copies(&self, id: SessionId) -> bool {
        self.of(id).is_some_and(|waiting| waiting.wait_for == WaitFor::Copies)
    }

    /// Lets the time be up of who waits for copies of a write; false if the session does not.
    pub fn hurry(&mut self, id: SessionId) -> bool {
        let Some(waiting) = self.waiting.get_mut(&id).filter(|w| w.wait_for == WaitFor::Copies) else {
            return false;
        };
        if let Some(at) = waiting.deadline_us.replace(0) {
            self.deadlines.remove(&(at, id));
        }
        self.deadlines.insert((0, id))
    }

    /// Who waits for copies of a write, in order of arrival.
    pub fn waiting_for_copies(&self) -> Vec<SessionId> {
        self.for_copies.values().copied().collect()
    }

    /// A key changed: at the end of the unit those who wait for it get their turn, those who wait for elements only
    /// if it may have got `elements`.
    pub fn touch(&mut self, db: usize, key: &[u8], elements: bool) {
        let key = (db, Box::from(key));
        if !self.by_key.contains_key(&key) {
            return;
        }
        match self.ready.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known |= elements,
            None => self.ready.push_back((key, elements)),
        }
    }

    /// Whole databases changed.
    pub fn touch_all(&mut self, databases: &[usize]) {
        let keys: Vec<Key> = self.by_key.keys().filter(|(db, _)| databases.contains(db)).cloned().collect();
        keys.into_iter().for_each(|(db, key)| self.touch(db, &key, true));
    }

    /// Whether somebody's turn may have come.
    #[inline]
    pub fn has_ready(&self) -> bool {
        (!self.ready.is_empty() || !self.released.is_empty()) && !self.serving
    }

    /// The next changed key, whether it may have got elements, and who waits for it, in order of arrival.
    pub fn next_ready(&mut self) -> Option<(Key, bool, Vec<SessionId>)> {
        let (key, elements) = self.ready.pop_front()?;
        let ids = self.by_key.get(&key).map(|places| places.values().copied().collect()).unwrap_or_default();
        Some((key, elements, ids))
    }

    /// What a session waits for.
    pub fn of(&self, id: SessionId) -> Option<&Waiting> {
        self.waiting.get(&id)
    }

    /// When the next wait ends by itself, in monotonic microseconds.
    pub fn next_deadline_us(&self) -> Option<u64> {
        let first = self.deadlines.first().map(|(at, _)| *at);
        let pause = self.pause.map(|pause| pause.end_us);
        first.into_iter().chain(pause).min()
    }

    /// Lets commands wait until `end_us` (monotonic): all, or those that write. A pause that is longer, or of all,
    /// stays so.
    pub fn pause(&mut self, end_us: u64, all: bool) {
        let before = self.pause.unwrap_or(Pause { end_us, all });
        self.pause = Some(Pause { end_us: end_us.max(before.end_us), all: all || before.all });
    }

    /// Whether commands wait: `Some(true)` all of them, `Some(false)` those that write.
    #[inline]
    pub fn paused(&self) -> Option<bool> {
        self.pause.map(|pause| pause.all)
    }

    /// Whether there is a pause whose time is up.
    pub fn is_pause_over(&self, now_us: u64) -> bool {
        self.pause.is_some_and(|pause| pause.end_us <= now_us)
    }

    /// Keeps a request until the pause's end.
    pub fn postpone(&mut self, id: SessionId, request: OwnedArgs) {
        self.postponed.push_back((id, request));
    }

    /// Ends the pause: what waited for that is ready.
    pub fn end_pause(&mut self) {
        self.pause = None;
        self.released.append(&mut self.postponed);
    }

    /// The next request whose pause is over.
    pub fn next_released(&mut self) -> Option<(SessionId, OwnedArgs)> {
        self.released.pop_front()
    }

    /// A session waits until everything is free that was thrown away.
    pub fn wait_for_trash(&mut self, id: SessionId, request: OwnedArgs, since_us: u64) {
        self.for_trash.insert(id, (request, since_us));
    }

    /// Everything is free: what the session had asked for, and when. `None` if it waits no longer.
    pub fn end_wait_for_trash(&mut self, id: SessionId) -> Option<(OwnedArgs, u64)> {
        self.for_trash.remove(&id)
    }

    /// Somebody begins to serve who is ready, or ends: meanwhile nobody else does.
    pub fn set_serving(&mut self, serving: bool) {
        self.serving = serving;
    }

    /// A session is gone.
    pub fn forget(&mut self, id: SessionId) {
        self.end(id);
        self.for_trash.remove(&id);
        self.postponed.retain(|(postponed, _)| *postponed != id);
    }

    /// A session whose wait is over.
    pub fn next_expired(&self, now_us: u64) -> Option<SessionId> {
        self.deadlines.first().filter(|(at, _)| *at <= now_us).map(|(_, id)| *id)
    }
}

impl Waiting {
    /// What is needed to go on waiting at the same place.
    pub fn place(&self) -> (u64, Option<u64>) {
        (self.place, self.deadline_us)
    }
}
