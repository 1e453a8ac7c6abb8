//! Strings as rows of bits: the first byte's highest bit is bit 0.

mod bit;
mod count;
mod field;
mod op;

use super::{CmdError, Command, Ctx};
use crate::text::num;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &count::BITCOUNT,
    &field::BITFIELD,
    &field::BITFIELD_RO,
    &op::BITOP,
    &count::BITPOS,
    &bit::GETBIT,
    &bit::SETBIT,
];

const BAD_OFFSET: CmdError =
    CmdError::Other(std::borrow::Cow::Borrowed("ERR bit offset is not an integer or out of range"));

/// Reads a bit's place, counted in units of `unit` bits; the string that reaches there must be allowed to exist.
fn offset(ctx: &Ctx<'_>, text: &[u8], unit: u64) -> Result<u64, CmdError> {
    let number = num::parse_i64(text).and_then(|n| u64::try_from(n).ok()).ok_or(BAD_OFFSET)?;
    number
        .checked_mul(unit)
        .filter(|bits| i64::try_from(*bits).is_ok() && bits >> 3 < ctx.state.config.proto_max_bulk_len)
        .ok_or(BAD_OFFSET)
}
