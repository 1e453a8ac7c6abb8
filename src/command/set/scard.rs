//! SCARD: how many members a set has.

use crate::command::*;

pub(super) const SCARD: Command = Command {
    name: "scard",
    syntax: "key",
    summary: "Count the members of a set.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Set,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("SCARD nosuch", "(integer) 0")],
    run: scard,
    ..Command::BASE
};

fn scard(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let len = ctx.db.set_members(args.arg()?)?.map_or(0, |set| set.len());
    Ok(ctx.reply.count(len))
}
