#![allow(unsafe_code)] // the tree's keys point to the members that the table owns
//! The big form of a sorted set: a table of members, and a tree of (score, member) that points to them.
//!
//! Invariant: the tree holds exactly one key per item of the table, with that member's score, and an item leaves
//! the tree before it leaves the table. Nothing else hands out a `MemberRef`.

use super::member::{Member, MemberRef};
use super::tree::Tree;
use crate::value::table::{SlotIx, Stats, Table, hash_bytes};
use std::cmp::Ordering;

/// A sorted set with its index in both directions.
pub struct ZsetTree {
    tree: Tree<Key>,
    members: Table<Member>,
}

#[derive(Clone, Copy)]
pub(super) struct Key {
    score: f64,
    member: MemberRef,
}

impl Key {
    fn of(member: &Member) -> Self {
        Key { score: member.score(), member: member.as_ref() }
    }
}

/// Order of scores, which are never NaN; the zeros are equal.
pub(super) fn compare_scores(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).expect("a score is never NaN")
}

impl ZsetTree {
    pub(super) fn new() -> Self {
        ZsetTree { tree: Tree::new(), members: Table::new() }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.tree.len()
    }

    fn find(&self, member: &[u8]) -> Option<SlotIx> {
        self.members.find(hash_bytes(member), |item| item.bytes() == member)
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.find(member).map(|ix| self.members.get(ix).score())
    }

    /// Sets a score that `decide` makes of the present one, or leaves it. Returns both.
    pub(super) fn update(
        &mut self,
        member: &[u8],
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        let hash = hash_bytes(member);
        let found = self.members.find(hash, |item| item.bytes() == member);
        let old = found.map(|ix| self.members.get(ix).score());
        let new = decide(old);
        match (found, new) {
            (None, Some(score)) => self.add(hash, member, score),
            // The zeros are equal: the one that is there stays, as in the real server.
            (Some(ix), Some(score)) if old != new => self.move_to(ix, score),
            _ => {}
        }
        (old, new)
    }

    fn add(&mut self, hash: u64, bytes: &[u8], score: f64) {
        assert!(!score.is_nan(), "a score is never NaN");
        let member = Member::new(bytes, score);
        let key = Key::of(&member);
        self.members.insert_new(hash, member);
        self.tree.insert(key, |other| before(other, score, bytes));
    }

    fn move_to(&mut self, ix: SlotIx, score: f64) {
        assert!(!score.is_nan(), "a score is never NaN");
        let member = self.members.get_mut(ix);
        let old = member.score();
        member.set_score(score);
        let (key, bytes) = (Key::of(member), member.bytes());
        // The key still stands where it stood with its old score; comparisons don't read the member's.
        let upto_old = |other: &Key| compare(other, old, bytes).is_le();
        let before_new = |other: &Key| before(other, score, bytes);
        if !self.tree.exchange(key, upto_old, before_new) {
            self.tree.remove(upto_old);
            self.tree.insert(key, before_new);
        }
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<f64> {
        let ix = self.find(member)?;
        let score = self.members.get(ix).score();
        self.tree.remove(|key| compare(key, score, member).is_le());
        self.members.remove(ix);
        Some(score)
    }

    pub(super) fn prefetch(&self, key: &[u8]) -> Option<u64> {
        self.members.prefetch_if_cold(key)
    }

    pub(super) fn prefetch_items(&self, hash: u64) {
        self.members.prefetch_items(hash);
    }

    /// Removes a range of ranks.
    pub(super) fn remove_range(&mut self, from: usize, to: usize) {
        let members = &mut self.members;
        self.tree.remove_range(from, to, |key| {
            // SAFETY: the invariant: the member is in the table until the removal below.
            let bytes = unsafe { key.member.bytes() };
            let same = |item: &Member| std::ptr::eq(item.bytes(), bytes);
            let ix = members.find(hash_bytes(bytes), same).expect("the table holds what the tree holds");
            members.remove(ix);
        });
    }

    pub(super) fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        let score = self.score(member)?;
        Some((self.tree.partition(|key| before(key, score, member)), score))
    }

