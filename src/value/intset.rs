//! The intset: a sorted set of integers in one allocation, all of one width.
//!
//! Never anything but its disk form: element width u32 (2, 4, 8), number u32, then the elements in ascending
//! order, all little endian. The width only grows, as in the real server, whose bytes these are.

use super::block::{Block, IntsetShape, Shape};
use super::listpack::Corrupt;
use std::ptr::NonNull;

const HEADER: usize = 8;

/// A sorted set of integers: one word, owning its allocation.
pub struct Intset(Block<IntsetShape>);

/// Bytes an element takes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    W2 = 2,
    W4 = 4,
    W8 = 8,
}

impl Width {
    fn of(n: i64) -> Width {
        match n {
            -0x8000..=0x7FFF => Width::W2,
            -0x8000_0000..=0x7FFF_FFFF => Width::W4,
            _ => Width::W8,
        }
    }

    /// Reads element `i` of `elements`.
    #[inline(always)]
    fn get(self, elements: &[u8], i: usize) -> i64 {
        match self {
            Width::W2 => i64::from(i16::from_le_bytes(chunk(elements, i))),
            Width::W4 => i64::from(i32::from_le_bytes(chunk(elements, i))),
            Width::W8 => i64::from_le_bytes(chunk(elements, i)),
        }
    }

    /// Writes element `i` of `elements`, which fits.
    #[inline(always)]
    fn set(self, elements: &mut [u8], i: usize, n: i64) {
        let width = self as usize;
        elements[i * width..][..width].copy_from_slice(&n.to_le_bytes()[..width]);
    }
}

#[inline(always)]
fn chunk<const N: usize>(elements: &[u8], i: usize) -> [u8; N] {
    elements.as_chunks::<N>().0[i]
}

fn head(width: Width, len: usize) -> [u8; HEADER] {
    let len = u32::try_from(len).expect("a set of integers is converted long before");
    (width as u64 | u64::from(len) << 32).to_le_bytes()
}

/// Checked bytes of an intset, as a file lends them.
#[derive(Clone, Copy)]
pub struct IntsetRef<'a>(&'a [u8]);

impl<'a> IntsetRef<'a> {
    /// Checks as [`Intset::from_bytes`] does, without the copy. Untrusted input.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        let wrong = |offset, reason| Err(Corrupt { offset, reason });
        let Some((head, elements)) = bytes.split_first_chunk::<HEADER>() else {
            return wrong(0, "intset shorter than its header");
        };
        if IntsetShape::size(head) != Some(bytes.len()) {
            return wrong(0, "intset states another length than it has");
        }
        if elements.is_empty() {
            return wrong(4, "intset without elements");
        }
        let misplaced = match head[0] {
            2 => misplaced(elements, i16::from_le_bytes),
            4 => misplaced(elements, i32::from_le_bytes),
            _ => misplaced(elements, i64::from_le_bytes),
        };
        match misplaced {
            Some(at) => wrong(HEADER + at, "intset not in ascending order"),
            None => Ok(IntsetRef(bytes)),
        }
    }

    /// The disk form.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Number of elements.
    #[inline]
    pub fn len(self) -> usize {
        (self.0.len() - HEADER) / usize::from(self.0[0])
    }

    /// Never, if it was checked.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A copy of its own.
    pub fn to_intset(self) -> Intset {
        Intset(Block::copy_of(self.0).expect("checked bytes state their own number"))
    }
}

/// Where among `elements` of `N` bytes one begins that is not above the one before it.
fn misplaced<const N: usize, T: Ord>(elements: &[u8], number: impl Fn([u8; N]) -> T) -> Option<usize> {
    let elements = elements.as_chunks::<N>().0;
    let pairs = elements.iter().zip(&elements[1..]);
    // No early end where all is well: so the comparisons go side by side.
    let all_ascend = pairs.clone().fold(true, |so_far, (a, b)| so_far & (number(*a) < number(*b)));
    if all_ascend {
        return None;
    }
    let first = pairs.clone().position(|(a, b)| number(*a) >= number(*b));
    first.map(|i| (i + 1) * N)
}

impl Intset {
    /// An empty set, of the narrowest width.
    pub fn new() -> Intset {
        Intset(Block::copy_of(&head(Width::W2, 0)).expect("eight bytes that say eight"))
    }

