//! Snapshots: where, when and how.

use super::super::check::snapshot_name;
use super::super::fields::Sanitize;
use super::super::row::{
    DEBUG, DENY_LOADING, HIDDEN, Hook, MULTI, PROTECTED, Row, at, checked_text, int, live, one_of, special,
    yes_no,
};
use super::super::special::{DIR, SAVE};
use super::INT_MAX;

pub(in super::super) const ROWS: &[Row] = &[
    special("dir", &DIR, "The working directory: where snapshots are.")
        .flags(PROTECTED | DENY_LOADING)
        .hook(Hook::Dir),
    live("dbfilename", checked_text("dump.rdb", snapshot_name), at!(dbfilename), "Name of the snapshot.")
        .flags(PROTECTED),
    special(
        "save",
        &SAVE,
        "Pairs of seconds and changes: save when so much changed in that time. Empty: never by itself.",
    )
    .flags(MULTI),
    live("rdbcompression", yes_no(true), at!(rdbcompression), "Compress strings."),
    live("rdbchecksum", yes_no(true), at!(rdbchecksum), "Write and check checksums.").fixed(),
    live(
        "rdb-del-sync-files",
        yes_no(false),
        at!(rdb_del_sync_files),
        "Remove snapshots that only replication needed.",
    ),
    live(
        "rdb-save-incremental-fsync",
        yes_no(true),
        at!(rdb_save_incremental_fsync),
        "Sync while writing, not only at the end.",
    ),
    live(
        "stop-writes-on-bgsave-error",
        yes_no(true),
        at!(stop_writes_on_bgsave_error),
        "Refuse writes after a failed background save, until one succeeds.",
    ),
    live(
        "rdb-key-save-delay",
        int(-INT_MAX - 1, INT_MAX, 0),
        at!(rdb_key_save_delay),
        "Microseconds to sleep per key while saving, for tests; negative: per so many keys.",
    )
    .flags(HIDDEN),
    live("key-load-delay", int(-INT_MAX - 1, INT_MAX, 0), at!(key_load_delay), "The same while loading.")
        .flags(HIDDEN),
    live(
        "loading-process-events-interval-bytes",
        int(1024, INT_MAX, 512 << 10),
        at!(loading_process_events_interval_bytes),
        "Bytes loaded between two looks at the clients.",
    )
    .flags(HIDDEN),
    live(
        "sanitize-dump-payload",
        one_of(Sanitize::NAMES, Sanitize::No as u32),
        at!(sanitize_dump_payload),
        "Which payloads are checked in depth. (We check all that we take.)",
    )
    .flags(DEBUG),
];
