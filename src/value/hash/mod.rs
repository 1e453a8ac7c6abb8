//! Hashes: fields with values, and a deadline for each field that has one.
//!
//! No clock: a field whose deadline has passed is there until someone removes it; lookups tell the deadline, and
//! who asked decides. Deadlines are unix milliseconds. Source of truth: encodings, their order and when they change
//! as in Redis 8.0's `t_hash.c`; the big form is our own (`big.rs`).

mod big;
mod field;
mod packed;
#[cfg(test)]
mod tests;

pub use big::HashTable;
pub use packed::PackedEx;

use super::Limits;
use super::listpack::{self, Corrupt, Entry, Listpack, ListpackRef};
use super::table::{Due, Stats};

/// A hash in one of its three encodings.
pub enum Hash {
    /// Field, value ...
    Packed(Listpack),
    /// Field, value, deadline ... in the order of deadlines.
    PackedEx(PackedEx),
    /// A table of fields.
    Table(Box<HashTable>),
}

/// A field with what belongs to it. An `Entry::Str` may hold any bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item<'a> {
    pub field: Entry<'a>,
    pub value: Entry<'a>,
    /// Unix ms; it may have passed.
    pub deadline: Option<u64>,
}

impl Item<'_> {
    /// Whether the deadline lies before `now_ms`.
    #[inline]
    pub fn expired(&self, now_ms: u64) -> bool {
        self.deadline.is_some_and(|deadline| deadline < now_ms)
    }
}

