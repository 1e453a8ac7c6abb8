#![allow(unsafe_code)] // an allocator, and settings of jemalloc's arenas, which have no typed access
//! jemalloc: its own thread, which gives freed memory back to the system (`jemalloc-bg-thread`), and doing so at once.

use std::alloc::{GlobalAlloc, Layout};

use tikv_jemalloc_ctl::{arenas, background_thread, epoch, raw, stats, version};
use tikv_jemallocator::Jemalloc;

/// The program's allocator: jemalloc, built with size classes 8 bytes apart.
///
/// Memory of a class is aligned to no more than what divides the class: 52 bytes that are to be aligned to 16 (a small
/// hash map of the standard library) would come out of the class of 56. So what needs more than 8 asks for a size that
/// its alignment divides, whose class it divides, too.
pub struct Allocator;

/// What jemalloc is asked for.
#[inline]
fn padded(layout: Layout) -> Layout {
    if layout.align() > 8 { layout.pad_to_align() } else { layout }
}

// SAFETY: all is jemalloc's; the layout that it sees is a function of the one that the caller sees, and never smaller.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are handed on; padding keeps a size above 0.
        unsafe { Jemalloc.alloc(padded(layout)) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { Jemalloc.alloc_zeroed(padded(layout)) }
    }

    #[inline]
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: it was allocated here, with the same layout, so with the same padding.
        unsafe { Jemalloc.dealloc(memory, padded(layout)) }
    }

    #[inline]
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the size, rounded up to the alignment, is no overflow.
        let new = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as above; who frees it will pad the new size in the same way.
        unsafe { Jemalloc.realloc(memory, padded(layout), padded(new).size()) }
    }
}

/// Starts or stops the thread; whether that worked. After leaving the terminal: threads do not survive a fork.
pub fn purge_in_thread(on: bool) -> bool {
    background_thread::write(on).is_ok()
}

/// What jemalloc tells of itself, for people: its version, and bytes in use, of its pages, of what it maps.
pub fn report() -> String {
    // The figures are of an epoch; where one is missing it is 0.
    let _ = epoch::advance();
    let figures = [
        ("Allocated", stats::allocated::read()),
        ("active", stats::active::read()),
        ("metadata", stats::metadata::read()),
        ("resident", stats::resident::read()),
        ("mapped", stats::mapped::read()),
        ("retained", stats::retained::read()),
    ];
    let figures = figures.map(|(name, bytes)| format!("{name}: {}", bytes.unwrap_or(0)));
    let (known, arenas) =
        (version::read().unwrap_or("of unknown version"), arenas::narenas::read().unwrap_or(0));
    format!("jemalloc {known}\n{}\nArenas: {arenas}\n", figures.join(", "))
}

/// Gives freed memory back to the system now.
pub fn purge() {
    let count = arenas::narenas::read().unwrap_or(0);
    (0..count).for_each(purge_arena);
}

/// An arena without patience for unused pages gives them back at once; then it gets its patience again. Arenas that
/// were never used have no such setting, which is as good.
fn purge_arena(arena: u32) {
    let name = format!("arena.{arena}.dirty_decay_ms\0");
    // SAFETY: the setting is a `ssize_t`, and the name ends with a zero.
    let Ok(patience) = (unsafe { raw::read::<isize>(name.as_bytes()) }) else { return };
    for ms in [0, patience] {
        // SAFETY: as above.
        let _ = unsafe { raw::write(name.as_bytes(), ms) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small `HashSet<u64>` is 52 bytes aligned to 16, and read with instructions that need the alignment.
    #[test]
    fn memory_is_aligned_as_asked_for_at_every_size() {
        for align in [1, 2, 4, 8, 16, 32, 64, 4096] {
            for size in 1..300 {
                let layout = Layout::from_size_align(size, align).expect("a power of two");
                let wider = Layout::from_size_align(size + 37, align).expect("a power of two");
                for _ in 0..3 {
                    // SAFETY: the layout is not empty; what is allocated is freed with the layout that it has then.
                    unsafe {
                        let (kept, zeroed) = (Allocator.alloc(layout), Allocator.alloc_zeroed(layout));
                        let moved = Allocator.realloc(Allocator.alloc(layout), layout, size + 37);
                        for memory in [kept, zeroed, moved] {
                            assert!(
                                !memory.is_null() && memory.addr().is_multiple_of(align),
                                "{size} {align}"
                            );
                        }
                        Allocator.dealloc(kept, layout);
                        Allocator.dealloc(zeroed, layout);
                        Allocator.dealloc(moved, wider);
                    }
                }
            }
        }
    }
}
