//! DBSIZE: how many keys there are.

use crate::command::*;

pub(super) const DBSIZE: Command = Command {
    name: "dbsize",
    syntax: "",
    summary: "Count the keys of the selected database.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: READONLY.or(FAST),
    acl: acl::KEYSPACE,
    tips: &["request_policy:all_shards", "response_policy:agg_sum"],
    examples: &[("DBSIZE", "(integer) 0")],
    run: |ctx, _| Ok(ctx.reply.count(ctx.db.len())),
    ..Command::BASE
};
