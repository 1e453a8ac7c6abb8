//! The set: integers in an intset, few members in a listpack, many in a table.
//!
//! Never ordered, never a key, never a reply. Source of truth for when the encoding changes: Redis 8.0's
//! `t_set.c`, with the `set-max-*` thresholds; encodings only ever grow, except where the real server makes a
//! new set ([`Set::make_ints`], [`Set::pop_many`]).

mod member;
mod members;
mod random;
#[cfg(test)]
mod tests;

use super::intset::Intset;
use super::limits::Limits;
use super::listpack::{Corrupt, Entry, Listpack};
use super::table::{Table, hash_bytes};
use crate::text::num::parse_i64;
use foldhash::fast::RandomState;
use member::{Member, Probe};
pub use members::{Members, Put};
use std::collections::HashSet;

/// A set of byte strings: one word behind the tag.
#[derive(Clone, Debug)]
pub enum Set {
    /// Integers only.
    Ints(Intset),
    /// Few members, in one listpack.
    Packed(Listpack),
    /// Many members, or long ones.
    Table(Box<SetTable>),
}

/// The members of a big set.
#[derive(Default)]
pub struct SetTable(Table<Member>);

impl SetTable {
    /// Whether the member was new.
    fn add(&mut self, text: &[u8]) -> bool {
        let (hash, probe) = (hash_bytes(text), Probe::new(text));
        if self.0.find(hash, |m| probe.is(m)).is_some() {
            return false;
        }
        self.0.insert_new(hash, probe.to_member());
        true
    }

    fn remove(&mut self, text: &[u8]) -> bool {
        let probe = Probe::new(text);
        let Some(ix) = self.0.find(hash_bytes(text), |m| probe.is(m)) else {
            return false;
        };
        self.0.remove(ix);
        true
    }

    fn prefetch(&self, key: &[u8]) -> Option<u64> {
        self.0.prefetch_if_cold(key)
    }

    fn prefetch_items(&self, hash: u64) {
        self.0.prefetch_items(hash);
    }

    fn contains(&self, text: &[u8]) -> bool {
        let probe = Probe::new(text);
        self.0.find(hash_bytes(text), |m| probe.is(m)).is_some()
    }

    fn of<'a>(members: impl Iterator<Item = Entry<'a>>) -> Box<SetTable> {
        let (mut table, mut buf) = (SetTable::default(), itoa::Buffer::new());
        for e in members {
            table.add(e.text(&mut buf));
        }
        Box::new(table)
    }
}

impl Clone for SetTable {
    fn clone(&self) -> Self {
        *SetTable::of(self.0.iter().map(Member::entry))
    }
}

impl std::fmt::Debug for SetTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.iter().map(Member::entry)).finish()
    }
}

impl Default for Set {
    fn default() -> Self {
        Set::Ints(Intset::new())
    }
}

impl Set {
    /// An empty set for about `hint` members, the first of which will be `first`, as SADD makes it.
    pub fn new(first: &[u8], hint: usize, limits: &Limits) -> Set {
        if hint <= limits.set_max_intset_entries && parse_i64(first).is_some() {
            return Set::default();
        }
        if hint <= limits.set_max_listpack_entries { Set::packed() } else { Set::table() }
    }

    /// An empty set in a listpack.
    pub fn packed() -> Set {
        Set::Packed(Listpack::new())
    }

    /// An empty set in a table.
    pub fn table() -> Set {
        Set::Table(Box::default())
    }

    /// An empty set for the `len` members that a file announces: [`Set::add`] them; `false` is a duplicate.
    /// Untrusted: nothing is reserved.
    pub fn for_loading(len: u64, limits: &Limits) -> Set {
        if len > max_ints(limits) as u64 { Set::table() } else { Set::default() }
    }

    /// A set in an intset, or not if it has too many members.
    pub fn from_intset(ints: Intset, limits: &Limits) -> Set {
        let mut set = Set::Ints(ints);
        if set.len() > limits.set_max_intset_entries {
            set.make_table();
        }
        set
    }

