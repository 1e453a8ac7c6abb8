//! `--aof-until`: the state of an earlier moment.

use super::{case, files, frames, log_of, text};
use crate::client::Value;

const LINES: [&str; 9] = [
    "SET a 1",
    "#TS:1700000000",
    "SET a 2",
    "SET gone x PXAT 1700000005000",
    "#TS:1700000010",
    "MULTI",
    "SET a 3",
    "EXEC",
    "DEL gone",
];

fn shows(home: &crate::node::Home, until: &str, want: &str) {
    let before = files(&home.data());
    let node = home.start(&["--aof-until", until, "--appendonly", "yes", "--save", "1 1"]);
    assert_eq!(text(&node.ask("MGET a gone")), want, "{until}: {}", node.log());
    assert!(node.error("SET a 9").starts_with("READONLY "));
    assert!(node.error("FLUSHALL").starts_with("READONLY "));
    assert!(node.error("BGREWRITEAOF").starts_with("READONLY "));
    assert!(node.error("CONFIG SET appendonly yes").contains("aof-until"));
    drop(node);
    assert_eq!(files(&home.data()), before, "{until}: the files stay as they are");
}

#[test]
fn a_moment_by_time_or_offset() {
    let home = log_of(&frames(&LINES));
    let rows = [
        ("1800000000", "3 nil"),
        ("1700000010", "3 nil"),
        ("1700000009", "2 x"),
        ("1700000000", "2 x"),
        ("1699999999", "1 nil"),
        ("time:1700000009", "2 x"),
    ];
    for (until, want) in rows {
        shows(&home, until, want);
    }
    let up_to = |lines: usize| frames(&LINES[..lines]).len();
    for (offset, want) in [
        (0, "nil nil"),
        (up_to(1) - 1, "nil nil"),
        (up_to(1), "1 nil"),
        (up_to(3), "2 nil"),
        (up_to(8) - 1, "2 x"),
        (up_to(8), "3 x"),
        (up_to(9) + 100, "3 nil"),
    ] {
        shows(&home, &offset.to_string(), want);
        shows(&home, &format!("appendonly.aof.1.incr.aof:{offset}"), want);
    }
}

#[test]
fn what_is_behind_the_moment_may_be_damaged() {
    let mut log = frames(&LINES);
    let whole = log.len();
    log.extend_from_slice(b"!!!");
    let home = log_of(&log);
    let mut node = home.launch(&["--appendonly", "yes"]);
    assert_eq!(node.exit_code(), 1);
    shows(&home, &format!("offset:{whole}"), "3 nil");
}

#[test]
fn a_torn_tail_stays() {
    let mut log = frames(&LINES);
    log.truncate(log.len() - 3);
    shows(&log_of(&log), "1800000000", "3 x");
}

#[test]
fn the_single_file_of_an_old_server_stays_where_it_is() {
    let home = case("legacy_preamble").home();
    let before = files(&home.data());
    let node = home.start(&["--aof-until", "9999999999"]);
    assert!(node.ask("DBSIZE") != Value::Int(0));
    drop(node);
    assert_eq!(files(&home.data()), before);
}

#[test]
fn a_moment_that_is_not_in_the_log_is_refused() {
    let home = log_of(&frames(&["#TS:1700000000", "SET a 1"]));
    for until in ["1600000000", "nosuch.aof:5"] {
        let mut node = home.launch(&["--aof-until", until]);
        assert_eq!(node.exit_code(), 1, "{until}");
        assert!(node.log().contains("aof-until"), "{}", node.log());
    }
    let home = case("live_r7.0.15_rdbbase").home();
    let mut node = home.launch(&["--aof-until", "1600000000"]);
    assert_eq!(node.exit_code(), 1);
    assert!(node.log().contains("the snapshot was written after the time"), "{}", node.log());
}
