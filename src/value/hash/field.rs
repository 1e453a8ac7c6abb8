#![allow(unsafe_code)] // a field is one allocation with its lengths inside
//! A field of a big hash: name, value and perhaps a deadline in one allocation.
//!
//! ```text
//! flags u8 | name length | value length | deadline u64, if any | name | value
//! flags: bits 0-1 and 2-3: the lengths' width, 1 << n bytes; bit 4: it has a deadline
//! ```
//! All numbers are little-endian and unaligned. The allocation is rounded up to 8 bytes.

use crate::value::table::{Slot, ThinPtr, hash_bytes};
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;

const EXPIRES: u8 = 1 << 4;

/// Owns the allocation.
pub(super) struct Field(ThinPtr);

// SAFETY: the allocation is reached through its one owner only, as a Box's.
unsafe impl Send for Field {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for Field {}

/// Where the parts of a field lie, in bytes from its start.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    flags: u8,
    name: usize,
    value: usize,
    end: usize,
}

impl Shape {
    fn of(name_len: usize, value_len: usize, expires: bool) -> Self {
        let (a, b) = (width(name_len), width(value_len));
        let name = 1 + (1 << a) + (1 << b) + if expires { 8 } else { 0 };
        let flags = a | b << 2 | if expires { EXPIRES } else { 0 };
        Shape { flags, name, value: name + name_len, end: name + name_len + value_len }
    }

    /// Where the deadline lies, if there is one.
    fn deadline(&self) -> Option<usize> {
        (self.flags & EXPIRES != 0).then(|| self.name - 8)
    }

    fn size(&self) -> usize {
        self.end.next_multiple_of(8)
    }

    fn layout(&self) -> Layout {
        Layout::from_size_align(self.size(), 8).expect("what lies in memory is smaller than memory")
    }
}

/// Exponent of the bytes that a length takes.
fn width(len: usize) -> u8 {
    match len {
        0..0x100 => 0,
        0x100..0x1_0000 => 1,
        0x1_0000..0x1_0000_0000 => 2,
        _ => 3,
    }
}

