//! The listpack: a short sequence of strings and integers in one allocation.
//!
//! Never wider than its disk form: the bytes in memory are those of the RDB file and of DUMP, so loading is a
//! check and a copy, saving a copy. Never holds an entry that was not checked or written by us, so reading it
//! cannot fail. Source of truth: the byte layout in `codec.rs`, which is Redis 8.0's, encodings included.
//!
//! ```text
//! total bytes u32 | entries u16 (65535: count them) | entry ... entry | 0xFF
//! ```

mod codec;
mod edit;
mod gap;
mod iter;
mod lent;
#[cfg(test)]
mod tests;

use super::block::{Block, ListpackShape};
use crate::text::num::{digits10, parse_i64};
pub use iter::Iter;
pub use lent::{ListpackRef, Packer};
use std::ptr::NonNull;

/// Bytes before the first entry.
const HEADER: usize = 6;
/// An entry count that only means "more than 65534, or unknown".
const UNCOUNTED: u16 = u16::MAX;
/// Bytes above which nothing is added to a listpack: 1 GiB, as in the real server.
pub const SAFETY_LIMIT: usize = 1 << 30;

/// A packed sequence: one word, owning its allocation.
pub struct Listpack(Block<ListpackShape>);

/// An element: an integer, or bytes that are not the text of one.
///
/// As an argument, `Str` may hold any bytes: the text of an integer is stored as the integer it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry<'a> {
    /// An integer.
    Int(i64),
    /// Bytes.
    Str(&'a [u8]),
}

/// Where an entry begins, in bytes from the start of its listpack. Good until the listpack changes: a stale
/// one panics or names another entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos(u32);

/// Why bytes are not what they should be: where, and what is wrong there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt {
    /// Bytes from the start of the blob.
    pub offset: usize,
    /// What is wrong, in a few words.
    pub reason: &'static str,
}

impl std::fmt::Display for Corrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at byte {}", self.reason, self.offset)
    }
}

impl std::error::Error for Corrupt {}

impl<'a> Entry<'a> {
    /// The element as bytes; an integer's text is written to `buf`.
    #[inline]
    pub fn text<'b>(&self, buf: &'b mut itoa::Buffer) -> &'b [u8]
    where
        'a: 'b,
    {
        match *self {
            Entry::Int(n) => buf.format(n).as_bytes(),
            Entry::Str(text) => text,
        }
    }

    /// The element as owned bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        self.text(&mut itoa::Buffer::new()).to_vec()
    }

    /// Bytes of the element's text.
    pub fn text_len(&self) -> usize {
        match *self {
            Entry::Int(n) => decimal_len(n),
            Entry::Str(text) => text.len(),
        }
    }

    /// Whether the element's text is `bytes`.
    #[inline]
    pub fn is(&self, bytes: &[u8]) -> bool {
        match *self {
            Entry::Int(n) => parse_i64(bytes) == Some(n),
            Entry::Str(text) => text == bytes,
        }
    }

    /// The integer that the element is the text of.
    pub fn as_int(&self) -> Option<i64> {
        match *self {
            Entry::Int(n) => Some(n),
            Entry::Str(text) => parse_i64(text),
        }
    }

    /// Bytes that the element takes in a listpack.
    pub fn packed_size(self) -> usize {
        codec::Encoded::of(self).size()
    }
}

/// Bytes to compare elements with: whether they are an integer's text is found out once.
#[derive(Debug, Clone, Copy)]
pub struct Needle<'a> {
    text: &'a [u8],
    int: Option<i64>,
}

impl<'a> Needle<'a> {
    /// To look for `text`.
    pub fn new(text: &'a [u8]) -> Needle<'a> {
        Needle { text, int: parse_i64(text) }
    }

    /// The integer that it is the text of.
    #[inline]
    pub fn int(&self) -> Option<i64> {
        self.int
    }

    /// Whether it is this element.
    #[inline]
    pub fn is(&self, e: Entry<'_>) -> bool {
        match e {
            Entry::Int(n) => self.int == Some(n),
            Entry::Str(text) => self.text == text,
        }
    }
}

/// Characters of `n` in decimal, sign included.
fn decimal_len(n: i64) -> usize {
    usize::from(n < 0) + digits10(n.unsigned_abs())
}

impl<'a> From<&'a [u8]> for Entry<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Entry::Str(bytes)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Entry<'a> {
    fn from(bytes: &'a [u8; N]) -> Self {
        Entry::Str(bytes)
    }
}

impl<'a> From<&'a Vec<u8>> for Entry<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Entry::Str(bytes)
    }
}

impl From<i64> for Entry<'_> {
    fn from(n: i64) -> Self {
        Entry::Int(n)
    }
}

impl Listpack {
    /// An empty listpack: seven bytes.
    pub fn new() -> Listpack {
        let empty = [7, 0, 0, 0, 0, 0, codec::END];
        Listpack(Block::copy_of(&empty).expect("seven bytes that say seven"))
    }

