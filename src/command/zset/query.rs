//! The arguments of ZRANGE and its kin: bounds, direction, LIMIT, WITHSCORES.
//!
//! Source: `zrangeGenericCommand` of Redis 8.0, for the order in which things are judged.

use std::ops::Range;

use super::bounds::{Bounds, By};
use crate::command::*;
use crate::value::Zset;
use crate::value::zset::RankIter;

/// What a command's name has settled already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    pub(super) by: Option<By>,
    pub(super) reverse: Option<bool>,
    /// The result is stored, so WITHSCORES is no option.
    pub(super) store: bool,
}

/// Which members of a set are asked for, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Query<'a> {
    bounds: Bounds<'a>,
    reverse: bool,
    /// Skip so many, then take so many (negative: all).
    limit: (i64, i64),
    pub(super) with_scores: bool,
}

impl<'a> Query<'a> {
    /// Reads two bounds and all options behind them.
    pub(super) fn parse(args: &mut Args<'a>, kind: Kind) -> Result<Query<'a>, CmdError> {
        let (from, to) = (args.arg()?, args.arg()?);
        let (mut by, mut reverse) = (kind.by, kind.reverse);
        let (mut with_scores, mut limit) = (false, (0, -1));
        while let Some(word) = args.next() {
            match () {
                () if !kind.store && parse::is(word, "WITHSCORES") => with_scores = true,
                () if args.remaining() >= 2 && parse::is(word, "LIMIT") => limit = (args.int()?, args.int()?),
                () if reverse.is_none() && parse::is(word, "REV") => reverse = Some(true),
                () if by.is_none() && parse::is(word, "BYLEX") => by = Some(By::Lex),
                () if by.is_none() && parse::is(word, "BYSCORE") => by = Some(By::Score),
                () => return Err(CmdError::Syntax),
            }
        }
        let (by, reverse) = (by.unwrap_or(By::Rank), reverse.unwrap_or(false));
        check(by, limit.1, with_scores)?;
        let (min, max) = if reverse && by != By::Rank { (to, from) } else { (from, to) };
        Ok(Query { bounds: Bounds::parse(by, min, max)?, reverse, limit, with_scores })
    }

    /// Whether the real server knows how many members it will find before it walks over them.
    pub(super) fn knows_size(&self) -> bool {
        matches!(self.bounds, Bounds::Rank(..))
    }

    /// The members that are asked for, in the order in which they are.
    pub(super) fn of<'s>(&self, set: &'s Zset) -> RankIter<'s> {
        let ranks = self.bounds.ranks(set, self.reverse);
        let ranks = if matches!(self.bounds, Bounds::Rank(..)) { ranks } else { self.limited(set, ranks) };
        set.range(ranks, self.reverse)
    }

    /// What LIMIT leaves. A negative offset leaves nothing of a listpack; in a skiplist, as real servers search it, it
    /// counts from where the walk would end.
    fn limited(&self, set: &Zset, ranks: Range<usize>) -> Range<usize> {
        let (len, offset) = (ranks.len(), usize::try_from(self.limit.0.unsigned_abs()).unwrap_or(usize::MAX));
        let skip = match set {
            _ if self.limit.0 >= 0 => offset.min(len),
            Zset::Tree(_) if offset <= len => len - offset,
            _ => len,
        };
        let take = usize::try_from(self.limit.1).unwrap_or(usize::MAX).min(ranks.len() - skip);
        if self.reverse {
            let end = ranks.end - skip;
            end - take..end
        } else {
            let start = ranks.start + skip;
            start..start + take
        }
    }
}

fn check(by: By, count: i64, with_scores: bool) -> Result<(), CmdError> {
    match by {
        By::Rank if count != -1 => Err(CmdError::text(
            "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        )),
        By::Lex if with_scores => {
            Err(CmdError::text("ERR syntax error, WITHSCORES not supported in combination with BYLEX"))
        }
        _ => Ok(()),
    }
}
