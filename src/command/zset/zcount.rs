//! ZCOUNT, ZLEXCOUNT: count the members of a range.

use super::bounds::{Bounds, By};
use crate::command::*;

pub(super) const ZCOUNT: Command = Command {
    name: "zcount",
    syntax: "key min max",
    summary: "The number of members whose score lies in a range.",
    since: "2.0.0",
    cost: "O(log(N)), in a set of N",
    group: Group::SortedSet,
    arity: Arity::Exactly(4),
    flags: READONLY.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[
        ("ZCOUNT nosuch -inf (5", "(integer) 0"),
        ("ZCOUNT nosuch a b", "ERR min or max is not a float"),
    ],
    run: |ctx, args| count(ctx, args, By::Score),
    ..Command::BASE
};

pub(super) const ZLEXCOUNT: Command = Command {
    name: "zlexcount",
    summary: "The number of members between two texts, in a set whose scores are equal.",
    since: "2.8.9",
    examples: &[
        ("ZLEXCOUNT nosuch - [b", "(integer) 0"),
        ("ZLEXCOUNT nosuch a b", "ERR min or max not valid string range item"),
    ],
    run: |ctx, args| count(ctx, args, By::Lex),
    ..ZCOUNT
};

fn count(ctx: &mut Ctx<'_>, mut args: Args<'_>, by: By) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let bounds = Bounds::parse(by, args.arg()?, args.arg()?)?;
    let count = ctx.db.zset(key)?.map_or(0, |set| bounds.ranks(&set, false).len());
    Ok(ctx.reply.count(count))
}
