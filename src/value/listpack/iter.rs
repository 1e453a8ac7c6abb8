//! Finding one's way in a listpack: positions, iteration, search.

use super::{Entry, HEADER, Listpack, Needle, Pos, UNCOUNTED, codec};

impl Listpack {
    /// Offset of the end mark.
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.bytes() - 1
    }

    #[inline]
    fn pos(&self, at: usize) -> Option<Pos> {
        (at < self.end()).then_some(Pos(at as u32))
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> Option<Pos> {
        self.pos(HEADER)
    }

    /// The last entry.
    #[inline]
    pub fn last(&self) -> Option<Pos> {
        self.before(self.end())
    }

    /// The entry behind `pos`.
    #[inline]
    pub fn next(&self, pos: Pos) -> Option<Pos> {
        let at = pos.at();
        self.pos(at + codec::size_at(self.as_bytes(), at))
    }

    /// The entry before `pos`.
    #[inline]
    pub fn prev(&self, pos: Pos) -> Option<Pos> {
        self.before(pos.at())
    }

    #[inline]
    fn before(&self, at: usize) -> Option<Pos> {
        (at > HEADER).then(|| Pos(step_back(self.as_bytes(), at) as u32))
    }

    /// The element at `pos`.
    #[inline]
    pub fn get(&self, pos: Pos) -> Entry<'_> {
        codec::decode(self.as_bytes(), pos.at()).0
    }

    /// The element at `pos` and the entry behind it.
    #[inline]
    pub fn get_next(&self, pos: Pos) -> (Entry<'_>, Option<Pos>) {
        let (entry, size) = codec::decode(self.as_bytes(), pos.at());
        (entry, self.pos(pos.at() + size))
    }

    /// The integer at `pos` and the entry behind it; `None` if it is none.
    #[inline]
    pub fn int_next(&self, pos: Pos) -> Option<(i64, Option<Pos>)> {
        if let Some((int, size)) = codec::decode_small_int(self.as_bytes(), pos.at()) {
            return Some((int, self.pos(pos.at() + size)));
        }
        let (entry, rest) = self.get_next(pos);
        Some((entry.as_int()?, rest))
    }

    /// The entry number `index`, from 0, or from the end: -1 is the last. Walks from the nearer end.
    pub fn seek(&self, index: i64) -> Option<Pos> {
        let stated = self.stated_count();
        let mut index = index;
        if stated != UNCOUNTED {
            let len = i64::from(stated);
            if index >= len || index < -len {
                return None;
            }
            index = if index < 0 { index + len } else { index };
            index = if index > len / 2 { index - len } else { index };
        }
        if index >= 0 { self.seek_forward(index) } else { self.seek_backward(index) }
    }

    fn seek_forward(&self, index: i64) -> Option<Pos> {
        let b = self.as_bytes();
        let (mut at, end) = (HEADER, self.end());
        for _ in 0..index {
            if at >= end {
                return None;
            }
            at += codec::size_at(b, at);
        }
        self.pos(at)
    }

    fn seek_backward(&self, index: i64) -> Option<Pos> {
        let mut pos = self.last()?;
        for _ in index..-1 {
            pos = self.prev(pos)?;
        }
        Some(pos)
    }

    /// The first entry from `from` on whose text is `needle`, looking at one entry and skipping the next
    /// `skip` in turn (1: the fields of a hash, or members of a sorted set).
    pub fn find(&self, from: Pos, needle: &[u8], skip: usize) -> Option<Pos> {
        find_text(&self.as_bytes()[..self.end()], from.at(), needle, skip)
    }

    /// All entries that are `needle`, in order.
    pub fn find_all(&self, needle: &Needle<'_>) -> Vec<Pos> {
        let mut found = Vec::new();
        let mut iter = self.iter();
        while let Some(pos) = iter.pos() {
            if iter.next().is_some_and(|e| needle.is(e)) {
                found.push(pos);
            }
        }
        found
    }

    /// All elements in order; from both ends.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: HEADER, back: self.end() }
    }

    /// The elements from `pos` on.
    pub fn iter_from(&self, pos: Pos) -> Iter<'_> {
        Iter { bytes: self.as_bytes(), front: pos.at(), back: self.end() }
    }

    /// The elements up to `pos`, that one included: to be walked backwards.
    pub fn iter_upto(&self, pos: Pos) -> Iter<'_> {
        let b = self.as_bytes();
        Iter { bytes: b, front: HEADER, back: pos.at() + codec::size_at(b, pos.at()) }
    }
}

