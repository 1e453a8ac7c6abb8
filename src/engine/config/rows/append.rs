//! The append log.

use super::super::check::{append_dir, append_name};
use super::super::fields::Fsync;
use super::super::row::{HIDDEN, Hook, Row, at, bytes, checked_text, int, live, one_of, yes_no};
use super::{INT_MAX, LONG_MAX};

pub(in super::super) const ROWS: &[Row] = &[
    live("appendonly", yes_no(false), at!(appendonly), "Log every write.").hook(Hook::AppendOnly),
    live(
        "appendfilename",
        checked_text("appendonly.aof", append_name),
        at!(appendfilename),
        "Base name of the log's files.",
    )
    .fixed(),
    live(
        "appenddirname",
        checked_text("appendonlydir", append_dir),
        at!(appenddirname),
        "Directory of the log's files, in dir.",
    )
    .fixed(),
    live(
        "appendfsync",
        one_of(Fsync::NAMES, Fsync::EverySecond as u32),
        at!(appendfsync),
        "When the log is synced.",
    ),
    live(
        "no-appendfsync-on-rewrite",
        yes_no(false),
        at!(no_appendfsync_on_rewrite),
        "Do not sync while a child writes.",
    ),
    live(
        "auto-aof-rewrite-percentage",
        int(0, INT_MAX, 100),
        at!(auto_aof_rewrite_percentage),
        "Growth in percent at which the log is rewritten. 0: never.",
    ),
    live(
        "auto-aof-rewrite-min-size",
        bytes(0, LONG_MAX, 64 << 20),
        at!(auto_aof_rewrite_min_size),
        "Bytes below which it is not.",
    ),
    live("aof-load-truncated", yes_no(true), at!(aof_load_truncated), "Load a log whose end is torn."),
    live(
        "aof-use-rdb-preamble",
        yes_no(true),
        at!(aof_use_rdb_preamble),
        "The base of a rewritten log is a snapshot.",
    ),
    live("aof-timestamp-enabled", yes_no(false), at!(aof_timestamp_enabled), "Times in the log."),
    live(
        "aof-rewrite-incremental-fsync",
        yes_no(true),
        at!(aof_rewrite_incremental_fsync),
        "Sync while rewriting, not only at the end.",
    ),
    live(
        "aof-disable-auto-gc",
        yes_no(false),
        at!(aof_disable_auto_gc),
        "Keep files that a rewrite made useless.",
    )
    .flags(HIDDEN)
    .hook(Hook::AppendGarbage),
];
