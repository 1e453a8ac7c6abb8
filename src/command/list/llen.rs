//! LLEN: how long a list is.

use crate::command::*;

pub(super) const LLEN: Command = Command {
    name: "llen",
    syntax: "key",
    summary: "Count the elements of a list.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::List,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("LLEN nosuch", "(integer) 0")],
    run: llen,
    ..Command::BASE
};

fn llen(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let len = ctx.db.list(args.arg()?)?.map_or(0, |list| list.len());
    Ok(ctx.reply.count(len))
}
