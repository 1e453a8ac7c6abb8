//! The small form of a sorted set: member, score, member, score ... in a listpack, in order.

use super::big::compare_scores;
use crate::text::num::{format_f64, parse_f64};
use crate::value::listpack::{Corrupt, Entry, Listpack, ListpackRef, Pos};
use std::cmp::Ordering;

/// A score as it stands in a listpack: an integer where the double is one and not huge (so -0 becomes 0), else
/// its shortest text.
fn push_score(lp: &mut Listpack, after: Pos, score: f64) {
    match whole(score) {
        Some(n) => lp.insert_after(after, Entry::Int(n)),
        None => lp.insert_after(after, Entry::Str(&format_f64(score))),
    };
}

fn whole(score: f64) -> Option<i64> {
    const LIMIT: f64 = (i64::MAX / 2) as f64;
    let n = score as i64;
    (score.abs() <= LIMIT && n as f64 == score).then_some(n)
}

/// The score that an entry says; zero if it says none, which [`check`] has ruled out.
pub(super) fn score_of(entry: Entry<'_>) -> f64 {
    match entry {
        Entry::Int(n) => n as f64,
        Entry::Str(text) => parse_f64(text).unwrap_or(0.0),
    }
}

/// Refuses what is not pairs of a member and a score.
pub(super) fn check(lp: ListpackRef<'_>) -> Result<(), Corrupt> {
    let mut entries = lp.iter();
    while entries.next().is_some() {
        let offset = lp.as_bytes().len();
        let score =
            entries.next().ok_or(Corrupt { offset, reason: "sorted set with a member but no score" })?;
        if let Entry::Str(text) = score
            && parse_f64(text).is_none()
        {
            return Err(Corrupt { offset, reason: "sorted set with a score that is not a number" });
        }
    }
    Ok(())
}

/// Where a member stands, and its score.
pub(super) fn find(lp: &Listpack, member: &[u8]) -> Option<(Pos, f64)> {
    let pos = lp.find(lp.first()?, member, 1)?;
    let score = lp.next(pos).expect("a score follows each member");
    Some((pos, score_of(lp.get(score))))
}

/// Where a member stands, its rank and its score.
pub(super) fn rank(lp: &Listpack, member: &[u8]) -> Option<(usize, f64)> {
    pairs(lp).enumerate().find(|(_, (entry, _))| entry.is(member)).map(|(rank, (_, score))| (rank, score))
}

/// Adds a member that is absent.
pub(super) fn insert(lp: &mut Listpack, member: &[u8], score: f64) {
    let mut at = lp.first();
    while let Some(pos) = at {
        let (other, next) = lp.get_next(pos);
        let score_pos = next.expect("a score follows each member");
        let order = compare_scores(score_of(lp.get(score_pos)), score);
        if order.then_with(|| compare_text(other, member)).is_gt() {
            break;
        }
        at = lp.next(score_pos);
    }
    let pos = match at {
        Some(pos) => lp.insert_before(pos, member),
        None => {
            lp.push_back(member);
            lp.last().expect("it was just added")
        }
    };
    push_score(lp, pos, score);
}

/// Adds a member that belongs at the end.
pub(super) fn push(lp: &mut Listpack, member: &[u8], score: f64) {
    lp.push_back(member);
    match whole(score) {
        Some(n) => lp.push_back_int(n),
        None => lp.push_back(Entry::Str(&format_f64(score))),
    }
}

pub(super) fn compare_text(entry: Entry<'_>, bytes: &[u8]) -> Ordering {
    entry.text(&mut itoa::Buffer::new()).cmp(bytes)
}

/// Members and scores in order.
pub(super) fn pairs(lp: &Listpack) -> impl Iterator<Item = (Entry<'_>, f64)> {
    let mut entries = lp.iter();
    std::iter::from_fn(move || {
        let member = entries.next()?;
        Some((member, score_of(entries.next()?)))
    })
}

/// The ranks from the first pair for which `from` holds to the first one behind it for which `upto` doesn't.
pub(super) fn span<'a>(
    lp: &'a Listpack,
    from: impl Fn(Entry<'a>, f64) -> bool,
    upto: impl Fn(Entry<'a>, f64) -> bool,
) -> std::ops::Range<usize> {
    let mut pairs = lp.iter();
    let mut next = || {
        let member = pairs.next()?;
        Some((member, score_of(pairs.next()?)))
    };
    let mut start = 0;
    let mut pair = next();
    while let Some((member, score)) = pair
        && !from(member, score)
    {
        (start, pair) = (start + 1, next());
    }
    let mut end = start;
    while let Some((member, score)) = pair
        && upto(member, score)
    {
        (end, pair) = (end + 1, next());
    }
    start..end
}
