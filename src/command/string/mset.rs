//! MSET, MSETNX: store several strings at once.

use crate::command::*;
use crate::keyspace::{Ahead, New, Ttl};

pub(super) const MSET: Command = Command {
    name: "mset",
    syntax: "key value [key value ...]",
    summary: "Store several strings, whatever was there before.",
    since: "1.0.1",
    cost: "O(N) in the number of keys",
    group: Group::String,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM),
    acl: acl::STRING,
    keys: &[KeySpec::range(1, -1, 2, OW.or(UPDATE))],
    tips: &["request_policy:multi_shard", "response_policy:all_succeeded"],
    examples: &[("MSET a 1 b 2", "OK"), ("MSET a 1 b", "ERR wrong number of arguments for 'mset' command")],
    run: mset,
    ..Command::BASE
};

pub(super) const MSETNX: Command = Command {
    name: "msetnx",
    summary: "Store several strings, if none of the keys is there.",
    keys: &[KeySpec::range(1, -1, 2, OW.or(INSERT))],
    tips: &[],
    examples: &[("MSETNX a 1 b 2", "(integer) 1")],
    run: msetnx,
    ..MSET
};

fn mset(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    check_pairs(&args, "mset")?;
    store(ctx, &args);
    Ok(ctx.reply.ok())
}

fn msetnx(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    check_pairs(&args, "msetnx")?;
    if args.clone().step_by(2).any(|key| ctx.db.contains_for_write(key)) {
        return Ok(ctx.reply.int(0));
    }
    store(ctx, &args);
    Ok(ctx.reply.int(1))
}

fn check_pairs(args: &Args<'_>, name: &'static str) -> Result<(), CmdError> {
    if args.len().is_multiple_of(2) { Err(CmdError::Arity(name.into())) } else { Ok(()) }
}

fn store(ctx: &mut Ctx<'_>, args: &Args<'_>) {
    let (pairs, mut ahead) = (args.len() / 2, Ahead::default());
    for (pair, (i, key)) in args.all().enumerate().skip(1).step_by(2).enumerate() {
        ctx.db.look_ahead(&mut ahead, pair, pairs, |pair| args.get(1 + 2 * pair));
        let value =
            args.shared(i + 1).map_or_else(|| New::Bytes(args.get(i + 1).unwrap_or_default()), New::Shared);
        let effect = ctx.db.set(key, value, Ttl::Clear);
        ctx.record(effect);
    }
}
