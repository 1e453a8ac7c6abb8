//! The members of a set as a file lists them, one by one.

use super::{Set, hash_bytes, max_ints, parse_i64};
use crate::value::Limits;
use crate::value::listpack::{ListpackRef, Packer};

/// Above so many members, or bytes of one, nothing is gained.
const MOST_MEMBERS: u64 = 1024;
const LONGEST: usize = 1024;
/// Words of bits, one of which stands for a member.
const SEEN: usize = 64;

/// Few members on their way into one listpack. Whether one is there twice is looked up only where a bit of its hash says
/// that it may be.
#[derive(Default)]
pub struct Members {
    pack: Packer,
    seen: Vec<u64>,
    longest: usize,
}

/// What became of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is in.
    In,
    /// It was there.
    Twice,
    /// With it the set is in no listpack: it goes on as [`Members::to_set`], without this one.
    Elsewhere,
}

impl Members {
    /// Forgets all members, for a set that announces `len`. False if that belongs elsewhere. Untrusted: reserves nothing.
    pub fn begin(&mut self, len: u64, limits: &Limits) -> bool {
        self.pack.clear();
        self.seen.clear();
        self.seen.resize(SEEN, 0);
        self.longest = limits.set_max_listpack_value.min(LONGEST);
        len <= MOST_MEMBERS.min(limits.set_max_listpack_entries.min(max_ints(limits)) as u64)
    }

    /// Adds a member. A set that begins with an integer begins as an intset, so elsewhere.
    #[inline]
    pub fn put(&mut self, text: &[u8]) -> Put {
        if text.len() > self.longest || self.pack.is_empty() && parse_i64(text).is_some() {
            return Put::Elsewhere;
        }
        let hash = hash_bytes(text);
        let (word, bit) = (&mut self.seen[(hash >> 6) as usize % SEEN], 1 << (hash & 63));
        if *word & bit != 0 && self.pack.contains(text) {
            return Put::Twice;
        }
        *word |= bit;
        self.pack.push(text);
        Put::In
    }

    /// The members so far. Nothing can be added before [`Members::begin`].
    pub fn finish(&mut self) -> ListpackRef<'_> {
        self.pack.finish()
    }

    /// The members so far as the beginning of a set that announces `len`.
    pub fn to_set(&mut self, len: u64, limits: &Limits) -> Set {
        if self.pack.is_empty() {
            Set::for_loading(len, limits)
        } else {
            Set::Packed(self.finish().to_listpack())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What becomes of members that are read into a listpack as far as it goes.
    fn read(texts: &[Vec<u8>], members: &mut Members, limits: &Limits) -> Option<Set> {
        let len = texts.len() as u64;
        let mut set = (!members.begin(len, limits)).then(|| Set::for_loading(len, limits));
        for text in texts {
            let put = if set.is_some() { Put::Elsewhere } else { members.put(text) };
            let added = match put {
                Put::In => true,
                Put::Twice => false,
                Put::Elsewhere => set.get_or_insert_with(|| members.to_set(len, limits)).add(text, limits),
            };
            if !added {
                return None;
            }
        }
        Some(set.unwrap_or_else(|| Set::Packed(members.finish().to_listpack())))
    }

    fn added(texts: &[Vec<u8>], limits: &Limits) -> Option<Set> {
        let mut set = Set::for_loading(texts.len() as u64, limits);
        texts.iter().all(|text| set.add(text, limits)).then_some(set)
    }

    proptest! {
        #[test]
        fn the_set_is_the_one_that_adding_makes(
            texts in prop::collection::vec(prop_oneof![
                3 => "[a-c]{0,4}", 1 => "[0-9]{1,3}", 1 => "[a-z]{18,22}"
            ].prop_map(String::into_bytes), 1..12), entries in 0usize..12, ints in 0usize..12, value in 3usize..24)
        {
            let limits = Limits {
                set_max_listpack_entries: entries, set_max_listpack_value: value, set_max_intset_entries: ints,
                ..Limits::default()
            };
            let mut members = Members::default();
            for _ in 0..2 {
                let (got, want) = (read(&texts, &mut members, &limits), added(&texts, &limits));
                prop_assert_eq!(got.is_some(), want.is_some());
                if let (Some(got), Some(want)) = (got, want) {
                    prop_assert_eq!(got.encoding(), want.encoding());
                    prop_assert_eq!(got.len(), want.len());
                    if want.encoding() != "hashtable" {
                        prop_assert!(got.iter().eq(want.iter()));
                    }
                }
            }
        }
    }

    #[test]
    fn bits_that_are_set_already_are_looked_into() {
        let limits =
            Limits { set_max_listpack_entries: 2000, set_max_intset_entries: 2000, ..Limits::default() };
        let texts: Vec<_> = (0..1000).map(|i| format!("m{i}").into_bytes()).collect();
        let set = read(&texts, &mut Members::default(), &limits).expect("all differ");
        assert_eq!((set.len(), set.encoding()), (1000, "listpack"));
        let twice = [&texts[..], &texts[500..501]].concat();
        assert!(read(&twice, &mut Members::default(), &limits).is_none());
    }
}
