//! Replication. We follow nobody yet; who follows us gets a snapshot and the stream (SYNC).

use super::super::row::{
    DEBUG, DENY_LOADING, HIDDEN, Kind, MULTI, Row, SENSITIVE, at, bytes, inert, int, live, maybe, one_of,
    refused, special, yes_no,
};
use super::super::special::REPLICAOF;
use super::{INT_MAX, LONG_MAX};

pub(in super::super) const NO_REPLICATION: &str = "there is no replication yet";
const NO_REPLICAS: &str = "there is no replication yet: no write could reach that many replicas";
const DISKLESS_LOAD: &[(&str, u32)] = &[("disabled", 0), ("on-empty-db", 1), ("swapdb", 2)];
const PROPAGATION_ERROR: &[(&str, u32)] = &[("ignore", 0), ("panic", 1), ("panic-on-replicas", 2)];

pub(in super::super) const ROWS: &[Row] = &[
    special("replicaof", &REPLICAOF, "Host and port of the master. `no one`: none.")
        .alias("slaveof")
        .fixed()
        .flags(MULTI)
        .refused(NO_REPLICATION),
    inert("masterauth", Kind::Secret, "Password at the master.").flags(SENSITIVE),
    inert("masteruser", maybe(), "User at the master.").flags(SENSITIVE),
    refused(
        "min-replicas-to-write",
        int(0, INT_MAX, 0),
        NO_REPLICAS,
        "Replicas without which writes are refused.",
    )
    .alias("min-slaves-to-write"),
    inert(
        "min-replicas-max-lag",
        int(0, INT_MAX, 10),
        "Seconds of silence after which a replica does not count.",
    )
    .alias("min-slaves-max-lag"),
    inert("replica-serve-stale-data", yes_no(true), "A replica without its master answers.")
        .alias("slave-serve-stale-data"),
    inert("replica-read-only", yes_no(true), "A replica refuses writes.")
        .alias("slave-read-only")
        .flags(DEBUG),
    inert("replica-lazy-flush", yes_no(false), "A replica frees its old data in a thread.")
        .alias("slave-lazy-flush"),
    inert("replica-ignore-maxmemory", yes_no(true), "A replica does not evict.")
        .alias("slave-ignore-maxmemory"),
    inert("replica-priority", int(0, INT_MAX, 100), "Order in which replicas become masters. 0: never.")
        .alias("slave-priority"),
    inert("replica-announced", yes_no(true), "Show this replica to Sentinel."),
    inert("replica-announce-ip", maybe(), "Address that a replica tells.").alias("slave-announce-ip"),
    inert("replica-announce-port", int(0, 65_535, 0), "Port that a replica tells.")
        .alias("slave-announce-port"),
    inert(
        "replica-ignore-disk-write-errors",
        yes_no(false),
        "A replica goes on when it cannot write its log.",
    ),
    inert("replica-full-sync-buffer-limit", bytes(0, LONG_MAX, 0), "Bytes a replica keeps while it loads."),
    inert("repl-diskless-sync", yes_no(true), "Send snapshots without a file.").flags(DEBUG),
    inert("repl-diskless-sync-delay", int(0, INT_MAX, 5), "Seconds to wait for more replicas."),
    inert("repl-diskless-sync-max-replicas", int(0, INT_MAX, 0), "Replicas at which not to wait. 0: wait."),
    inert("repl-diskless-load", one_of(DISKLESS_LOAD, 0), "Load a master's snapshot without a file.")
        .flags(DEBUG | DENY_LOADING),
    inert("repl-rdb-channel", yes_no(true), "Send snapshots on a connection of their own.").flags(HIDDEN),
    inert("repl-disable-tcp-nodelay", yes_no(false), "Fewer, later packets to replicas."),
    live(
        "repl-ping-replica-period",
        int(1, INT_MAX, 10),
        at!(repl_ping_replica_period),
        "Seconds between pings to replicas.",
    )
    .alias("repl-ping-slave-period"),
    inert("repl-timeout", int(1, INT_MAX, 60), "Seconds of silence after which the link is dead."),
    inert("repl-backlog-size", bytes(1, LONG_MAX, 1 << 20), "Bytes kept for replicas that come back."),
    inert("repl-backlog-ttl", int(0, LONG_MAX, 3600), "Seconds after which they are freed. 0: never."),
    inert(
        "propagation-error-behavior",
        one_of(PROPAGATION_ERROR, 0),
        "What follows when a replicated write fails.",
    ),
];
