//! SMEMBERS: read a whole set.

use crate::command::*;

pub(super) const SMEMBERS: Command = Command {
    name: "smembers",
    syntax: "key",
    summary: "Read all members of a set.",
    since: "1.0.0",
    cost: "O(N) in the number of members",
    group: Group::Set,
    arity: Arity::Exactly(2),
    flags: READONLY,
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output_order"],
    examples: &[("SMEMBERS nosuch", "(empty array)")],
    run: smembers,
    ..Command::BASE
};

fn smembers(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(set) = ctx.db.set_members(args.arg()?)? else {
        return Ok(ctx.reply.set(0));
    };
    let replied = ctx.reply.set(set.len());
    for member in set.iter() {
        ctx.reply.element(member);
    }
    Ok(replied)
}
