//! What clients may take.

use super::super::row::{
    DEBUG, Hook, MULTI, Row, at, bytes, live, percent_or_bytes, special, ubytes, uint, yes_no,
};
use super::super::special::OUTPUT_LIMIT;
use super::{LONG_MAX, UINT_MAX};

pub(in super::super) const ROWS: &[Row] = &[
    live("maxclients", uint(1, UINT_MAX, 10_000), at!(maxclients), "Clients at once.").hook(Hook::MaxClients),
    special(
        "client-output-buffer-limit",
        &OUTPUT_LIMIT,
        "By class (normal, replica, pubsub): bytes of unread output at which a client is closed at once, bytes at \
         which it is closed after so many seconds.",
    )
    .flags(MULTI),
    live(
        "client-query-buffer-limit",
        ubytes(1 << 20, LONG_MAX, 1 << 30),
        at!(client_query_buffer_limit),
        "Bytes of input a client may have waiting.",
    )
    .flags(DEBUG),
    live("proto-max-bulk-len", bytes(1 << 20, LONG_MAX, 512 << 20), at!(proto_max_bulk_len), "Bytes of one argument.")
        .flags(DEBUG),
    live(
        "maxmemory-clients",
        percent_or_bytes(-100, LONG_MAX, 0),
        at!(maxmemory_clients),
        "Bytes (or percent of maxmemory) that all clients together may take; the biggest are closed. 0: no limit.",
    )
    .hook(Hook::MaxMemoryClients),
    live(
        "tracking-table-max-keys",
        ubytes_plain(),
        at!(tracking_table_max_keys),
        "Keys remembered for client tracking.",
    ),
    live(
        "hide-user-data-from-log",
        yes_no(false),
        at!(hide_user_data_from_log),
        "Keep arguments of requests out of the report of a crash. (Otherwise none are logged.)",
    )
    .hook(Hook::CrashLog),
];

const fn ubytes_plain() -> super::super::row::Kind {
    uint(0, LONG_MAX, 1_000_000)
}
