//! Ranges as arguments: by rank, by score, by bytes.
//!
//! Source: `zslParseRange` and `zslParseLexRange` of Redis 8.0.

use std::ops::Range;

use crate::command::*;
use crate::text::num::parse_range_f64;
use crate::value::Zset;
use crate::value::zset::{LexBound, LexRange, ScoreRange};

/// By what members are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Rank,
    Score,
    Lex,
}

/// Which members are meant.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bounds<'a> {
    /// First and last; negative ones count from the end.
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange<'a>),
}

impl<'a> Bounds<'a> {
    /// Reads the lower and the upper bound.
    pub(super) fn parse(by: By, min: &'a [u8], max: &'a [u8]) -> Result<Bounds<'a>, CmdError> {
        Ok(match by {
            By::Rank => Bounds::Rank(parse::int(min)?, parse::int(max)?),
            By::Score => {
                let range = score_range(min, max);
                Bounds::Score(range.ok_or(CmdError::text("ERR min or max is not a float"))?)
            }
            By::Lex => {
                let range = lex_bound(min).zip(lex_bound(max)).map(|(min, max)| LexRange { min, max });
                Bounds::Lex(range.ok_or(CmdError::text("ERR min or max not valid string range item"))?)
            }
        })
    }

    /// The ranks of the members that are meant, lowest first. With `reverse`, ranks given count from the highest.
    #[inline]
    pub(super) fn ranks(&self, set: &Zset, reverse: bool) -> Range<usize> {
        match self {
            Bounds::Rank(first, last) => {
                let ranks = ranks(*first, *last, set.len());
                if reverse { set.len() - ranks.end..set.len() - ranks.start } else { ranks }
            }
            Bounds::Score(range) => set.score_range(range),
            Bounds::Lex(range) => set.lex_range(range),
        }
    }
}

/// The ranks from `first` to `last`, negative ones counted from the end, as far as there are such.
#[inline]
fn ranks(first: i64, last: i64, len: usize) -> Range<usize> {
    let len = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |rank: i64| if rank < 0 { rank.saturating_add(len) } else { rank };
    let (first, last) = (from_start(first).max(0), from_start(last).min(len - 1));
    if first > last { 0..0 } else { first as usize..last as usize + 1 }
}

fn score_range(min: &[u8], max: &[u8]) -> Option<ScoreRange> {
    let (min_excluded, min) = exclusive(min);
    let (max_excluded, max) = exclusive(max);
    Some(ScoreRange { min: parse_range_f64(min)?, max: parse_range_f64(max)?, min_excluded, max_excluded })
}

fn exclusive(bound: &[u8]) -> (bool, &[u8]) {
    match bound {
        [b'(', rest @ ..] => (true, rest),
        _ => (false, bound),
    }
}

fn lex_bound(bound: &[u8]) -> Option<LexBound<'_>> {
    match bound {
        [b'-'] | [b'-', 0, ..] => Some(LexBound::Lowest),
        [b'+'] | [b'+', 0, ..] => Some(LexBound::Highest),
        [b'(', bytes @ ..] => Some(LexBound::Excluded(bytes)),
        [b'[', bytes @ ..] => Some(LexBound::Included(bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_count_from_both_ends() {
        assert_eq!(ranks(0, -1, 4), 0..4);
        assert_eq!(ranks(-100, 100, 4), 0..4);
        assert_eq!(ranks(1, 2, 4), 1..3);
        assert_eq!(ranks(-2, -1, 4), 2..4);
        assert_eq!(ranks(3, 1, 4), 0..0);
        assert_eq!(ranks(4, 10, 4), 0..0);
        assert_eq!(ranks(0, -5, 4), 0..0);
        assert_eq!(ranks(0, 0, 0), 0..0);
        assert_eq!(ranks(i64::MIN, i64::MAX, 4), 0..4);
        assert_eq!(ranks(i64::MAX, i64::MIN, 4), 0..0);
    }
}
