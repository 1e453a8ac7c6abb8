//! WATCH: who watches which keys, and whose keys were touched.

use std::collections::{HashMap, HashSet};

use super::session::SessionId;

type Key = (usize, Box<[u8]>);

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
        if let Some(watchers) = self.by_key.get(&(db, Box::from(key))) {
            self.touched.extend(watchers);
        }
    }

    /// A whole database changed; `is_changed` tells which of its keys did.
    pub fn touch_all(&mut self, db: usize, mut is_changed: impl FnMut(&[u8]) -> bool) {
        for ((of, key), watchers) in &self.by_key {
            if *of == db && is_changed(key) {
                self.touched.extend(watchers);
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
