//! SREM: remove members from a set.

use crate::command::*;

pub(super) const SREM: Command = Command {
    name: "srem",
    syntax: "key member [member ...]",
    summary: "Remove members from a set and count those that were there; an emptied set goes.",
    since: "1.0.0",
    cost: "O(N) in the number of members given",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("SREM nosuch a", "(integer) 0")],
    run: srem,
    ..Command::BASE
};

fn srem(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (removed, effect) = ctx.db.edit_set(key, Missing::Leave, |set, _| {
        let removed = args.filter(|member| set.remove(*member)).count();
        (removed, Change::new("srem", removed))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(removed.unwrap_or(0)))
}
