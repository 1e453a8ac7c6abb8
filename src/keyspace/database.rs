//! One database: the table of its entries, and the counts that INFO and snapshots need.

use super::entry::{Entry, View};
use super::{Kind, Made, Type};
use crate::value::Value;
use crate::value::table::{Due, SlotIx, Table, hash_bytes};

/// One database.
#[derive(Default)]
pub struct Database {
    pub(super) table: Table<Entry>,
    /// Keys that have an expiry.
    pub(super) volatile: usize,
    /// Hashes that have fields with an expiry.
    pub(super) with_field_ttl: usize,
}

/// What a key carries besides its value.
pub(super) fn has_field_ttl(entry: &Entry) -> bool {
    entry.field_deadline().is_some()
}

impl Database {
    /// Keys, those past their time included.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Keys with an expiry.
    pub fn volatile(&self) -> usize {
        self.volatile
    }

    /// Hashes with fields that expire.
    pub fn with_field_ttl(&self) -> usize {
        self.with_field_ttl
    }

    /// Every entry, in the table's order, past all policies.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter()
    }

    /// The same for who reads the values, too: they are fetched ahead.
    pub fn entries_and_values(&self) -> impl Iterator<Item = &Entry> {
        self.table.iter_inside()
    }

    /// Looks a key up past all policies.
    pub fn entry(&self, key: &[u8]) -> Option<&Entry> {
        self.slot(key).map(|ix| self.table.get(ix))
    }

    /// Puts a loaded value in. False (and nothing changes) if the key is there already.
    pub fn load(&mut self, key: &[u8], value: Value, expiry: Option<u64>, clock: u32) -> bool {
        self.load_entry(Entry::with_value(key, value, expiry, clock))
    }

    /// Puts a loaded string in without a copy of its own on the way; as [`Database::load`] otherwise.
    pub fn load_bytes(&mut self, key: &[u8], bytes: &[u8], expiry: Option<u64>, clock: u32) -> bool {
        self.load_entry(Entry::with_bytes(key, bytes, Made::Whole, expiry, clock))
    }

    fn load_entry(&mut self, entry: Entry) -> bool {
        let hash = hash_bytes(entry.key());
        if self.table.find(hash, |e| e.key() == entry.key()).is_some() {
            return false;
        }
        self.insert(hash, entry);
        true
    }

    #[inline]
    pub(super) fn slot(&self, key: &[u8]) -> Option<SlotIx> {
        self.table.find(hash_bytes(key), |e| e.key() == key)
    }

    /// Adds an entry whose key is not there.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, entry: Entry) -> SlotIx {
        self.volatile += usize::from(entry.expiry().is_some());
        self.with_field_ttl += usize::from(has_field_ttl(&entry));
        let ix = self.table.insert_new(hash, entry);
        self.note(ix);
        ix
    }

    /// Takes an entry out.
    pub(super) fn take(&mut self, ix: SlotIx) -> Entry {
        let entry = self.table.remove(ix);
        self.volatile -= usize::from(entry.expiry().is_some());
        self.with_field_ttl -= usize::from(has_field_ttl(&entry));
        entry
    }

    /// Takes entries out that are due, keys or fields of hashes; the caller puts back what stays.
    pub(super) fn take_due(&mut self, now_ms: u64, budget: usize, due: &mut Vec<Entry>) -> Due {
        let (mut volatile, mut field_ttl) = (0, 0);
        let round = self.table.take_due(now_ms, budget, |entry| {
            volatile += usize::from(entry.expiry().is_some());
            field_ttl += usize::from(has_field_ttl(&entry));
            due.push(entry);
        });
        self.volatile -= volatile;
        self.with_field_ttl -= field_ttl;
        round
    }

    /// Changes an entry and keeps the counts and deadlines right.
    #[inline]
    pub(super) fn update<R>(&mut self, ix: SlotIx, f: impl FnOnce(&mut Entry) -> R) -> R {
        let entry = self.table.get_mut(ix);
        let (volatile, field_ttl) = (entry.expiry().is_some(), has_field_ttl(entry));
        let result = f(entry);
        self.volatile = self.volatile + usize::from(entry.expiry().is_some()) - usize::from(volatile);
        self.with_field_ttl =
            self.with_field_ttl + usize::from(has_field_ttl(entry)) - usize::from(field_ttl);
        self.note(ix);
        result
    }

    /// Makes an entry a string of these bytes if it is a string without expiry, so that no count or deadline changes;
    /// whether it is.
    #[inline]
    pub(super) fn overwrite_lasting(&mut self, ix: SlotIx, bytes: &[u8], clock: u32) -> bool {
        let entry = self.table.get_mut(ix);
        if entry.expiry().is_some() || entry.kind().type_of() != Type::String {
            return false;
        }
        entry.set_bytes(bytes, Made::Whole);
        entry.set_clock(clock);
        true
    }

    /// Tells the table when an entry is due.
    #[inline]
    fn note(&mut self, ix: SlotIx) {
        use crate::value::table::Slot;
        if let Some(when) = self.table.get(ix).deadline() {
            self.table.note_deadline(ix, when);
        }
    }

    pub(super) fn set_resizing(&mut self, on: bool) {
        self.table.set_resizing(on);
    }

    /// Asks the processor for the bucket that a lookup of `key` will need; the key's hash.
    #[inline]
    pub fn prefetch(&self, key: &[u8]) -> u64 {
        let hash = hash_bytes(key);
        self.table.prefetch(hash);
        hash
    }

    /// The same if the database is big; what is small is at hand.
    #[inline]
    pub fn prefetch_if_cold(&self, key: &[u8]) -> Option<u64> {
        self.table.prefetch_if_cold(key)
    }

    /// Asks the processor for the entries that may have this hash; their bucket was asked for before. True if there
    /// is more to ask for, with [`Database::prefetch_spilled`].
    #[inline]
    pub fn prefetch_entries(&self, hash: u64) -> bool {
        self.table.prefetch_items(hash)
    }

    /// Asks for entries that found no place in the bucket of their hash.
    #[cold]
    pub(super) fn prefetch_spilled(&self, hash: u64) {
        self.table.prefetch_spilled(hash);
    }

    /// What a key holds, if that is a big aggregate with `member`, or without it, in it: what a lookup of the member
    /// begins with is asked for, and the member's hash given, for [`prefetch_items`].
    #[inline]
    pub fn prefetch_member(&self, key: &[u8], member: &[u8]) -> Option<(View<'_>, u64)> {
        let entry = self.entry(key)?;
        if !matches!(entry.kind(), Kind::SetTable | Kind::HashTable | Kind::ZsetTree) {
            return None;
        }
        let view = entry.view();
        let hash = match &view {
            View::Set(set) => set.prefetch(member),
            View::Hash(hash) => hash.prefetch(member),
            View::Zset(set) => set.prefetch(member),
            _ => None,
        }?;
        Some((view, hash))
    }

    /// Bytes that the table itself takes, without the entries.
    pub fn table_bytes(&self) -> usize {
        self.table.memory_bytes()
    }

    /// How full the table is; walks all of it.
    pub fn table_stats(&self) -> crate::value::table::Stats {
        self.table.stats()
    }
}

/// Asks the processor for the items of an aggregate that may have a hash given by [`Database::prefetch_member`].
#[inline]
pub fn prefetch_items(view: &View<'_>, hash: u64) {
    match view {
        View::Set(set) => set.prefetch_items(hash),
        View::Hash(fields) => fields.prefetch_items(hash),
        View::Zset(set) => set.prefetch_items(hash),
        _ => {}
    }
}

impl Entry {
    /// The earliest expiry of a hash's fields, if it has such.
    #[inline]
    pub fn field_deadline(&self) -> Option<u64> {
        if !matches!(self.kind(), Kind::HashPackedEx | Kind::HashTable) {
            return None;
        }
        match self.view() {
            View::Hash(hash) => hash.next_deadline(),
            _ => None,
        }
    }
}
