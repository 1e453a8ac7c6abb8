//! STRLEN: how long a string is.

use crate::command::*;

pub(super) const STRLEN: Command = Command {
    name: "strlen",
    syntax: "key",
    summary: "Tell a string's length in bytes.",
    since: "2.2.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("STRLEN nosuch", "(integer) 0")],
    run: strlen,
    ..Command::BASE
};

fn strlen(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let len = ctx.db.string(key)?.map_or(0, <[u8]>::len);
    Ok(ctx.reply.count(len))
}
