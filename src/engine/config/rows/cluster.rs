//! Cluster, which is not there yet.

use super::super::check::{hostname, node_name};
use super::super::row::{
    HIDDEN, Row, at, checked_maybe, inert, int, live, maybe, one_of, refused, text, ubytes, yes_no,
};
use super::{INT_MAX, LONG_MAX, ULONG_MAX};

const ENDPOINT: &[(&str, u32)] = &[("ip", 0), ("hostname", 1), ("unknown-endpoint", 2)];

pub(in super::super) const ROWS: &[Row] = &[
    refused(
        "cluster-enabled",
        yes_no(false),
        "there is no cluster yet: every key would be taken as this node's",
        "Be a node of a cluster.",
    )
    .fixed(),
    inert("cluster-config-file", text("nodes.conf"), "File that the node keeps its view in.").fixed(),
    inert("cluster-node-timeout", int(0, LONG_MAX, 15_000), "Milliseconds after which a node is down."),
    inert("cluster-port", int(0, 65_535, 0), "Port of the cluster bus. 0: 10000 above port.").fixed(),
    inert("cluster-ping-interval", int(0, LONG_MAX, 0), "Milliseconds between pings, for tests.")
        .flags(HIDDEN),
    inert("cluster-replica-validity-factor", int(0, INT_MAX, 10), "How stale a replica may be to take over.")
        .alias("cluster-slave-validity-factor"),
    inert("cluster-migration-barrier", int(0, INT_MAX, 1), "Replicas that a master keeps."),
    inert("cluster-allow-replica-migration", yes_no(true), "Replicas move to masters without."),
    inert("cluster-require-full-coverage", yes_no(true), "Serve only while all slots are."),
    inert("cluster-replica-no-failover", yes_no(false), "This replica never takes over.")
        .alias("cluster-slave-no-failover"),
    inert("cluster-allow-reads-when-down", yes_no(false), "Reads while the cluster is down."),
    inert("cluster-allow-pubsubshard-when-down", yes_no(true), "Shard channels while the cluster is down."),
    inert(
        "cluster-link-sendbuf-limit",
        ubytes(0, ULONG_MAX, 0),
        "Bytes that may wait for a node. 0: no limit.",
    ),
    inert("cluster-announce-ip", maybe(), "Address that the node tells."),
    inert("cluster-announce-port", int(0, 65_535, 0), "Port that the node tells."),
    inert("cluster-announce-tls-port", int(0, 65_535, 0), "TLS port that the node tells."),
    inert("cluster-announce-bus-port", int(0, 65_535, 0), "Bus port that the node tells."),
    inert("cluster-announce-hostname", checked_maybe(hostname), "Host name that the node tells."),
    inert("cluster-announce-human-nodename", checked_maybe(node_name), "Name for people."),
    inert("cluster-preferred-endpoint-type", one_of(ENDPOINT, 0), "What redirections name."),
    live(
        "cluster-compatibility-sample-ratio",
        int(0, 100, 0),
        at!(cluster_compatibility_sample_ratio),
        "Percent of commands checked for use in a cluster.",
    ),
];
