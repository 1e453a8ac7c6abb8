//! DEL, UNLINK: delete keys.
//!
//! Both free big values on a helper thread; a client can't tell them apart.

use crate::command::*;

pub(super) const DEL: Command = Command {
    name: "del",
    syntax: "key [key ...]",
    summary: "Delete keys, and tell how many there were.",
    since: "1.0.0",
    cost: "O(N) in the number of keys; big values are freed beside",
    group: Group::Generic,
    arity: Arity::AtLeast(2),
    flags: WRITE,
    acl: acl::KEYSPACE,
    keys: &[KeySpec::range(1, -1, 1, RM.or(DELETE))],
    tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
    examples: &[("DEL nosuch", "(integer) 0")],
    run: del,
    ..Command::BASE
};

pub(super) const UNLINK: Command = Command {
    name: "unlink",
    summary: "Delete keys; their memory is freed beside.",
    since: "4.0.0",
    flags: WRITE.or(FAST),
    examples: &[("UNLINK nosuch", "(integer) 0")],
    ..DEL
};

fn del(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let mut deleted = 0;
    for key in args {
        let effect = ctx.db.remove(key);
        deleted += i64::from(!effect.is_none());
        ctx.record(effect);
    }
    Ok(ctx.reply.int(deleted))
}
