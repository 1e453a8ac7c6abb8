//! Databases: which keys there are, when they expire, how recently they were used.
//!
//! [`Keyspace`] holds all databases; [`Db`] is the cursor through which commands reach one of them, the only
//! door to values. The room never does I/O, reads a clock or writes a reply; it knows nothing of clients,
//! the log or notifications. Every change leaves as an [`Effect`], which the upper floors turn into those.

mod access;
mod add;
mod ahead;
mod arrivals;
mod database;
mod db;
mod edit;
mod effect;
pub mod entry;
pub mod evict;
mod expire;
mod move_key;
#[cfg(test)]
mod tests;

pub use access::{Access, Policy};
pub use add::AddError;
pub use ahead::Ahead;
pub use arrivals::{Arrivals, Origin, Twice};
pub use database::{Database, prefetch_items};
pub use db::{Db, Meta, New, Ttl};
pub use edit::{Change, Missing};
pub use effect::{Effect, Lapsed};
pub use entry::{Kind, Made, Ref, Type, View};

use crate::value::{Limits, Value};
use entry::Entry;

/// A command met a key of another type than it works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongType;

/// What a lookup does with a key whose time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lapse {
    /// Deletes it: a master.
    #[default]
    Delete,
    /// Treats it as missing and lets it stay: a replica, paused clients, a snapshot that is looked into.
    Hide,
    /// Treats it as present: a replay, whose log says itself what went.
    Ignore,
}

/// Counts of lookups and losses, as INFO shows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyStats {
    /// Lookups for reading that found a key.
    pub hits: u64,
    /// Lookups for reading that found none.
    pub misses: u64,
    /// Keys that were deleted because their time had passed.
    pub expired: u64,
    /// Keys that were deleted to make room.
    pub evicted: u64,
    /// Hash fields that were deleted because their time had passed.
    pub expired_fields: u64,
}

/// All databases, and what they share.
pub struct Keyspace {
    dbs: Vec<Database>,
    /// Thresholds of the packed encodings.
    pub limits: Limits,
    /// What lookups do with expired keys.
    pub lapse: Lapse,
    /// Lookups for reading that find nothing are told of (`notify-keyspace-events m`).
    pub names_misses: bool,
    /// How the access clock runs.
    pub access: Access,
    /// Counts for INFO.
    pub stats: KeyStats,
    /// Whether big values are freed by a helper thread when a command deletes them.
    pub lazy_free: bool,
    /// What was deleted as its time had passed, and nobody has recorded yet.
    lapsed: Vec<Lapsed>,
    resizing: bool,
    discard: fn(Value),
    pool: evict::Pool,
}

impl Keyspace {
    /// `count` empty databases. `discard` frees a big value somewhere else than on the request road.
    pub fn new(count: usize, limits: Limits, discard: fn(Value)) -> Keyspace {
        Keyspace {
            dbs: (0..count).map(|_| Database::default()).collect(),
            limits,
            lapse: Lapse::default(),
            names_misses: false,
            access: Access::default(),
            stats: KeyStats::default(),
            lazy_free: false,
            lapsed: Vec::new(),
            resizing: true,
            discard,
            pool: evict::Pool::default(),
        }
    }

    /// How many databases there are.
    pub fn count(&self) -> usize {
        self.dbs.len()
    }

    /// One database, for reading past all policies (snapshots, INFO).
    pub fn database(&self, index: usize) -> &Database {
        &self.dbs[index]
    }

    /// One database, to be loaded.
    pub fn database_mut(&mut self, index: usize) -> &mut Database {
        &mut self.dbs[index]
    }

    /// The databases in order.
    pub fn databases(&self) -> impl Iterator<Item = (usize, &Database)> {
        self.dbs.iter().enumerate()
    }

    /// Keys in all databases.
    pub fn total_keys(&self) -> usize {
        self.dbs.iter().map(Database::len).sum()
    }

    /// Whether any hash has fields that expire: what decides the lowest version of a snapshot.
    pub fn has_field_ttl(&self) -> bool {
        self.dbs.iter().any(|db| db.with_field_ttl > 0)
    }

    /// Exchanges the contents of two databases.
    pub fn swap(&mut self, a: usize, b: usize) {
        self.dbs.swap(a, b);
    }

    /// Empties a database and gives what it held.
    pub fn take_database(&mut self, index: usize) -> Database {
        let old = std::mem::take(&mut self.dbs[index]);
        self.dbs[index].set_resizing(self.resizing);
        old
    }

    /// While a forked child shares the pages, tables don't move things about for nothing.
    pub fn set_resizing(&mut self, on: bool) {
        self.resizing = on;
        self.dbs.iter_mut().for_each(|db| db.set_resizing(on));
    }

    /// Keys and fields that were deleted as their time had passed, since the last call, in order.
    pub fn take_lapsed(&mut self) -> Vec<Lapsed> {
        std::mem::take(&mut self.lapsed)
    }

    /// Whether [`Keyspace::take_lapsed`] has something to give.
    #[inline]
    pub fn has_lapsed(&self) -> bool {
        !self.lapsed.is_empty()
    }

    fn discard(&self, value: Value) {
        (self.discard)(value);
    }

    /// Frees an entry; what may be big of it goes where big values are freed.
    fn discard_entry(&self, entry: Entry) {
        if entry.is_in_place() { drop(entry) } else { self.discard(entry.into_value()) }
    }
}
