#![allow(unsafe_code)] // one allocation per key, whose size is read from its own header
//! The allocation of one key: its header, and everything about a key in place behind it.
//!
//! ```text
//! head     8 bytes   bits 0-4 kind, bit 5 has expiry, bit 6 long key, bits 8-31 access clock,
//!                    bits 32-47 key length (0 if long), bits 48-63 bytes of a value in place
//! expiry   8 bytes   unix ms, if bit 5
//! key len  8 bytes   if bit 6
//! word     8 bytes   an owning pointer, if the kind says so
//! key      n bytes
//! value    m bytes   in place, if the kind says so
//! ```

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

use crate::value::table::{ThinPtr, prefetch};

/// The header of a block, unpacked and repacked without a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(pub u64);

const EXPIRY: u64 = 1 << 5;
const LONG: u64 = 1 << 6;
/// Kinds from this on keep a word, kinds below keep their bytes in place.
pub(super) const FIRST_WORD_KIND: u8 = 3;

impl Head {
    /// A header for a key of `key_len` bytes; `value_len` is for kinds that keep their bytes in place.
    pub fn new(kind: u8, expiry: bool, clock: u32, key_len: usize, value_len: usize) -> Head {
        debug_assert!(kind < 32 && value_len < 1 << 16 && clock < 1 << 24);
        let long = key_len >= 1 << 16;
        let short_len = if long { 0 } else { key_len as u64 };
        Head(
            u64::from(kind)
                | if expiry { EXPIRY } else { 0 }
                | if long { LONG } else { 0 }
                | u64::from(clock) << 8
                | short_len << 32
                | (value_len as u64) << 48,
        )
    }
    #[inline]
    pub fn kind(self) -> u8 {
        (self.0 & 31) as u8
    }
    #[inline]
    pub fn has_expiry(self) -> bool {
        self.0 & EXPIRY != 0
    }
    #[inline]
    pub fn is_long(self) -> bool {
        self.0 & LONG != 0
    }
    #[inline]
    pub fn clock(self) -> u32 {
        (self.0 >> 8) as u32 & 0xff_ffff
    }
    pub fn with_clock(self, clock: u32) -> Head {
        Head(self.0 & !(0xff_ffff << 8) | u64::from(clock & 0xff_ffff) << 8)
    }
    pub fn with_kind(self, kind: u8) -> Head {
        Head(self.0 & !31 | u64::from(kind))
    }
    pub fn with_value_len(self, len: usize) -> Head {
        debug_assert!(len < 1 << 16);
        Head(self.0 & !(0xffff << 48) | (len as u64) << 48)
    }
    #[inline]
    pub fn has_word(self) -> bool {
        self.kind() >= FIRST_WORD_KIND
    }
    #[inline]
    pub fn value_len(self) -> usize {
        (self.0 >> 48) as usize
    }
    #[inline]
    fn short_key_len(self) -> usize {
        (self.0 >> 32) as usize & 0xffff
    }
    /// Where the long key's length lies.
    #[inline]
    fn long_len_at(self) -> usize {
        8 + if self.has_expiry() { 8 } else { 0 }
    }
    /// Where the word lies (of kinds that have one), or would.
    #[inline]
    pub fn word_at(self) -> usize {
        self.long_len_at() + if self.is_long() { 8 } else { 0 }
    }
    #[inline]
    pub fn key_at(self) -> usize {
        self.word_at() + if self.has_word() { 8 } else { 0 }
    }
}

/// An owning pointer to a block. It knows nothing of what the word in it owns: see `Entry`.
pub(super) struct Block(ThinPtr);

// SAFETY: a block is plain bytes that it owns alone; nothing in it is tied to a thread.
unsafe impl Send for Block {}
// SAFETY: `&Block` gives only shared access to those bytes.
unsafe impl Sync for Block {}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("keys and values in place are far below isize::MAX")
}

