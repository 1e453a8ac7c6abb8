//! GETBIT, SETBIT: one bit.

use super::offset;
use crate::command::*;

pub(super) const GETBIT: Command = Command {
    name: "getbit",
    syntax: "key offset",
    summary: "Read one bit of a string; those behind its end are 0.",
    since: "2.2.0",
    cost: "O(1)",
    group: Group::Bitmap,
    arity: Arity::Exactly(3),
    flags: READONLY.or(FAST),
    acl: acl::BITMAP,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("GETBIT nosuch 7", "(integer) 0")],
    run: getbit,
    ..Command::BASE
};

pub(super) const SETBIT: Command = Command {
    name: "setbit",
    syntax: "key offset value",
    summary: "Write one bit of a string, which grows as needed, and answer what it was.",
    since: "2.2.0",
    cost: "O(1)",
    group: Group::Bitmap,
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM),
    acl: acl::BITMAP,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    examples: &[
        ("SETBIT k 7 1", "(integer) 0"),
        ("SETBIT k 7 2", "ERR bit is not an integer or out of range"),
    ],
    run: setbit,
    ..Command::BASE
};

fn getbit(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let at = offset(ctx, args.arg()?, 1)?;
    let value = ctx.db.string(key)?.unwrap_or_default();
    let byte = value.get((at >> 3) as usize).copied().unwrap_or(0);
    Ok(ctx.reply.int(i64::from(byte >> (7 - (at & 7)) & 1)))
}

fn setbit(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let at = offset(ctx, args.arg()?, 1)?;
    let on = match args.arg()? {
        b"0" => false,
        b"1" => true,
        _ => return Err(CmdError::text("ERR bit is not an integer or out of range")),
    };
    let (byte, mask) = ((at >> 3) as usize, 0x80_u8 >> (at & 7));
    let old_len = ctx.db.string_for_write(key)?.map_or(0, <[u8]>::len);
    let len = old_len.max(byte + 1);
    let (was, effect) = ctx.db.edit_string(key, len, "setbit", |bytes| {
        let was = bytes[byte] & mask != 0;
        bytes[byte] = if on { bytes[byte] | mask } else { bytes[byte] & !mask };
        was
    })?;
    if len > old_len || was != on {
        ctx.record(effect);
    }
    Ok(ctx.reply.int(i64::from(was)))
}
