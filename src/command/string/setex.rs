//! SETNX, SETEX, PSETEX, GETSET: older ways to say what SET says with options.

use super::set::store_until;
use crate::command::expiry::{ExpiryOption, Unit};
use crate::command::*;
use crate::keyspace::{New, Ttl};

pub(super) const SETNX: Command = Command {
    name: "setnx",
    syntax: "key value",
    summary: "Store a string, if the key is not there.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, OW.or(INSERT))],
    deprecated: Some(("2.6.12", "`SET` with the `NX` argument")),
    examples: &[("SETNX k v", "(integer) 1")],
    run: setnx,
    ..Command::BASE
};

pub(super) const SETEX: Command = Command {
    name: "setex",
    syntax: "key seconds value",
    summary: "Store a string that expires after so many seconds.",
    since: "2.0.0",
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM),
    keys: &[KeySpec::at(1, OW.or(UPDATE))],
    propagate: Propagate::Rewritten,
    deprecated: Some(("2.6.12", "`SET` with the `EX` argument")),
    examples: &[("SETEX k 10 v", "OK"), ("SETEX k 0 v", "ERR invalid expire time in 'setex' command")],
    run: |ctx, args| setex(ctx, args, "setex", true),
    ..SETNX
};

pub(super) const PSETEX: Command = Command {
    name: "psetex",
    syntax: "key milliseconds value",
    summary: "Store a string that expires after so many milliseconds.",
    since: "2.6.0",
    deprecated: Some(("2.6.12", "`SET` with the `PX` argument")),
    examples: &[("PSETEX k 10 v", "OK"), ("PSETEX k 0 v", "ERR invalid expire time in 'psetex' command")],
    run: |ctx, args| setex(ctx, args, "psetex", false),
    ..SETEX
};

pub(super) const GETSET: Command = Command {
    name: "getset",
    summary: "Store a string and answer the one that was there.",
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    propagate: Propagate::Rewritten,
    deprecated: Some(("6.2.0", "`SET` with the `!GET` argument")),
    examples: &[("GETSET k v", "(nil)")],
    run: getset,
    ..SETNX
};

fn new<'a>(args: &Args<'a>, value: &'a [u8]) -> New<'a> {
    args.shared(args.position() - 1).map_or(New::Bytes(value), New::Shared)
}

fn setnx(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, value) = (args.arg()?, args.arg()?);
    if ctx.db.contains_for_write(key) {
        return Ok(ctx.reply.int(0));
    }
    let effect = ctx.db.set(key, new(&args, value), Ttl::Clear);
    ctx.record(effect);
    Ok(ctx.reply.int(1))
}

fn setex(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    name: &'static str,
    seconds: bool,
) -> Result<Replied, CmdError> {
    let (key, number) = (args.arg()?, args.arg()?);
    let unit = Unit { seconds, absolute: false };
    let when = ExpiryOption { unit, number }.resolve(name, ctx.now)?;
    store_until(ctx, key, &args, 3, when, unit);
    Ok(ctx.reply.ok())
}

fn getset(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, value) = (args.arg()?, args.arg()?);
    let old = ctx.db.string(key)?;
    let replied = ctx.reply.bulk_or_null(old);
    let effect = ctx.propagate(&[b"SET", key, value]).db.set(key, new(&args, value), Ttl::Clear);
    ctx.record(effect);
    Ok(replied)
}
