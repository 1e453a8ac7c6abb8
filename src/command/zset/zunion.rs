//! ZUNION, ZINTER, ZDIFF, ZINTERCARD: what several sets have in common, or not.

use std::cmp::Ordering;

use super::combine::{Answer, Op, Request};
use crate::command::answer::ReplyExt;
use crate::command::*;
use crate::value::Entry;

pub(super) const ZUNION: Command = Command {
    name: "zunion",
    syntax: "numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM|MIN|MAX>] [WITHSCORES]",
    summary: "The members that are in any of several sets, with weighted and aggregated scores.",
    since: "6.2.0",
    cost: "O(N)+O(M*log(M)): N members in all inputs, M in the result",
    group: Group::SortedSet,
    arity: Arity::AtLeast(3),
    flags: READONLY.or(MOVABLE_KEYS),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::counted(1, RO.or(ACCESS))],
    examples: &[
        ("ZUNION 1 nosuch", "(empty array)"),
        ("ZUNION 0 nosuch", "ERR at least 1 input key is needed for 'zunion' command"),
    ],
    run: |ctx, args| members(ctx, args, "zunion", Op::Union),
    ..Command::BASE
};

pub(super) const ZINTER: Command = Command {
    name: "zinter",
    summary: "The members that are in all of several sets, with weighted and aggregated scores.",
    cost: "O(N*K)+O(M*log(M)): N members in the smallest of K inputs, M in the result",
    examples: &[("ZINTER 1 nosuch", "(empty array)")],
    run: |ctx, args| members(ctx, args, "zinter", Op::Inter),
    ..ZUNION
};

pub(super) const ZDIFF: Command = Command {
    name: "zdiff",
    syntax: "numkeys key [key ...] [WITHSCORES]",
    summary: "The members of the first set that are in none of the others.",
    cost: "O(N*K)+O(M*log(M)): N members in the first of K inputs, M in the result",
    examples: &[("ZDIFF 1 nosuch", "(empty array)")],
    run: |ctx, args| members(ctx, args, "zdiff", Op::Diff),
    ..ZUNION
};

pub(super) const ZINTERCARD: Command = Command {
    name: "zintercard",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    summary: "How many members are in all of several sets.",
    since: "7.0.0",
    cost: "O(N*K): N members in the smallest of K inputs",
    examples: &[
        ("ZINTERCARD 1 nosuch LIMIT 5", "(integer) 0"),
        ("ZINTERCARD 1 nosuch LIMIT -1", "ERR LIMIT can't be negative"),
    ],
    run: zintercard,
    ..ZUNION
};

fn members(ctx: &mut Ctx<'_>, mut args: Args<'_>, name: &'static str, op: Op) -> Result<Replied, CmdError> {
    let request = Request::parse(&mut ctx.db, &mut args, name, op, Answer::Members)?;
    let mut sources = request.sources(&ctx.db);
    let mut found = request.combine(op, &mut sources);
    found.sort_unstable_by(by_score);
    if !request.with_scores {
        let replied = ctx.reply.array(found.len());
        found.into_iter().for_each(|(member, _)| {
            ctx.reply.element(member);
        });
        return Ok(replied);
    }
    let replied = ctx.reply.pairs(found.len());
    found.into_iter().for_each(|(member, score)| ctx.reply.scored(member, score));
    Ok(replied)
}

/// The order of a sorted set.
fn by_score(a: &(Entry<'_>, f64), b: &(Entry<'_>, f64)) -> Ordering {
    let by_text = || a.0.text(&mut itoa::Buffer::new()).cmp(b.0.text(&mut itoa::Buffer::new()));
    a.1.partial_cmp(&b.1).unwrap_or(Ordering::Equal).then_with(by_text)
}

fn zintercard(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = Request::parse(&mut ctx.db, &mut args, "zintercard", Op::Inter, Answer::Count)?;
    let mut sources = request.sources(&ctx.db);
    let count = request.combine(Op::Inter, &mut sources).len();
    Ok(ctx.reply.count(count))
}
