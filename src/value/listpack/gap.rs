//! Dead bytes before the first entry, for those who take and put at the front all the time.
//!
//! A listpack with such a gap is none: its owner must know the gap's size, use nothing but what is here, and
//! close it before anybody else looks.

use super::codec::{self, Encoded};
use super::{Entry, HEADER, Iter, Listpack};

impl Listpack {
    /// Makes a gap `by` bytes longer.
    pub(in crate::value) fn open_gap(&mut self, by: usize) {
        self.hole(HEADER, 0, by).fill(0);
    }

    /// Takes the gap of `gap` bytes out.
    pub(in crate::value) fn close_gap(&mut self, gap: usize) {
        self.hole(HEADER, gap, 0);
    }

    /// Writes an element to the end of the gap, if it fits; answers what is left of the gap.
    pub(in crate::value) fn push_into_gap(&mut self, gap: usize, element: Entry<'_>) -> Option<usize> {
        let encoded = Encoded::of(element);
        let left = gap.checked_sub(encoded.size())?;
        let at = HEADER + left;
        encoded.write(self.hole(at, encoded.size(), encoded.size()));
        self.add_count(1);
        Some(left)
    }

    /// Counts the first element behind the gap out; its bytes belong to the gap from now on: answers their number.
    pub(in crate::value) fn pop_into_gap(&mut self, gap: usize) -> usize {
        self.add_count(-1);
        codec::size_at(self.as_bytes(), HEADER + gap)
    }

    /// The elements behind the gap.
    pub(in crate::value) fn iter_behind(&self, gap: usize) -> Iter<'_> {
        Iter::of(self.as_bytes(), HEADER + gap, self.end())
    }

    /// A copy of the bytes without the gap.
    pub(in crate::value) fn bytes_without(&self, gap: usize) -> Vec<u8> {
        let b = self.as_bytes();
        let total = (b.len() - gap) as u32;
        [&total.to_le_bytes(), &b[4..HEADER], &b[HEADER + gap..]].concat()
    }
}