    /// A copy of `bytes`, checked: width, exact length, at least one element, ascending order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Intset, Corrupt> {
        IntsetRef::check(bytes).map(IntsetRef::to_intset)
    }

    /// The disk form.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Bytes of memory that the allocation takes.
    pub fn allocated(&self) -> usize {
        self.0.allocated()
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        let b = self.as_bytes();
        u32::from_le_bytes([b[4], b[5], b[6], b[7]]) as usize
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Element number `i` in ascending order.
    #[inline]
    pub fn get(&self, i: usize) -> Option<i64> {
        (i < self.len()).then(|| self.width().get(self.elements(), i))
    }

    /// Whether `n` is in the set.
    pub fn contains(&self, n: i64) -> bool {
        self.search(n).is_ok()
    }

    /// Puts `n` into the set; whether it was new.
    pub fn add(&mut self, n: i64) -> bool {
        match self.search(n) {
            Ok(_) => false,
            Err(i) => {
                self.insert(i, n);
                true
            }
        }
    }

    /// Takes `n` out of the set; whether it was there.
    pub fn remove(&mut self, n: i64) -> bool {
        let Ok(i) = self.search(n) else {
            return false;
        };
        self.remove_at(i);
        true
    }

    /// Takes out element number `i`, which must be there.
    pub fn remove_at(&mut self, i: usize) -> i64 {
        let (width, len) = (self.width(), self.len());
        let n = width.get(self.elements(), i);
        let w = width as usize;
        self.0.body_mut().copy_within((i + 1) * w.., i * w);
        self.0.resize(&head(width, len - 1));
        n
    }

    /// A random element; `None` if there is none.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<i64> {
        if self.is_empty() { None } else { self.get(rng.usize(..self.len())) }
    }

    /// The elements in ascending order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = i64> + ExactSizeIterator + Clone + '_ {
        let (width, elements) = (self.width(), self.elements());
        (0..self.len()).map(move |i| width.get(elements, i))
    }

    /// Gives the allocation away as a pointer.
    pub fn into_raw(self) -> NonNull<u8> {
        self.0.into_raw()
    }

    /// Takes an allocation back, or lends bytes that lie elsewhere the look of one.
    ///
    /// # Safety
    /// `ptr` must come from [`Intset::into_raw`] and be taken back only once. Or it points to a copy of the bytes of
    /// one, which outlives the result unchanged; and the result is never dropped nor changed.
    #[allow(unsafe_code)] // the promise is the caller's, and `Block` states the same
    pub unsafe fn from_raw(ptr: NonNull<u8>) -> Intset {
        // SAFETY: the caller promises what `Block::from_raw` asks for.
        Intset(unsafe { Block::from_raw(ptr) })
    }

    #[inline]
    fn width(&self) -> Width {
        match self.as_bytes()[0] {
            2 => Width::W2,
            4 => Width::W4,
            _ => Width::W8,
        }
    }

    #[inline]
    fn elements(&self) -> &[u8] {
        &self.as_bytes()[HEADER..]
    }

    /// Where `n` stands, or where it would.
    fn search(&self, n: i64) -> Result<usize, usize> {
        let (width, elements) = (self.width(), self.elements());
        let (mut low, mut high) = (0, self.len());
        // New members are often the highest: then no search.
        if high > 0 && width.get(elements, high - 1) < n {
            return Err(high);
        }
        while low < high {
            let middle = low.midpoint(high);
            match width.get(elements, middle).cmp(&n) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Ok(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Err(low)
    }

    fn insert(&mut self, i: usize, n: i64) {
        let (old, len) = (self.width(), self.len());
        let new = old.max(Width::of(n));
        self.0.resize(&head(new, len + 1));
        let elements = self.0.body_mut();
        if new == old {
            let w = new as usize;
            elements.copy_within(i * w..len * w, (i + 1) * w);
        } else {
            // From the end, so that no element is overwritten before it has moved. A number that needs more
            // width than all others stands before or behind them all.
            for k in (0..len).rev() {
                let moved = old.get(elements, k);
                new.set(elements, k + usize::from(k >= i), moved);
            }
        }
        new.set(elements, i, n);
    }
}

impl Default for Intset {
    fn default() -> Self {
        Intset::new()
    }
}

impl Clone for Intset {
    fn clone(&self) -> Self {
        Intset(self.0.clone())
    }
}

impl std::fmt::Debug for Intset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

const _: () = assert!(size_of::<Option<Intset>>() == 8);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn any_int() -> impl Strategy<Value = i64> {
        (any::<i64>(), 0..62u32).prop_map(|(n, shift)| n >> shift)
    }

    proptest! {
        #[test]
        fn behaves_as_a_sorted_set(steps in proptest::collection::vec((any_int(), any::<bool>()), 0..200)) {
            let (mut set, mut model) = (Intset::new(), BTreeSet::new());
            for (n, add) in steps {
                if add {
                    prop_assert_eq!(set.add(n), model.insert(n));
                } else {
                    prop_assert_eq!(set.remove(n), model.remove(&n));
                }
                prop_assert_eq!(set.contains(n), model.contains(&n));
            }
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert_eq!(set.get(set.len()), None);
            if !set.is_empty() {
                let copy = Intset::from_bytes(set.as_bytes()).expect("our own bytes");
                prop_assert_eq!(copy.as_bytes(), set.as_bytes());
            }
        }

        #[test]
        fn hostile_bytes_are_refused_or_sorted(mut bytes in proptest::collection::vec(any::<u8>(), 0..40),
            width in 0..9u8, len in 0..6u8) {
            if bytes.len() >= 8 {
                bytes[..8].copy_from_slice(&[width, 0, 0, 0, len, 0, 0, 0]);
            }
            if let Ok(set) = Intset::from_bytes(&bytes) {
                prop_assert!(set.iter().zip(set.iter().skip(1)).all(|(a, b)| a < b));
                prop_assert_eq!(set.iter().count(), usize::from(len));
            }
        }
    }

    #[test]
    fn the_width_grows_in_both_directions() {
        let mut set = Intset::new();
        for n in [5, -70000, i64::MAX, 70000, i64::MIN, -5] {
            assert!(set.add(n) && !set.add(n));
        }
        assert!(set.iter().eq([i64::MIN, -70000, -5, 5, 70000, i64::MAX]));
        assert_eq!(set.as_bytes()[..8], [8, 0, 0, 0, 6, 0, 0, 0]);
    }

    #[test]
    fn refuses_what_is_not_an_intset() {
        let reason = |b: &[u8]| Intset::from_bytes(b).expect_err("refused").reason;
        assert_eq!(reason(&[2, 0, 0]), "intset shorter than its header");
        assert_eq!(reason(&[2, 0, 0, 0, 0, 0, 0, 0]), "intset without elements");
        assert_eq!(reason(&[3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0]), "intset states another length than it has");
        assert_eq!(reason(&[2, 0, 0, 0, 2, 0, 0, 0, 1, 0]), "intset states another length than it has");
        assert_eq!(reason(&[2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0]), "intset not in ascending order");
    }
}
