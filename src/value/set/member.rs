#![allow(unsafe_code)] // a member is one word: a tagged pointer, or the member itself
//! A member of a big set in one word: small integers and short strings in the word itself, all else behind it.
//!
//! ```text
//! bit 63..48 the table's | 47..3 payload | 2..1 kind | 0: in place
//! integer:  the payload is the number, 45 bits
//! string:   byte 0 bits 3..5 the length, bytes 1 to 5 the string
//! pointer:  bits 2..0 are zero; there: length u8, or 255 and a u32, then the bytes
//! ```
//!
//! Ids and timestamps, which most sets are made of, so cost no allocation and no cache miss. Each text has one
//! form only, so that equal words are equal members.

use crate::value::listpack::{Entry, Needle};
use crate::value::table::{Slot, ThinPtr, hash_bytes};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::num::NonZero;
use std::ptr::NonNull;

const IN_PLACE: u64 = 1;
const KIND: u64 = 0b111;
const INT: u64 = IN_PLACE;
const STRING: u64 = IN_PLACE | 0b010;
const PAYLOAD_SHIFT: u32 = 3;
const PAYLOAD_BITS: u32 = 45;
const WORD: u64 = (1 << 48) - 1;
/// Bytes of a string in place; none on processors that keep the low byte last.
const SHORT: usize = if cfg!(target_endian = "little") { 5 } else { 0 };
const LONG: u8 = 255;

/// An owned member: a pointer to its allocation, or no pointer at all but the member in place.
pub(super) struct Member(ThinPtr);

// SAFETY: the allocation is reached through its one owner only, as a Box's.
unsafe impl Send for Member {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for Member {}

/// What to look for: a word to compare, or bytes.
pub(super) struct Probe<'a> {
    word: Option<u64>,
    text: &'a [u8],
}

impl<'a> Probe<'a> {
    #[inline]
    pub(super) fn new(text: &'a [u8]) -> Probe<'a> {
        Probe { word: in_place(text), text }
    }

    #[inline]
    pub(super) fn is(&self, member: &Member) -> bool {
        match self.word {
            Some(word) => member.word() & WORD == word,
            None => !member.is_in_place() && member.far() == self.text,
        }
    }

    /// The member that was looked for.
    pub(super) fn to_member(&self) -> Member {
        let Some(word) = self.word else {
            return Member::allocate(self.text);
        };
        let word = NonZero::new(word as usize).expect("the bit for in place is set");
        Member(ThinPtr::new(NonNull::without_provenance(word)))
    }
}

/// The word of a text that fits into one.
#[inline]
fn in_place(text: &[u8]) -> Option<u64> {
    let needle = Needle::new(text);
    if let Some(n) = needle.int() {
        let unused = u64::BITS - PAYLOAD_BITS;
        let fits = n << unused >> unused == n;
        return fits.then_some((n as u64) << PAYLOAD_SHIFT & WORD | INT);
    }
    if text.len() > SHORT {
        return None;
    }
    let mut bytes = [0; 8];
    bytes[0] = STRING as u8 | (text.len() as u8) << PAYLOAD_SHIFT;
    bytes[1..1 + text.len()].copy_from_slice(text);
    Some(u64::from_le_bytes(bytes))
}

impl Member {
    #[cfg(test)]
    fn new(text: &[u8]) -> Member {
        Probe::new(text).to_member()
    }

    fn allocate(text: &[u8]) -> Member {
        let at = head(text.len());
        let layout = layout(text.len());
        // SAFETY: the layout has at least the byte of the length.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: all that is written lies within the bytes just allocated: length, then text.
        unsafe {
            if at == 1 {
                memory.write(text.len() as u8);
            } else {
                let len = u32::try_from(text.len()).expect("layout() has checked that it fits");
                memory.write(LONG);
                memory.add(1).cast::<u32>().write_unaligned(len);
            }
            memory.add(at).copy_from_nonoverlapping(NonNull::from(text).cast(), text.len());
        }
        Member(ThinPtr::new(memory))
    }

