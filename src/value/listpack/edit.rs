//! Changing a listpack: every change is a hole of the right size, and one or more entries written into it.
//!
//! Nobody checks the size here: who adds asks [`Listpack::would_exceed`] before.

use super::codec::{self, Encoded};
use super::{Entry, HEADER, Listpack, Pos, UNCOUNTED};

/// Bytes up to which elements are written to the stack first, as nobody knows yet how much room they take.
const SCRATCH: usize = 128;

impl Listpack {
    /// Adds an element at the end.
    #[inline]
    pub fn push_back<'a>(&mut self, e: impl Into<Entry<'a>>) {
        self.insert_at(self.end(), e.into());
    }

    /// Adds an element at the start.
    #[inline]
    pub fn push_front<'a>(&mut self, e: impl Into<Entry<'a>>) {
        self.insert_at(HEADER, e.into());
    }

    /// Adds an integer at the end.
    #[inline]
    pub fn push_back_int(&mut self, n: i64) {
        self.insert_at(self.end(), Entry::Int(n));
    }

    /// Adds an element before the one at `pos`; answers where it stands.
    pub fn insert_before<'a>(&mut self, pos: Pos, e: impl Into<Entry<'a>>) -> Pos {
        self.insert_at(pos.at(), e.into());
        pos
    }

    /// Adds an element behind the one at `pos`; answers where it stands.
    pub fn insert_after<'a>(&mut self, pos: Pos, e: impl Into<Entry<'a>>) -> Pos {
        let at = pos.at() + codec::size_at(self.as_bytes(), pos.at());
        self.insert_at(at, e.into());
        Pos::new(at)
    }

    /// Puts another element where `pos` is; `pos` stays good.
    pub fn replace<'a>(&mut self, pos: Pos, e: impl Into<Entry<'a>>) {
        let encoded = Encoded::of(e.into());
        let old = codec::size_at(self.as_bytes(), pos.at());
        encoded.write(self.hole(pos.at(), old, encoded.size()));
    }

    /// Removes the element at `pos`; answers the one behind it, which has taken its place.
    pub fn delete(&mut self, pos: Pos) -> Option<Pos> {
        self.delete_range(pos, 1)
    }

    /// Removes `n` elements from `pos` on, or as many as there are; answers the one behind them.
    pub fn delete_range(&mut self, pos: Pos, n: usize) -> Option<Pos> {
        let (from, end) = (pos.at(), self.end());
        let (mut upto, mut removed) = (from, 0);
        while removed < n && upto < end {
            upto += codec::size_at(self.as_bytes(), upto);
            removed += 1;
        }
        self.hole(from, upto - from, 0);
        self.add_count(-(removed as i64));
        (from < self.end()).then_some(pos)
    }

    /// Removes the elements at `positions`, which are in ascending order, moving what stays only once.
    pub fn delete_many(&mut self, positions: &[Pos]) {
        let Some(first) = positions.first() else {
            return;
        };
        let (mut kept, old) = (first.at(), self.bytes());
        for (i, pos) in positions.iter().enumerate() {
            let from = pos.at() + codec::size_at(self.as_bytes(), pos.at());
            let upto = positions.get(i + 1).map_or(old, |next| next.at());
            self.0.body_mut().copy_within(from - 4..upto - 4, kept - 4);
            kept += upto - from;
        }
        self.0.resize(&(kept as u32).to_le_bytes());
        self.add_count(-(positions.len() as i64));
    }

    /// Removes everything from `pos` on.
    pub fn truncate(&mut self, pos: Pos) {
        self.delete_range(pos, usize::MAX);
    }

    /// Adds elements at the end in one go: the iterator runs twice if they are long, once for the room they take.
    pub fn append_many<'a>(&mut self, elements: impl Iterator<Item = Entry<'a>> + Clone) {
        let (mut scratch, mut len, mut count) = ([0; SCRATCH], 0, 0);
        for e in elements.clone() {
            let encoded = Encoded::of(e);
            let end = len + encoded.size();
            let Some(room) = scratch.get_mut(len..end) else {
                return self.append_long(elements);
            };
            encoded.write(room);
            (len, count) = (end, count + 1);
        }
        self.hole(self.end(), 0, len).copy_from_slice(&scratch[..len]);
        self.add_count(count);
    }

    #[inline(never)]
    fn append_long<'a>(&mut self, elements: impl Iterator<Item = Entry<'a>> + Clone) {
        let (mut size, mut count) = (0, 0);
        for e in elements.clone() {
            size += e.packed_size();
            count += 1;
        }
        let mut room = self.hole(self.end(), 0, size);
        for e in elements {
            let encoded = Encoded::of(e);
            let (here, rest) = room.split_at_mut(encoded.size());
            encoded.write(here);
            room = rest;
        }
        self.add_count(count);
    }

    /// Adds all elements of `other` at the end.
    pub fn append(&mut self, other: &Listpack) {
        self.paste(self.end(), other);
    }

    /// Adds all elements of `other` at the start.
    pub fn prepend(&mut self, other: &Listpack) {
        self.paste(HEADER, other);
    }

    /// `first`'s elements followed by `second`'s; the longer one is reused.
    pub fn merge(mut first: Listpack, mut second: Listpack) -> Listpack {
        if first.bytes() >= second.bytes() {
            first.append(&second);
            return first;
        }
        second.prepend(&first);
        second
    }

    /// Takes the elements from `pos` on into a listpack of their own.
    pub fn split_off(&mut self, pos: Pos) -> Listpack {
        let mut tail = Listpack::new();
        let entries = &self.as_bytes()[pos.at()..self.end()];
        tail.hole(HEADER, 0, entries.len()).copy_from_slice(entries);
        let kept = self.iter().take_until(pos);
        let moved = self.iter_from(pos).count();
        self.hole(pos.at(), self.end() - pos.at(), 0);
        self.set_count(kept);
        tail.set_count(moved);
        tail
    }

    fn paste(&mut self, at: usize, other: &Listpack) {
        let entries = &other.as_bytes()[HEADER..other.end()];
        self.hole(at, 0, entries.len()).copy_from_slice(entries);
        self.add_count(other.len() as i64);
    }

    #[inline]
    fn insert_at(&mut self, at: usize, e: Entry<'_>) {
        let encoded = Encoded::of(e);
        encoded.write(self.hole(at, 0, encoded.size()));
        self.add_count(1);
    }

    /// Replaces the `old` bytes at `at` by `new` bytes, whose contents are for the caller to write.
    #[inline]
    pub(super) fn hole(&mut self, at: usize, old: usize, new: usize) -> &mut [u8] {
        // Offsets into the body, which begins behind the four bytes of total length.
        let (total, from) = (self.bytes(), at - 4);
        let resized = u32::try_from(total - old + new).expect("callers keep listpacks under 1 GiB");
        if new > old {
            self.0.resize(&resized.to_le_bytes());
            self.0.body_mut().copy_within(from + old..total - 4, from + new);
        } else if new < old {
            self.0.body_mut().copy_within(from + old.., from + new);
            self.0.resize(&resized.to_le_bytes());
        }
        &mut self.0.body_mut()[from..from + new]
    }

    /// Adjusts the count in the header, which sticks once it is not known any more.
    #[inline]
    pub(super) fn add_count(&mut self, by: i64) {
        match self.stated_count() {
            UNCOUNTED => {}
            n => self.set_count((i64::from(n) + by) as usize),
        }
    }

    #[inline]
    fn set_count(&mut self, n: usize) {
        let n = u16::try_from(n).unwrap_or(UNCOUNTED);
        self.0.body_mut()[..2].copy_from_slice(&n.to_le_bytes());
    }
}

impl super::Iter<'_> {
    /// How many elements stand before `pos`.
    fn take_until(mut self, pos: Pos) -> usize {
        let mut n = 0;
        while self.pos().is_some_and(|here| here < pos) {
            self.next();
            n += 1;
        }
        n
    }
}
