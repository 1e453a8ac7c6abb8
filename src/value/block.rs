#![allow(unsafe_code)] // owns raw allocations behind one-word pointers, so that a value fits into a key's entry
//! One heap allocation behind a thin pointer, whose size is written in its own first bytes.
//!
//! A listpack's and an intset's disk form both begin with what is needed to tell how long they are. So the
//! block needs neither a length nor a capacity beside the pointer: the length is in the header, and the
//! capacity is the length rounded up to the allocator's size class ([`capacity`]). The header can only be
//! changed through [`Block::resize`], which keeps it and the allocation in step; the rest is a plain slice.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error, realloc};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Bytes to which every block is aligned.
const ALIGN: usize = 8;

/// A form of block: where its length stands.
///
/// # Safety
/// `size` must be a pure function of its argument, at least `HEAD`, and at most `isize::MAX / 2`.
pub unsafe trait Shape {
    /// Bytes of the header that state the length.
    const HEAD: usize;
    /// Length in bytes of the whole block, header included, that `head` (of `HEAD` bytes) states;
    /// `None` if it is no header.
    fn size(head: &[u8]) -> Option<usize>;
}

/// A listpack states its length in its first four bytes.
pub enum ListpackShape {}
/// An intset states the width of its elements and their number, four bytes each.
pub enum IntsetShape {}

// SAFETY: pure, and at least 7 because smaller numbers are refused; at most `u32::MAX`.
unsafe impl Shape for ListpackShape {
    const HEAD: usize = 4;

    #[inline(always)]
    fn size(head: &[u8]) -> Option<usize> {
        let size = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        (size >= 7).then_some(size)
    }
}

// SAFETY: pure, and at least 8; at most 8 times `u32::MAX`, and 8.
unsafe impl Shape for IntsetShape {
    const HEAD: usize = 8;

    #[inline(always)]
    fn size(head: &[u8]) -> Option<usize> {
        let width = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let len = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
        matches!(width, 2 | 4 | 8).then_some(8 + width * len)
    }
}

/// An owned allocation of `capacity(size)` bytes, of which the first `size` are initialised, where `size` is
/// what its header states.
pub struct Block<S: Shape> {
    ptr: NonNull<u8>,
    shape: PhantomData<S>,
}

// SAFETY: the block owns its bytes and hands them out only by the usual borrows.
unsafe impl<S: Shape> Send for Block<S> {}
// SAFETY: nothing is changed through `&Block`.
unsafe impl<S: Shape> Sync for Block<S> {}

/// What an allocation for `size` bytes really takes: jemalloc's size classes, four to a doubling.
///
/// Rounding here costs no memory, as the allocator rounds anyway, and lets a block grow inside its class
/// without a call. It is a function of the size alone, so nobody has to remember it.
#[inline]
pub const fn capacity(size: usize) -> usize {
    if size <= 64 {
        return (size + 7) & !7;
    }
    let step = 1usize << (usize::BITS - (size - 1).leading_zeros() - 3);
    (size + step - 1) & !(step - 1)
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(capacity(size), ALIGN).expect("a block is far smaller than isize::MAX")
}

impl<S: Shape> Block<S> {
    /// A copy of `bytes`, whose header must state their number (`None` otherwise).
    pub fn copy_of(bytes: &[u8]) -> Option<Block<S>> {
        if bytes.len() < S::HEAD || S::size(&bytes[..S::HEAD]) != Some(bytes.len()) {
            return None;
        }
        Some(Block::copied(bytes))
    }

