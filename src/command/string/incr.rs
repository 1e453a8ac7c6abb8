//! INCR, DECR, INCRBY, DECRBY: count.

use crate::command::*;
use crate::keyspace::AddError;

pub(super) const INCR: Command = Command {
    name: "incr",
    syntax: "key",
    summary: "Add one to the integer at a key, which begins at 0.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(2),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    examples: &[("INCR k", "(integer) 1")],
    run: |ctx, mut args| add(ctx, args.arg()?, 1),
    ..Command::BASE
};

pub(super) const DECR: Command = Command {
    name: "decr",
    summary: "Take one from the integer at a key, which begins at 0.",
    examples: &[("DECR k", "(integer) -1")],
    run: |ctx, mut args| add(ctx, args.arg()?, -1),
    ..INCR
};

pub(super) const INCRBY: Command = Command {
    name: "incrby",
    syntax: "key increment",
    summary: "Add to the integer at a key, which begins at 0.",
    arity: Arity::Exactly(3),
    examples: &[("INCRBY k 5", "(integer) 5"), ("INCRBY k x", "ERR value is not an integer or out of range")],
    run: incrby,
    ..INCR
};

pub(super) const DECRBY: Command = Command {
    name: "decrby",
    syntax: "key decrement",
    summary: "Take from the integer at a key, which begins at 0.",
    arity: Arity::Exactly(3),
    examples: &[
        ("DECRBY k 5", "(integer) -5"),
        ("DECRBY k -9223372036854775808", "ERR decrement would overflow"),
    ],
    run: decrby,
    ..INCR
};

fn incrby(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let by = args.int()?;
    add(ctx, key, by)
}

fn decrby(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let by = args.int()?.checked_neg().ok_or(CmdError::text("ERR decrement would overflow"))?;
    add(ctx, key, by)
}

fn add(ctx: &mut Ctx<'_>, key: &[u8], by: i64) -> Result<Replied, CmdError> {
    let (sum, effect) = ctx.db.add(key, by).map_err(refused)?;
    ctx.record(effect);
    Ok(ctx.reply.int(sum))
}

fn refused(error: AddError) -> CmdError {
    match error {
        AddError::WrongType => CmdError::WrongType,
        AddError::NotInteger => CmdError::NotInteger,
        AddError::Overflow => CmdError::text("ERR increment or decrement would overflow"),
    }
}
