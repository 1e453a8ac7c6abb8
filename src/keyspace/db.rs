//! The cursor: one database as a command sees it.

use bytes::Bytes;

use super::entry::{Entry, Kind, Made, Ref, Type, View};
use super::{Ahead, Database, Effect, Keyspace, Lapse, Lapsed, WrongType};
use crate::text::clock::Now;
use crate::value::hash::Hash;
use crate::value::list::List;
use crate::value::set::Set;
use crate::value::stream::Stream;
use crate::value::table::{SlotIx, hash_bytes};
use crate::value::zset::Zset;
use crate::value::{Limits, Str, Value};

/// `&mut Keyspace`, which database, and what time it is.
pub struct Db<'a> {
    pub(super) ks: &'a mut Keyspace,
    pub(super) index: usize,
    pub(super) now: Now,
    /// CLIENT NO-TOUCH: lookups leave the access clock alone.
    pub(super) no_touch: bool,
}

/// What is known of a key without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Type and encoding.
    pub kind: Kind,
    /// Unix ms.
    pub expiry: Option<u64>,
    /// See [`super::Access`].
    pub clock: u32,
}

/// A string on its way into a database.
#[derive(Debug, Clone)]
pub enum New<'v> {
    /// To be copied.
    Bytes(&'v [u8]),
    /// To be copied, and `raw` whatever it reads as.
    Raw(&'v [u8]),
    /// With an allocation of its own, which is kept if it is big.
    Shared(Bytes),
}

/// What becomes of the expiry when a value is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// It stays.
    Keep,
    /// It goes.
    Clear,
    /// It is this (unix ms).
    At(u64),
}

