//! ZUNIONSTORE, ZINTERSTORE, ZDIFFSTORE: several sets become one sorted set.

use super::combine::{Answer, Op, Request};
use super::store;
use crate::command::*;
use crate::value::zset::ZsetBuilder;

pub(super) const ZUNIONSTORE: Command = Command {
    name: "zunionstore",
    syntax: "destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE <SUM|MIN|MAX>]",
    summary: "Store the union of several sets, and tell how many members it has.",
    since: "2.0.0",
    cost: "O(N)+O(M*log(M)): N members in all inputs, M in the result",
    group: Group::SortedSet,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(DENYOOM).or(MOVABLE_KEYS),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, OW.or(UPDATE)), KeySpec::counted(2, RO.or(ACCESS))],
    examples: &[("ZUNIONSTORE d 1 nosuch", "(integer) 0")],
    run: |ctx, args| combine(ctx, args, "zunionstore", Op::Union),
    ..Command::BASE
};

pub(super) const ZINTERSTORE: Command = Command {
    name: "zinterstore",
    summary: "Store the intersection of several sets, and tell how many members it has.",
    cost: "O(N*K)+O(M*log(M)): N members in the smallest of K inputs, M in the result",
    examples: &[("ZINTERSTORE d 1 nosuch", "(integer) 0")],
    run: |ctx, args| combine(ctx, args, "zinterstore", Op::Inter),
    ..ZUNIONSTORE
};

pub(super) const ZDIFFSTORE: Command = Command {
    name: "zdiffstore",
    syntax: "destination numkeys key [key ...]",
    summary: "Store what is only in the first of several sets, and tell how many members that is.",
    since: "6.2.0",
    cost: "O(N*K)+O(M*log(M)): N members in the first of K inputs, M in the result",
    examples: &[("ZDIFFSTORE d 1 nosuch", "(integer) 0")],
    run: |ctx, args| combine(ctx, args, "zdiffstore", Op::Diff),
    ..ZUNIONSTORE
};

fn combine(ctx: &mut Ctx<'_>, mut args: Args<'_>, name: &'static str, op: Op) -> Result<Replied, CmdError> {
    let to = args.arg()?;
    let request = Request::parse(&mut ctx.db, &mut args, name, op, Answer::Store)?;
    let mut sources = request.sources(&ctx.db);
    let mut found = ZsetBuilder::new();
    let mut buf = itoa::Buffer::new();
    for (member, score) in request.combine(op, &mut sources) {
        // A damaged file may hold a member twice; the first one counts.
        let _ = found.push(member.text(&mut buf), score);
    }
    drop(sources);
    Ok(store::put(ctx, to, found, name))
}