impl Field {
    pub fn new(name: &[u8], value: &[u8], deadline: Option<u64>) -> Self {
        let shape = Shape::of(name.len(), value.len(), deadline.is_some());
        let layout = shape.layout();
        // SAFETY: the layout is not empty: there are flags at least.
        let memory = unsafe { alloc(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        let mut field = Field(ThinPtr::new(memory));
        // SAFETY: the allocation is as long as the shape says, and these are the shape's lengths.
        unsafe { field.write(&shape, name, value) };
        if let Some(deadline) = deadline {
            field.write_deadline(&shape, deadline);
        }
        field
    }

    /// # Safety
    /// The allocation must have the size of `shape`, which must be made of the lengths of `name` and `value`.
    unsafe fn write(&mut self, shape: &Shape, name: &[u8], value: &[u8]) {
        let memory = self.0.as_ptr();
        let (a, b) = (1 << (shape.flags & 3), 1 << (shape.flags >> 2 & 3));
        // SAFETY: flags, lengths, name and value lie one behind the other in what the caller allocated.
        unsafe {
            memory.write(shape.flags);
            memory.add(1).copy_from_nonoverlapping(name.len().to_le_bytes().as_ptr(), a);
            memory.add(1 + a).copy_from_nonoverlapping(value.len().to_le_bytes().as_ptr(), b);
            memory.add(shape.name).copy_from_nonoverlapping(name.as_ptr(), name.len());
            memory.add(shape.value).copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
    }

    fn write_deadline(&mut self, shape: &Shape, deadline: u64) {
        let at = shape.deadline().expect("it was made with room for a deadline");
        // SAFETY: the shape is that of the allocation, and the eight bytes before the name are the deadline's.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; 8]>().write(deadline.to_le_bytes()) };
    }

    #[inline]
    fn shape(&self) -> Shape {
        let memory = self.0.as_ptr();
        // SAFETY: every field begins with flags and two lengths of the widths that these say.
        unsafe {
            let flags = memory.read();
            let (a, b) = (flags & 3, flags >> 2 & 3);
            let name_len = read_len(memory.add(1), a);
            let value_len = read_len(memory.add(1 + (1 << a)), b);
            let name = 1 + (1 << a) + (1 << b) + if flags & EXPIRES != 0 { 8 } else { 0 };
            Shape { flags, name, value: name + name_len, end: name + name_len + value_len }
        }
    }

    #[inline]
    fn part(&self, from: usize, to: usize) -> &[u8] {
        // SAFETY: called with bounds from this field's shape, which lie in its allocation, initialized.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(from), to - from) }
    }

    #[inline]
    pub fn name(&self) -> &[u8] {
        let shape = self.shape();
        self.part(shape.name, shape.value)
    }

    /// Name, value and deadline.
    #[inline]
    pub fn parts(&self) -> (&[u8], &[u8], Option<u64>) {
        let shape = self.shape();
        let deadline = shape.deadline().map(|at| self.deadline_at(at));
        (self.part(shape.name, shape.value), self.part(shape.value, shape.end), deadline)
    }

    fn deadline_at(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.part(at, at + 8).try_into().expect("eight bytes were asked for"))
    }

    #[inline]
    pub fn value(&self) -> &[u8] {
        let shape = self.shape();
        self.part(shape.value, shape.end)
    }

    /// Replaces the value, in place if it fits there exactly enough.
    pub fn set_value(&mut self, value: &[u8]) {
        let old = self.shape();
        let new = Shape::of(old.value - old.name, value.len(), old.deadline().is_some());
        if new.flags == old.flags && new.size() == old.size() {
            // SAFETY: flags and rounded size are the same, so the new value ends within the allocation, which
            // `value` can't point into while `self` is borrowed mutably.
            unsafe {
                let memory = self.0.as_ptr();
                let at = 1 + (1 << (new.flags & 3));
                let width = 1 << (new.flags >> 2 & 3);
                memory.add(at).copy_from_nonoverlapping(value.len().to_le_bytes().as_ptr(), width);
                memory.add(new.value).copy_from_nonoverlapping(value.as_ptr(), value.len());
            }
            return;
        }
        self.remake(|old| Field::new(old.name(), value, old.deadline()));
    }

    /// Replaces the deadline, in place if there was one and will be.
    pub fn set_deadline(&mut self, deadline: Option<u64>) {
        let shape = self.shape();
        match (shape.deadline(), deadline) {
            (None, None) => {}
            (Some(_), Some(deadline)) => self.write_deadline(&shape, deadline),
            _ => self.remake(|old| Field::new(old.name(), old.value(), deadline)),
        }
    }

    /// Exchanges the allocation, keeping the bits that belong to the table.
    fn remake(&mut self, make: impl FnOnce(&Field) -> Field) {
        let mut new = make(self);
        new.set_spare(self.spare());
        *self = new;
    }

    /// Bytes allocated.
    pub fn memory_bytes(&self) -> usize {
        self.shape().size()
    }
}

/// # Safety
/// `1 << width` bytes must be readable, and `width` at most 3.
#[inline]
unsafe fn read_len(at: *const u8, width: u8) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        match width {
            0 => usize::from(at.read()),
            1 => usize::from(u16::from_le_bytes(at.cast::<[u8; 2]>().read())),
            2 => u32::from_le_bytes(at.cast::<[u8; 4]>().read()) as usize,
            _ => u64::from_le_bytes(at.cast::<[u8; 8]>().read()) as usize,
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        let layout = self.shape().layout();
        // SAFETY: allocated with the layout of a shape of the same rounded size; only its one owner drops it.
        unsafe { dealloc(self.0.as_ptr(), layout) };
    }
}

impl Slot for Field {
    const SPARE: bool = true;

    fn hash(&self) -> u64 {
        hash_bytes(self.name())
    }

    fn deadline(&self) -> Option<u64> {
        self.shape().deadline().map(|at| self.deadline_at(at))
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
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            8 => prop::collection::vec(any::<u8>(), 0..40),
            2 => prop::collection::vec(any::<u8>(), 240..270),
            1 => (65_530..65_540_usize).prop_map(|n| vec![7; n]),
        ]
    }

    proptest! {
        #[test]
        fn keeps_its_parts(
            name in bytes(),
            value in bytes(),
            deadline in any::<Option<u64>>(),
            changes in prop::collection::vec((bytes(), any::<Option<u64>>()), 0..8),
        ) {
            let mut field = Field::new(&name, &value, deadline);
            field.set_spare(0xabcd);
            prop_assert_eq!((field.name(), field.value(), field.deadline()), (&name[..], &value[..], deadline));
            for (value, deadline) in changes {
                field.set_value(&value);
                prop_assert_eq!((field.name(), field.value()), (&name[..], &value[..]));
                field.set_deadline(deadline);
                prop_assert_eq!((field.name(), field.value(), field.deadline()), (&name[..], &value[..], deadline));
                prop_assert_eq!((field.spare(), field.hash()), (0xabcd, hash_bytes(&name)));
            }
        }
    }

    #[test]
    fn small_fields_are_small() {
        assert_eq!(Field::new(b"field", b"value", None).memory_bytes(), 16);
        assert_eq!(Field::new(b"field", b"value", Some(1)).memory_bytes(), 24);
    }
}
