//! ZCARD: count members.

use crate::command::*;

pub(super) const ZCARD: Command = Command {
    name: "zcard",
    syntax: "key",
    summary: "The number of members.",
    since: "1.2.0",
    group: Group::SortedSet,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("ZCARD nosuch", "(integer) 0")],
    run: zcard,
    ..Command::BASE
};

fn zcard(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let len = ctx.db.zset(args.arg()?)?.map_or(0, |set| set.len());
    Ok(ctx.reply.count(len))
}
