//! LREM: remove elements by value.

use crate::command::*;

pub(super) const LREM: Command = Command {
    name: "lrem",
    syntax: "key count element",
    summary: "Remove the first `count` elements equal to a value, the last ones if it is negative, all if it is 0.",
    since: "1.0.0",
    cost: "O(N) in the length of the list",
    group: Group::List,
    arity: Arity::Exactly(4),
    flags: WRITE,
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("LREM nosuch 0 a", "(integer) 0")],
    run: lrem,
    ..Command::BASE
};

fn lrem(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, count, element) = (args.arg()?, args.int()?, args.arg()?);
    if count == i64::MIN {
        return Err(parse::beyond_symmetric());
    }
    let (removed, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let removed = list.remove(count, element, limits);
        (removed, Change::new("lrem", removed).told_first())
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(removed.unwrap_or(0)))
}
