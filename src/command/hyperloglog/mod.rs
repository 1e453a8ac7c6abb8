//! HyperLogLogs: estimates of how many different elements there are, kept in strings.
//!
//! Source of truth: Redis 8.0.6's `hyperloglog.c` for the order of checks, the recordings in `fixtures/oracle` for
//! answers and stored bytes; what the bytes mean is `value::hll`'s business.

mod pfadd;
mod pfcount;
mod pfdebug;
mod pfmerge;

use super::{CmdError, Command};
use crate::value::hll::{self, Damaged, Encoding};

/// The family's rows.
pub(super) const COMMANDS: &[&Command] =
    &[&pfadd::PFADD, &pfcount::PFCOUNT, &pfdebug::PFDEBUG, &pfmerge::PFMERGE, &pfdebug::PFSELFTEST];

/// The encoding of what is at a key, or the answer to what is no HyperLogLog.
fn check(bytes: &[u8]) -> Result<Encoding, CmdError> {
    hll::encoding(bytes).ok_or(CmdError::text("WRONGTYPE Key is not a valid HyperLogLog string value."))
}

impl From<Damaged> for CmdError {
    fn from(_: Damaged) -> CmdError {
        CmdError::text("INVALIDOBJ Corrupted HLL object detected")
    }
}
