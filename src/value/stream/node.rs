#![doc = include_str!("FORMAT.md")]

use super::id::StreamId;
use crate::value::listpack::{Entry, Iter, Listpack, Pos};

/// The entry is deleted.
pub(super) const DELETED: i64 = 1;
/// The entry has the fields of the master entry.
pub(super) const SAME_FIELDS: i64 = 2;

/// A node: its key, and its entries.
#[derive(Debug, Clone)]
pub struct Node {
    pub(super) key: StreamId,
    pub(super) pack: Listpack,
}

/// The start of a node.
#[derive(Clone, Copy)]
pub(super) struct Master {
    /// Entries alive, as stated. Real servers believe it, whatever it says, and so do we.
    pub count: i64,
    /// Entries marked as deleted, as stated.
    pub deleted: i64,
    /// Fields of the master entry.
    pub fields: usize,
    /// The first field, or the 0 behind the last.
    first_field: Pos,
}

/// Where an entry stands in its node, and its head.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub id: StreamId,
    pub flags: i64,
    /// The element that holds the flags.
    pub at: Pos,
    /// Fields of the entry.
    fields: usize,
    /// The first value (same fields) or field, or `pieces` if there are none.
    data: Pos,
}

impl Slot {
    pub fn is_deleted(&self) -> bool {
        self.flags & DELETED != 0
    }

    fn has_same_fields(&self) -> bool {
        self.flags & SAME_FIELDS != 0
    }

    fn data_len(&self) -> usize {
        if self.has_same_fields() { self.fields } else { self.fields * 2 }
    }
}

impl Node {
    /// The node's key: the id of the first entry ever put there.
    pub fn key(&self) -> StreamId {
        self.key
    }

    /// The node's entries in their disk form.
    pub fn as_bytes(&self) -> &[u8] {
        self.pack.as_bytes()
    }

