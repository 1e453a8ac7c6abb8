//! What the commands on fields' expiries share: the deadline, and `FIELDS numfields field ...`.
//!
//! Source: `t_hash.c` of Redis 8.0, for the order in which things are judged.

use crate::command::*;
use crate::keyspace::Type;

/// The latest deadline of a field, in unix ms: the real server keeps 46 bits.
const LATEST: i64 = (1 << 46) - 1;

/// What is wrong with a number of fields that is none, in most commands.
pub(super) const NO_COUNT: &str = "ERR Number of fields must be a positive integer";

/// Whether there is a hash at a key; an error if it is of another type.
pub(super) fn is_hash(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<bool, CmdError> {
    match ctx.db.type_of(key) {
        None => Ok(false),
        Some(Type::Hash) => Ok(true),
        Some(_) => Err(CmdError::WrongType),
    }
}

/// Reads `FIELDS numfields` and leaves the cursor at the first field, of which there must be so many and nothing else.
pub(super) fn counted(args: &mut Args<'_>, no_count: &'static str) -> Result<(), CmdError> {
    if !parse::is(args.arg()?, "FIELDS") {
        let line = "ERR Mandatory argument FIELDS is missing or not at the right position";
        return Err(CmdError::text(line));
    }
    let count = parse::at_least(1, args.arg()?, no_count)?;
    if count != args.remaining() as i64 {
        let line = "ERR The `numfields` parameter must match the number of arguments";
        return Err(CmdError::text(line));
    }
    Ok(())
}

/// How a deadline is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// In seconds, not milliseconds.
    pub(super) seconds: bool,
    /// A point in unix time, not a span from now on.
    pub(super) absolute: bool,
}

impl Unit {
    /// The unit that EX, PX, EXAT and PXAT stand for.
    pub(super) fn of(word: &[u8]) -> Option<Unit> {
        let unit = |seconds, absolute| Some(Unit { seconds, absolute });
        match () {
            () if parse::is(word, "EX") => unit(true, false),
            () if parse::is(word, "PX") => unit(false, false),
            () if parse::is(word, "EXAT") => unit(true, true),
            () if parse::is(word, "PXAT") => unit(false, true),
            () => None,
        }
    }

    /// The deadline that a number means, in unix ms.
    pub(super) fn deadline(
        self,
        number: &[u8],
        command: &'static str,
        ctx: &Ctx<'_>,
    ) -> Result<u64, CmdError> {
        let number = parse::int(number)?;
        if number < 0 {
            return Err(CmdError::text("ERR invalid expire time, must be >= 0"));
        }
        let ms = if self.seconds { number.checked_mul(1000) } else { Some(number) };
        let from = if self.absolute { 0 } else { i64::try_from(ctx.now.ms).unwrap_or(LATEST) };
        let at = ms.and_then(|ms| ms.checked_add(from)).filter(|at| *at <= LATEST);
        at.map(|at| at as u64).ok_or(CmdError::InvalidExpire(command))
    }
}

/// Tells the log that fields were deleted, one by one as the real server does.
pub(super) fn propagate_deletions(ctx: &mut Ctx<'_>, key: &[u8], fields: &[&[u8]]) {
    ctx.db.keyspace().stats.expired_fields += fields.len() as u64;
    for field in fields {
        ctx.propagate(&[b"HDEL", key, field]);
    }
}
