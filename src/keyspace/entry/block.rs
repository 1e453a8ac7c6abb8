#![allow(unsafe_code)] // one allocation per key, whose size is read from its own header
//! The allocation of one key: its header, and everything about a key in place behind it.
//!
//! ```text
//! head     8 bytes   bits 0-3 kind, bit 4 value in place, bit 5 has expiry, bit 6 long key,
//!                    bits 8-31 access clock, bits 32-47 key length (0 if long),
//!                    bits 48-63 bytes of the value in place (else 0)
//! expiry   8 bytes   unix ms, if bit 5
//! key len  8 bytes   if bit 6
//! word     8 bytes   an owning pointer, unless bit 4
//! key      n bytes
//! value    m bytes   if bit 4; aligned to nothing
//! ```

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::ptr::NonNull;

use crate::value::capacity;
use crate::value::table::{ThinPtr, prefetch};

/// The header of a block, unpacked and repacked without a branch.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(pub u64);

/// What a block holds besides the key.
#[derive(Clone, Copy)]
pub(super) enum Content<'a> {
    /// An owning pointer.
    Word(u64),
    /// The value itself, below 64 KiB.
    InPlace(&'a [u8]),
}

const IN_PLACE: u64 = 1 << 4;
const EXPIRY: u64 = 1 << 5;
const LONG: u64 = 1 << 6;

impl Head {
    fn new(kind: u8, expiry: bool, clock: u32, key_len: usize, content: Content<'_>) -> Head {
        debug_assert!(kind < 16 && clock < 1 << 24);
        let long = key_len >= 1 << 16;
        let short_len = if long { 0 } else { key_len as u64 };
        let head = Head(
            u64::from(kind)
                | if expiry { EXPIRY } else { 0 }
                | if long { LONG } else { 0 }
                | u64::from(clock) << 8
                | short_len << 32,
        );
        match content {
            Content::Word(_) => head,
            Content::InPlace(value) => Head(head.0 | IN_PLACE).with_value_len(value.len()),
        }
    }
    /// Below 16.
    #[inline]
    pub fn kind(self) -> u8 {
        (self.0 & 15) as u8
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
        Head(self.0 & !15 | u64::from(kind))
    }
    fn with_value_len(self, len: usize) -> Head {
        assert!(len < 1 << 16, "longer values are behind a word");
        Head(self.0 & !(0xffff << 48) | (len as u64) << 48)
    }
    #[inline]
    pub fn has_word(self) -> bool {
        self.0 & IN_PLACE == 0
    }
    /// 0 if there is a word.
    #[inline]
    fn value_len(self) -> usize {
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
    /// Where the word lies, or would.
    #[inline]
    fn word_at(self) -> usize {
        self.long_len_at() + if self.is_long() { 8 } else { 0 }
    }
    #[inline]
    fn key_at(self) -> usize {
        self.word_at() + if self.has_word() { 8 } else { 0 }
    }
}

/// An owning pointer to a block. It knows nothing of what the word in it owns: see `Entry`.
pub(super) struct Block(ThinPtr);

// SAFETY: a block is plain bytes that it owns alone; nothing in it is tied to a thread.
unsafe impl Send for Block {}
// SAFETY: `&Block` gives only shared access to those bytes.
unsafe impl Sync for Block {}

/// Whole size classes: the allocator takes no less, and a value grows inside its class without a call.
fn layout(size: usize) -> Layout {
    Layout::from_size_align(capacity(size), 8).expect("keys and values in place are far below isize::MAX")
}

impl Block {
    /// Allocates a block.
    pub fn new(kind: u8, expiry: Option<u64>, clock: u32, key: &[u8], content: Content<'_>) -> Block {
        let head = Head::new(kind, expiry.is_some(), clock, key.len(), content);
        let (word, value) = match content {
            Content::Word(word) => (Some(word), &b""[..]),
            Content::InPlace(value) => (None, value),
        };
        let size = head.key_at() + key.len() + value.len();
        let layout = layout(size);
        // SAFETY: the size is at least the 8 bytes of the header.
        let ptr = unsafe { alloc(layout) };
        let Some(ptr) = NonNull::new(ptr) else { handle_alloc_error(layout) };
        // SAFETY: `ptr` is a fresh allocation of at least `size` bytes, aligned to 8; every write below lies inside
        // by the arithmetic of `size`, and together they initialise all of it.
        unsafe {
            let base = ptr.as_ptr();
            base.cast::<u64>().write(head.0);
            if let Some(expiry) = expiry {
                base.add(8).cast::<u64>().write(expiry);
            }
            if head.is_long() {
                base.add(head.long_len_at()).cast::<u64>().write(key.len() as u64);
            }
            if let Some(word) = word {
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
            true => (std::ptr::without_provenance(self.word() as usize), LINES * LINE),
            false => (self.address().wrapping_add(LINE), self.size().saturating_sub(LINE)),
        };
        (0..bytes.min(LINES * LINE)).step_by(LINE).for_each(|at| prefetch(from.wrapping_add(at)));
    }

    #[inline]
    pub fn head(&self) -> Head {
        // SAFETY: every block begins with its initialised header.
        Head(unsafe { self.base().read() })
    }

    /// Callers keep the layout that it describes, or have just made it.
    fn set_head(&mut self, head: Head) {
        // SAFETY: the first 8 bytes of a block are its header.
        unsafe { self.base().write(head.0) }
    }

    /// Sets the access clock.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        self.set_head(self.head().with_clock(clock));
    }