    /// A node with one entry.
    pub(super) fn new<'a>(id: StreamId, fields: impl Iterator<Item = &'a [u8]> + Clone, len: usize) -> Node {
        let names = fields.clone().step_by(2).map(Entry::Str);
        let values = fields.skip(1).step_by(2).map(Entry::Str);
        let ints = |ints: &'static [i64]| ints.iter().map(|&int| Entry::Int(int));
        let count = [1, 0, len as i64].into_iter().map(Entry::Int);
        let pieces = std::iter::once(Entry::Int(len as i64 + 3));
        let mut pack = Listpack::new();
        pack.append_many(count.chain(names).chain(ints(&[0, SAME_FIELDS, 0, 0])).chain(values).chain(pieces));
        Node { key: id, pack }
    }

    /// Adds an entry at the end. `master`: what [`Node::master`] says.
    pub(super) fn push<'a>(
        &mut self,
        id: StreamId,
        fields: impl Iterator<Item = &'a [u8]> + Clone,
        len: usize,
        master: Master,
    ) {
        let ms = id.ms.wrapping_sub(self.key.ms) as i64;
        let seq = id.seq.wrapping_sub(self.key.seq) as i64;
        let same = self.names_are(master, fields.clone().step_by(2), len);
        self.set_count(master.count.wrapping_add(1));
        if same {
            let head = [SAME_FIELDS, ms, seq].into_iter().map(Entry::Int);
            let values = fields.skip(1).step_by(2).map(Entry::Str);
            let pieces = std::iter::once(Entry::Int(len as i64 + 3));
            self.pack.append_many(head.chain(values).chain(pieces));
        } else {
            let head = [0, ms, seq, len as i64].into_iter().map(Entry::Int);
            let pieces = std::iter::once(Entry::Int(len as i64 * 2 + 4));
            self.pack.append_many(head.chain(fields.map(Entry::Str)).chain(pieces));
        }
    }

    /// Whether the master entry has these fields.
    fn names_are<'a>(&self, master: Master, names: impl Iterator<Item = &'a [u8]>, len: usize) -> bool {
        master.fields == len
            && self.pack.iter_from(master.first_field).zip(names).all(|(ours, name)| ours.is(name))
    }

    pub(super) fn master(&self) -> Master {
        let (count, rest) = self.int_at(self.pack.first());
        let (deleted, rest) = self.int_at(rest);
        let (fields, rest) = self.int_at(rest);
        let first_field = rest.expect("a checked node has a whole master entry");
        Master { count, deleted, fields: fields as usize, first_field }
    }

    fn int_at(&self, pos: Option<Pos>) -> (i64, Option<Pos>) {
        let pos = pos.expect("a checked node ends with a whole entry");
        self.pack.int_next(pos).expect("a checked node has integers where they belong")
    }

    fn skip(&self, pos: Option<Pos>, elements: usize) -> Option<Pos> {
        (0..elements).try_fold(pos?, |pos, _| self.pack.next(pos))
    }

    /// The flags of the first entry.
    pub(super) fn first_at(&self, master: Master) -> Option<Pos> {
        self.skip(Some(master.first_field), master.fields + 1)
    }

    /// The `pieces` of the last entry, or the 0 of the master entry.
    pub(super) fn last_at(&self) -> Option<Pos> {
        self.pack.last()
    }

    /// The entry whose flags are at `at`.
    pub(super) fn slot(&self, master: Master, at: Pos) -> Slot {
        let (flags, rest) = self.int_at(Some(at));
        let (ms, rest) = self.int_at(rest);
        let (seq, rest) = self.int_at(rest);
        let (fields, data) = match flags & SAME_FIELDS {
            0 => self.int_at(rest),
            _ => (master.fields as i64, rest),
        };
        let data = data.expect("a checked node ends with a whole entry");
        Slot { id: self.key.offset(ms, seq), flags, at, fields: fields as usize, data }
    }

    /// The flags of the entry behind a slot.
    pub(super) fn after(&self, slot: &Slot) -> Option<Pos> {
        self.skip(Some(slot.data), slot.data_len() + 1)
    }

    /// The flags of the entry that ends at the `pieces` at `end`; `None` at the master entry.
    pub(super) fn start_of(&self, end: Pos) -> Option<Pos> {
        let pieces = self.int_at(Some(end)).0;
        (0..pieces).try_fold((pieces > 0).then_some(end)?, |pos, _| self.pack.prev(pos))
    }

    /// The `pieces` of the entry before a slot, or the 0 of the master entry.
    pub(super) fn before(&self, slot: &Slot) -> Option<Pos> {
        self.pack.prev(slot.at)
    }

    /// The last entry, deleted or not.
    pub(super) fn last_slot(&self) -> Option<Slot> {
        let at = self.start_of(self.last_at()?)?;
        Some(self.slot(self.master(), at))
    }

    pub(super) fn fields(&self, master: Master, slot: &Slot) -> Fields<'_> {
        let names = slot.has_same_fields().then(|| self.pack.iter_from(master.first_field));
        Fields { names, rest: self.pack.iter_from(slot.data), left: slot.fields }
    }

    /// Marks an entry as deleted; the counts are for the caller.
    pub(super) fn mark_deleted(&mut self, slot: &Slot) {
        self.pack.replace(slot.at, slot.flags | DELETED);
    }

    pub(super) fn set_count(&mut self, count: i64) {
        if let Some(pos) = self.pack.first() {
            self.pack.replace(pos, count);
        }
    }

    pub(super) fn set_deleted(&mut self, deleted: i64) {
        if let Some(pos) = self.skip(self.pack.first(), 1) {
            self.pack.replace(pos, deleted);
        }
    }
}

/// The fields and values of an entry, borrowed from its node.
#[derive(Clone)]
pub struct Fields<'a> {
    names: Option<Iter<'a>>, // `None`: they stand before each value
    rest: Iter<'a>,
    left: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = (Entry<'a>, Entry<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let name = match &mut self.names {
            Some(names) => names.next()?,
            None => self.rest.next()?,
        };
        Some((name, self.rest.next()?))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Fields<'_> {}
