#![allow(unsafe_code)] // buckets live in memory that is allocated zeroed, which is what an empty bucket is
//! A row of buckets that grows and shrinks at its end without ever moving more than one small chunk.
//!
//! The first chunk grows by a quarter to an eighth, as an allocator's size classes do, up to [`CHUNK`] buckets
//! (256 KiB); later ones come and go whole.

use super::bucket::Bucket;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// Buckets of a full chunk.
pub(super) const CHUNK: usize = 4096;

pub(super) struct Chunks<T> {
    chunks: Vec<NonNull<Bucket<T>>>,
    len: usize,
    /// Buckets that the first chunk has room for; `CHUNK` once there is a second, 0 while there is none.
    first: usize,
}

// SAFETY: it owns its buckets, as a Vec would.
unsafe impl<T: Send> Send for Chunks<T> {}
// SAFETY: it owns its buckets, as a Vec would; nothing changes behind a shared reference.
unsafe impl<T: Sync> Sync for Chunks<T> {}

impl<T> Chunks<T> {
    pub const fn new() -> Self {
        Chunks { chunks: Vec::new(), len: 0, first: 0 }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Bytes allocated.
    pub fn memory_bytes(&self) -> usize {
        self.capacity() * size_of::<Bucket<T>>() + self.chunks.capacity() * size_of::<usize>()
    }

    #[inline]
    pub fn at(&self, index: usize) -> &Bucket<T> {
        assert!(index < self.len, "bucket {index} of {}: stale index", self.len);
        // SAFETY: `index < len`, and every bucket below `len` is allocated and initialized (zeroed at least).
        unsafe { self.chunks.get_unchecked(index / CHUNK).add(index % CHUNK).as_ref() }
    }

    #[inline]
    pub fn at_mut(&mut self, index: usize) -> &mut Bucket<T> {
        assert!(index < self.len, "bucket {index} of {}: stale index", self.len);
        // SAFETY: as in `at`; `&mut self` makes it the only reference.
        unsafe { self.chunks.get_unchecked(index / CHUNK).add(index % CHUNK).as_mut() }
    }

    /// Appends an empty bucket and returns its index.
    pub fn push(&mut self) -> usize {
        if self.len == self.capacity() {
            self.grow();
        }
        self.len += 1;
        self.len - 1
    }

    /// Drops the last bucket, with the items it may still have.
    pub fn pop(&mut self) {
        if self.len == 0 {
            return;
        }
        *self.at_mut(self.len - 1) = Bucket::empty();
        self.len -= 1;
        self.shrink();
    }

    fn capacity(&self) -> usize {
        if self.chunks.len() > 1 { self.chunks.len() * CHUNK } else { self.first }
    }

    fn grow(&mut self) {
        match self.first {
            CHUNK => self.chunks.push(allocate(CHUNK)),
            0 => {
                self.first = 1;
                // Most tables have one chunk for ever.
                self.chunks.reserve_exact(1);
                self.chunks.push(allocate(1));
            }
            n => self.resize_first(next_size(n)),
        }
    }

    /// Gives memory back, late enough that growing again at once does not allocate again.
    fn shrink(&mut self) {
        let whole = self.chunks.len();
        if self.len == 0 {
            self.release();
        } else if whole > 1 && self.len <= (whole - 1) * CHUNK - CHUNK / 2 {
            let last = self.chunks.pop().expect("there are at least two");
            free(last, CHUNK);
        } else if whole == 1 && self.first > 1 && self.len == 1 {
            // As small as a new one: what makes it grow is far from what made it shrink.
            self.resize_first(1);
            self.chunks.shrink_to_fit();
        } else if whole == 1 && self.first > 1 && self.len <= self.first / 4 {
            self.resize_first(self.first / 2);
        }
    }

    fn resize_first(&mut self, capacity: usize) {
        debug_assert!(self.chunks.len() == 1 && self.len <= capacity);
        let (old, new) = (self.chunks[0], allocate(capacity));
        // SAFETY: both hold at least `len` buckets and are distinct; the old ones are freed below, not dropped.
        unsafe { new.copy_from_nonoverlapping(old, self.len) };
        free(old, self.first);
        self.chunks[0] = new;
        self.first = capacity;
    }

    fn release(&mut self) {
        let first = self.first;
        for (i, chunk) in std::mem::take(&mut self.chunks).into_iter().enumerate() {
            free(chunk, if i == 0 { first } else { CHUNK });
        }
        (self.len, self.first) = (0, 0);
    }
}

/// Four sizes for each doubling: 4, 5, 6, 7, 8, 10, 12, 14, 16, ...
fn next_size(buckets: usize) -> usize {
    buckets + (1 << buckets.ilog2().saturating_sub(2))
}

impl<T> Drop for Chunks<T> {
    fn drop(&mut self) {
        for index in 0..self.len {
            *self.at_mut(index) = Bucket::empty();
        }
        self.release();
    }
}

fn layout<T>(buckets: usize) -> Layout {
    Layout::array::<Bucket<T>>(buckets).expect("a chunk is at most 256 KiB")
}

fn allocate<T>(buckets: usize) -> NonNull<Bucket<T>> {
    let layout = layout::<T>(buckets);
    // SAFETY: the layout is not empty: there is at least one bucket of 64 bytes.
    let memory = unsafe { alloc_zeroed(layout) };
    NonNull::new(memory.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

/// Frees a chunk from [`allocate`] whose items are gone.
fn free<T>(chunk: NonNull<Bucket<T>>, buckets: usize) {
    // SAFETY: allocated by `allocate` with this very layout; the caller forgets the pointer.
    unsafe { dealloc(chunk.as_ptr().cast(), layout::<T>(buckets)) };
}
