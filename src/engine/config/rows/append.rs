//! The append log, which is not there yet.

use super::super::check::{append_dir, append_name};
use super::super::row::{HIDDEN, Row, bytes, checked_text, inert, int, one_of, refused, yes_no};
use super::{INT_MAX, LONG_MAX};

const FSYNC: &[(&str, u32)] = &[("everysec", 0), ("always", 1), ("no", 2)];

pub(in super::super) const ROWS: &[Row] = &[
    refused(
        "appendonly",
        yes_no(false),
        "there is no append log yet: writes since the last snapshot would be lost",
        "Log every write.",
    ),
    inert("appendfilename", checked_text("appendonly.aof", append_name), "Base name of the log's files.")
        .fixed(),
    inert(
        "appenddirname",
        checked_text("appendonlydir", append_dir),
        "Directory of the log's files, in dir.",
    )
    .fixed(),
    inert("appendfsync", one_of(FSYNC, 0), "When the log is synced."),
    inert("no-appendfsync-on-rewrite", yes_no(false), "Do not sync while a child writes."),
    inert(
        "auto-aof-rewrite-percentage",
        int(0, INT_MAX, 100),
        "Growth in percent at which the log is rewritten. 0: never.",
    ),
    inert("auto-aof-rewrite-min-size", bytes(0, LONG_MAX, 64 << 20), "Bytes below which it is not."),
    inert("aof-load-truncated", yes_no(true), "Load a log whose end is torn."),
    inert("aof-use-rdb-preamble", yes_no(true), "The base of a rewritten log is a snapshot."),
    inert("aof-timestamp-enabled", yes_no(false), "Times in the log."),
    inert("aof-rewrite-incremental-fsync", yes_no(true), "Sync while rewriting, not only at the end."),
    inert("aof-disable-auto-gc", yes_no(false), "Keep files that a rewrite made useless.").flags(HIDDEN),
];