    /// The member: short strings in place borrow from the word itself.
    #[inline]
    pub(super) fn entry(&self) -> Entry<'_> {
        let word = self.word();
        match word & KIND {
            INT => {
                let unused = u64::BITS - PAYLOAD_BITS;
                Entry::Int((word << (unused - PAYLOAD_SHIFT)) as i64 >> unused)
            }
            STRING => {
                let len = (word >> PAYLOAD_SHIFT) as usize & 7;
                // SAFETY: a word has eight bytes, of which a string in place has at most five from the second
                // on; they are borrowed for as long as `self`, and without one there is no pointer in the word.
                Entry::Str(unsafe {
                    std::slice::from_raw_parts((&raw const self.0).cast::<u8>().add(1), len)
                })
            }
            _ => Entry::Str(self.far()),
        }
    }

    #[inline]
    fn word(&self) -> u64 {
        // The address of the handle's pointer with the table's bits: what the word looks like.
        self.0.as_ptr().addr() as u64 | u64::from(self.0.spare()) << 48
    }

    #[inline]
    fn is_in_place(&self) -> bool {
        self.word() & IN_PLACE != 0
    }

    /// The text behind the pointer; the member must not be in place.
    #[inline]
    fn far(&self) -> &[u8] {
        assert!(!self.is_in_place(), "a member in place has no allocation");
        let memory = self.0.as_ptr();
        // SAFETY: an allocation of `allocate`: a length and so many bytes behind it, living as long as `self`.
        unsafe {
            let (at, len) = match memory.read() {
                LONG => (5, memory.add(1).cast::<u32>().read_unaligned() as usize),
                len => (1, usize::from(len)),
            };
            std::slice::from_raw_parts(memory.add(at), len)
        }
    }

    /// Bytes allocated.
    pub(super) fn memory(&self) -> usize {
        if self.is_in_place() { 0 } else { layout(self.far().len()).size() }
    }
}

/// Bytes of the length before a text of `len` bytes.
fn head(len: usize) -> usize {
    if len < usize::from(LONG) { 1 } else { 5 }
}

fn layout(len: usize) -> Layout {
    assert!(len <= u32::MAX as usize, "a member of {len} bytes: requests and files stay below 4 GiB");
    Layout::from_size_align((head(len) + len).next_multiple_of(8), 8).expect("4 GiB are no overflow")
}

impl Drop for Member {
    #[inline]
    fn drop(&mut self) {
        if !self.is_in_place() {
            let layout = layout(self.far().len());
            // SAFETY: allocated by `allocate` with this layout; only its one owner drops it.
            unsafe { dealloc(self.0.as_ptr(), layout) };
        }
    }
}

impl Slot for Member {
    const SPARE: bool = true;

    fn hash(&self) -> u64 {
        hash_bytes(self.entry().text(&mut itoa::Buffer::new()))
    }

    #[inline]
    fn address(&self) -> *const u8 {
        if self.is_in_place() { std::ptr::null() } else { self.0.as_ptr() }
    }

    fn spare(&self) -> u16 {
        self.0.spare()
    }

    fn set_spare(&mut self, bits: u16) {
        self.0.set_spare(bits);
    }
}

const _: () = assert!(size_of::<Option<Member>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &[u8]) {
        let mut member = Member::new(text);
        for spare in [0, 0xFFFF, 0x8001] {
            member.set_spare(spare);
            assert_eq!((member.spare(), member.hash()), (spare, hash_bytes(text)));
            assert!(member.entry().is(text), "{text:?} became {:?}", member.entry());
            assert!(Probe::new(text).is(&member));
            assert!(text == b"another one" || !Probe::new(b"another one").is(&member));
            assert!(text == b"x" || !Probe::new(b"x").is(&member));
        }
    }

    #[test]
    fn every_length_comes_back() {
        for len in (0..300).chain([65_536, 100_000]) {
            check(&vec![b'a'; len]);
        }
    }

    #[test]
    fn integers_come_back() {
        for shift in 0..63 {
            for n in [1i64 << shift, (1 << shift) - 1, -(1 << shift), i64::MIN >> shift] {
                check(n.to_string().as_bytes());
            }
        }
        assert_eq!(Member::new(b"1732000000000").memory(), 0);
        assert_eq!(Member::new(b"-17592186044417").memory(), 16);
        assert_eq!(Member::new(b"abcde").memory(), 0);
        assert_eq!(Member::new(b"abcdef").memory(), 8);
    }

    proptest! {
        #[test]
        fn anything_comes_back(text in proptest::collection::vec(any::<u8>(), 0..12)) {
            check(&text);
        }
    }
}
