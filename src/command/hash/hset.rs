//! HSET, HMSET: set fields.

use crate::command::*;
use crate::value::hash::Ttl;

pub(super) const HSET: Command = Command {
    name: "hset",
    syntax: "key field value [field value ...]",
    summary: "Set fields, whatever they were before, and tell how many are new. Their expiries go.",
    since: "2.0.0",
    cost: "O(N) in the number of fields",
    group: Group::Hash,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[
        ("HSET h f v", "(integer) 1"),
        ("HSET h f", "ERR wrong number of arguments for 'hset' command"),
    ],
    run: |ctx, args| set(ctx, args, "hset").map(|new| ctx.reply.count(new)),
    ..Command::BASE
};

pub(super) const HMSET: Command = Command {
    name: "hmset",
    summary: "Set fields, whatever they were before.",
    deprecated: Some(("4.0.0", "`HSET` with multiple field-value pairs")),
    examples: &[("HMSET h f v", "OK")],
    run: |ctx, args| set(ctx, args, "hmset").map(|_| ctx.reply.ok()),
    ..HSET
};

/// Sets all fields; how many are new.
fn set(ctx: &mut Ctx<'_>, mut args: Args<'_>, name: &'static str) -> Result<usize, CmdError> {
    if args.len() % 2 == 1 {
        return Err(CmdError::Arity(name.into()));
    }
    let key = args.arg()?;
    let pairs = args.remaining() / 2;
    let (new, effect) = ctx.db.edit_hash(key, Missing::Create, |hash, limits| {
        if pairs > 1 {
            hash.expect(pairs, args.clone().map(<[u8]>::len), limits);
        }
        let mut new = 0;
        while let (Some(field), Some(value)) = (args.next(), args.next()) {
            new += usize::from(hash.set(field, value, Ttl::Clear, limits));
        }
        (new, Change::new("hset", pairs))
    })?;
    ctx.record(effect);
    Ok(new.unwrap_or(0))
}
