#![allow(unsafe_code)] // which slots hold an item is known from the presence bits, not from a type
//! One cache line: seven slots, a tag byte for each, and what they hold.
//!
//! The meta word: byte 0 to 6 the tags of slot 0 to 6, byte 7 the presence bits 0 to 6 and, as its top bit,
//! "chained": then slot 6 holds no item but the index of a spill bucket. All zero is an empty bucket.

use std::mem::ManuallyDrop;

/// Slots of a bucket.
pub(super) const SLOTS: usize = 7;

const PRESENT: u64 = 1 << 56;
const CHAINED: u64 = 1 << 63;
const EACH_BYTE: u64 = 0x0101_0101_0101_0101;

#[repr(C)]
union Cell<T> {
    item: ManuallyDrop<T>,
    link: usize,
}

#[repr(C, align(64))]
pub(super) struct Bucket<T> {
    cells: [Cell<T>; SLOTS],
    meta: u64,
}

impl<T> Bucket<T> {
    const FITS: () = assert!(size_of::<T>() == 8 && size_of::<Bucket<T>>() == 64, "an item is 8 bytes");

    pub const fn empty() -> Self {
        let () = Self::FITS;
        Bucket { cells: [const { Cell { link: 0 } }; SLOTS], meta: 0 }
    }

    /// Bit `i` is set when slot `i` holds an item.
    #[inline]
    pub fn present(&self) -> u32 {
        (self.meta >> 56) as u32 & 0x7f
    }

    /// The present slots whose tag is `tag`, as bits.
    #[inline]
    pub fn matching(&self, tag: u8) -> u32 {
        const LOW7: u64 = 0x7f * EACH_BYTE;
        let differs = self.meta ^ (u64::from(tag) * EACH_BYTE);
        let equal = !(((differs & LOW7) + LOW7) | differs | LOW7) >> 7; // bit 0 of each byte that is equal
        let gathered = equal.wrapping_mul(0x0102_0408_1020_4080) >> 56; // byte i's bit becomes bit i
        gathered as u32 & self.present()
    }

    /// The spill bucket that this one goes on in.
    #[inline]
    pub fn link(&self) -> Option<usize> {
        // SAFETY: the chained bit says that the last slot was written as a link.
        (self.meta & CHAINED != 0).then(|| unsafe { self.cells[SLOTS - 1].link })
    }

    /// A slot without an item or a link.
    #[inline]
    pub fn vacant(&self) -> Option<usize> {
        let slots = if self.meta & CHAINED != 0 { SLOTS - 1 } else { SLOTS };
        let slot = (!self.present()).trailing_zeros() as usize;
        (slot < slots).then_some(slot)
    }

    #[inline]
    pub fn tag(&self, slot: usize) -> u8 {
        (self.meta >> (8 * slot)) as u8
    }

    /// The item in a present slot; a vacant one is the caller's mistake and panics.
    #[inline]
    pub fn get(&self, slot: usize) -> &T {
        assert!(self.present() >> slot & 1 == 1, "slot {slot} is vacant: stale index");
        // SAFETY: the presence bit says that this cell holds an item.
        unsafe { &self.cells[slot].item }
    }

    #[inline]
    pub fn get_mut(&mut self, slot: usize) -> &mut T {
        assert!(self.present() >> slot & 1 == 1, "slot {slot} is vacant: stale index");
        // SAFETY: the presence bit says that this cell holds an item.
        unsafe { &mut self.cells[slot].item }
    }

    /// Fills a vacant slot.
    #[inline]
    pub fn put(&mut self, slot: usize, tag: u8, item: T) {
        debug_assert!(self.present() >> slot & 1 == 0, "slot {slot} is taken");
        self.cells[slot] = Cell { item: ManuallyDrop::new(item) };
        self.meta &= !(0xff << (8 * slot));
        self.meta |= PRESENT << slot | u64::from(tag) << (8 * slot);
    }

    /// Empties a present slot.
    #[inline]
    pub fn take(&mut self, slot: usize) -> T {
        assert!(self.present() >> slot & 1 == 1, "slot {slot} is vacant: stale index");
        self.meta &= !(PRESENT << slot);
        // SAFETY: the cell held an item, and with its bit cleared nobody reads it from there again.
        unsafe { ManuallyDrop::take(&mut self.cells[slot].item) }
    }

    /// Takes the last item, with its tag.
    pub fn take_any(&mut self) -> Option<(u8, T)> {
        let slot = self.present().checked_ilog2()? as usize;
        Some((self.tag(slot), self.take(slot)))
    }

    /// The numbers of the present slots.
    pub fn slots(&self) -> impl Iterator<Item = usize> + use<T> {
        let mut present = self.present();
        std::iter::from_fn(move || {
            let slot = (present != 0).then(|| present.trailing_zeros() as usize)?;
            present &= present - 1;
            Some(slot)
        })
    }

    pub fn items(&self) -> impl Iterator<Item = &T> {
        self.slots().map(|slot| self.get(slot))
    }

    pub fn items_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let present = self.present();
        self.cells.iter_mut().enumerate().filter(move |(slot, _)| present >> slot & 1 == 1).map(
            |(_, cell)| {
                // SAFETY: the presence bit says that this cell holds an item.
                unsafe { &mut *cell.item }
            },
        )
    }

    /// Chains a spill bucket, in the last slot, which must be vacant.
    pub fn set_link(&mut self, spill: usize) {
        assert!(self.present() >> (SLOTS - 1) & 1 == 0, "the last slot holds an item");
        self.cells[SLOTS - 1].link = spill;
        self.meta |= CHAINED;
    }

    pub fn clear_link(&mut self) {
        self.meta &= !CHAINED;
    }
}

impl<T> Drop for Bucket<T> {
    fn drop(&mut self) {
        let mut present = self.present();
        self.meta = 0;
        while present != 0 {
            // SAFETY: the presence bits, read before they were cleared, say that this cell holds an item.
            unsafe { ManuallyDrop::drop(&mut self.cells[present.trailing_zeros() as usize].item) };
            present &= present - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching_sees_present_equal_tags_only() {
        let mut bucket = Bucket::<u64>::empty();
        assert_eq!(bucket.matching(0), 0, "vacant slots have tag 0 too");
        for (slot, tag) in [0x80, 0, 1, 0x81, 0x80, 0xff, 0].into_iter().enumerate() {
            bucket.put(slot, tag, slot as u64 + 1);
        }
        for (tag, slots) in [(0x80, 0b1_0001), (0, 0b100_0010), (1, 0b100), (0x81, 0b1000), (0xff, 0b10_0000)]
        {
            assert_eq!(bucket.matching(tag), slots, "tag {tag}");
        }
        assert_eq!((bucket.take(6), bucket.matching(0), bucket.vacant()), (7, 0b10, Some(6)));
        bucket.set_link(0x123);
        assert_eq!((bucket.link(), bucket.vacant(), bucket.matching(0)), (Some(0x123), None, 0b10));
    }
}
