#![allow(unsafe_code)] // a member is one allocation with its length inside, and the tree points into it
//! A member with its score in one allocation: owned by the table, pointed to by the tree.
//!
//! ```text
//! score f64 | length u8, or 255 and a u64 | bytes
//! ```

use crate::value::table::{Slot, ThinPtr, hash_bytes, prefetch};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

const LEN_AT: usize = 8;
const SHORT_AT: usize = 9;
const LONG_AT: usize = 17;
const LONG: u8 = 255;

/// Owns the allocation.
pub(super) struct Member(ThinPtr);

/// Points to the allocation of a [`Member`].
#[derive(Clone, Copy)]
pub(super) struct MemberRef(NonNull<u8>);

// SAFETY: the allocation is reached through its one owner only, as a Box's.
unsafe impl Send for Member {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for Member {}
// SAFETY: a pointer may travel; reading through it is unsafe anyhow.
unsafe impl Send for MemberRef {}
// SAFETY: as above.
unsafe impl Sync for MemberRef {}

impl Member {
    pub fn new(member: &[u8], score: f64) -> Self {
        let long = member.len() >= usize::from(LONG);
        let bytes_at = if long { LONG_AT } else { SHORT_AT };
        let layout = layout(bytes_at + member.len());
        // SAFETY: the layout is not empty: it has a score.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        // SAFETY: all that is written lies within the bytes just allocated: score, length, bytes.
        unsafe {
            memory.cast::<f64>().write(score);
            memory.add(LEN_AT).write(if long { LONG } else { member.len() as u8 });
            if long {
                memory.add(LEN_AT + 1).cast::<u64>().write_unaligned(member.len() as u64);
            }
            memory.add(bytes_at).copy_from_nonoverlapping(NonNull::from(member).cast(), member.len());
        }
        Member(ThinPtr::new(memory))
    }

    pub fn as_ref(&self) -> MemberRef {
        MemberRef(NonNull::new(self.0.as_ptr()).expect("it was not null when allocated"))
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the allocation lives as long as `self`.
        unsafe { self.as_ref().bytes() }
    }

    pub fn score(&self) -> f64 {
        // SAFETY: the allocation begins with a score, written when it was made.
        unsafe { self.0.as_ptr().cast::<f64>().read() }
    }

    pub fn set_score(&mut self, score: f64) {
        // SAFETY: as in `score`; nobody holds a reference to those eight bytes.
        unsafe { self.0.as_ptr().cast::<f64>().write(score) };
    }

    /// Bytes allocated.
    pub fn memory_bytes(&self) -> usize {
        size(self.bytes().len()).next_multiple_of(8)
    }
}

fn size(len: usize) -> usize {
    len + if len >= usize::from(LONG) { LONG_AT } else { SHORT_AT }
}

fn layout(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("a member that lies in memory is smaller than memory")
}

impl MemberRef {
    /// # Safety
    /// The [`Member`] must live, unchanged but for its score, for all of `'a`.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: a living member has its length where `Member::new` put it, and so many bytes behind it.
        unsafe {
            match self.0.add(LEN_AT).read() {
                LONG => {
                    let len = self.0.add(LEN_AT + 1).cast::<u64>().read_unaligned();
                    NonNull::slice_from_raw_parts(self.0.add(LONG_AT), len as usize).as_ref()
                }
                len => NonNull::slice_from_raw_parts(self.0.add(SHORT_AT), usize::from(len)).as_ref(),
            }
        }
    }

    pub fn prefetch(self) {
        prefetch(self.0.as_ptr());
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(size(self.bytes().len()));
        // SAFETY: allocated by `new` with this layout; only its one owner drops it.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl Slot for Member {
    const SPARE: bool = true;

    fn hash(&self) -> u64 {
        hash_bytes(self.bytes())
    }

    fn address(&self) -> *const u8 {
        self.0.as_ptr()
    }

    fn spare(&self) -> u16 {
        self.0.spare()
    }

    fn set_spare(&mut self, bits: u16) {
        self.0.set_spare(bits);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_bytes_and_score() {
        for len in [0, 1, 7, 8, 254, 255, 256, 70_000] {
            let bytes: Vec<u8> = (0..len).map(|i| i as u8).collect();
            let mut member = Member::new(&bytes, 1.5);
            member.set_spare(0xffff);
            member.set_score(-0.0);
            assert_eq!((member.bytes(), member.score().to_bits()), (&bytes[..], (-0.0_f64).to_bits()));
            assert_eq!((member.spare(), member.hash()), (0xffff, hash_bytes(&bytes)));
        }
    }
}