impl<'a> Db<'a> {
    /// A cursor on database `index`, which exists.
    pub fn new(ks: &'a mut Keyspace, index: usize, now: Now, no_touch: bool) -> Db<'a> {
        assert!(index < ks.count(), "SELECT checks the number");
        Db { ks, index, now, no_touch }
    }

    /// The number of the database.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Moves the cursor (SELECT inside MULTI, COPY ... DB).
    pub fn select(&mut self, index: usize) {
        assert!(index < self.ks.count(), "the caller checked the number");
        self.index = index;
    }

    /// All databases.
    pub fn keyspace(&mut self) -> &mut Keyspace {
        self.ks
    }

    /// All databases, for reading.
    pub fn all(&self) -> &Keyspace {
        self.ks
    }

    /// Thresholds of the packed encodings.
    pub fn limits(&self) -> &Limits {
        &self.ks.limits
    }

    pub(super) fn data(&self) -> &Database {
        &self.ks.dbs[self.index]
    }

    pub(super) fn data_mut(&mut self) -> &mut Database {
        &mut self.ks.dbs[self.index]
    }

    /// Keys, those past their time included (as DBSIZE counts).
    pub fn len(&self) -> usize {
        self.data().len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.data().is_empty()
    }

    /// Finds a key; one past its time is dealt with as the keyspace's policy says.
    #[inline]
    pub(super) fn find(&mut self, key: &[u8]) -> Option<SlotIx> {
        let ix = self.data().slot(key)?;
        if self.is_past(ix) { self.past(ix, false) } else { Some(ix) }
    }

    /// Finds a key that is about to be changed or made: one that is only hidden must go first, as its place is
    /// needed.
    #[inline]
    pub(super) fn find_to_change(&mut self, hash: u64, key: &[u8]) -> Option<SlotIx> {
        let ix = self.data().table.find(hash, |e| e.key() == key)?;
        if self.is_past(ix) { self.past(ix, true) } else { Some(ix) }
    }

    #[inline]
    fn is_past(&self, ix: SlotIx) -> bool {
        self.entry(ix).expiry().is_some_and(|when| when < self.now.ms)
    }

    /// A key past its time was found.
    #[cold]
    fn past(&mut self, ix: SlotIx, to_change: bool) -> Option<SlotIx> {
        match self.ks.lapse {
            Lapse::Ignore => Some(ix),
            Lapse::Hide if !to_change => None,
            Lapse::Hide | Lapse::Delete => {
                self.lapse(ix);
                None
            }
        }
    }

    /// Deletes what is past its time, and keeps its name to be recorded.
    pub(super) fn lapse(&mut self, ix: SlotIx) {
        let entry = self.data_mut().take(ix);
        self.ks.lapsed.push(Lapsed::key(self.index, entry.key()));
        self.ks.stats.expired += 1;
        self.ks.discard_entry(entry);
    }

    /// Finds a key for reading: counts it as hit or miss and moves its access clock.
    #[inline]
    pub(super) fn read(&mut self, key: &[u8]) -> Option<SlotIx> {
        let found = self.data().slot(key).and_then(|ix| self.use_at(ix, false));
        match found {
            Some(_) => self.ks.stats.hits += 1,
            None => self.missed(key),
        }
        found
    }

    #[cold]
    fn missed(&mut self, key: &[u8]) {
        // A hash whose last fields went just now, as this command met them, was there to be found.
        if self
            .ks
            .lapsed
            .last()
            .is_some_and(|last| last.emptied && last.db == self.index && *last.key == *key)
        {
            self.ks.stats.hits += 1;
            return;
        }
        self.ks.stats.misses += 1;
        if self.ks.names_misses {
            self.ks.lapsed.push(Lapsed::missed(self.index, key));
        }
    }

    /// Counts a lookup that was made as for writing, by a command that counts it as one for reading.
    pub fn count_lookup(&mut self, key: &[u8], found: bool) {
        match found {
            true => self.ks.stats.hits += 1,
            false => self.missed(key),
        }
    }

    /// Counts lookups that nobody made as such.
    pub fn count_lookups(&mut self, hits: u64, misses: u64) {
        self.ks.stats.hits += hits;
        self.ks.stats.misses += misses;
    }

    /// Finds a key for writing: moves its access clock, counts nothing.
    #[inline]
    pub(super) fn write(&mut self, key: &[u8]) -> Option<SlotIx> {
        self.write_hashed(hash_bytes(key), key)
    }

    #[inline]
    pub(super) fn write_hashed(&mut self, hash: u64, key: &[u8]) -> Option<SlotIx> {
        let ix = self.data().table.find(hash, |e| e.key() == key)?;
        self.use_at(ix, true)
    }

    /// Moves the access clock of a key that was found, or deals with it if it is past its time.
    #[inline]
    fn use_at(&mut self, ix: SlotIx, to_change: bool) -> Option<SlotIx> {
        if self.touch_at(ix, false) { Some(ix) } else { self.use_past(ix, to_change) }
    }

    #[cold]
    fn use_past(&mut self, ix: SlotIx, to_change: bool) -> Option<SlotIx> {
        let ix = self.past(ix, to_change)?;
        self.touch_at(ix, true);
        Some(ix)
    }

    /// Moves a key's access clock, unless it is past its time: whether it did, or would for another client.
    #[inline]
    fn touch_at(&mut self, ix: SlotIx, even_past: bool) -> bool {
        let now_ms = self.now.ms;
        let entry = self.ks.dbs[self.index].table.get_mut(ix);
        if !even_past && entry.expiry().is_some_and(|when| when < now_ms) {
            return false;
        }
        if !self.no_touch {
            let clock = self.ks.access.used(entry.clock(), now_ms);
            entry.set_clock(clock);
        }
        true
    }

    #[inline]
    pub(super) fn entry(&self, ix: SlotIx) -> &Entry {
        self.data().table.get(ix)
    }

    /// The string at `key`.
    #[inline]
    pub fn string(&mut self, key: &[u8]) -> Result<Option<&[u8]>, WrongType> {
        match self.read(key) {
            Some(ix) => self.entry(ix).bytes().map(Some).ok_or(WrongType),
            None => Ok(None),
        }
    }

    /// A handle on a big string that outlives this call, so that a reply need not copy it; `None` for others.
    pub fn share_string(&mut self, key: &[u8]) -> Option<Bytes> {
        let ix = self.find(key)?;
        self.data_mut().table.get_mut(ix).share_bytes()
    }

    /// The string at `key`, found as by a write (no hit, no miss).
    pub fn string_for_write(&mut self, key: &[u8]) -> Result<Option<&[u8]>, WrongType> {
        match self.write(key) {
            Some(ix) => self.entry(ix).bytes().map(Some).ok_or(WrongType),
            None => Ok(None),
        }
    }

    /// The value at `key`, of whatever type.
    pub fn view(&mut self, key: &[u8]) -> Option<View<'_>> {
        let ix = self.read(key)?;
        Some(self.entry(ix).view())
    }