    /// A set in a listpack, or not if it has too many members. Untrusted: duplicates are an error.
    pub fn from_listpack(lp: Listpack, limits: &Limits) -> Result<Set, Corrupt> {
        // A text may be there in two encodings, one of which is not the one that we would choose.
        let mut seen = HashSet::<_, RandomState>::with_capacity_and_hasher(lp.len(), RandomState::default());
        if !lp.iter().all(|e| seen.insert(e.as_int().map_or(e, Entry::Int))) {
            return Err(Corrupt { offset: 0, reason: "set with a duplicate member" });
        }
        let mut set = Set::Packed(lp);
        if set.len() > limits.set_max_listpack_entries {
            set.make_table();
        }
        Ok(set)
    }

    /// Goes over to a table if that many members are about to be added at once.
    pub fn expect(&mut self, hint: usize, limits: &Limits) {
        match self {
            Set::Ints(_) if hint > limits.set_max_intset_entries => self.make_table(),
            Set::Packed(_) if hint > limits.set_max_listpack_entries => self.make_table(),
            _ => {}
        }
    }

    /// Number of members.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Set::Ints(ints) => ints.len(),
            Set::Packed(lp) => lp.len(),
            Set::Table(table) => table.0.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        match self {
            Set::Ints(ints) => ints.is_empty(),
            Set::Packed(lp) => lp.is_empty(),
            Set::Table(table) => table.0.is_empty(),
        }
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match self {
            Set::Ints(_) => "intset",
            Set::Packed(_) => "listpack",
            Set::Table(_) => "hashtable",
        }
    }

    /// Adds a member; whether it was new.
    pub fn add<'a>(&mut self, member: impl Into<Entry<'a>>, limits: &Limits) -> bool {
        let member = member.into();
        let mut buf = itoa::Buffer::new();
        match self {
            Set::Table(table) => return table.add(member.text(&mut buf)),
            Set::Ints(ints) => {
                if let Some(n) = member.as_int() {
                    let new = ints.add(n);
                    if new && self.len() > max_ints(limits) {
                        self.make_table();
                    }
                    return new;
                }
            }
            Set::Packed(lp) => {
                let text = member.text(&mut buf);
                if lp.first().is_some_and(|first| lp.find(first, text, 0).is_some()) {
                    return false;
                }
            }
        }
        self.add_new(member, limits);
        true
    }

    /// Adds what is no member yet, and to an intset no integer.
    fn add_new(&mut self, member: Entry<'_>, limits: &Limits) {
        if !self.may_pack(member.text_len(), limits) {
            self.make_table();
        }
        match self {
            Set::Ints(ints) => {
                let mut lp = Listpack::new();
                lp.append_many(ints.iter().map(Entry::Int));
                lp.push_back(member);
                *self = Set::Packed(lp);
            }
            Set::Packed(lp) => lp.push_back(member),
            Set::Table(table) => {
                table.add(member.text(&mut itoa::Buffer::new()));
            }
        }
    }

    /// Whether all members and one more of `len` bytes may be in a listpack.
    fn may_pack(&self, len: usize, limits: &Limits) -> bool {
        let longest = match self {
            Set::Ints(ints) => longest_text(ints).max(len),
            Set::Packed(lp) if lp.would_exceed(len) => return false,
            _ => len,
        };
        self.len() < limits.set_max_listpack_entries && longest <= limits.set_max_listpack_value
    }

    #[cold]
    fn make_table(&mut self) {
        if !matches!(self, Set::Table(_)) {
            *self = Set::Table(SetTable::of(self.iter()));
        }
    }

    /// Goes over to an intset, if all members are integers and not too many, as SINTERSTORE does.
    pub fn make_ints(&mut self, limits: &Limits) {
        if self.len() > max_ints(limits) {
            return;
        }
        let mut ints = Intset::new();
        for e in self.iter() {
            let Some(n) = e.as_int() else {
                return;
            };
            ints.add(n);
        }
        *self = Set::Ints(ints);
    }

    /// Removes a member; whether it was there.
    pub fn remove<'a>(&mut self, member: impl Into<Entry<'a>>) -> bool {
        let member = member.into();
        let mut buf = itoa::Buffer::new();
        match self {
            Set::Ints(ints) => member.as_int().is_some_and(|n| ints.remove(n)),
            Set::Packed(lp) => {
                let found = lp.first().and_then(|first| lp.find(first, member.text(&mut buf), 0));
                if let Some(pos) = found {
                    lp.delete(pos);
                }
                found.is_some()
            }
            Set::Table(table) => table.remove(member.text(&mut buf)),
        }
    }

    /// Whether it is a member.
    pub fn contains<'a>(&self, member: impl Into<Entry<'a>>) -> bool {
        let member = member.into();
        let mut buf = itoa::Buffer::new();
        match self {
            Set::Ints(ints) => member.as_int().is_some_and(|n| ints.contains(n)),
            Set::Packed(lp) => {
                let text = member.text(&mut buf);
                lp.first().is_some_and(|first| lp.find(first, text, 0).is_some())
            }
            Set::Table(table) => table.contains(member.text(&mut buf)),
        }
    }

    /// All members.
    pub fn iter(&self) -> Iter<'_> {
        Iter(match self {
            Set::Ints(ints) => Inner::Ints(ints, 0),
            Set::Packed(lp) => Inner::Packed(lp.iter()),
            Set::Table(table) => Inner::Table(table.0.iter()),
        })
    }

    /// Visits some members and answers the cursor for more; begin with 0, 0 ends. Small sets go at once.
    pub fn scan(&self, cursor: u64, mut visit: impl FnMut(Entry<'_>)) -> u64 {
        match self {
            Set::Table(table) => table.0.scan(cursor, |m| visit(m.entry())),
            _ => {
                self.iter().for_each(visit);
                0
            }
        }
    }

    /// Starts to fetch what finding a member begins with, if the set is so big that it lies in no cache; the member's hash.
    #[inline]
    pub fn prefetch(&self, member: &[u8]) -> Option<u64> {
        match self {
            Set::Table(big) => big.prefetch(member),
            _ => None,
        }
    }

    /// Starts to fetch what finding goes on with, for a hash that [`Set::prefetch`] gave some time ago.
    #[inline]
    pub fn prefetch_items(&self, hash: u64) {
        if let Set::Table(big) = self {
            big.prefetch_items(hash);
        }
    }

    /// What DEBUG HTSTATS-KEY tells of a table.
    pub fn table_stats(&self) -> Option<super::table::Stats> {
        match self {
            Set::Table(table) => Some(table.0.stats()),
            _ => None,
        }
    }

    /// Bytes of memory behind the value, by the first `samples` members (0: all of them).
    pub fn memory(&self, samples: usize) -> usize {
        let table = match self {
            Set::Ints(ints) => return ints.allocated(),
            Set::Packed(lp) => return lp.allocated(),
            Set::Table(table) => &table.0,
        };
        let seen = if samples == 0 { table.len() } else { samples.min(table.len()) };
        let sampled: usize = table.iter().take(seen).map(Member::memory).sum();
        table.memory_bytes() + (sampled * table.len()).checked_div(seen).unwrap_or(0)
    }
}

/// The real server's bound of an intset's length.
fn max_ints(limits: &Limits) -> usize {
    limits.set_max_intset_entries.min(1 << 30)
}

/// Characters of the longest member: the lowest or the highest.
fn longest_text(ints: &Intset) -> usize {
    let ends = [ints.iter().next(), ints.iter().next_back()];
    ends.into_iter().flatten().map(|n| Entry::Int(n).text_len()).max().unwrap_or(0)
}

/// The members of a set.
pub struct Iter<'a>(Inner<'a>);

enum Inner<'a> {
    /// An intset and the number of the next member.
    Ints(&'a Intset, usize),
    Packed(super::listpack::Iter<'a>),
    Table(super::table::Iter<'a, Member>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        match &mut self.0 {
            Inner::Ints(ints, i) => {
                *i += 1;
                ints.get(*i - 1).map(Entry::Int)
            }
            Inner::Packed(iter) => iter.next(),
            Inner::Table(iter) => iter.next().map(Member::entry),
        }
    }
}

impl<'a> IntoIterator for &'a Set {
    type Item = Entry<'a>;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

const _: () = assert!(size_of::<Set>() == 16);