impl Block {
    /// Allocates a block with this header, expiry, word, key and (for kinds in place) value.
    pub fn new(head: Head, expiry: u64, word: u64, key: &[u8], value: &[u8]) -> Block {
        assert_eq!(value.len(), if head.has_word() { 0 } else { head.value_len() }, "the header's length");
        let size = head.key_at() + key.len() + value.len();
        let layout = layout(size);
        // SAFETY: the size is at least the 8 bytes of the header.
        let ptr = unsafe { alloc(layout) };
        let Some(ptr) = NonNull::new(ptr) else { handle_alloc_error(layout) };
        // SAFETY: `ptr` is a fresh allocation of `size` bytes, aligned to 8; every write below lies inside by
        // the arithmetic of `size`, and together they initialise all of it.
        unsafe {
            let base = ptr.as_ptr();
            base.cast::<u64>().write(head.0);
            if head.has_expiry() {
                base.add(8).cast::<u64>().write(expiry);
            }
            if head.is_long() {
                base.add(head.long_len_at()).cast::<u64>().write(key.len() as u64);
            }
            if head.has_word() {
                base.add(head.word_at()).cast::<u64>().write(word);
            }
            base.add(head.key_at()).copy_from_nonoverlapping(key.as_ptr(), key.len());
            base.add(head.key_at() + key.len()).copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
        Block(ThinPtr::new(ptr))
    }

    #[inline]
    fn base(&self) -> *mut u64 {
        self.0.as_ptr().cast()
    }

    /// The bits that the table keeps in the pointer.
    pub fn spare(&self) -> u16 {
        self.0.spare()
    }

    /// See `spare`.
    pub fn set_spare(&mut self, bits: u16) {
        self.0.set_spare(bits);
    }

    /// Where it lies, for prefetching.
    pub fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    /// Asks for the next lines of a value in place, or for the first ones of what the word points to.
    #[inline]
    pub fn prefetch_value(&self) {
        const LINE: usize = 64;
        const LINES: usize = 4;
        let head = self.head();
        let (from, bytes) = match head.has_word() {
            true => (std::ptr::without_provenance(self.read_u64(head.word_at()) as usize), LINES * LINE),
            false => (self.address().wrapping_add(LINE), self.size().saturating_sub(LINE)),
        };
        (0..bytes.min(LINES * LINE)).step_by(LINE).for_each(|at| prefetch(from.wrapping_add(at)));
    }

    #[inline]
    pub fn head(&self) -> Head {
        // SAFETY: every block begins with its initialised header.
        Head(unsafe { self.base().read() })
    }

    #[inline]
    pub fn set_head_same_layout(&mut self, head: Head) {
        debug_assert!(head.key_at() == self.head().key_at() && head.is_long() == self.head().is_long());
        debug_assert!(head.has_word() || head.value_len() == self.head().value_len());
        // SAFETY: the first 8 bytes of a block are its header; the layout it describes stays the same.
        unsafe { self.base().write(head.0) }
    }

    #[inline]
    pub fn key_len(&self) -> usize {
        let head = self.head();
        if head.is_long() { self.read_u64(head.long_len_at()) as usize } else { head.short_key_len() }
    }

    #[inline]
    fn size(&self) -> usize {
        let head = self.head();
        head.key_at() + self.key_len() + if head.has_word() { 0 } else { head.value_len() }
    }

    #[inline]
    pub fn read_u64(&self, at: usize) -> u64 {
        debug_assert!(at.is_multiple_of(8) && at < self.head().key_at());
        // SAFETY: `at` is the offset of a field that the header says is there, aligned to 8.
        unsafe { self.base().byte_add(at).read() }
    }

    #[inline]
    pub fn write_u64(&mut self, at: usize, value: u64) {
        debug_assert!(at >= 8 && at.is_multiple_of(8) && at < self.head().key_at());
        // SAFETY: as in `read_u64`; `&mut self` makes the access exclusive.
        unsafe { self.base().byte_add(at).write(value) }
    }

    #[inline]
    fn slice(&self, at: usize, len: usize) -> &[u8] {
        debug_assert!(at + len <= self.size());
        // SAFETY: the callers below pass only ranges inside the block, all of it initialised by `new`.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        self.slice(self.head().key_at(), self.key_len())
    }

    /// The value in place; empty for kinds with a word.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let head = self.head();
        let len = if head.has_word() { 0 } else { head.value_len() };
        self.slice(head.key_at() + self.key_len(), len)
    }

    #[inline]
    pub fn value_mut(&mut self) -> &mut [u8] {
        let head = self.head();
        let len = if head.has_word() { 0 } else { head.value_len() };
        let at = head.key_at() + self.key_len();
        // SAFETY: the same range as `value`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(at), len) }
    }

    /// Grows or shrinks the value in place to `len` bytes (below 65,536); new bytes are zero.
    pub fn resize_value(&mut self, len: usize) {
        let (head, old_size) = (self.head(), self.size());
        let old_len = head.value_len();
        if len == old_len {
            return;
        }
        let size = old_size - old_len + len;
        // SAFETY: the block was allocated with exactly this layout, and the new size is at least its header.
        let ptr = unsafe { realloc(self.0.as_ptr(), layout(old_size), size) };
        let Some(ptr) = NonNull::new(ptr) else { handle_alloc_error(layout(size)) };
        self.0.set_ptr(ptr);
        // SAFETY: the block has `size` bytes now; the header and what was added lie inside.
        unsafe {
            self.base().write(head.with_value_len(len).0);
            if len > old_len {
                self.0.as_ptr().add(old_size).write_bytes(0, len - old_len);
            }
        }
    }

    /// Resident bytes that the allocation asks for.
    pub fn bytes(&self) -> usize {
        self.size()
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` or `resize_value` with exactly this layout, and owned.
        unsafe { dealloc(self.0.as_ptr(), layout(self.size())) }
    }
}
