//! EXISTS, TOUCH: count the keys that are there; TOUCH also uses them.

use crate::command::*;

pub(super) const EXISTS: Command = Command {
    name: "exists",
    syntax: "key [key ...]",
    summary: "Count how many of the keys are there; one named twice counts twice.",
    since: "1.0.0",
    cost: "O(N) in the number of keys",
    group: Group::Generic,
    arity: Arity::AtLeast(2),
    flags: READONLY.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::range(1, -1, 1, RO)],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    examples: &[("EXISTS nosuch", "(integer) 0")],
    run: exists,
    ..Command::BASE
};

pub(super) const TOUCH: Command = Command {
    name: "touch",
    summary: "Count the keys that are there, and move their access clocks.",
    since: "3.2.1",
    examples: &[("TOUCH nosuch", "(integer) 0")],
    run: touch,
    ..EXISTS
};

fn exists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let found = args.filter(|key| ctx.db.meta(key).is_some()).count();
    Ok(ctx.reply.count(found))
}

fn touch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let found = args.filter(|key| ctx.db.use_key(key)).count();
    Ok(ctx.reply.count(found))
}
