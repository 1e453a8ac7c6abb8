//! Sorted sets: members with scores, ordered by score and then by bytes.
//!
//! Never holds a NaN; who adds has refused it. Ranges are ranges of ranks: ask for one by score or bytes, then
//! count it, walk it or remove it. Source of truth: encodings and when they change as in Redis 8.0's `t_zset.c`;
//! the big form is our own (`big.rs`: a table and a B+tree with counts, each member stored once).

mod big;
mod member;
mod packed;
mod range;
#[cfg(test)]
mod tests;
mod tree;

pub use big::ZsetTree;
pub use range::{LexBound, LexRange, RankIter, ScoreRange};

use super::Limits;
use super::listpack::{Corrupt, Entry, Listpack, ListpackRef};
use std::ops::Range;

/// A sorted set in one of its two encodings.
pub enum Zset {
    /// Member, score, member, score ... in order.
    Packed(Listpack),
    /// Table and tree.
    Tree(Box<ZsetTree>),
}

impl Default for Zset {
    fn default() -> Self {
        Self::new()
    }
}

impl Zset {
    /// An empty set, packed.
    pub fn new() -> Self {
        Zset::Packed(Listpack::new())
    }

    /// An empty set in the encoding that suits so many members of such a length.
    pub fn with_hint(members: usize, member_len: usize, limits: &Limits) -> Self {
        if members <= limits.zset_max_listpack_entries && member_len <= limits.zset_max_listpack_value {
            return Self::new();
        }
        Zset::Tree(Box::new(ZsetTree::new()))
    }

    /// Takes a listpack from a file: checks that it is pairs of members and scores, converts it if it is too long.
    ///
    /// Neither order nor uniqueness is checked in one that stays packed, as in the real server.
    pub fn from_listpack(lp: Listpack, limits: &Limits) -> Result<Self, Corrupt> {
        packed::check(lp.lend())?;
        let mut set = Zset::Packed(lp);
        set.expect(set.len(), limits);
        Ok(set)
    }

    /// Whether [`Zset::from_listpack`] would leave a listpack as it is.
    pub fn stays_packed(lp: ListpackRef<'_>, limits: &Limits) -> bool {
        lp.len() / 2 <= limits.zset_max_listpack_entries && packed::check(lp).is_ok()
    }

    #[inline]
    pub fn len(&self) -> usize {
        match self {
            Zset::Packed(lp) => lp.len() / 2,
            Zset::Tree(tree) => tree.len(),
        }
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match self {
            Zset::Packed(_) => "listpack",
            Zset::Tree(_) => "skiplist",
        }
    }

    pub fn score(&self, member: &[u8]) -> Option<f64> {
        match self {
            Zset::Packed(lp) => packed::find(lp, member).map(|(_, score)| score),
            Zset::Tree(tree) => tree.score(member),
        }
    }

    /// Adds a member or changes its score; returns the score it had.
    pub fn set(&mut self, member: &[u8], score: f64, limits: &Limits) -> Option<f64> {
        self.update(member, limits, |_| Some(score)).0
    }

    /// Finds a member once and lets `decide` make a new score of the present one (`None`: absent); `None` leaves
    /// all as it is. Returns both. The new score must not be NaN.
    pub fn update(
        &mut self,
        member: &[u8],
        limits: &Limits,
        decide: impl FnOnce(Option<f64>) -> Option<f64>,
    ) -> (Option<f64>, Option<f64>) {
        let lp = match self {
            Zset::Tree(tree) => return tree.update(member, decide),
            Zset::Packed(lp) => lp,
        };
        let found = packed::find(lp, member);
        let old = found.map(|(_, score)| score);
        let new = decide(old);
        let Some(score) = new else { return (old, new) };
        assert!(!score.is_nan(), "a score is never NaN");
        match found {
            Some((pos, _)) if old != new => {
                lp.delete_range(pos, 2);
                packed::insert(lp, member, score);
            }
            Some(_) => {}
            None if Self::fits(lp, member, limits) => packed::insert(lp, member, score),
            None => {
                self.convert().update(member, |_| Some(score));
            }
        }
        (old, new)
    }

    fn fits(lp: &Listpack, member: &[u8], limits: &Limits) -> bool {
        lp.len() / 2 < limits.zset_max_listpack_entries
            && member.len() <= limits.zset_max_listpack_value
            && !lp.would_exceed(member.len())
    }