impl Pos {
    #[inline(always)]
    pub(super) fn at(self) -> usize {
        self.0 as usize
    }

    #[inline(always)]
    pub(super) fn new(at: usize) -> Pos {
        Pos(at as u32)
    }
}

/// Where the entry begins that ends at `at`.
#[inline]
fn step_back(b: &[u8], at: usize) -> usize {
    let len = codec::read_backlen(b, at).expect("an entry of a validated listpack");
    at - len - codec::backlen_size(len)
}

/// Whether the entry at `at` is the string `needle` (which is not the text of an integer).
#[inline(always)]
fn text_is(b: &[u8], at: usize, needle: &[u8]) -> bool {
    let first = b[at];
    if first & 0xC0 == 0x80 {
        // The common case: most entries differ in their length already.
        return usize::from(first & 0x3F) == needle.len() && b[at + 1..at + 1 + needle.len()] == *needle;
    }
    (first == 0xF0 || first & 0xF0 == 0xE0) && codec::decode(b, at).0 == Entry::Str(needle)
}

/// Whether the entry at `at` is the integer `n`, or its text `needle` left as a string by somebody else.
#[inline(always)]
fn int_is(b: &[u8], at: usize, n: i64, needle: &[u8]) -> bool {
    match b[at] {
        small @ 0..=0x7F => i64::from(small) == n,
        first @ 0x80..=0xBF if usize::from(first & 0x3F) != needle.len() => false,
        _ => match codec::decode(b, at).0 {
            Entry::Int(m) => n == m,
            Entry::Str(text) => text == needle,
        },
    }
}

/// See [`Listpack::find`]; `b` ends behind the last entry.
#[inline]
pub(super) fn find_text(b: &[u8], from: usize, needle: &[u8], skip: usize) -> Option<Pos> {
    match Needle::new(needle) {
        Needle { int: None, .. } => find_by(b, from, skip, |at| text_is(b, at, needle)),
        Needle { int: Some(n), .. } => find_by(b, from, skip, |at| int_is(b, at, n, needle)),
    }
}

#[inline(always)]
fn find_by(b: &[u8], from: usize, skip: usize, is: impl Fn(usize) -> bool) -> Option<Pos> {
    let mut at = from;
    while at < b.len() {
        if is(at) {
            return Some(Pos::new(at));
        }
        at += codec::size_at(b, at);
        for _ in 0..skip {
            if at >= b.len() {
                return None;
            }
            at += codec::size_at(b, at);
        }
    }
    None
}

/// The elements of a listpack, or of a part of it.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iter<'a> {
    /// The entries of `bytes` that begin at `front` and before `back`, where others do.
    pub(super) fn of(bytes: &'a [u8], front: usize, back: usize) -> Iter<'a> {
        Iter { bytes, front, back }
    }

    /// Where the next element of the iteration stands.
    pub fn pos(&self) -> Option<Pos> {
        (self.front < self.back).then(|| Pos::new(self.front))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        if self.front >= self.back {
            return None;
        }
        let (entry, size) = codec::decode(self.bytes, self.front);
        self.front += size;
        Some(entry)
    }
}

impl<'a> DoubleEndedIterator for Iter<'a> {
    #[inline]
    fn next_back(&mut self) -> Option<Entry<'a>> {
        if self.front >= self.back {
            return None;
        }
        self.back = step_back(self.bytes, self.back);
        Some(codec::decode(self.bytes, self.back).0)
    }
}

impl std::iter::FusedIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a Listpack {
    type Item = Entry<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
