//! The small forms of a hash: field, value ... in a listpack, or field, value, deadline ... in one.
//!
//! With deadlines (unix ms, 0: none) the triplets stand in the order of these, those without one last; a field
//! that gets a deadline goes before others with the same one.

use super::{Item, Ttl};
use crate::value::listpack::{Corrupt, Entry, Iter, Listpack, ListpackRef, Pos};

/// A listpack of triplets, in order.
pub struct PackedEx(pub(super) Listpack);

const NEVER: i64 = 0;

/// Where a field stands, in a listpack with `width` entries per field.
#[inline]
pub(super) fn find(lp: &Listpack, field: &[u8], width: usize) -> Option<Pos> {
    lp.find(lp.first()?, field, width - 1)
}

/// The field at a position and what follows it.
pub(super) fn item_at(lp: &Listpack, pos: Pos, width: usize) -> Item<'_> {
    next_item(&mut lp.iter_from(pos), width).expect("a field stands at its position")
}

/// The next field of an iteration.
#[inline]
pub(super) fn next_item<'a>(entries: &mut Iter<'a>, width: usize) -> Option<Item<'a>> {
    let (field, value) = (entries.next()?, entries.next()?);
    let deadline = if width == 3 { deadline_of(entries.next()?) } else { None };
    Some(Item { field, value, deadline })
}

fn deadline_of(entry: Entry<'_>) -> Option<u64> {
    entry.as_int().filter(|&ms| ms != NEVER).map(|ms| ms as u64)
}

fn stored(deadline: Option<u64>) -> i64 {
    deadline.map_or(NEVER, |ms| i64::try_from(ms).unwrap_or(i64::MAX).max(1))
}

fn value_pos(lp: &Listpack, field: Pos) -> Pos {
    lp.next(field).expect("a value follows each field")
}

/// Sets a field of a listpack of pairs; true if it is new.
pub(super) fn set(lp: &mut Listpack, field: &[u8], value: &[u8]) -> bool {
    if let Some(pos) = find(lp, field, 2) {
        lp.replace(value_pos(lp, pos), value);
        return false;
    }
    lp.push_back(field);
    lp.push_back(value);
    true
}

/// Refuses a listpack whose length is not a multiple of `width`, or with something else than a deadline as a
/// field's third entry.
pub(super) fn check(lp: ListpackRef<'_>, width: usize) -> Result<(), Corrupt> {
    let offset = lp.as_bytes().len();
    if !lp.len().is_multiple_of(width) {
        return Err(Corrupt { offset, reason: "hash with an incomplete field" });
    }
    let deadlines = lp.iter().skip(2).step_by(3);
    if width == 3 && !deadlines.into_iter().all(|entry| entry.as_int().is_some_and(|ms| ms >= 0)) {
        return Err(Corrupt { offset, reason: "hash with a field whose deadline is none" });
    }
    Ok(())
}

impl PackedEx {
    /// Gives every field of a listpack of pairs the room for a deadline.
    pub(super) fn from_pairs(lp: &Listpack) -> Self {
        let mut ex = Listpack::new();
        let mut entries = lp.iter();
        let triplets = std::iter::from_fn(|| {
            let item = next_item(&mut entries, 2)?;
            Some([item.field, item.value, Entry::Int(NEVER)])
        });
        let triplets: Vec<_> = triplets.flatten().collect();
        ex.append_many(triplets.into_iter());
        PackedEx(ex)
    }

    /// Takes over triplets that were a `PackedEx` before.
    pub fn from_listpack(triplets: Listpack) -> Self {
        PackedEx(triplets)
    }

    /// Gives up the triplets.
    pub fn into_listpack(self) -> Listpack {
        self.0
    }

    /// The triplets.
    pub fn listpack(&self) -> &Listpack {
        &self.0
    }

    pub(super) fn len(&self) -> usize {
        self.0.len() / 3
    }

    /// Whether the deadlines are in order.
    pub(super) fn in_order(&self) -> bool {
        let deadlines = self.0.iter().skip(2).step_by(3);
        deadlines.map(|entry| deadline_of(entry).unwrap_or(u64::MAX)).is_sorted()
    }

    /// The earliest deadline: that of the first field.
    pub(super) fn next_deadline(&self) -> Option<u64> {
        deadline_of(self.0.get(self.0.seek(2)?))
    }

    /// Sets a field; true if it is new.
    pub(super) fn set(&mut self, field: &[u8], value: &[u8], ttl: Ttl) -> bool {
        let Some(pos) = find(&self.0, field, 3) else {
            self.insert(field, Entry::Str(value), None);
            return true;
        };
        if ttl == Ttl::Clear && item_at(&self.0, pos, 3).deadline.is_some() {
            self.0.delete_range(pos, 3);
            self.insert(field, Entry::Str(value), None);
        } else {
            self.0.replace(value_pos(&self.0, pos), value);
        }
        false
    }

    /// Adds an absent field where its deadline belongs.
    pub(super) fn insert(&mut self, field: &[u8], value: Entry<'_>, deadline: Option<u64>) {
        let stored = stored(deadline);
        match self.place_for(deadline) {
            None => {
                self.0.push_back(field);
                self.0.push_back(value);
                self.0.push_back_int(stored);
            }
            Some(pos) => {
                let pos = self.0.insert_before(pos, field);
                let pos = self.0.insert_after(pos, value);
                self.0.insert_after(pos, stored);
            }
        }
    }

    /// The first field whose deadline is not before another one; `None` is the end.
    fn place_for(&self, deadline: Option<u64>) -> Option<Pos> {
        let deadline = deadline?;
        let mut at = self.0.first();
        while let Some(pos) = at {
            let third = self.0.next(value_pos(&self.0, pos)).expect("a deadline follows each value");
            if deadline_of(self.0.get(third)).is_none_or(|other| other >= deadline) {
                return Some(pos);
            }
            at = self.0.next(third);
        }
        None
    }

    /// Moves a field to where its new deadline belongs; false if there is no such field.
    pub(super) fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>) -> bool {
        let Some(pos) = find(&self.0, field, 3) else { return false };
        let value = item_at(&self.0, pos, 3).value.to_vec();
        self.0.delete_range(pos, 3);
        self.insert(field, Entry::Str(&value), deadline);
        true
    }

    /// Number of leading fields whose deadline lies before `now_ms`.
    pub(super) fn due(&self, now_ms: u64) -> usize {
        let deadlines = self.0.iter().skip(2).step_by(3);
        deadlines.take_while(|entry| deadline_of(*entry).is_some_and(|ms| ms < now_ms)).count()
    }
}
