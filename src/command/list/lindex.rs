//! LINDEX: read the element at an index.

use crate::command::*;

pub(super) const LINDEX: Command = Command {
    name: "lindex",
    syntax: "key index",
    summary: "Read the element at an index; negative ones count from the tail.",
    since: "1.0.0",
    cost: "O(N) in the number of nodes between the element and the nearer end",
    group: Group::List,
    arity: Arity::Exactly(3),
    flags: READONLY,
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("LINDEX nosuch abc", "(nil)")],
    run: lindex,
    ..Command::BASE
};

fn lindex(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(list) = ctx.db.list(args.arg()?)? else {
        return Ok(ctx.reply.null());
    };
    let index = args.int()?; // after the lookup: a missing key answers nil even to a malformed index
    let found = list.get(index, |element| ctx.reply.element(element));
    Ok(found.unwrap_or_else(|| ctx.reply.null()))
}
