//! An allocator that ends the process when somebody asks for far more than any input here can justify.
//!
//! libFuzzer's own limit looks at memory that was touched, and sees nothing of a reservation.

use std::alloc::{GlobalAlloc, Layout, System};

/// The system's allocator, up to [`MOST`] bytes at once.
pub struct Capped;

/// Inputs are a few KiB, LZF unpacks by a factor of 264 at most, and strings are limited to 1 MiB.
const MOST: usize = 64 << 20;

fn check(size: usize) {
    if size > MOST {
        eprintln!("{size} bytes were asked for at once");
        std::process::abort();
    }
}

// SAFETY: all of it is the system's allocator; requests that are refused end the process.
unsafe impl GlobalAlloc for Capped {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        check(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        check(new_size);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}
