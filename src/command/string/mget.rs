//! MGET: read several strings.

use crate::command::*;
use crate::keyspace::View;

pub(super) const MGET: Command = Command {
    name: "mget",
    syntax: "key [key ...]",
    summary: "Read several strings; null for what is missing or no string.",
    since: "1.0.0",
    cost: "O(N) in the number of keys",
    group: Group::String,
    arity: Arity::AtLeast(2),
    flags: READONLY.or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::range(1, -1, 1, RO.or(ACCESS))],
    tips: &["request_policy:multi_shard"],
    examples: &[("MGET nosuch", "1) (nil)")],
    run: mget,
    ..Command::BASE
};

/// How many keys ahead the table's buckets are asked for.
const AHEAD: usize = 4;

fn mget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let replied = ctx.reply.array(args.remaining());
    for (i, key) in args.clone().enumerate() {
        if let Some(later) = args.get(1 + i + AHEAD) {
            ctx.db.prefetch(later);
        }
        match ctx.db.view(key) {
            Some(View::Str(value)) => ctx.reply.bulk(value),
            _ => ctx.reply.null(),
        };
    }
    Ok(replied)
}
