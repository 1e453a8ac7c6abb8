//! Strings and counters.

mod append;
mod get;
mod getex;
mod incr;
mod incrbyfloat;
mod lcs;
mod mget;
mod mset;
pub(in crate::command) mod range;
mod set;
mod setex;
mod strlen;

use super::{CmdError, Command, Ctx};

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &append::APPEND,
    &incr::DECR,
    &incr::DECRBY,
    &get::GET,
    &getex::GETDEL,
    &getex::GETEX,
    &range::GETRANGE,
    &setex::GETSET,
    &incr::INCR,
    &incr::INCRBY,
    &incrbyfloat::INCRBYFLOAT,
    &lcs::LCS,
    &mget::MGET,
    &mset::MSET,
    &mset::MSETNX,
    &setex::PSETEX,
    &set::SET,
    &setex::SETEX,
    &setex::SETNX,
    &range::SETRANGE,
    &strlen::STRLEN,
    &range::SUBSTR,
];

/// The length of a string of `len` bytes with `more` behind it, unless that is beyond `proto-max-bulk-len`.
fn check_length(ctx: &Ctx<'_>, len: usize, more: usize) -> Result<usize, CmdError> {
    let most = usize::try_from(ctx.state.config.proto_max_bulk_len).unwrap_or(usize::MAX);
    len.checked_add(more)
        .filter(|sum| *sum <= most)
        .ok_or(CmdError::text("ERR string exceeds maximum allowed size (proto-max-bulk-len)"))
}
