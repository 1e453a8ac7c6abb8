//! ZREM: take members out.

use crate::command::*;

pub(super) const ZREM: Command = Command {
    name: "zrem",
    syntax: "key member [member ...]",
    summary: "Take members out, and tell how many there were.",
    since: "1.2.0",
    cost: "O(M*log(N)): M members, in a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("ZREM nosuch a", "(integer) 0")],
    run: zrem,
    ..Command::BASE
};

fn zrem(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (removed, effect) = ctx.db.edit_zset(key, Missing::Leave, |set, _| {
        let removed = args.filter(|member| set.remove(member).is_some()).count();
        (removed, Change::new("zrem", removed).told_first())
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(removed.unwrap_or(0)))
}
