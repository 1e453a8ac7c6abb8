//! What the server tells about its work: events, slow log, latency.

use super::super::row::{MULTI, Row, at, int, live, special, yes_no};
use super::super::special::{NOTIFY, PERCENTILES};
use super::LONG_MAX;

pub(in super::super) const ROWS: &[Row] = &[
    special("notify-keyspace-events", &NOTIFY, "Keyspace events to publish, one letter each."),
    live(
        "slowlog-log-slower-than",
        int(-1, LONG_MAX, 10_000),
        at!(slowlog_log_slower_than),
        "Microseconds from which a command is slow. -1: none.",
    ),
    live("slowlog-max-len", int(0, LONG_MAX, 128), at!(slowlog_max_len), "Entries of the slow log."),
    live(
        "latency-monitor-threshold",
        int(0, LONG_MAX, 0),
        at!(latency_monitor_threshold),
        "Milliseconds from which a delay is recorded. 0: off.",
    ),
    live("latency-tracking", yes_no(true), at!(latency_tracking), "Histograms of every command's latency."),
    special("latency-tracking-info-percentiles", &PERCENTILES, "Percentiles that INFO shows.").flags(MULTI),
];
