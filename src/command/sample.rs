//! What HRANDFIELD and ZRANDMEMBER share: the count, and drawing different elements fairly.

use std::collections::HashSet;
use std::hash::Hash;

use foldhash::fast::RandomState;

use super::error::CmdError;
use super::parse::{ArgsExt, beyond_symmetric, is, repetitions};
use crate::resp::Args;

/// A sample of more than a third of the elements is not drawn one by one.
const WALK_FACTOR: usize = 3;

/// How many elements are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    count: usize,
    /// The same element may come several times: a negative count.
    pub repeat: bool,
    /// Each comes with its value or score.
    pub pairs: bool,
}

impl Draw {
    /// Reads `[count [word]]`; `None` without a count.
    pub fn parse(args: &mut Args<'_>, with: &str) -> Result<Option<Draw>, CmdError> {
        if args.remaining() == 0 {
            return Ok(None);
        }
        let count = args.int()?;
        if count == i64::MIN {
            return Err(beyond_symmetric());
        }
        let pairs = match args.next() {
            Some(word) if !is(word, with) || args.remaining() > 0 => return Err(CmdError::Syntax),
            word => word.is_some(),
        };
        if pairs && count.unsigned_abs() > i64::MAX as u64 / 2 {
            return Err(CmdError::OutOfRange);
        }
        Ok(Some(Draw { count: count.unsigned_abs() as usize, repeat: count < 0, pairs }))
    }

    /// How many elements the answer has, of so many; `limited`: see [`repetitions`].
    pub fn size(&self, len: usize, limited: bool) -> Result<usize, CmdError> {
        if self.repeat && len > 0 { repetitions(self.count as u64, limited) } else { Ok(self.count.min(len)) }
    }
}

/// Whether to draw `n` of `len` elements one by one ([`distinct`]), not to walk over all ([`walk`]).
pub fn is_small(n: usize, len: usize) -> bool {
    n.saturating_mul(WALK_FACTOR) < len
}

/// `n` elements, no two with the same key, drawn one by one.
///
/// There must be more than `n` different ones: never so of a listpack that a damaged file brought.
pub fn distinct<T, K: Hash + Eq>(
    n: usize,
    mut random: impl FnMut() -> Option<T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut seen = HashSet::with_hasher(RandomState::default());
    let mut drawn = Vec::new();
    while let Some(item) = (drawn.len() < n).then(&mut random).flatten() {
        if seen.insert(key(&item)) {
            drawn.push(item);
        }
    }
    drawn
}

/// Visits `n` of `len` elements, chosen fairly in one walk, in their order.
pub fn walk<T>(
    items: impl Iterator<Item = T>,
    len: usize,
    n: usize,
    rng: &mut fastrand::Rng,
    mut visit: impl FnMut(T),
) {
    let mut wanted = n.min(len);
    for (left, item) in (1..=len).rev().zip(items) {
        if rng.usize(..left) < wanted {
            visit(item);
            wanted -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_fairly() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut hits = [0_u32; 10];
        for _ in 0..10_000 {
            let mut count = 0;
            walk(0..10_usize, 10, 3, &mut rng, |i| {
                hits[i] += 1;
                count += 1;
            });
            assert_eq!(count, 3);
        }
        assert!(hits.iter().all(|n| (2_700..3_300).contains(n)), "{hits:?}");
        let mut all = Vec::new();
        walk(0..4, 4, 9, &mut rng, |i| all.push(i));
        assert_eq!(all, [0, 1, 2, 3]);
    }

    #[test]
    fn draws_different_ones() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mut drawn = distinct(5, || Some(rng.usize(..20)), |i| *i);
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 5);
    }
}