    /// A copy of `bytes`, which are checked throughout: header, every entry and its backward length, count, end.
    ///
    /// Untrusted input. An empty listpack is fine here.
    pub fn from_bytes(bytes: &[u8]) -> Result<Listpack, Corrupt> {
        ListpackRef::check(bytes).map(ListpackRef::to_listpack)
    }

    /// The entries that can be read from the front of a damaged listpack, in one that is whole. `None` if even its
    /// length or its end is wrong.
    pub fn readable(bytes: &[u8]) -> Option<Listpack> {
        let total = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        let end = bytes.len().checked_sub(1).filter(|end| *end >= HEADER)?;
        if total != bytes.len() || bytes[end] != codec::END {
            return None;
        }
        let mut at = HEADER;
        let mut entries = Vec::new();
        while at < end {
            let Some(len) = codec::checked_len(bytes, at).filter(|len| at + len <= end) else { break };
            entries.push(codec::decode(bytes, at).0);
            at += len + codec::backlen_size(len);
        }
        let mut whole = Listpack::new();
        whole.append_many(entries.into_iter());
        Some(whole)
    }

    /// A listpack of `size` bytes that `fill` writes (decompresses, reads), checked as by [`Listpack::from_bytes`].
    ///
    /// Errors: the outer one is `fill`'s. Untrusted: have the input justify `size` before.
    pub fn filled<E>(
        size: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Result<Listpack, Corrupt>, E> {
        let wrong = Corrupt { offset: 0, reason: "listpack states another length than it has" };
        let Some(block) = Block::filled(size, fill)? else {
            return Ok(Err(wrong));
        };
        Ok(validate(block.as_bytes()).map(|()| Listpack(block)))
    }

    /// The same, to be looked at.
    #[inline]
    pub fn lend(&self) -> ListpackRef<'_> {
        ListpackRef::of(self)
    }

    /// The disk form.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Length of the disk form in bytes.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.0.size()
    }

    /// Bytes of memory that the allocation takes.
    pub fn allocated(&self) -> usize {
        self.0.allocated()
    }

    /// Number of entries. O(n) if there are, or were, more than 65534.
    #[inline]
    pub fn len(&self) -> usize {
        match self.stated_count() {
            UNCOUNTED => self.count(),
            n => usize::from(n),
        }
    }

    /// Whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes() == HEADER + 1
    }

    /// Whether `extra` more bytes of entries would make it longer than [`SAFETY_LIMIT`]: then don't.
    pub fn would_exceed(&self, extra: usize) -> bool {
        self.bytes().saturating_add(extra) > SAFETY_LIMIT
    }

    #[inline]
    fn stated_count(&self) -> u16 {
        let b = self.as_bytes();
        u16::from_le_bytes([b[4], b[5]])
    }

    #[cold]
    fn count(&self) -> usize {
        self.iter().count()
    }

    /// Gives the allocation away as a pointer.
    pub fn into_raw(self) -> NonNull<u8> {
        self.0.into_raw()
    }

    /// Takes an allocation back, or lends bytes that lie elsewhere the look of one.
    ///
    /// # Safety
    /// `ptr` must come from [`Listpack::into_raw`] and be taken back only once. Or it points to a copy of the bytes of
    /// one, which outlives the result unchanged; and the result is never dropped nor changed.
    #[allow(unsafe_code)] // the promise is the caller's, and `Block` states the same
    pub unsafe fn from_raw(ptr: NonNull<u8>) -> Listpack {
        // SAFETY: the caller promises what `Block::from_raw` asks for.
        Listpack(unsafe { Block::from_raw(ptr) })
    }
}

/// Checks every byte of a listpack that matters.
fn validate(b: &[u8]) -> Result<(), Corrupt> {
    let wrong = |offset, reason| Err(Corrupt { offset, reason });
    if b.len() < HEADER + 1 {
        return wrong(0, "listpack shorter than its header");
    }
    if u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize != b.len() {
        return wrong(0, "listpack states another length than it has");
    }
    let end = b.len() - 1;
    if b[end] != codec::END {
        return wrong(end, "listpack without an end");
    }
    let (mut at, mut count) = (HEADER, 0usize);
    while at < end {
        let Some(len) = codec::checked_len(b, at) else {
            return wrong(at, "listpack entry of an unknown encoding");
        };
        let next = at + len + codec::backlen_size(len);
        if next > end {
            return wrong(at, "listpack entry longer than the listpack");
        }
        if codec::read_backlen(b, next) != Some(len) {
            return wrong(next - 1, "listpack entry with a wrong backward length");
        }
        at = next;
        count += 1;
    }
    let stated = u16::from_le_bytes([b[4], b[5]]);
    if stated != UNCOUNTED && usize::from(stated) != count {
        return wrong(4, "listpack with another number of entries than stated");
    }
    Ok(())
}

impl Default for Listpack {
    fn default() -> Self {
        Listpack::new()
    }
}

impl Clone for Listpack {
    fn clone(&self) -> Self {
        Listpack(self.0.clone())
    }
}

impl std::fmt::Debug for Listpack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl PartialEq for Listpack {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Listpack {}

const _: () = assert!(size_of::<Listpack>() == 8 && size_of::<Option<Listpack>>() == 8);
