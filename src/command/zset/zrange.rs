//! ZRANGE, ZREVRANGE, ZRANGEBYSCORE, ZREVRANGEBYSCORE, ZRANGEBYLEX, ZREVRANGEBYLEX: members of a range.

use super::bounds::By;
use super::query::{Kind, Query};
use crate::command::answer::ReplyExt;
use crate::command::*;

pub(super) const ZRANGE: Command = Command {
    name: "zrange",
    syntax: "key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES]",
    summary: "Members of a range of ranks, scores or texts, from either end.",
    since: "1.2.0",
    cost: "O(log(N)+M): M members of a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(4),
    flags: READONLY,
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[
        ("ZRANGE nosuch 0 -1", "(empty array)"),
        ("ZRANGE nosuch a b", "ERR value is not an integer or out of range"),
    ],
    run: |ctx, args| range(ctx, args, None, None),
    ..Command::BASE
};

pub(super) const ZREVRANGE: Command = Command {
    name: "zrevrange",
    syntax: "key start stop [WITHSCORES]",
    summary: "Members of a range of ranks, counted from the highest score.",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` argument")),
    examples: &[("ZREVRANGE nosuch 0 -1", "(empty array)")],
    run: |ctx, args| range(ctx, args, Some(By::Rank), Some(true)),
    ..ZRANGE
};

pub(super) const ZRANGEBYSCORE: Command = Command {
    name: "zrangebyscore",
    syntax: "key min max [WITHSCORES] [LIMIT offset count]",
    summary: "Members whose score lies in a range, lowest first.",
    since: "1.0.5",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYSCORE` argument")),
    examples: &[("ZRANGEBYSCORE nosuch (1 +inf", "(empty array)")],
    run: |ctx, args| range(ctx, args, Some(By::Score), Some(false)),
    ..ZRANGE
};

pub(super) const ZREVRANGEBYSCORE: Command = Command {
    name: "zrevrangebyscore",
    syntax: "key max min [WITHSCORES] [LIMIT offset count]",
    summary: "Members whose score lies in a range, highest first.",
    since: "2.2.0",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYSCORE` arguments")),
    examples: &[("ZREVRANGEBYSCORE nosuch 5 1", "(empty array)")],
    run: |ctx, args| range(ctx, args, Some(By::Score), Some(true)),
    ..ZRANGE
};

pub(super) const ZRANGEBYLEX: Command = Command {
    name: "zrangebylex",
    syntax: "key min max [LIMIT offset count]",
    summary: "Members between two texts, in a set whose scores are equal.",
    since: "2.8.9",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `BYLEX` argument")),
    examples: &[("ZRANGEBYLEX nosuch - +", "(empty array)")],
    run: |ctx, args| range(ctx, args, Some(By::Lex), Some(false)),
    ..ZRANGE
};

pub(super) const ZREVRANGEBYLEX: Command = Command {
    name: "zrevrangebylex",
    syntax: "key max min [LIMIT offset count]",
    summary: "Members between two texts, from the last, in a set whose scores are equal.",
    since: "2.8.9",
    deprecated: Some(("6.2.0", "`ZRANGE` with the `REV` and `BYLEX` arguments")),
    examples: &[("ZREVRANGEBYLEX nosuch + [a", "(empty array)")],
    run: |ctx, args| range(ctx, args, Some(By::Lex), Some(true)),
    ..ZRANGE
};

fn range(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    by: Option<By>,
    reverse: Option<bool>,
) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let query = Query::parse(&mut args, Kind { by, reverse, store: false })?;
    let Some(set) = ctx.db.zset(key)? else {
        return Ok(ctx.reply.array(0));
    };
    let members = query.of(&set);
    if !query.with_scores {
        let replied = ctx.reply.array(members.len());
        members.for_each(|(member, _)| {
            ctx.reply.element(member);
        });
        return Ok(replied);
    }
    let replied = ctx.reply.pairs(members.len());
    members.for_each(|(member, score)| {
        ctx.reply.scored(member, score);
    });
    Ok(replied)
}
