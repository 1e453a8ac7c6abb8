//! HINCRBY, HINCRBYFLOAT: count in a field.

use crate::command::*;
use crate::text::cfloat::{self, AddError, LongDouble};
use crate::value::hash::{Item, Ttl};

pub(super) const HINCRBY: Command = Command {
    name: "hincrby",
    syntax: "key field increment",
    summary: "Add to the integer in a field, which begins at 0. Its expiry stays.",
    since: "2.0.0",
    group: Group::Hash,
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    examples: &[
        ("HINCRBY h f 5", "(integer) 5"),
        ("HINCRBY h f x", "ERR value is not an integer or out of range"),
    ],
    run: hincrby,
    ..Command::BASE
};

pub(super) const HINCRBYFLOAT: Command = Command {
    name: "hincrbyfloat",
    summary: "Add to the number in a field, which begins at 0. Its expiry stays.",
    since: "2.6.0",
    propagate: Propagate::Rewritten, // as the sum, so that a replay need not compute it
    examples: &[
        ("HINCRBYFLOAT h f 0.5", "\"0.5\""),
        ("HINCRBYFLOAT h f x", "ERR value is not a valid float"),
    ],
    run: hincrbyfloat,
    ..HINCRBY
};

fn hincrby(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, field, by) = (args.arg()?, args.arg()?, args.int()?);
    let (sum, effect) = change(ctx, key, field, "hincrby", |old| {
        let old = old.map_or(Some(0), |item| item.value.as_int());
        let old = old.ok_or(CmdError::text("ERR hash value is not an integer"))?;
        old.checked_add(by).ok_or(CmdError::text("ERR increment or decrement would overflow"))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.int(sum))
}

fn hincrbyfloat(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, field, by) = (args.arg()?, args.arg()?, args.arg()?);
    match cfloat::long_double_kind(by) {
        Some(LongDouble::Finite) => {}
        Some(LongDouble::Infinite) => return Err(CmdError::text("ERR value is NaN or Infinity")),
        None => return Err(CmdError::NotFloat),
    }
    let (sum, effect) = change(ctx, key, field, "hincrbyfloat", |old| {
        let mut buf = itoa::Buffer::new();
        let old = old.as_ref().map_or(&b"0"[..], |item| item.value.text(&mut buf));
        cfloat::add_long_double(old, by).map_err(refused)
    })?;
    ctx.propagate(&[b"HSETEX", key, b"KEEPTTL", b"FIELDS", b"1", field, &sum]);
    ctx.record(effect);
    Ok(ctx.reply.bulk(&sum))
}

fn refused(error: AddError) -> CmdError {
    match error {
        AddError::First => CmdError::text("ERR hash value is not a float"),
        AddError::Second => CmdError::NotFloat,
        AddError::Sum => CmdError::text("ERR increment would produce NaN or Infinity"),
    }
}

/// What a field is set to.
trait Sum {
    fn text<'b>(&'b self, buf: &'b mut itoa::Buffer) -> &'b [u8];
}

impl Sum for i64 {
    fn text<'b>(&'b self, buf: &'b mut itoa::Buffer) -> &'b [u8] {
        buf.format(*self).as_bytes()
    }
}

impl Sum for Vec<u8> {
    fn text<'b>(&'b self, _: &'b mut itoa::Buffer) -> &'b [u8] {
        self
    }
}

/// Sets a field to what `sum` makes of it; one past its time is missing, and its successor has no expiry.
fn change<'k, S: Sum>(
    ctx: &mut Ctx<'_>,
    key: &'k [u8],
    field: &[u8],
    event: &'static str,
    sum: impl FnOnce(Option<Item<'_>>) -> Result<S, CmdError>,
) -> Result<(S, Effect<'k>), CmdError> {
    ctx.db.lapse_fields(key, [field]);
    let clock = ctx.db.field_clock();
    let (sum, effect) = ctx.db.edit_hash(key, Missing::Create, |hash, limits| {
        let old = hash.get_live(field, clock);
        let ttl = if old.is_some() { Ttl::Keep } else { Ttl::Clear };
        let sum = sum(old);
        let Ok(value) = &sum else { return (sum, Change::NONE) };
        hash.set(field, value.text(&mut itoa::Buffer::new()), ttl, limits);
        (sum, Change::new(event, 1))
    })?;
    Ok((sum.expect("a missing hash is created")?, effect))
}
