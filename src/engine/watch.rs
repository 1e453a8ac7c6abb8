//! WATCH: who watches which keys, and whose keys were touched.

use std::collections::{HashMap, HashSet};

use super::session::SessionId;

type Key = (usize, Box<[u8]>);

/// What a database has of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Missing,
    /// A value that is past its time.
    Past,
    /// A value.
    There,
}

/// A key that a session watches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its database.
    pub db: usize,
    /// Its name.
    pub key: Box<[u8]>,
    /// It was past its time already when the watch began: that it goes is no change.
    pub was_past: bool,
}

/// All watches.
#[derive(Debug, Default)]
pub struct Watches {
    by_key: HashMap<Key, Vec<SessionId>>,
    by_session: HashMap<SessionId, Vec<Watched>>,
    touched: HashSet<SessionId>,
}

impl Watches {
    /// Whether nobody watches anything.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Begins to watch a key; a second time means nothing.
    pub fn watch(&mut self, id: SessionId, db: usize, key: &[u8], was_past: bool) {
        let watchers = self.by_key.entry((db, key.into())).or_default();
        if !watchers.contains(&id) {
            watchers.push(id);
            self.by_session.entry(id).or_default().push(Watched { db, key: key.into(), was_past });
        }
    }

    /// Ends all watches of a session.
    pub fn unwatch(&mut self, id: SessionId) {
        self.touched.remove(&id);
        for watched in self.by_session.remove(&id).unwrap_or_default() {
            let key = (watched.db, watched.key);
            if let Some(watchers) = self.by_key.get_mut(&key) {
                watchers.retain(|watcher| *watcher != id);
                if watchers.is_empty() {
                    self.by_key.remove(&key);
                }
            }
        }
    }

    /// A key changed.
    pub fn touch(&mut self, db: usize, key: &[u8]) {
        let watchers = self.by_key.get(&(db, Box::from(key))).cloned();
        watchers.into_iter().flatten().for_each(|id| self.fail(id));
    }

    /// A session's transaction will fail: what else happens to its keys makes no difference.
    fn fail(&mut self, id: SessionId) {
        self.unwatch(id);
        self.touched.insert(id);
    }

    /// A key went because its time had passed. That is no change to who began to watch it after that time, but what
    /// comes next is one.
    pub fn lapse(&mut self, db: usize, key: &[u8]) {
        self.turn(db, key, Found::Past, Found::Missing, true);
    }

    /// A whole database is about to change; `turn` tells what each of its keys is, and what it will be.
    pub fn touch_all(&mut self, db: usize, mut turn: impl FnMut(&[u8]) -> (Found, Found)) {
        let keys: Vec<_> = self.by_key.keys().filter(|(of, _)| *of == db).cloned().collect();
        for (_, key) in keys {
            let (before, after) = turn(&key);
            self.turn(db, &key, before, after, false);
        }
    }

    /// A key that was past its time for a watcher may go or stay past it; a missing one may become one that is.
    /// Who learns of one key that it changed watches no more; of a whole database, still does.
    fn turn(&mut self, db: usize, key: &[u8], before: Found, after: Found, ends: bool) {
        if before == Found::Missing && after == Found::Missing {
            return;
        }
        let Some(watchers) = self.by_key.get(&(db, Box::from(key))).cloned() else { return };
        for id in watchers {
            let mut of_session = self.by_session.get_mut(&id).into_iter().flatten();
            let Some(watched) = of_session.find(|watched| watched.db == db && *watched.key == *key) else {
                continue;
            };
            match after {
                Found::Missing if watched.was_past => watched.was_past = false,
                Found::Past if watched.was_past => {}
                Found::Past if before == Found::Missing => watched.was_past = true,
                _ if ends => self.fail(id),
                _ => {
                    self.touched.insert(id);
                }
            }
        }
    }

    /// Whether a key that the session watches was touched.
    pub fn is_touched(&self, id: SessionId) -> bool {
        self.touched.contains(&id)
    }

    /// What a session watches.
    pub fn of(&self, id: SessionId) -> &[Watched] {
        self.by_session.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Keys that are watched, and sessions that watch.
    pub fn counts(&self) -> (usize, usize) {
        (self.by_key.len(), self.by_session.len())
    }
}
