//! GETRANGE, SUBSTR, SETRANGE: read and write part of a string.

use super::check_length;
use crate::command::*;

pub(super) const GETRANGE: Command = Command {
    name: "getrange",
    syntax: "key start end",
    summary: "Read part of a string; negative positions count from its end.",
    since: "2.4.0",
    cost: "O(N) in the number of bytes read",
    group: Group::String,
    arity: Arity::Exactly(4),
    flags: READONLY,
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("GETRANGE nosuch 0 -1", "\"\"")],
    run: getrange,
    ..Command::BASE
};

pub(super) const SUBSTR: Command = Command {
    name: "substr",
    summary: "Read part of a string, as GETRANGE does.",
    since: "1.0.0",
    deprecated: Some(("2.0.0", "`GETRANGE`")),
    examples: &[("SUBSTR nosuch 0 -1", "\"\"")],
    ..GETRANGE
};

pub(super) const SETRANGE: Command = Command {
    name: "setrange",
    syntax: "key offset value",
    summary: "Write over part of a string, which grows with zero bytes as needed.",
    since: "2.2.0",
    cost: "O(N) in the number of bytes written",
    group: Group::String,
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("SETRANGE k 3 x", "(integer) 4"), ("SETRANGE k -1 x", "ERR offset is out of range")],
    run: setrange,
    ..Command::BASE
};

/// The part of `len` bytes that a range means, both ends included; negative ones count from the end.
pub(in crate::command) fn clip(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    if start < 0 && end < 0 && start > end {
        return 0..0;
    }
    clip_ends(start, end, len)
}

/// The same as BITPOS sees it: two ends in front of the first byte mean that byte, whichever is the first.
pub(in crate::command) fn clip_ends(start: i64, end: i64, len: usize) -> std::ops::Range<usize> {
    let len_signed = i64::try_from(len).unwrap_or(i64::MAX);
    let from_start = |at: i64| if at < 0 { at.saturating_add(len_signed).max(0) } else { at };
    let (start, end) = (from_start(start), from_start(end).min(len_signed - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

/// A part this long is handed over by reference instead of being copied into the output.
const SHARE_FROM: usize = 64 << 10;

fn getrange(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (start, end) = (args.int()?, args.int()?);
    let value = ctx.db.string(key)?.unwrap_or_default();
    let range = clip(start, end, value.len());
    if range.len() < SHARE_FROM {
        return Ok(ctx.reply.bulk(&value[range]));
    }
    let value = ctx.db.share_string(key).expect("a string of this length is on its own");
    Ok(ctx.reply.bulk_shared(value.slice(range)))
}

fn setrange(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let offset = args.int()?;
    let value = args.arg()?;
    let offset = usize::try_from(offset).map_err(|_| CmdError::text("ERR offset is out of range"))?;
    let len = ctx.db.string_for_write(key)?.map_or(0, <[u8]>::len);
    if value.is_empty() {
        return Ok(ctx.reply.count(len));
    }
    let end = check_length(ctx, offset, value.len())?;
    let ((), effect) = ctx.db.edit_string(key, len.max(end), "setrange", |bytes| {
        bytes[offset..end].copy_from_slice(value);
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(len.max(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_as_the_server() {
        let cases = [
            (0, 4, 11, 0..5),
            (0, -1, 11, 0..11),
            (-5, -1, 11, 6..11),
            (-100, 100, 11, 0..11),
            (5, 3, 11, 0..0),
            (11, 11, 11, 0..0),
            (-1, -5, 11, 0..0),
            (-100, -90, 11, 0..1), // both ends are moved to the first byte
            (i64::MIN, i64::MAX, 11, 0..11),
            (i64::MAX, i64::MIN, 11, 0..0),
            (0, -1, 0, 0..0),
            (0, 0, 0, 0..0),
        ];
        for (start, end, len, range) in cases {
            assert_eq!(clip(start, end, len), range, "{start} {end} {len}");
        }
    }
}
