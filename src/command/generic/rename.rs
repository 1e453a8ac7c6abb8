//! RENAME, RENAMENX: give a key another name.

use crate::command::*;

pub(super) const RENAME: Command = Command {
    name: "rename",
    syntax: "key newkey",
    summary: "Give a key another name, over whatever had it.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(3),
    flags: WRITE,
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE)), KeySpec::at(2, OW.or(UPDATE))],
    examples: &[("RENAME nosuch k", "ERR no such key")],
    run: rename,
    ..Command::BASE
};

pub(super) const RENAMENX: Command = Command {
    name: "renamenx",
    summary: "Give a key another name, if nothing has it.",
    flags: WRITE.or(FAST),
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE)), KeySpec::at(2, OW.or(INSERT))],
    examples: &[("RENAMENX nosuch k", "ERR no such key")],
    run: renamenx,
    ..RENAME
};

fn rename(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (from, to) = (args.arg()?, args.arg()?);
    if !ctx.db.contains_for_write(from) {
        return Err(CmdError::NoSuchKey);
    }
    if from != to {
        move_over(ctx, from, to);
    }
    Ok(ctx.reply.ok())
}

fn renamenx(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (from, to) = (args.arg()?, args.arg()?);
    if !ctx.db.contains_for_write(from) {
        return Err(CmdError::NoSuchKey);
    }
    if ctx.db.contains_for_write(to) {
        return Ok(ctx.reply.int(0));
    }
    move_over(ctx, from, to);
    Ok(ctx.reply.int(1))
}

fn move_over(ctx: &mut Ctx<'_>, from: &[u8], to: &[u8]) {
    let effects = ctx.db.rename(from, to).expect("it was just seen");
    effects.into_iter().for_each(|effect| ctx.record(effect));
}
