//! The report of a crash: by a signal of our own or from outside, by a panic; with the exit status that tells it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use crate::node::{Home, Node};

const HEAD: &str = "=== REDIS BUG REPORT START: Cut & paste starting from here ===";
const TAIL: &str = "=== REDIS BUG REPORT END.";

fn count(log: &str, part: &str) -> usize {
    log.matches(part).count()
}

/// Sends a request and waits for no answer, which does not come.
fn crash(node: &Node, line: &str) {
    node.client().send(&line.split(' ').collect::<Vec<_>>()).expect("sent");
}

/// Has a server with these settings crash by a request: how it ended, and its log.
fn crashed_by(line: &str, args: &[&str]) -> (ExitStatus, String) {
    let home = Home::new();
    let mut node = home.start(args);
    crash(&node, line);
    (node.wait_for_end(), node.log())
}

fn assert_report(log: &str, why: &str) {
    for part in [
        HEAD,
        TAIL,
        why,
        "------ STACK TRACE ------",
        "------ STACK TRACE DONE ------",
        "redis_version:8.0.6",
    ] {
        assert_eq!(count(log, part), 1, "{part}:\n{log}");
    }
}

#[test]
fn a_fault_is_reported_and_ends_by_its_signal() {
    let (end, log) = crashed_by("DEBUG SEGFAULT", &[]);
    assert_eq!(end.signal(), Some(11));
    assert_report(&log, "crashed by signal: 11, si_code: ");
    assert!(log.contains("(+0x"), "frames are offsets into the binary:\n{log}");
}

#[test]
fn a_signal_from_outside_is_reported_with_its_sender() {
    let home = Home::new();
    let mut node = home.start(&[]);
    crash(&node, "DEBUG SLEEP 10");
    node.signal("ABRT");
    assert_eq!(node.wait_for_end().signal(), Some(6));
    let log = node.log();
    assert_report(&log, "crashed by signal: 6, si_code: 0");
    assert!(log.contains("Killed by PID: "), "{log}");
}

#[test]
fn a_panic_is_reported_with_names() {
    let (end, log) = crashed_by("DEBUG PANIC", &[]);
    assert_eq!(end.signal(), Some(6));
    assert_report(&log, "=== ASSERTION FAILED ===");
    assert!(log.contains("src/command/server/debug/mod.rs"), "{log}");
    assert!(log.contains("run_batch"), "{log}");
}

/// What a report says of the request that ran.
fn request_in(log: &str) -> Vec<&str> {
    let lines = log.lines().skip_while(|line| *line != "------ CURRENT CLIENT INFO ------").skip(1);
    lines.take_while(|line| !line.is_empty()).collect()
}

#[test]
fn a_report_shows_the_request_that_ran() {
    for name in ["SEGFAULT", "panic"] {
        let (_, log) = crashed_by(&format!("DEBUG {name}"), &[]);
        let request = request_in(&log);
        assert!(request[0].starts_with("id=") && request[0].ends_with(" db=0"), "{log}");
        assert_eq!(request[1..], ["argc: '2'", "argv[0]: '\"DEBUG\"'", &format!("argv[1]: '\"{name}\"'")]);
    }
}

#[test]
fn a_report_hides_what_users_said() {
    let (_, log) = crashed_by("DEBUG SEGFAULT", &["--hide-user-data-from-log", "yes"]);
    assert_eq!(request_in(&log)[1..], ["argc: '2'", "argv[0]: '\"DEBUG\"'", "argv[1]: '*redacted*'"]);
}

#[test]
fn a_panic_may_end_by_an_exit() {
    let (end, log) = crashed_by("DEBUG ASSERT", &["--use-exit-on-panic", "yes", "--crash-log-enabled", "no"]);
    assert_eq!((end.code(), count(&log, HEAD)), (Some(1), 0));
}

#[test]
fn reports_may_be_turned_off_while_it_runs() {
    let home = Home::new();
    let mut node = home.start(&[]);
    node.ok("CONFIG SET crash-log-enabled no");
    crash(&node, "DEBUG SEGFAULT");
    assert_eq!(node.wait_for_end().signal(), Some(11));
    assert_eq!(count(&node.log(), HEAD), 0);
}

/// A watchdog's signal is no end: it asks where the server is.
#[test]
fn an_alarm_shows_where_the_server_is() {
    let home = Home::new();
    let mut node = home.start(&[]);
    node.signal("ALRM");
    node.wait_for_line("Received SIGALRM");
    node.wait_for_line("------ STACK TRACE DONE ------");
    assert_eq!(node.ask("PING"), crate::client::Value::Simple(b"PONG".to_vec()));
    assert!(node.runs());
}
