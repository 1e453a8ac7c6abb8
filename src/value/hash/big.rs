//! The big form of a hash: a table of fields, and how many of them have a deadline.

use super::field::Field;
use super::{Item, Ttl};
use crate::value::listpack::Entry;
use crate::value::table::{self, Due, Slot, SlotIx, Table, hash_bytes};

/// A hash with its fields in a table.
pub struct HashTable {
    fields: Table<Field>,
    expiring: usize,
}

impl HashTable {
    pub(super) fn new() -> Self {
        HashTable { fields: Table::new(), expiring: 0 }
    }

    pub(super) fn prefetch(&self, key: &[u8]) -> Option<u64> {
        self.fields.prefetch_if_cold(key)
    }

    pub(super) fn prefetch_items(&self, hash: u64) {
        self.fields.prefetch_items(hash);
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    /// Fields that have a deadline.
    pub(super) fn expiring(&self) -> usize {
        self.expiring
    }

    #[inline]
    fn find(&self, name: &[u8]) -> Option<SlotIx> {
        self.fields.find(hash_bytes(name), |field| field.name() == name)
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<Item<'_>> {
        self.find(name).map(|ix| item(self.fields.get(ix)))
    }

    /// True if the field is new.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8], ttl: Ttl) -> bool {
        let hash = hash_bytes(name);
        let Some(ix) = self.fields.find(hash, |field| field.name() == name) else {
            self.fields.insert_new(hash, Field::new(name, value, None));
            return true;
        };
        let field = self.fields.get_mut(ix);
        field.set_value(value);
        if ttl == Ttl::Clear && field.deadline().is_some() {
            field.set_deadline(None);
            self.expiring -= 1;
        }
        false
    }

    /// Adds a field with all it has; false, and nothing done, if it is there already.
    pub(super) fn insert(&mut self, name: &[u8], value: &[u8], deadline: Option<u64>) -> bool {
        let hash = hash_bytes(name);
        let new = self.fields.find(hash, |field| field.name() == name).is_none();
        if new {
            self.fields.insert_new(hash, Field::new(name, value, deadline));
            self.expiring += usize::from(deadline.is_some());
        }
        new
    }

    pub(super) fn remove(&mut self, name: &[u8]) -> bool {
        let removed = self.find(name).map(|ix| self.fields.remove(ix));
        self.expiring -= usize::from(removed.as_ref().is_some_and(|field| field.deadline().is_some()));
        removed.is_some()
    }

    /// False if there is no such field.
    pub(super) fn set_deadline(&mut self, name: &[u8], deadline: Option<u64>) -> bool {
        let Some(ix) = self.find(name) else { return false };
        let field = self.fields.get_mut(ix);
        self.expiring -= usize::from(field.deadline().is_some());
        field.set_deadline(deadline);
        if let Some(deadline) = deadline {
            self.expiring += 1;
            self.fields.note_deadline(ix, deadline);
        }
        true
    }

    /// Lower bound of all deadlines.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        if self.expiring == 0 { None } else { self.fields.earliest_deadline() }
    }

    pub(super) fn take_due(&mut self, now_ms: u64, budget: usize, mut removed: impl FnMut(&[u8])) -> Due {
        let due = self.fields.take_due(now_ms, budget, |field| removed(field.name()));
        self.expiring -= due.taken;
        due
    }

    pub(super) fn iter(&self) -> TableIter<'_> {
        TableIter(self.fields.iter())
    }

    pub(super) fn random(&self, rng: &mut fastrand::Rng) -> Option<Item<'_>> {
        self.fields.random(rng).map(|ix| item(self.fields.get(ix)))
    }

    pub(super) fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(Item<'a>)) -> u64 {
        self.fields.scan(cursor, |field| visit(item(field)))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let fields: usize = self.fields.iter().map(Field::memory_bytes).sum();
        size_of::<usize>() + self.fields.memory_bytes() + fields
    }

    pub(super) fn set_resizing(&mut self, on: bool) {
        self.fields.set_resizing(on);
    }

    pub(super) fn stats(&self) -> table::Stats {
        self.fields.stats()
    }
}

#[inline]
fn item(field: &Field) -> Item<'_> {
    let (name, value, deadline) = field.parts();
    Item { field: Entry::Str(name), value: Entry::Str(value), deadline }
}

/// Walks the fields in no order.
pub(super) struct TableIter<'a>(table::Iter<'a, Field>);

impl<'a> Iterator for TableIter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        self.0.next().map(item)
    }
}
