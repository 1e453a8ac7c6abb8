//! HLEN, HSTRLEN, HEXISTS: what there is, without its contents.

use crate::command::*;

pub(super) const HLEN: Command = Command {
    name: "hlen",
    syntax: "key",
    summary: "The number of fields, those past their time included that nothing has removed yet.",
    since: "2.0.0",
    group: Group::Hash,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("HLEN nosuch", "(integer) 0")],
    run: hlen,
    ..Command::BASE
};

pub(super) const HSTRLEN: Command = Command {
    name: "hstrlen",
    syntax: "key field",
    summary: "The number of bytes of a field's value.",
    since: "3.2.0",
    arity: Arity::Exactly(3),
    examples: &[("HSTRLEN nosuch f", "(integer) 0")],
    run: |ctx, args| field(ctx, args, |value_len| value_len),
    ..HLEN
};

pub(super) const HEXISTS: Command = Command {
    name: "hexists",
    summary: "Whether there is a field.",
    since: "2.0.0",
    examples: &[("HEXISTS nosuch f", "(integer) 0")],
    run: |ctx, args| field(ctx, args, |_| 1),
    ..HSTRLEN
};

fn hlen(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let len = ctx.db.hash(args.arg()?)?.map_or(0, |hash| hash.len());
    Ok(ctx.reply.count(len))
}

/// Answers a number that is made of the length of a field's value, 0 without the field.
fn field(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    number: impl Fn(usize) -> usize,
) -> Result<Replied, CmdError> {
    let (key, field) = (args.arg()?, args.arg()?);
    ctx.db.lapse_fields(key, [field]);
    let clock = ctx.db.field_clock();
    let hash = ctx.db.hash(key)?;
    let found = hash.as_ref().and_then(|hash| hash.get_live(field, clock));
    Ok(ctx.reply.count(found.map_or(0, |item| number(item.value.text_len()))))
}
