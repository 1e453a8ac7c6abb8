//! ZREMRANGEBYRANK, ZREMRANGEBYSCORE, ZREMRANGEBYLEX: take a range of members out.

use super::bounds::{Bounds, By};
use crate::command::*;

pub(super) const ZREMRANGEBYRANK: Command = Command {
    name: "zremrangebyrank",
    syntax: "key start stop",
    summary: "Take the members of a range of ranks out, and tell how many.",
    since: "2.0.0",
    cost: "O(log(N)+M): M members of a set of N",
    group: Group::SortedSet,
    arity: Arity::Exactly(4),
    flags: WRITE,
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("ZREMRANGEBYRANK nosuch 0 -1", "(integer) 0")],
    run: |ctx, args| remove(ctx, args, By::Rank, "zremrangebyrank"),
    ..Command::BASE
};

pub(super) const ZREMRANGEBYSCORE: Command = Command {
    name: "zremrangebyscore",
    syntax: "key min max",
    summary: "Take the members whose score lies in a range out, and tell how many.",
    since: "1.2.0",
    examples: &[("ZREMRANGEBYSCORE nosuch 0 (5", "(integer) 0")],
    run: |ctx, args| remove(ctx, args, By::Score, "zremrangebyscore"),
    ..ZREMRANGEBYRANK
};

pub(super) const ZREMRANGEBYLEX: Command = Command {
    name: "zremrangebylex",
    summary: "Take the members between two texts out, and tell how many.",
    since: "2.8.9",
    examples: &[("ZREMRANGEBYLEX nosuch - +", "(integer) 0")],
    run: |ctx, args| remove(ctx, args, By::Lex, "zremrangebylex"),
    ..ZREMRANGEBYSCORE
};

fn remove(ctx: &mut Ctx<'_>, mut args: Args<'_>, by: By, event: &'static str) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let bounds = Bounds::parse(by, args.arg()?, args.arg()?)?;
    let (removed, effect) = ctx.db.edit_zset(key, Missing::Leave, |set, _| {
        let removed = set.remove_range(bounds.ranks(set, false));
        (removed, Change::new(event, removed))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(removed.unwrap_or(0)))
}