    /// Removes a member; returns its score.
    pub fn remove(&mut self, member: &[u8]) -> Option<f64> {
        match self {
            Zset::Packed(lp) => {
                let (pos, score) = packed::find(lp, member)?;
                lp.delete_range(pos, 2);
                Some(score)
            }
            Zset::Tree(tree) => tree.remove(member),
        }
    }

    /// Removes a range of ranks; returns how many members that were.
    pub fn remove_range(&mut self, ranks: Range<usize>) -> usize {
        let (from, to) = (ranks.start, ranks.end.min(self.len()));
        if from >= to {
            return 0;
        }
        match self {
            Zset::Packed(lp) => {
                let pos = lp.seek(2 * from as i64).expect("the rank is in range");
                lp.delete_range(pos, 2 * (to - from));
            }
            Zset::Tree(tree) => tree.remove_range(from, to),
        }
        to - from
    }

    /// Removes the lowest member, or the highest.
    pub fn pop(&mut self, highest: bool) -> Option<(Vec<u8>, f64)> {
        let rank = if highest { self.len().checked_sub(1)? } else { 0 };
        let (member, score) = self.at(rank)?;
        let popped = (member.to_vec(), score);
        self.remove_range(rank..rank + 1);
        Some(popped)
    }

    /// Rank from the lowest, and score. From the highest it is `len() - 1 - rank`.
    pub fn rank(&self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            Zset::Packed(lp) => packed::rank(lp, member),
            Zset::Tree(tree) => tree.rank(member),
        }
    }

    /// The member of a rank.
    pub fn at(&self, rank: usize) -> Option<(Entry<'_>, f64)> {
        match self {
            Zset::Packed(lp) => {
                let pos = lp.seek(i64::try_from(rank).ok()?.checked_mul(2)?)?;
                let (member, score) = lp.get_next(pos);
                Some((member, packed::score_of(lp.get(score?))))
            }
            Zset::Tree(tree) => tree.at(rank).map(|(member, score)| (Entry::Str(member), score)),
        }
    }

    /// The ranks of the members whose score lies in a range.
    pub fn score_range(&self, range: &ScoreRange) -> Range<usize> {
        if range.is_void() {
            return 0..0;
        }
        match self {
            Zset::Packed(lp) => {
                packed::span(lp, |_, score| range.reaches(score), |_, score| range.allows(score))
            }
            Zset::Tree(tree) => {
                let from = tree.partition_scores(|score| !range.reaches(score));
                from..tree.partition_scores(|score| range.allows(score)).max(from)
            }
        }
    }

    /// The ranks of the members that lie in a range of bytes; makes sense where all scores are equal.
    pub fn lex_range(&self, range: &LexRange<'_>) -> Range<usize> {
        if range.is_void() || !self.may_reach(range) {
            return 0..0;
        }
        match self {
            Zset::Packed(lp) => {
                let buf = &mut itoa::Buffer::new();
                let text = std::cell::RefCell::new(buf);
                packed::span(
                    lp,
                    |member, _| range.reaches(member.text(&mut text.borrow_mut())),
                    |member, _| range.allows(member.text(&mut text.borrow_mut())),
                )
            }
            Zset::Tree(tree) => {
                let from = tree.partition(|_, member| !range.reaches(member));
                from..tree.partition(|_, member| range.allows(member)).max(from)
            }
        }
    }

    /// Whether the range begins before the last member and ends behind the first: what the real server asks before
    /// it searches, which shows where scores are not equal.
    fn may_reach(&self, range: &LexRange<'_>) -> bool {
        let text = |rank: usize| self.at(rank).map(|(member, _)| member.to_vec());
        let (first, last) = (text(0), text(self.len().wrapping_sub(1)));
        first.is_some_and(|first| range.allows(&first)) && last.is_some_and(|last| range.reaches(&last))
    }

    /// Walks a range of ranks upwards, or downwards from its end if `reverse`.
    pub fn range(&self, ranks: Range<usize>, reverse: bool) -> RankIter<'_> {
        RankIter::new(self, ranks, reverse)
    }

    /// Walks all members, lowest first.
    pub fn iter(&self) -> RankIter<'_> {
        self.range(0..self.len(), false)
    }

    /// A uniformly random member.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<(Entry<'_>, f64)> {
        match self {
            Zset::Packed(_) if self.is_empty() => None,
            Zset::Packed(_) => self.at(rng.usize(..self.len())),
            Zset::Tree(tree) => tree.random(rng).map(|(member, score)| (Entry::Str(member), score)),
        }
    }

    /// One step of ZSCAN: returns the next cursor. A packed set is given at once.
    pub fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(Entry<'a>, f64)) -> u64 {
        match self {
            Zset::Packed(lp) => {
                packed::pairs(lp).for_each(|(member, score)| visit(member, score));
                0
            }
            Zset::Tree(tree) => tree.scan(cursor, |member, score| visit(Entry::Str(member), score)),
        }
    }

    /// Converts early when so many members are to come.
    pub fn expect(&mut self, members: usize, limits: &Limits) {
        if members > limits.zset_max_listpack_entries {
            self.convert();
        }
    }

    /// Packs a set that was made member by member (by ZUNIONSTORE and its like) if it is small.
    pub fn pack_if_small(&mut self, limits: &Limits) {
        let Zset::Tree(tree) = self else { return };
        if tree.len() > limits.zset_max_listpack_entries {
            return;
        }
        let mut lp = Listpack::new();
        let mut total = 0_usize;
        for (member, score) in self.iter() {
            let Entry::Str(member) = member else { return };
            total = total.saturating_add(member.len());
            if member.len() > limits.zset_max_listpack_value || lp.would_exceed(total) {
                return;
            }
            packed::push(&mut lp, member, score);
        }
        *self = Zset::Packed(lp);
    }

    /// Makes it the big form, whatever its size.
    pub fn unpack(&mut self) {
        self.convert();
    }

    /// Makes it the big form.
    fn convert(&mut self) -> &mut ZsetTree {
        if let Zset::Packed(lp) = self {
            let mut builder = big::Builder::new();
            let mut buf = itoa::Buffer::new();
            for (member, score) in packed::pairs(lp) {
                builder.push(member.text(&mut buf), score);
            }
            *self = Zset::Tree(Box::new(builder.finish()));
        }
        match self {
            Zset::Tree(tree) => tree,
            Zset::Packed(_) => unreachable!("it was converted above"),
        }
    }

    /// Bytes of memory, allocations included, without the word that holds it. O(n) in the big form.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Zset::Packed(lp) => lp.allocated(),
            Zset::Tree(tree) => tree.memory_bytes(),
        }
    }

    /// Starts to fetch what finding a member begins with, if the set is so big that it lies in no cache; the member's hash.
    #[inline]
    pub fn prefetch(&self, member: &[u8]) -> Option<u64> {
        match self {
            Zset::Tree(big) => big.prefetch(member),
            _ => None,
        }
    }

    /// Starts to fetch what finding goes on with, for a hash that [`Zset::prefetch`] gave some time ago.
    #[inline]
    pub fn prefetch_items(&self, hash: u64) {
        if let Zset::Tree(big) = self {
            big.prefetch_items(hash);
        }
    }

    /// What DEBUG HTSTATS-KEY tells of the table of members.
    pub fn table_stats(&self) -> Option<super::table::Stats> {
        match self {
            Zset::Tree(tree) => Some(tree.table_stats()),
            Zset::Packed(_) => None,
        }
    }

    /// Allows or stops the resizing of the table, see [`Table::set_resizing`](super::table::Table::set_resizing).
    pub fn set_resizing(&mut self, on: bool) {
        if let Zset::Tree(tree) = self {
            tree.set_resizing(on);
        }
    }
}

impl Clone for Zset {
    fn clone(&self) -> Self {
        if let Zset::Packed(lp) = self {
            return Zset::Packed(lp.clone());
        }
        let mut builder = big::Builder::new();
        let mut buf = itoa::Buffer::new();
        for (member, score) in self.iter() {
            builder.push(member.text(&mut buf), score);
        }
        Zset::Tree(Box::new(builder.finish()))
    }
}

/// Builds a set from members in any order, such as those of a file; cheapest if they are sorted, up or down.
pub struct ZsetBuilder(big::Builder);

impl Default for ZsetBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ZsetBuilder {
    pub fn new() -> Self {
        ZsetBuilder(big::Builder::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a member whose score is not NaN; false if it was there already, and is ignored.
    #[must_use]
    pub fn push(&mut self, member: &[u8], score: f64) -> bool {
        assert!(!score.is_nan(), "a score is never NaN");
        self.0.push(member, score)
    }

    /// The set, packed if it is small.
    pub fn finish(self, limits: &Limits) -> Zset {
        let mut set = Zset::Tree(Box::new(self.0.finish()));
        set.pack_if_small(limits);
        set
    }
}

const _: () = assert!(size_of::<Zset>() == 16, "a payload is one word");
