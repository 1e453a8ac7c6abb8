//! SISMEMBER: whether a set has a member.

use crate::command::*;

pub(super) const SISMEMBER: Command = Command {
    name: "sismember",
    syntax: "key member",
    summary: "Say whether a set has a member.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Set,
    arity: Arity::Exactly(3),
    flags: READONLY.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("SISMEMBER nosuch a", "(integer) 0")],
    run: sismember,
    ..Command::BASE
};

fn sismember(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, member) = (args.arg()?, args.arg()?);
    let is_member = ctx.db.set_members(key)?.is_some_and(|set| set.contains(member));
    Ok(ctx.reply.int(is_member.into()))
}