    /// The caller has seen that the header states the number of `bytes`.
    #[inline]
    fn copied(bytes: &[u8]) -> Block<S> {
        let layout = layout(bytes.len());
        // SAFETY: the layout's size is not zero, as `bytes` has at least a header.
        let raw = unsafe { std::alloc::alloc(layout) };
        let ptr = NonNull::new(raw).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: the new allocation has room for `bytes.len()` bytes and overlaps nothing.
        unsafe { ptr.as_ptr().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        Block { ptr, shape: PhantomData }
    }

    /// A block of `size` bytes that `fill` writes: big values are read straight to where they stay.
    ///
    /// `fill` sees zeros. `Ok(None)` if the header it wrote does not state `size`.
    pub fn filled<E>(
        size: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<Option<Block<S>>, E> {
        if size < S::HEAD || size > u32::MAX as usize * 8 {
            return Ok(None);
        }
        let layout = layout(size);
        // SAFETY: the layout's size is not zero.
        let raw = unsafe { alloc_zeroed(layout) };
        let ptr = NonNull::new(raw).unwrap_or_else(|| handle_alloc_error(layout));
        // SAFETY: `size` bytes are allocated, zeroed, and nobody else knows them.
        let bytes = unsafe { std::slice::from_raw_parts_mut(ptr.as_ptr(), size) };
        let filled = fill(bytes);
        if filled.is_ok() && S::size(&bytes[..S::HEAD]) == Some(size) {
            return Ok(Some(Block { ptr, shape: PhantomData }));
        }
        // SAFETY: allocated above with this layout, and `bytes` is not used any more.
        unsafe { dealloc(ptr.as_ptr(), layout) };
        filled.map(|()| None)
    }

    /// The bytes, header included: the disk form.
    #[inline(always)]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `size()` bytes are allocated and initialised for as long as the block lives.
        unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), self.size()) }
    }

    /// Bytes of the block, header included.
    #[inline(always)]
    pub fn size(&self) -> usize {
        // SAFETY: every block has at least its header.
        let head = unsafe { std::slice::from_raw_parts(self.ptr.as_ptr(), S::HEAD) };
        S::size(head).expect("a block's header is written by resize or checked by copy_of")
    }

    /// What the allocation takes.
    pub fn allocated(&self) -> usize {
        capacity(self.size())
    }

    /// Everything behind the header that states the length (from byte `S::HEAD` on).
    #[inline(always)]
    pub fn body_mut(&mut self) -> &mut [u8] {
        let len = self.size() - S::HEAD;
        // SAFETY: those bytes are allocated and initialised, and `&mut self` makes us the only ones.
        unsafe { std::slice::from_raw_parts_mut(self.ptr.as_ptr().add(S::HEAD), len) }
    }

    /// Gives the block another header and with it another length; new bytes at the end are zero.
    ///
    /// Panics if `head` is none: it comes from us, never from a client or a file.
    #[inline]
    pub fn resize(&mut self, head: &[u8]) {
        assert_eq!(head.len(), S::HEAD, "a header of the wrong length");
        let old = self.size();
        let new = S::size(head).expect("resize is given a header");
        if capacity(old) != capacity(new) {
            self.reallocate(old, new);
        }
        let base = self.ptr.as_ptr();
        if new > old {
            // SAFETY: the allocation has at least `new` bytes now.
            unsafe { base.add(old).write_bytes(0, new - old) };
        }
        // SAFETY: the header lies inside the allocation, and `head` is not part of it, as it is borrowed
        // while we are borrowed for writing.
        unsafe { base.copy_from_nonoverlapping(head.as_ptr(), S::HEAD) };
    }

    #[cold]
    fn reallocate(&mut self, old: usize, new: usize) {
        // SAFETY: allocated with `layout(old)`; the new size is not zero.
        let raw = unsafe { realloc(self.ptr.as_ptr(), layout(old), capacity(new)) };
        self.ptr = NonNull::new(raw).unwrap_or_else(|| handle_alloc_error(layout(new)));
    }

    /// Gives the allocation away as a pointer.
    pub fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).ptr
    }

    /// Takes an allocation back, or lends bytes that lie elsewhere the look of one.
    ///
    /// # Safety
    /// `ptr` must come from `into_raw` of a block of the same shape, and be taken back only once. Or it points to a
    /// copy of such a block's bytes, wherever that is (reading asks for no alignment), which outlives the result
    /// unchanged; and the result is never dropped nor changed.
    pub unsafe fn from_raw(ptr: NonNull<u8>) -> Block<S> {
        Block { ptr, shape: PhantomData }
    }
}

impl<S: Shape> Drop for Block<S> {
    fn drop(&mut self) {
        let layout = layout(self.size());
        // SAFETY: allocated with the layout of this size, which is a function of the size alone.
        unsafe { dealloc(self.ptr.as_ptr(), layout) };
    }
}

impl<S: Shape> Clone for Block<S> {
    fn clone(&self) -> Self {
        Block::copied(self.as_bytes())
    }
}

const _: () = assert!(size_of::<Option<Block<ListpackShape>>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_follows_the_size_classes() {
        let classes = [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
        for size in 1..=320 {
            let class = *classes.iter().find(|c| **c >= size).expect("in the table");
            assert_eq!(capacity(size), class, "size {size}");
        }
        assert_eq!(capacity(8193), 10240);
        assert_eq!(capacity(1 << 30), 1 << 30);
    }

    #[test]
    fn only_honest_headers_make_a_block() {
        assert!(Block::<ListpackShape>::copy_of(&[7, 0, 0, 0, 0, 0, 255]).is_some());
        assert!(Block::<ListpackShape>::copy_of(&[8, 0, 0, 0, 0, 0, 255]).is_none());
        assert!(Block::<ListpackShape>::copy_of(&[3, 0, 0]).is_none());
        assert!(Block::<IntsetShape>::copy_of(&[3, 0, 0, 0, 0, 0, 0, 0]).is_none());
        let lied = Block::<ListpackShape>::filled(7, |b| {
            b[0] = 200;
            Ok::<(), ()>(())
        });
        assert!(matches!(lied, Ok(None)));
        assert!(Block::<ListpackShape>::filled(7, |_| Err(1)).is_err());
    }

    #[test]
    fn resize_keeps_the_body_and_zeroes_what_is_new() {
        let mut b = Block::<ListpackShape>::copy_of(&[7, 0, 0, 0, 1, 2, 255]).expect("honest");
        b.resize(&1000u32.to_le_bytes());
        assert_eq!(b.as_bytes().len(), 1000);
        assert_eq!(&b.as_bytes()[4..8], [1, 2, 255, 0]);
        b.resize(&7u32.to_le_bytes());
        // SAFETY: just made by `into_raw` of a block of this shape, and given up there.
        let again = unsafe { Block::<ListpackShape>::from_raw(b.into_raw()) };
        assert_eq!(again.clone().as_bytes(), [7, 0, 0, 0, 1, 2, 255]);
    }
}