    /// Sets what the value is; its content is the caller's matter.
    #[inline]
    pub fn set_kind(&mut self, kind: u8) {
        self.set_head(self.head().with_kind(kind));
    }

    /// The expiry, if there is one.
    #[inline]
    pub fn expiry(&self) -> Option<u64> {
        self.head().has_expiry().then(|| self.read_u64(8))
    }

    /// Moves the expiry, which there must be.
    pub fn set_expiry(&mut self, expiry: u64) {
        assert!(self.head().has_expiry(), "a block without room for an expiry");
        self.write_u64(8, expiry);
    }

    /// The word; the caller knows that there is one.
    #[inline]
    pub fn word(&self) -> u64 {
        debug_assert!(self.head().has_word());
        self.read_u64(self.head().word_at())
    }

    /// Puts another word in place of the one that there must be.
    pub fn set_word(&mut self, kind: u8, word: u64) {
        assert!(self.head().has_word(), "a block without room for a word");
        self.write_u64(self.head().word_at(), word);
        self.set_kind(kind);
    }

    /// The word or the value in place.
    pub fn content(&self) -> Content<'_> {
        if self.head().has_word() { Content::Word(self.word()) } else { Content::InPlace(self.value()) }
    }

    #[inline]
    pub fn key_len(&self) -> usize {
        let head = self.head();
        if head.is_long() { self.read_u64(head.long_len_at()) as usize } else { head.short_key_len() }
    }

    #[inline]
    fn size(&self) -> usize {
        let head = self.head();
        head.key_at() + self.key_len() + head.value_len()
    }

    #[inline]
    fn read_u64(&self, at: usize) -> u64 {
        debug_assert!(at.is_multiple_of(8) && at < self.head().key_at());
        // SAFETY: `at` is the offset of a field that the header says is there, aligned to 8.
        unsafe { self.base().byte_add(at).read() }
    }

    #[inline]
    fn write_u64(&mut self, at: usize, value: u64) {
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

    /// The value in place; empty if there is a word.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let head = self.head();
        self.slice(head.key_at() + self.key_len(), head.value_len())
    }

    #[inline]
    pub fn value_mut(&mut self) -> &mut [u8] {
        let head = self.head();
        let at = head.key_at() + self.key_len();
        // SAFETY: the same range as `value`, and `&mut self` makes the access exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(at), head.value_len()) }
    }

    /// Grows or shrinks the value in place to `len` bytes (below 65,536); new bytes are zero.
    pub fn resize_value(&mut self, len: usize) {
        let old_len = self.value().len();
        let at = self.make_room(self.head().kind(), len);
        if len > old_len {
            // SAFETY: the value is `len` bytes from `at` on now, in a block that is ours alone.
            unsafe { self.0.as_ptr().add(at + old_len).write_bytes(0, len - old_len) };
        }
    }

    /// Puts another value in place of the one that is there.
    pub fn set_value(&mut self, kind: u8, value: &[u8]) {
        let at = self.make_room(kind, value.len());
        // SAFETY: there is room for it there now, in a block that is ours alone.
        unsafe { self.0.as_ptr().add(at).copy_from_nonoverlapping(value.as_ptr(), value.len()) };
    }

    /// Makes the value in place one of `len` bytes and of this kind; answers where it lies. It keeps its bytes, and
    /// what is added is for the caller to write before anybody looks.
    #[inline]
    fn make_room(&mut self, kind: u8, len: usize) -> usize {
        let head = self.head();
        assert!(!head.has_word(), "a block without a value in place");
        let fresh_head = head.with_kind(kind).with_value_len(len);
        let (at, old_len) = (head.key_at() + self.key_len(), head.value_len());
        if len != old_len && capacity(at + len) != capacity(at + old_len) {
            self.reallocate(at + old_len, at + len);
        }
        self.set_head(fresh_head);
        at
    }

    #[cold]
    fn reallocate(&mut self, old_size: usize, size: usize) {
        // SAFETY: the block was allocated with the layout of its size, and the new size is at least its header.
        let ptr = unsafe { realloc(self.0.as_ptr(), layout(old_size), capacity(size)) };
        let Some(ptr) = NonNull::new(ptr) else { handle_alloc_error(layout(size)) };
        self.0.set_ptr(ptr);
    }

    /// Bytes that the allocation takes.
    pub fn bytes(&self) -> usize {
        capacity(self.size())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated by `new` or `reallocate` with the layout of this size, and owned.
        unsafe { dealloc(self.0.as_ptr(), layout(self.size())) }
    }
}
