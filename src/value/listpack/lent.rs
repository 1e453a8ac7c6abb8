//! A listpack that lies in somebody else's bytes, and one on its way into such bytes.

use super::iter::find_text;
use super::{Corrupt, Entry, HEADER, Iter, Listpack, UNCOUNTED, codec, validate};
use crate::value::block::Block;

/// Checked bytes of a listpack, as a file lends them.
#[derive(Clone, Copy)]
pub struct ListpackRef<'a>(&'a [u8]);

impl<'a> ListpackRef<'a> {
    /// Checks as [`Listpack::from_bytes`] does, without the copy. Untrusted input.
    pub fn check(bytes: &'a [u8]) -> Result<Self, Corrupt> {
        validate(bytes).map(|()| ListpackRef(bytes))
    }

    #[inline]
    pub(super) fn of(pack: &'a Listpack) -> Self {
        ListpackRef(pack.as_bytes())
    }

    /// The disk form.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Number of entries. O(n) if there are, or were, more than 65534.
    pub fn len(self) -> usize {
        match u16::from_le_bytes([self.0[4], self.0[5]]) {
            UNCOUNTED => self.iter().count(),
            n => usize::from(n),
        }
    }

    /// Whether there is no entry.
    pub fn is_empty(self) -> bool {
        self.0.len() == HEADER + 1
    }

    /// All elements in order; from both ends.
    #[inline]
    pub fn iter(self) -> Iter<'a> {
        Iter::of(self.0, HEADER, self.0.len() - 1)
    }

    /// A copy of its own.
    pub fn to_listpack(self) -> Listpack {
        Listpack(Block::copy_of(self.0).expect("checked bytes state their own number"))
    }
}

/// A listpack made entry by entry in a buffer that is used again for the next one.
#[derive(Default)]
pub struct Packer {
    bytes: Vec<u8>,
    count: usize,
}

impl Packer {
    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(HEADER, 0);
        self.count = 0;
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Adds bytes at the end. The caller keeps the whole below 4 GiB.
    #[inline]
    pub fn push(&mut self, text: &[u8]) {
        codec::Encoded::of(Entry::Str(text)).append_to(&mut self.bytes);
        self.count += 1;
    }

    /// Whether there is an entry of this text.
    pub fn contains(&self, text: &[u8]) -> bool {
        find_text(&self.bytes, HEADER, text, 0).is_some()
    }

    /// The listpack. Nothing can be added before it is cleared.
    pub fn finish(&mut self) -> ListpackRef<'_> {
        self.bytes.push(codec::END);
        let total = u32::try_from(self.bytes.len()).expect("the caller keeps it short");
        self.bytes[..4].copy_from_slice(&total.to_le_bytes());
        let count = u16::try_from(self.count).unwrap_or(UNCOUNTED);
        self.bytes[4..HEADER].copy_from_slice(&count.to_le_bytes());
        ListpackRef(&self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let text = prop_oneof![
            any::<i64>().prop_map(|n| n.to_string().into_bytes()),
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(Just(b'x'), 4090..4100),
        ];
        prop::collection::vec(text, 0..40)
    }

    proptest! {
        #[test]
        fn a_packer_writes_what_a_listpack_is(rounds in prop::collection::vec(texts(), 1..3)) {
            let mut packer = Packer::default();
            for texts in rounds {
                packer.clear();
                let mut whole = Listpack::new();
                for text in &texts {
                    prop_assert_eq!(packer.contains(text), whole.iter().any(|e| e.is(text)));
                    packer.push(text);
                    whole.push_back(text);
                }
                prop_assert_eq!(packer.len(), texts.len());
                let packed = packer.finish();
                prop_assert_eq!(packed.as_bytes(), whole.as_bytes());
                prop_assert_eq!(packed.len(), texts.len());
                prop_assert_eq!(packed.to_listpack(), whole);
                prop_assert!(ListpackRef::check(packed.as_bytes()).is_ok());
            }
        }
    }
}
