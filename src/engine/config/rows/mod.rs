//! The table: every directive, by subject.

mod append;
mod clients;
mod cluster;
mod memory;
mod net;
mod own;
mod process;
mod replication;
mod security;
mod snapshot;
mod tls;
mod watch;

use super::row::Row;

pub(super) use replication::NO_REPLICATION;

/// Every directive, in the order in which CONFIG GET lists them.
pub(super) static ALL: [&[Row]; 12] = [
    net::ROWS,
    clients::ROWS,
    process::ROWS,
    snapshot::ROWS,
    append::ROWS,
    memory::ROWS,
    watch::ROWS,
    security::ROWS,
    replication::ROWS,
    cluster::ROWS,
    tls::ROWS,
    own::ROWS,
];

const INT_MAX: i64 = i32::MAX as i64;
const UINT_MAX: i64 = u32::MAX as i64;
const LONG_MAX: i64 = i64::MAX;
/// As the bound of an unsigned number: all 64 bits.
const ULONG_MAX: i64 = -1;
