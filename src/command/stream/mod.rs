//! Streams: entries of fields under ascending ids, and groups of consumers that share the reading.
//!
//! Readers wait by `Ctx::block`. Source of truth: Redis 8.0.6's `t_stream.c` for the order of checks, the recordings in `fixtures/oracle` for answers and
//! log frames; what the operations do to the data is in `value::stream`.

mod claim;
mod entry;
mod id;
mod trim;
mod xack;
mod xadd;
mod xautoclaim;
mod xclaim;
mod xdel;
mod xgroup;
mod xinfo;
mod xinfo_stream;
mod xlen;
mod xpending;
mod xrange;
mod xread;
mod xreadgroup;
mod xsetid;
mod xtrim;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &xack::XACK,
    &xadd::XADD,
    &xautoclaim::XAUTOCLAIM,
    &xclaim::XCLAIM,
    &xdel::XDEL,
    &xgroup::XGROUP,
    &xinfo::XINFO,
    &xlen::XLEN,
    &xpending::XPENDING,
    &xrange::XRANGE,
    &xrange::XREVRANGE,
    &xread::XREAD,
    &xreadgroup::XREADGROUP,
    &xsetid::XSETID,
    &xtrim::XTRIM,
];