    /// What is known of `key` without its value: a lookup for reading that moves no access clock.
    pub fn meta(&mut self, key: &[u8]) -> Option<Meta> {
        let found = self.find(key);
        match found {
            Some(_) => self.ks.stats.hits += 1,
            None => self.missed(key),
        }
        found.map(|ix| self.meta_at(ix))
    }

    /// The same, and nobody hears of a miss.
    pub fn meta_unheard(&mut self, key: &[u8]) -> Option<Meta> {
        let names_misses = std::mem::replace(&mut self.ks.names_misses, false);
        let meta = self.meta(key);
        self.ks.names_misses = names_misses;
        meta
    }

    /// What is known of `key`, found as by a write: no hit, no miss, but its access clock moves.
    pub fn meta_for_write(&mut self, key: &[u8]) -> Option<Meta> {
        let ix = self.write(key)?;
        Some(self.meta_at(ix))
    }

    fn meta_at(&self, ix: SlotIx) -> Meta {
        let entry = self.entry(ix);
        Meta { kind: entry.kind(), expiry: entry.expiry(), clock: entry.clock() }
    }

    /// The type of `key`: no hit, no miss, no access clock moved.
    pub fn type_of(&mut self, key: &[u8]) -> Option<Type> {
        let ix = self.find(key)?;
        Some(self.entry(ix).kind().type_of())
    }

    /// Whether `key` is there although its time has passed.
    pub fn is_key_past(&self, key: &[u8]) -> bool {
        let entry = self.data().entry(key);
        entry.and_then(|entry| entry.expiry()).is_some_and(|when| when < self.now.ms)
    }

    /// Whether `key` is there: no hit, no miss, no access clock moved.
    pub fn contains(&mut self, key: &[u8]) -> bool {
        self.find(key).is_some()
    }

    /// Whether `key` is there, looked up as by a write: no hit, no miss, but its access clock moves.
    pub fn contains_for_write(&mut self, key: &[u8]) -> bool {
        self.write(key).is_some()
    }

    /// Whether `key` is there, looked up for reading: its access clock moves, even for a client that moves none.
    pub fn use_key(&mut self, key: &[u8]) -> bool {
        let no_touch = std::mem::replace(&mut self.no_touch, false);
        let found = self.read(key).is_some();
        self.no_touch = no_touch;
        found
    }

