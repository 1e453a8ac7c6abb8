//! HGET, HMGET: read fields.
//!
//! A field past its time is deleted when it is met, with a HDEL in the log, though these only read.

use crate::command::answer::ReplyExt;
use crate::command::*;

pub(super) const HGET: Command = Command {
    name: "hget",
    syntax: "key field",
    summary: "Read a field.",
    since: "2.0.0",
    group: Group::Hash,
    arity: Arity::Exactly(3),
    flags: READONLY.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("HGET nosuch f", "(nil)")],
    run: hget,
    ..Command::BASE
};

pub(super) const HMGET: Command = Command {
    name: "hmget",
    syntax: "key field [field ...]",
    summary: "Read several fields.",
    cost: "O(N) in the number of fields asked for",
    arity: Arity::AtLeast(3),
    examples: &[(
        "HMGET nosuch f g",
        "1) (nil)
2) (nil)",
    )],
    run: hmget,
    ..HGET
};

fn hget(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, field) = (args.arg()?, args.arg()?);
    let clock = ctx.db.field_clock();
    let Some(hash) = ctx.db.hash(key)? else {
        return Ok(ctx.reply.null());
    };
    match hash.get(field) {
        None => return Ok(ctx.reply.null()),
        Some(item) if !item.expired(clock) => return Ok(ctx.reply.element(item.value)),
        Some(_) => {}
    }
    ctx.db.lapse_fields(key, [field]);
    Ok(ctx.reply.null())
}

fn hmget(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let clock = ctx.db.field_clock();
    let hash = ctx.db.hash(key)?;
    let replied = ctx.reply.array(args.remaining());
    let mut expired = false;
    for field in args.clone() {
        match hash.as_ref().and_then(|hash| hash.get(field)) {
            Some(item) if !item.expired(clock) => ctx.reply.element(item.value),
            found => {
                expired |= found.is_some();
                ctx.reply.null()
            }
        };
    }
    if expired {
        ctx.db.lapse_fields(key, args);
    }
    Ok(replied)
}
