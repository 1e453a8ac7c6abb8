//! XLEN: how many entries a stream has.

use crate::command::*;

pub(super) const XLEN: Command = Command {
    name: "xlen",
    syntax: "key",
    summary: "Count the entries of a stream.",
    since: "5.0.0",
    cost: "O(1)",
    group: Group::Stream,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("XLEN nosuch", "(integer) 0")],
    run: xlen,
    ..Command::BASE
};

fn xlen(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let length = ctx.db.stream(args.arg()?)?.map_or(0, |stream| stream.log.length);
    Ok(ctx.reply.int(length as i64))
}
