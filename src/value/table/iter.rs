//! Walking a whole table, bucket by bucket as they lie in memory, the items of the next ones on their way.

use super::{Slot, Table, prefetch};
use std::iter::FusedIterator;

/// Buckets between the one that is read and the one whose items are asked for.
const AHEAD: usize = 3;

/// Borrowing iterator of [`Table::iter`] and [`Table::iter_inside`].
pub struct Iter<'a, T: Slot> {
    table: &'a Table<T>,
    /// The bucket to go to next.
    next: usize,
    bucket: usize,
    /// Slots of `bucket` not yet given.
    slots: u32,
    left: usize,
    /// Whether what items own is fetched, too.
    inside: bool,
}

impl<'a, T: Slot> Iter<'a, T> {
    pub(super) fn new(table: &'a Table<T>, inside: bool) -> Self {
        Iter { table, next: 0, bucket: 0, slots: 0, left: table.len, inside }
    }

    /// Goes to the next bucket, fetches the items of one farther on, and what those before them own.
    fn advance(&mut self) {
        self.bucket = self.next;
        self.next += 1;
        let table = self.table;
        self.slots = table.bucket(table.nth_bucket(self.bucket)).present();
        let buckets = table.main.len() + table.spill.len();
        if self.bucket + AHEAD < buckets {
            let far = table.bucket(table.nth_bucket(self.bucket + AHEAD));
            far.items().for_each(|item| prefetch(item.address()));
        }
        if self.inside && self.next < buckets {
            let near = table.bucket(table.nth_bucket(self.next));
            near.items().for_each(T::prefetch_inside);
        }
    }
}

impl<'a, T: Slot> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        if self.left == 0 {
            return None;
        }
        while self.slots == 0 {
            self.advance();
        }
        let slot = self.slots.trailing_zeros() as usize;
        self.slots &= self.slots - 1;
        self.left -= 1;
        Some(self.table.bucket(self.table.nth_bucket(self.bucket)).get(slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Slot> ExactSizeIterator for Iter<'_, T> {}
impl<T: Slot> FusedIterator for Iter<'_, T> {}

impl<'a, T: Slot> IntoIterator for &'a Table<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// Owning iterator: takes the items out from the end, freeing buckets as it goes.
pub struct IntoIter<T: Slot>(Table<T>);

impl<T: Slot> Iterator for IntoIter<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let table = &mut self.0;
        for row in [&mut table.spill, &mut table.main] {
            while row.len() != 0 {
                if let Some((_, item)) = row.at_mut(row.len() - 1).take_any() {
                    table.len -= 1;
                    return Some(item);
                }
                row.pop();
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len, Some(self.0.len))
    }
}

impl<T: Slot> ExactSizeIterator for IntoIter<T> {}
impl<T: Slot> FusedIterator for IntoIter<T> {}

impl<T: Slot> IntoIterator for Table<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter(self)
    }
}