    /// Number of leading members of which `holds(score, member)` is true.
    pub(super) fn partition(&self, holds: impl Fn(f64, &[u8]) -> bool) -> usize {
        self.tree.partition(|key| holds(key.score, self.bytes(key)))
    }

    /// Number of leading members whose score satisfies `holds`; reads no member.
    pub(super) fn partition_scores(&self, holds: impl Fn(f64) -> bool) -> usize {
        self.tree.partition(|key| holds(key.score))
    }

    #[inline]
    pub(super) fn leaf_at(&self, rank: usize) -> Option<(&[Key], usize)> {
        self.tree.leaf_at(rank)
    }

    pub(super) fn at(&self, rank: usize) -> Option<(&[u8], f64)> {
        self.tree.get(rank).map(|key| (self.bytes(&key), key.score))
    }

    /// The member and score of a key of this tree.
    #[inline]
    pub(super) fn entry<'a>(&'a self, key: &Key) -> (&'a [u8], f64) {
        (self.bytes(key), key.score)
    }

    fn bytes<'a>(&'a self, key: &Key) -> &'a [u8] {
        // SAFETY: the invariant: keys come from this tree, and its members live as long as `self` is borrowed.
        unsafe { key.member.bytes() }
    }

    pub(super) fn random(&self, rng: &mut fastrand::Rng) -> Option<(&[u8], f64)> {
        self.members.random(rng).map(|ix| self.members.get(ix)).map(|item| (item.bytes(), item.score()))
    }

    pub(super) fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(&'a [u8], f64)) -> u64 {
        self.members.scan(cursor, |item| visit(item.bytes(), item.score()))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let members: usize = self.members.iter().map(Member::memory_bytes).sum();
        size_of::<Self>() + self.tree.memory_bytes() + self.members.memory_bytes() + members
    }

    pub(super) fn table_stats(&self) -> Stats {
        self.members.stats()
    }

    pub(super) fn set_resizing(&mut self, on: bool) {
        self.members.set_resizing(on);
    }
}

impl Key {
    pub(super) fn prefetch(&self) {
        self.member.prefetch();
    }
}

/// The order of a sorted set: by score, then by bytes.
fn compare(key: &Key, score: f64, member: &[u8]) -> Ordering {
    compare_scores(key.score, score).then_with(|| {
        // SAFETY: called for keys in a tree, whose members are in the table.
        unsafe { key.member.bytes() }.cmp(member)
    })
}

fn before(key: &Key, score: f64, member: &[u8]) -> bool {
    compare(key, score, member).is_lt()
}

/// Builds the big form of members that come in any order; fastest in the set's own order or its reverse.
pub(super) struct Builder {
    keys: Vec<Key>,
    members: Table<Member>,
}

impl Builder {
    pub fn new() -> Self {
        Builder { keys: Vec::new(), members: Table::new() }
    }

    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// False when the member was there already.
    pub fn push(&mut self, bytes: &[u8], score: f64) -> bool {
        let hash = hash_bytes(bytes);
        if self.members.find(hash, |item| item.bytes() == bytes).is_some() {
            return false;
        }
        let member = Member::new(bytes, score);
        self.keys.push(Key::of(&member));
        self.members.insert_new(hash, member);
        true
    }

    pub fn finish(mut self) -> ZsetTree {
        let order = |a: &Key, b: &Key| {
            // SAFETY: all keys point to members in `self.members`.
            compare(a, b.score, unsafe { b.member.bytes() })
        };
        if self.keys.first().zip(self.keys.last()).is_some_and(|(first, last)| order(first, last).is_gt()) {
            self.keys.reverse();
        }
        // Sorting finds out by itself, in one pass, that nothing is to be done.
        self.keys.sort_by(order);
        ZsetTree { tree: Tree::from_sorted(&self.keys), members: self.members }
    }
}
