#![allow(unsafe_code)] // a prefetch instruction has no safe name
//! An owning pointer with 16 bits to spare: what most [`Slot`](super::Slot)s are made of.

use std::num::NonZero;
use std::ptr::NonNull;

const ADDRESS: usize = (1 << 48) - 1;

/// A pointer whose upper 16 bits belong to the table. Copying it copies an address, not what is there.
///
/// User space addresses fit 48 bits on the processors we know, unless a mapping asks for more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThinPtr(NonNull<u8>);

impl ThinPtr {
    /// Wraps an address below 2^48; panics on another.
    #[inline]
    pub fn new(pointer: NonNull<u8>) -> Self {
        assert!(pointer.addr().get() <= ADDRESS, "{pointer:?} needs more than 48 bits");
        ThinPtr(pointer)
    }

    /// The address that was wrapped.
    #[inline]
    pub fn as_ptr(self) -> *mut u8 {
        self.0.as_ptr().map_addr(|address| address & ADDRESS)
    }

    /// Points elsewhere, with the same spare bits: after a reallocation in place of [`Table::replace`](super::Table::replace).
    #[inline]
    pub fn set_ptr(&mut self, pointer: NonNull<u8>) {
        let spare = self.spare();
        *self = ThinPtr::new(pointer);
        self.set_spare(spare);
    }

    #[inline]
    pub fn spare(self) -> u16 {
        (self.0.addr().get() >> 48) as u16
    }

    #[inline]
    pub fn set_spare(&mut self, bits: u16) {
        self.0 = self.0.map_addr(|old| {
            let address = old.get() & ADDRESS | usize::from(bits) << 48;
            NonZero::new(address).expect("the address that was wrapped is not 0")
        });
    }
}

/// Starts to fetch a cache line; any address will do.
#[inline]
pub fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the instruction is part of every x86-64 and never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}