/// What becomes of a field's deadline when its value is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ttl {
    /// As HSET.
    Clear,
    /// As HINCRBY and HSETEX KEEPTTL.
    Keep,
}

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// An empty hash, packed.
    pub fn new() -> Self {
        Hash::Packed(Listpack::new())
    }

    /// An empty hash in the encoding that suits so many fields.
    pub fn with_hint(fields: usize, limits: &Limits) -> Self {
        if fields <= limits.hash_max_listpack_entries {
            return Self::new();
        }
        Hash::Table(Box::new(HashTable::new()))
    }

    /// Takes a listpack of pairs from a file; one with too many fields is converted, one with long elements stays.
    ///
    /// Twice the same field is not noticed in one that stays packed, as in the real server.
    pub fn from_listpack(lp: Listpack, limits: &Limits) -> Result<Self, Corrupt> {
        packed::check(lp.lend(), 2)?;
        Ok(Hash::Packed(lp).converted_if_big(limits))
    }

    /// Whether [`Hash::from_listpack`] would leave a listpack as it is.
    pub fn stays_packed(lp: ListpackRef<'_>, limits: &Limits) -> bool {
        lp.len() / 2 <= limits.hash_max_listpack_entries && packed::check(lp, 2).is_ok()
    }

    /// Takes a listpack of triplets from a file, and puts them in order should they not be.
    pub fn from_listpack_ex(lp: Listpack, limits: &Limits) -> Result<Self, Corrupt> {
        packed::check(lp.lend(), 3)?;
        let hash = Hash::PackedEx(PackedEx(lp)).converted_if_big(limits);
        match hash {
            Hash::PackedEx(ex) if !ex.in_order() => Ok(Hash::PackedEx(ex).in_order()),
            hash => Ok(hash),
        }
    }

    fn converted_if_big(mut self, limits: &Limits) -> Self {
        if self.len() > limits.hash_max_listpack_entries {
            self.convert();
        }
        self
    }

    fn in_order(&self) -> Self {
        let mut ex = PackedEx(Listpack::new());
        let mut buf = itoa::Buffer::new();
        for item in self.iter() {
            ex.insert(item.field.text(&mut buf), item.value, item.deadline);
        }
        Hash::PackedEx(ex)
    }

    /// Number of fields, those that have expired and are still there included.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Hash::Packed(lp) => lp.len() / 2,
            Hash::PackedEx(ex) => ex.len(),
            Hash::Table(table) => table.len(),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match self {
            Hash::Packed(_) => "listpack",
            Hash::PackedEx(_) => "listpackex",
            Hash::Table(_) => "hashtable",
        }
    }

    /// A field with value and deadline, expired or not.
    pub fn get(&self, field: &[u8]) -> Option<Item<'_>> {
        match self {
            Hash::Packed(lp) => packed::find(lp, field, 2).map(|pos| packed::item_at(lp, pos, 2)),
            Hash::PackedEx(ex) => packed::find(&ex.0, field, 3).map(|pos| packed::item_at(&ex.0, pos, 3)),
            Hash::Table(table) => table.get(field),
        }
    }

    /// A field that has not expired at `now_ms`.
    pub fn get_live(&self, field: &[u8], now_ms: u64) -> Option<Item<'_>> {
        self.get(field).filter(|item| !item.expired(now_ms))
    }

    /// Whether a field is there, expired or not.
    pub fn contains(&self, field: &[u8]) -> bool {
        self.get(field).is_some()
    }

    /// Bytes of a field's value.
    pub fn value_len(&self, field: &[u8]) -> Option<usize> {
        self.get(field).map(|item| item.value.text_len())
    }

    /// Sets a field; true if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], ttl: Ttl, limits: &Limits) -> bool {
        self.make_room(field, value, limits);
        let new = match self {
            Hash::Packed(lp) => packed::set(lp, field, value),
            Hash::PackedEx(ex) => ex.set(field, value, ttl),
            Hash::Table(table) => return table.set(field, value, ttl),
        };
        // Also when a field is overwritten: the limit may have been lowered.
        if self.len() > limits.hash_max_listpack_entries {
            self.convert();
        }
        new
    }

    /// Adds a field as it stands in a file, with its deadline; false if the table has it already.
    ///
    /// A packed hash is not searched for the field.
    pub fn load(&mut self, field: &[u8], value: &[u8], deadline: Option<u64>, limits: &Limits) -> bool {
        self.make_room(field, value, limits);
        if deadline.is_some() {
            self.prepare_deadlines();
        }
        match self {
            Hash::Packed(lp) => {
                lp.push_back(field);
                lp.push_back(value);
            }
            Hash::PackedEx(ex) => ex.insert(field, Entry::Str(value), deadline),
            Hash::Table(table) => return table.insert(field, value, deadline),
        }
        if self.len() > limits.hash_max_listpack_entries {
            self.convert();
        }
        true
    }

    /// Converts a packed hash that can't take these bytes.
    #[inline]
    fn make_room(&mut self, field: &[u8], value: &[u8], limits: &Limits) {
        let Some(lp) = self.listpack() else { return };
        let longest = field.len().max(value.len());
        if longest > limits.hash_max_listpack_value || lp.would_exceed(field.len() + value.len()) {
            self.convert();
        }
    }

    /// Converts early when a command is going to set so many fields, with elements of these lengths.
    pub fn expect(&mut self, fields: usize, lengths: impl Iterator<Item = usize>, limits: &Limits) {
        let Some(lp) = self.listpack() else { return };
        let mut sum = 0_usize;
        let mut too_long = fields > limits.hash_max_listpack_entries;
        for len in lengths {
            too_long |= len > limits.hash_max_listpack_value;
            sum = sum.saturating_add(len);
        }
        if too_long || lp.would_exceed(sum) {
            self.convert();
        }
    }

    /// Removes a field; false if it isn't there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        let (lp, width) = match self {
            Hash::Packed(lp) => (lp, 2),
            Hash::PackedEx(ex) => (&mut ex.0, 3),
            Hash::Table(table) => return table.remove(field),
        };
        let pos = packed::find(lp, field, width);
        if let Some(pos) = pos {
            lp.delete_range(pos, width);
        }
        pos.is_some()
    }

    /// Sets or takes away a field's deadline, at most `i64::MAX`; false if there is no such field.
    pub fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>) -> bool {
        if deadline.is_some() {
            self.prepare_deadlines();
        }
        match self {
            Hash::Packed(lp) => packed::find(lp, field, 2).is_some(),
            Hash::PackedEx(ex) => ex.set_deadline(field, deadline),
            Hash::Table(table) => table.set_deadline(field, deadline),
        }
    }

    /// Makes the encoding one that can hold deadlines: what HEXPIRE does even if it sets none in the end.
    pub fn prepare_deadlines(&mut self) {
        if let Hash::Packed(lp) = self {
            *self = Hash::PackedEx(PackedEx::from_pairs(lp));
        }
    }

    /// Whether any field has a deadline.
    pub fn has_deadlines(&self) -> bool {
        match self {
            Hash::Packed(_) => false,
            Hash::PackedEx(ex) => ex.next_deadline().is_some(),
            Hash::Table(table) => table.expiring() != 0,
        }
    }

    /// A time before which nothing expires: in a table perhaps earlier than the earliest deadline.
    pub fn next_deadline(&self) -> Option<u64> {
        match self {
            Hash::Packed(_) => None,
            Hash::PackedEx(ex) => ex.next_deadline(),
            Hash::Table(table) => table.next_deadline(),
        }
    }

    /// The earliest deadline itself. O(n) in a table with deadlines.
    pub fn earliest_deadline(&self) -> Option<u64> {
        match self {
            Hash::Table(table) if table.expiring() != 0 => self.iter().filter_map(|item| item.deadline).min(),
            _ => self.next_deadline(),
        }
    }

    /// Fields whose deadline lies before `now_ms`. O(n) in a table that may have any.
    pub fn count_due(&self, now_ms: u64) -> usize {
        match self {
            _ if self.next_deadline().is_none_or(|next| next >= now_ms) => 0,
            Hash::PackedEx(ex) => ex.due(now_ms),
            _ => self.iter().filter(|item| item.expired(now_ms)).count(),
        }
    }

    /// Removes fields whose deadline lies before `now_ms`, and tells their names; stops after about `budget` fields
    /// looked at. Costs nothing when nothing is due.
    pub fn take_due(&mut self, now_ms: u64, budget: usize, mut removed: impl FnMut(&[u8])) -> Due {
        let ex = match self {
            Hash::Packed(_) => return Due::default(),
            Hash::PackedEx(ex) => ex,
            Hash::Table(table) => return table.take_due(now_ms, budget, removed),
        };
        let all = ex.due(now_ms);
        let taken = all.min(budget);
        let mut buf = itoa::Buffer::new();
        ex.0.iter().step_by(3).take(taken).for_each(|field| removed(field.text(&mut buf)));
        if let Some(first) = ex.0.first().filter(|_| taken != 0) {
            ex.0.delete_range(first, 3 * taken);
        }
        Due { examined: taken, taken, more: taken < all }
    }

    /// Walks all fields, expired ones too.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self {
            Hash::Packed(lp) => Source::Packed(lp.iter(), 2),
            Hash::PackedEx(ex) => Source::Packed(ex.0.iter(), 3),
            Hash::Table(table) => Source::Table(table.iter()),
        })
    }

    /// A uniformly random field, expired ones too.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<Item<'_>> {
        let (lp, width) = match self {
            Hash::Packed(lp) => (lp, 2),
            Hash::PackedEx(ex) => (&ex.0, 3),
            Hash::Table(table) => return table.random(rng),
        };
        let index = if self.is_empty() { return None } else { rng.usize(..self.len()) };
        lp.seek((index * width) as i64).map(|pos| packed::item_at(lp, pos, width))
    }

    /// One step of HSCAN, expired fields too: returns the next cursor. A packed hash is given at once.
    pub fn scan<'a>(&'a self, cursor: u64, visit: impl FnMut(Item<'a>)) -> u64 {
        match self {
            Hash::Table(table) => table.scan(cursor, visit),
            _ => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    /// Makes it a table.
    fn convert(&mut self) {
        if matches!(self, Hash::Table(_)) {
            return;
        }
        let mut table = HashTable::new();
        let (mut field_buf, mut value_buf) = (itoa::Buffer::new(), itoa::Buffer::new());
        for item in self.iter() {
            table.insert(item.field.text(&mut field_buf), item.value.text(&mut value_buf), item.deadline);
        }
        *self = Hash::Table(Box::new(table));
    }

    /// The listpack of a packed hash.
    pub fn listpack(&self) -> Option<&Listpack> {
        match self {
            Hash::Packed(lp) => Some(lp),
            Hash::PackedEx(ex) => Some(&ex.0),
            Hash::Table(_) => None,
        }
    }

    /// Bytes of memory, allocations included, without the word that holds it. O(n) in a table.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Hash::Packed(lp) => lp.allocated(),
            Hash::PackedEx(ex) => ex.0.allocated(),
            Hash::Table(table) => table.memory_bytes(),
        }
    }

    /// Allows or stops the resizing of the table, see [`Table::set_resizing`](super::table::Table::set_resizing).
    pub fn set_resizing(&mut self, on: bool) {
        if let Hash::Table(table) = self {
            table.set_resizing(on);
        }
    }

    /// Starts to fetch what finding a field begins with, if the hash is so big that it lies in no cache; the field's hash.
    #[inline]
    pub fn prefetch(&self, field: &[u8]) -> Option<u64> {
        match self {
            Hash::Table(big) => big.prefetch(field),
            _ => None,
        }
    }

    /// Starts to fetch what finding goes on with, for a hash that [`Hash::prefetch`] gave some time ago.
    #[inline]
    pub fn prefetch_items(&self, hash: u64) {
        if let Hash::Table(big) = self {
            big.prefetch_items(hash);
        }
    }

    /// What DEBUG HTSTATS-KEY tells of a table.
    pub fn table_stats(&self) -> Option<Stats> {
        match self {
            Hash::Table(table) => Some(table.stats()),
            _ => None,
        }
    }
}

impl Clone for Hash {
    fn clone(&self) -> Self {
        match self {
            Hash::Packed(lp) => Hash::Packed(lp.clone()),
            Hash::PackedEx(ex) => Hash::PackedEx(PackedEx(ex.0.clone())),
            Hash::Table(_) => {
                let mut table = HashTable::new();
                for item in self.iter() {
                    let (Entry::Str(field), Entry::Str(value)) = (item.field, item.value) else { continue };
                    table.insert(field, value, item.deadline);
                }
                Hash::Table(Box::new(table))
            }
        }
    }
}

/// Iterator of [`Hash::iter`].
pub struct Iter<'a>(Source<'a>);

enum Source<'a> {
    /// With so many entries per field.
    Packed(listpack::Iter<'a>, usize),
    Table(big::TableIter<'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        match &mut self.0 {
            Source::Packed(entries, width) => packed::next_item(entries, *width),
            Source::Table(fields) => fields.next(),
        }
    }
}

const _: () = assert!(size_of::<Hash>() == 16, "a payload is one word");
