//! SMISMEMBER: which of several a set has as members.

use crate::command::*;

pub(super) const SMISMEMBER: Command = Command {
    name: "smismember",
    syntax: "key member [member ...]",
    summary: "Say of each of several whether a set has it as a member.",
    since: "6.2.0",
    cost: "O(N) in the number of members given",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: READONLY.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("SMISMEMBER nosuch a", "1) (integer) 0")],
    run: smismember,
    ..Command::BASE
};

fn smismember(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let set = ctx.db.set_members(args.arg()?)?;
    let replied = ctx.reply.array(args.remaining());
    for member in args {
        let is_member = set.as_ref().is_some_and(|set| set.contains(member));
        ctx.reply.int(is_member.into());
    }
    Ok(replied)
}
