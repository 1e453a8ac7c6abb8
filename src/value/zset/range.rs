//! Ranges of scores, of bytes and of ranks.

use super::big::{Key, ZsetTree};
use super::{Zset, packed};
use crate::value::listpack::{Entry, Iter};
use std::ops::Range;

/// Bounds of a range of scores.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScoreRange {
    pub min: f64,
    pub max: f64,
    /// `min` itself is outside.
    pub min_excluded: bool,
    /// `max` itself is outside.
    pub max_excluded: bool,
}

impl ScoreRange {
    /// Nothing can be in it.
    pub fn is_void(&self) -> bool {
        self.min > self.max || self.min == self.max && (self.min_excluded || self.max_excluded)
    }

    /// Not below the lower bound.
    pub fn reaches(&self, score: f64) -> bool {
        if self.min_excluded { score > self.min } else { score >= self.min }
    }

    /// Not above the upper bound.
    pub fn allows(&self, score: f64) -> bool {
        if self.max_excluded { score < self.max } else { score <= self.max }
    }
}

/// A bound of a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// `-`: below everything.
    Lowest,
    /// `+`: above everything.
    Highest,
    /// `[bytes`
    Included(&'a [u8]),
    /// `(bytes`
    Excluded(&'a [u8]),
}

/// Bounds of a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LexRange<'a> {
    pub min: LexBound<'a>,
    pub max: LexBound<'a>,
}

impl LexRange<'_> {
    /// Nothing can be in it.
    pub fn is_void(&self) -> bool {
        use LexBound::*;
        match (self.min, self.max) {
            (Highest, _) | (_, Lowest) => true,
            (Lowest, _) | (_, Highest) => false,
            (Included(min), Included(max)) => min > max,
            (Included(min) | Excluded(min), Included(max) | Excluded(max)) => min >= max,
        }
    }

    /// Not below the lower bound.
    pub fn reaches(&self, member: &[u8]) -> bool {
        match self.min {
            LexBound::Lowest => true,
            LexBound::Highest => false,
            LexBound::Included(min) => member >= min,
            LexBound::Excluded(min) => member > min,
        }
    }

    /// Not above the upper bound.
    pub fn allows(&self, member: &[u8]) -> bool {
        match self.max {
            LexBound::Lowest => false,
            LexBound::Highest => true,
            LexBound::Included(max) => member <= max,
            LexBound::Excluded(max) => member < max,
        }
    }
}

/// Walks a range of ranks: members (an `Entry::Str` may be any bytes) with their scores.
pub struct RankIter<'a> {
    left: usize,
    reverse: bool,
    source: Source<'a>,
}

enum Source<'a> {
    Packed(Iter<'a>),
    /// The tree, the rank of the next one, and where its leaf is: keys not yet given.
    Tree(&'a ZsetTree, usize, &'a [Key]),
}

/// How many members are fetched ahead.
const AHEAD: usize = 6;

impl<'a> RankIter<'a> {
    pub(super) fn new(set: &'a Zset, ranks: Range<usize>, reverse: bool) -> Self {
        let end = ranks.end.min(set.len());
        let left = end.saturating_sub(ranks.start);
        let source = match set {
            Zset::Tree(tree) => Source::Tree(tree, if reverse { end } else { ranks.start }, &[]),
            Zset::Packed(lp) if left == 0 => Source::Packed(lp.iter()),
            Zset::Packed(lp) => {
                let at = if reverse { 2 * end - 1 } else { 2 * ranks.start };
                let pos = lp.seek(at as i64).expect("the rank is in range");
                Source::Packed(if reverse { lp.iter_upto(pos) } else { lp.iter_from(pos) })
            }
        };
        RankIter { left, reverse, source }
    }
}

impl<'a> Iterator for RankIter<'a> {
    type Item = (Entry<'a>, f64);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        match &mut self.source {
            Source::Packed(entries) if self.reverse => {
                let score = packed::score_of(entries.next_back()?);
                Some((entries.next_back()?, score))
            }
            Source::Packed(entries) => {
                let member = entries.next()?;
                Some((member, packed::score_of(entries.next()?)))
            }
            Source::Tree(tree, rank, keys) => {
                let key = if self.reverse { step_down(tree, rank, keys) } else { step_up(tree, rank, keys) };
                key.map(|key| tree.entry(key)).map(|(member, score)| (Entry::Str(member), score))
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }

    /// Upwards through a tree leaf by leaf; `for_each` comes by here.
    #[inline]
    fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, init: B, mut f: F) -> B {
        let mut all = init;
        if let (Source::Tree(tree, rank, []), false) = (&self.source, self.reverse) {
            let mut rank = *rank;
            while self.left > 0 {
                let Some(keys) = run_from(tree, rank, self.left) else { break };
                for (at, key) in keys.iter().enumerate() {
                    keys.get(at + AHEAD).into_iter().for_each(Key::prefetch);
                    let (member, score) = tree.entry(key);
                    all = f(all, (Entry::Str(member), score));
                }
                (rank, self.left) = (rank + keys.len(), self.left - keys.len());
            }
            return all;
        }
        for member in self {
            all = f(all, member);
        }
        all
    }
}

impl ExactSizeIterator for RankIter<'_> {}

/// Up to `most` keys from a rank on, as far as they are in one leaf; the first are asked for.
fn run_from(tree: &ZsetTree, rank: usize, most: usize) -> Option<&[Key]> {
    let (leaf, at) = tree.leaf_at(rank)?;
    let keys = &leaf[at..leaf.len().min(at + most)];
    keys.iter().take(AHEAD).for_each(Key::prefetch);
    Some(keys)
}

/// The next key upwards: `rank` is its rank, `keys` what is left of its leaf.
fn step_up<'a>(tree: &'a ZsetTree, rank: &mut usize, keys: &mut &'a [Key]) -> Option<&'a Key> {
    if keys.is_empty() {
        let (leaf, at) = tree.leaf_at(*rank)?;
        *keys = &leaf[at..];
        keys.iter().take(AHEAD).for_each(Key::prefetch);
    }
    let (key, rest) = keys.split_first()?;
    if let Some(ahead) = rest.get(AHEAD - 1) {
        ahead.prefetch();
    }
    (*keys, *rank) = (rest, *rank + 1);
    Some(key)
}

/// The next key downwards: `rank` is one more than its rank.
fn step_down<'a>(tree: &'a ZsetTree, rank: &mut usize, keys: &mut &'a [Key]) -> Option<&'a Key> {
    if keys.is_empty() {
        let (leaf, at) = tree.leaf_at(rank.checked_sub(1)?)?;
        *keys = &leaf[..=at];
        keys.iter().rev().take(AHEAD).for_each(Key::prefetch);
    }
    let (key, rest) = keys.split_last()?;
    if let Some(ahead) = rest.len().checked_sub(AHEAD).and_then(|at| rest.get(at)) {
        ahead.prefetch();
    }
    (*keys, *rank) = (rest, *rank - 1);
    Some(key)
}
