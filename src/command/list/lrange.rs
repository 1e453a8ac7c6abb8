//! LRANGE: read a part of a list.

use crate::command::*;

pub(super) const LRANGE: Command = Command {
    name: "lrange",
    syntax: "key start stop",
    summary: "Read the elements between two indexes, both included; negative ones count from the tail.",
    since: "1.0.0",
    cost: "O(S+N): S nodes between the start and the nearer end, N elements",
    group: Group::List,
    arity: Arity::Exactly(4),
    flags: READONLY,
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("LRANGE nosuch 0 -1", "(empty array)")],
    run: lrange,
    ..Command::BASE
};

fn lrange(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, start, stop) = (args.arg()?, args.int()?, args.int()?);
    let Some(list) = ctx.db.list(key)? else {
        return Ok(ctx.reply.array(0));
    };
    let (start, n) = list.resolve(start, stop);
    let replied = ctx.reply.array(n);
    list.each(start, n, |e| {
        ctx.reply.element(e);
    });
    Ok(replied)
}
