//! MGET: read several strings.

use crate::command::*;
use crate::keyspace::{Ahead, View};

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

fn mget(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let replied = ctx.reply.array(args.remaining());
    let mut ahead = Ahead::default();
    for (i, key) in args.clone().enumerate() {
        ctx.db.look_ahead(&mut ahead, i, args.len() - 1, |i| args.get(1 + i));
        match ctx.db.view(key) {
            Some(View::Str(value)) => ctx.reply.bulk(value),
            _ => ctx.reply.null(),
        };
    }
    Ok(replied)
}