    /// Looks keys up for reading, so that [`Db::peek`] may look at several at once afterwards.
    pub fn touch<'k>(&mut self, keys: impl IntoIterator<Item = &'k [u8]>) {
        keys.into_iter().for_each(|key| {
            self.read(key);
        });
    }

    /// The same up to a key that has a value of none of these types.
    pub fn touch_while<'k>(&mut self, keys: impl IntoIterator<Item = &'k [u8]>, types: &[Type]) {
        for key in keys {
            let found = self.read(key);
            if found.is_some_and(|ix| !types.contains(&self.entry(ix).kind().type_of())) {
                return;
            }
        }
    }

    /// Looks at a value without changing anything; what is past its time is missing.
    pub fn peek(&self, key: &[u8]) -> Option<View<'_>> {
        let entry = self.data().entry(key)?;
        let gone = self.ks.lapse != Lapse::Ignore && entry.expiry().is_some_and(|when| when < self.now.ms);
        (!gone).then(|| entry.view())
    }

    /// Key `at` of `len` is about to be looked up, and `key` gives those behind it: asks the processor for them.
    #[inline]
    pub fn look_ahead<'k>(
        &self,
        ahead: &mut Ahead,
        at: usize,
        len: usize,
        key: impl Fn(usize) -> Option<&'k [u8]>,
    ) {
        ahead.step(self.data(), at, len, key);
    }

    /// Makes `key` a string.
    #[inline]
    pub fn set<'k>(&mut self, key: &'k [u8], value: New<'_>, ttl: Ttl) -> Effect<'k> {
        let hash = hash_bytes(key);
        let found = self.data().table.find(hash, |e| e.key() == key);
        let created = match found {
            Some(ix) if self.set_lasting(ix, &value, ttl) => false,
            _ => self.set_any(found, hash, key, value, ttl),
        };
        Effect { created, ready: created, ..Effect::new(key, "set") }
    }

    /// Overwrites a string that lasts by one that lasts; `false`, and nothing happens, if there is more to it.
    #[inline]
    fn set_lasting(&mut self, ix: SlotIx, value: &New<'_>, ttl: Ttl) -> bool {
        let clock = self.ks.access.fresh(self.now.ms);
        match value {
            New::Bytes(bytes) if !matches!(ttl, Ttl::At(_)) => {
                self.data_mut().overwrite_lasting(ix, bytes, clock)
            }
            _ => false,
        }
    }

    /// Puts a string where the key was found, or makes the key; whether it did that.
    fn set_any(&mut self, found: Option<SlotIx>, hash: u64, key: &[u8], value: New<'_>, ttl: Ttl) -> bool {
        let found = found.and_then(|ix| if self.is_past(ix) { self.past(ix, true) } else { Some(ix) });
        match found {
            Some(ix) => self.overwrite(ix, value, ttl),
            None => self.insert_string(hash, key, value, ttl),
        }
        found.is_none()
    }

    fn overwrite(&mut self, ix: SlotIx, value: New<'_>, ttl: Ttl) {
        let clock = self.ks.access.fresh(self.now.ms);
        if self.entry(ix).kind().type_of() != Type::String {
            self.discard_value_of(ix);
        }
        self.data_mut().update(ix, |entry| {
            match value {
                New::Bytes(bytes) => entry.set_bytes(bytes, Made::Whole),
                New::Raw(bytes) => entry.set_bytes(bytes, Made::Changed),
                New::Shared(bytes) => entry.set_value(Value::Str(Str::Shared(bytes))),
            }
            match ttl {
                Ttl::Keep => {}
                Ttl::Clear => entry.set_expiry(None),
                Ttl::At(when) => entry.set_expiry(Some(when)),
            }
            entry.set_clock(clock);
        });
    }

    /// Leaves an empty string where an aggregate was, which is freed wherever that is done.
    #[cold]
    fn discard_value_of(&mut self, ix: SlotIx) {
        let old = self.data_mut().update(ix, |entry| entry.swap_value(Value::Str(Str::Owned(Vec::new()))));
        self.ks.discard(old);
    }

    #[inline]
    fn insert_string(&mut self, hash: u64, key: &[u8], value: New<'_>, ttl: Ttl) {
        let clock = self.ks.access.fresh(self.now.ms);
        let expiry = match ttl {
            Ttl::At(when) => Some(when),
            Ttl::Keep | Ttl::Clear => None,
        };
        let entry = match value {
            New::Bytes(bytes) => Entry::with_bytes(key, bytes, Made::Whole, expiry, clock),
            New::Raw(bytes) => Entry::with_bytes(key, bytes, Made::Changed, expiry, clock),
            New::Shared(bytes) => Entry::with_value(key, Value::Str(Str::Shared(bytes)), expiry, clock),
        };
        self.data_mut().insert(hash, entry);
    }

    /// Puts any value at `key`, in place of what was there; the expiry is the given one (unix ms).
    pub fn put<'k>(
        &mut self,
        key: &'k [u8],
        value: Value,
        expiry: Option<u64>,
        event: &'static str,
    ) -> Effect<'k> {
        let created = match self.find_to_change(hash_bytes(key), key) {
            Some(ix) => {
                let old = self.data_mut().take(ix);
                self.ks.discard_entry(old);
                false
            }
            None => true,
        };
        let clock = self.ks.access.fresh(self.now.ms);
        self.data_mut().insert(hash_bytes(key), Entry::with_value(key, value, expiry, clock));
        Effect { created, ready: created, ..Effect::new(key, event) }
    }

    /// Deletes `key`, also when its time has passed, which makes no difference then: a store of nothing.
    pub fn remove_as_it_is<'k>(&mut self, key: &'k [u8]) -> Effect<'k> {
        let Some(ix) = self.data().slot(key) else { return Effect::NONE };
        let entry = self.data_mut().take(ix);
        self.ks.discard_entry(entry);
        Effect::new(key, "del")
    }

    /// Deletes `key`. The event is `del`; nothing if it was not there.
    pub fn remove<'k>(&mut self, key: &'k [u8]) -> Effect<'k> {
        let Some(ix) = self.find_to_change(hash_bytes(key), key) else { return Effect::NONE };
        let entry = self.data_mut().take(ix);
        self.ks.discard_entry(entry);
        Effect::new(key, "del")
    }

    /// Sets the expiry of `key` (unix ms). The event is `expire`.
    pub fn expire_at<'k>(&mut self, key: &'k [u8], when_ms: u64) -> Effect<'k> {
        let Some(ix) = self.find_to_change(hash_bytes(key), key) else { return Effect::NONE };
        self.data_mut().update(ix, |entry| entry.set_expiry(Some(when_ms)));
        Effect::new(key, "expire")
    }

    /// Drops the expiry of `key`. The event is `persist`; nothing if it had none.
    pub fn persist<'k>(&mut self, key: &'k [u8]) -> Effect<'k> {
        let Some(ix) = self.find_to_change(hash_bytes(key), key) else { return Effect::NONE };
        if self.entry(ix).expiry().is_none() {
            return Effect::NONE;
        }
        self.data_mut().update(ix, |entry| entry.set_expiry(None));
        Effect::new(key, "persist")
    }

    /// Sets the access clock of `key` (RESTORE, snapshots).
    pub fn set_clock(&mut self, key: &[u8], clock: u32) {
        if let Some(ix) = self.find_to_change(hash_bytes(key), key) {
            self.data_mut().table.get_mut(ix).set_clock(clock);
        }
    }

    /// Visits the keys of some buckets from `cursor` on; the next cursor, 0 at the end.
    ///
    /// What is there from start to end and is `wanted` is visited at least once, whatever happens between the calls.
    /// Of those, keys past their time are left out, and (on a master) deleted; how many, comes second.
    pub fn scan(
        &mut self,
        cursor: u64,
        mut wanted: impl FnMut(&[u8]) -> bool,
        mut visit: impl FnMut(&[u8], Type),
    ) -> (u64, u64) {
        let (ks_lapse, now_ms) = (self.ks.lapse, self.now.ms);
        let mut past = Vec::new();
        let next = self.data().table.scan(cursor, |entry| {
            if !wanted(entry.key()) {
                return;
            }
            let gone = ks_lapse != Lapse::Ignore && entry.expiry().is_some_and(|when| when < now_ms);
            if gone {
                past.push(entry.key().to_vec());
            } else {
                visit(entry.key(), entry.kind().type_of());
            }
        });
        if ks_lapse == Lapse::Delete {
            past.iter().for_each(|key| {
                self.find(key);
            });
        }
        (next, past.len() as u64)
    }

    /// Visits every key that is not past its time.
    pub fn each_key(&mut self, mut visit: impl FnMut(&[u8], Type)) {
        let (lapse, now_ms) = (self.ks.lapse, self.now.ms);
        for entry in self.data().entries() {
            if lapse == Lapse::Ignore || entry.expiry().is_none_or(|when| when >= now_ms) {
                visit(entry.key(), entry.kind().type_of());
            }
        }
    }

    /// A key drawn fairly from those not past their time.
    pub fn random_key(&mut self, rng: &mut fastrand::Rng) -> Option<Vec<u8>> {
        for _ in 0..100 {
            let ix = self.data().table.random(rng)?;
            let key = self.entry(ix).key().to_vec();
            if self.find(&key).is_some() {
                return Some(key);
            }
        }
        // Only expired keys, as it seems, and the policy lets them stay: any of them, as the real server answers.
        self.data().table.random(rng).map(|ix| self.entry(ix).key().to_vec())
    }
}

macro_rules! reads {
    ($($name:ident $type:ty;)*) => { impl Db<'_> { $(
        /// The value at `key`, if it is there; an error if it is of another type.
        #[inline]
        pub fn $name(&mut self, key: &[u8]) -> Result<Option<Ref<'_, $type>>, WrongType> {
            match self.read(key) {
                Some(ix) => self.entry(ix).$name().map(Some).ok_or(WrongType),
                None => Ok(None),
            }
        }
    )* } };
}

reads! {
    list List;
    set_members Set;
    zset Zset;
    hash Hash;
    stream Box<Stream>;
}
