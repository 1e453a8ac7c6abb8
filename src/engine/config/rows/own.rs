//! Directives that only this server has.

use super::super::check::until;
use super::super::fields::SaveVersion;
use super::super::row::{HIDDEN, Row, at, checked_text, live, maybe, one_of, yes_no};

/// `80` is the number of Valkey's version.
const VERSIONS: &[(&str, u32)] = &[
    SaveVersion::NAMES[0],
    SaveVersion::NAMES[1],
    SaveVersion::NAMES[2],
    SaveVersion::NAMES[3],
    SaveVersion::NAMES[4],
    ("80", SaveVersion::Valkey80 as u32),
];

pub(in super::super) const ROWS: &[Row] = &[
    live(
        "aof-until",
        checked_text("", until),
        at!(aof_until),
        "Serve the state that the append log had at a moment, read-only, and leave its files alone: unix seconds (a number \
         from 1000000000 on, or time:SECONDS), or bytes of the last file (a smaller number, or offset:BYTES) or of another \
         one (FILE:BYTES).",
    )
    .fixed()
    .flags(HIDDEN),
    // Hidden: who copies all that CONFIG GET * shows to another server must not copy this.
    live("port-file", maybe(), at!(port_file), "File for the number of the port in use, for `port 0`.")
        .fixed()
        .flags(HIDDEN),
    live(
        "huge-pages",
        yes_no(true),
        at!(huge_pages),
        "Huge pages for the data of a server that grows beyond 64 MiB, whatever disable-thp says: cheaper forks.",
    )
    .fixed()
    .flags(HIDDEN),
    live(
        "rdb-save-version",
        one_of(VERSIONS, 0),
        at!(rdb_save_version),
        "Version of the snapshots that are written: 10 (Redis 7.0), 11 (7.2), 12 (7.4, 8), valkey. Empty: the lowest \
         that holds the content.",
    ),
];
