//! GET: read a string.

use crate::command::*;

pub(super) const GET: Command = Command {
    name: "get",
    syntax: "key",
    summary: "Read a string.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("GET nosuch", "(nil)")],
    run: get,
    ..Command::BASE
};

/// A value this long is handed over by reference instead of being copied into the output.
const SHARE_FROM: usize = 64 << 10;

fn get(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    match ctx.db.string(key)? {
        None => Ok(ctx.reply.null()),
        Some(value) if value.len() < SHARE_FROM => Ok(ctx.reply.bulk(value)),
        Some(_) => {
            let value = ctx.db.share_string(key).expect("a string of this length is on its own");
            Ok(ctx.reply.bulk_shared(value))
        }
    }
}
