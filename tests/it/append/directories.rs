//! Every case of `fixtures/aof`, loaded or refused.

use std::collections::BTreeMap;

use super::{Case, cases, files, frame, frames, log_of, text};
use crate::canon;
use crate::client::Value;
use crate::node::{Home, parallel};

/// Where we do otherwise than the real servers, and why.
const REFUSED: &[(&str, &str)] = &[("cmd_old_commands", "it has EVAL, and there are no scripts")];

/// Collects what is wrong, so that one run tells all.
#[derive(Default)]
struct Faults(std::sync::Mutex<Vec<String>>);

impl Faults {
    fn add(&self, name: &str, what: &str) {
        self.0.lock().expect("nobody panics with it").push(format!("{name}: {what}"));
    }

    fn none(self) {
        let faults = self.0.into_inner().expect("nobody panics with it");
        assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    }
}

fn is_refused(case: &Case) -> bool {
    !case.is_loaded_somewhere() || REFUSED.iter().any(|row| row.0 == case.name)
}

#[test]
fn what_a_real_server_loads_shows_the_same() {
    let faults = Faults::default();
    let loaded: Vec<_> = cases().into_iter().filter(|case| !is_refused(case)).collect();
    assert!(loaded.len() > 30, "{} cases", loaded.len());
    parallel(&loaded, |case| {
        let home = case.home();
        let mut node = case.start(&home);
        node.wait_until_it_serves();
        match canon::dump(&mut node.client()) {
            Ok(seen) => differences(case, &seen).iter().for_each(|line| faults.add(&case.name, line)),
            Err(error) => faults.add(&case.name, &format!("{error}; log:\n{}", node.log())),
        }
        says_as_the_real_server(case, &node.log(), &faults);
        leaves_what_the_real_server_leaves(case, &home, &faults);
        // And again, from what the first start made of it.
        node.kill();
        let mut node = case.start(&home);
        node.wait_until_it_serves();
        match canon::dump(&mut node.client()) {
            // The first start's manifest names an increment that was there, as the real server's does.
            Ok(_) if case.name == "dir_without_manifest" => {}
            Ok(seen) => differences(case, &seen).iter().for_each(|line| faults.add(&case.name, line)),
            Err(error) => faults.add(&case.name, &format!("the second time {error}; log:\n{}", node.log())),
        }
    });
    faults.none();
}

fn differences(case: &Case, seen: &serde_json::Value) -> Vec<String> {
    if case.expected["ages_at_ms"].as_i64().is_some_and(|ages| canon::now_ms() >= ages) {
        println!("{}: the expectation is out of date, content not compared", case.name);
        return Vec::new();
    }
    canon::compare(&case.expected, seen)
}

/// The lines of Redis 8.0.6 about the load; where it does not load, those of whoever does.
fn says_as_the_real_server(case: &Case, log: &str, faults: &Faults) {
    let servers = &case.expected["servers"];
    let newest = &servers["redis-8.0.6"];
    if newest["result"] != "loaded" {
        return;
    }
    let lines = newest["log"].as_array().expect("there is a log").iter().filter_map(|line| line.as_str());
    for line in lines.filter(|line| !line.contains("== CRITICAL ==")) {
        let text = without_numbers(&line[2..]);
        if !log.lines().any(|line| without_numbers(line).ends_with(&text)) {
            faults.add(&case.name, &format!("no line {line:?} in:\n{log}"));
        }
    }
}

/// Seconds differ.
fn without_numbers(line: &str) -> String {
    match line.split_once(" seconds") {
        Some((head, _)) => {
            head.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').to_owned() + "seconds"
        }
        None => line.to_owned(),
    }
}

/// Names and sizes, but of what the writing side adds (offsets in the manifest, frames of what expired) later.
fn leaves_what_the_real_server_leaves(case: &Case, home: &Home, faults: &Faults) {
    let sizes = |files: Vec<(String, Vec<u8>)>| -> BTreeMap<String, usize> {
        files.into_iter().map(|(name, bytes)| (name, bytes.len())).collect()
    };
    let (mut wanted, seen) = (sizes(files(&case.dir)), sizes(files(&home.data())));
    let server =
        ["redis-8.0.6", "valkey-9.1.2"].iter().find(|s| case.expected["servers"][*s]["result"] == "loaded");
    let changed = &case.expected["servers"][server.expect("one loads it")]["files_changed"];
    for (name, change) in changed.as_object().into_iter().flatten() {
        match change["after"].as_u64() {
            Some(size) => wanted.insert(name.clone(), size as usize),
            None => wanted.remove(name),
        };
    }
    let exact = |name: &String| {
        !name.ends_with(".manifest") && !name.ends_with(".base.rdb") && case.name != "cmd_past_expiry"
    };
    for (name, size) in &wanted {
        match seen.get(name) {
            None => faults.add(&case.name, &format!("{name} is not there; there are {seen:?}")),
            Some(len) if len != size && exact(name) => {
                faults.add(&case.name, &format!("{name} has {len} bytes, {size} expected"));
            }
            Some(_) => {}
        }
    }
    for name in seen.keys().filter(|name| !wanted.contains_key(*name)) {
        faults.add(&case.name, &format!("{name} is there, too"));
    }
}

#[test]
fn what_real_servers_refuse_is_refused() {
    let faults = Faults::default();
    let refused: Vec<_> = cases().into_iter().filter(is_refused).collect();
    assert!(refused.len() > 10, "{} cases", refused.len());
    parallel(&refused, |case| {
        let home = case.home();
        let mut node = case.start(&home);
        let status = node.wait_for_end();
        let log = node.log();
        if status.code() != Some(1) {
            faults.add(&case.name, &format!("ended with {status}; log:\n{log}"));
        }
        let root = home.data();
        let says_why = |line: &str| {
            line.contains(" # Fatal error loading the ")
                && line.contains(&root.display().to_string())
                && line.ends_with(". Exiting.")
        };
        if !log.lines().any(says_why) {
            faults.add(&case.name, &format!("no line with file and reason in:\n{log}"));
        }
        if !case.is_loaded_somewhere() {
            let theirs = case.expected["servers"]["redis-8.0.6"]["log"].as_array().expect("there is a log");
            let line = theirs.last().and_then(|line| line.as_str()).unwrap_or_default();
            let ours_differs =
                ["found_replicator_appendonly6", "corrupt_base_crc"].contains(&case.name.as_str());
            if !ours_differs && !log.contains(&line[2..line.len().min(100)]) {
                faults.add(&case.name, &format!("no line {line:?} in:\n{log}"));
            }
        }
    });
    faults.none();
}

/// A line for whoever reads the table and asks whether a row is still true.
#[test]
fn every_difference_has_a_reason_and_a_case() {
    for (name, why) in REFUSED {
        assert!(!why.is_empty() && super::case(name).is_loaded_somewhere(), "{name}");
    }
}

#[test]
fn a_torn_transaction_is_cut_off_from_its_begin() {
    let whole = frames(&["SET a 1", "MULTI", "SET b 2", "EXEC"]);
    let torn = frames(&["MULTI", "SET c 3"]);
    // At the end of a command, and in the middle of one: what is written next must not land in the transaction.
    for cut in [0, 5] {
        let log = [&whole[..], &torn[..torn.len() - cut]].concat();
        let home = log_of(&log);
        let node = home.start(&["--appendonly", "yes"]);
        assert_eq!(text(&node.ask("MGET a b c")), "1 2 nil", "{cut}");
        assert!(node.log().contains(&format!("at offset {} !!!", whole.len())), "{}", node.log());
        node.ok("SET d 4");
        node.kill();
        let node = home.start(&["--appendonly", "yes"]);
        assert_eq!(text(&node.ask("MGET a b c d")), "1 2 nil 4", "{cut}");
    }
}

#[test]
fn commands_without_business_in_a_log_are_refused() {
    for line in [
        "SHUTDOWN NOSAVE",
        "CONFIG SET dir /",
        "DEBUG SLEEP 100",
        "SET a",
        "GET",
        "NOSUCH x",
        "CONFIG NOSUCH",
    ] {
        let log = [frame("SET a 1"), frame(line)].concat();
        let home = log_of(&log);
        let mut node = home.launch(&["--appendonly", "yes"]);
        assert_eq!(node.exit_code(), 1, "{line}");
        let begin = frame("SET a 1").len();
        assert!(
            node.log().contains(&format!("appendonly.aof.1.incr.aof: offset {begin}: ")),
            "{}",
            node.log()
        );
    }
}

#[test]
fn nothing_blocks_and_nothing_lapses_in_a_replay() {
    let past = "SET past x PXAT 1000";
    let log =
        frames(&["BLPOP nosuch 0", "MULTI", "BLPOP nosuch 0", "EXEC", past, "APPEND past y", "PERSIST past"]);
    let home = log_of(&log);
    let node = home.start(&["--appendonly", "yes"]);
    assert_eq!(node.ask("GET past"), Value::Bulk(b"xy".to_vec()));
}

#[test]
fn errors_in_a_replay_are_told_and_passed() {
    let home = log_of(&frames(&["SET a x", "INCR a", "MULTI", "LPUSH a 1", "SET b 1", "EXEC"]));
    let node = home.start(&["--appendonly", "yes"]);
    assert_eq!(text(&node.ask("MGET a b")), "x 1");
    let told = |text: &str, command: &str| {
        let line = format!(
            "== CRITICAL == This server is sending an error to its AOF-loading-client: '{text}' after processing the \
             command '{command}'"
        );
        assert!(node.log().contains(&line), "{line}\n{}", node.log());
    };
    told("value is not an integer or out of range", "incr");
    told("WRONGTYPE Operation against a key holding the wrong kind of value", "lpush");
}

#[test]
fn a_log_is_loaded_again_by_debug_loadaof() {
    let home = log_of(&frames(&["SELECT 3", "SET a 1"]));
    let node = home.start(&["--appendonly", "yes"]);
    let mut client = node.client();
    client.line("SELECT 3").expect("answered");
    client.line("SET b 2").expect("answered");
    assert_eq!(client.line("DEBUG LOADAOF").expect("answered"), Value::Simple(b"OK".to_vec()));
    assert_eq!(text(&client.line("MGET a b").expect("answered")), "1 2");
    assert!(node.log().contains("Append Only File loaded by DEBUG LOADAOF"), "{}", node.log());
    client.line("SET c 3").expect("answered");
    node.kill();
    let node = home.start(&["--appendonly", "yes"]);
    let mut client = node.client();
    client.line("SELECT 3").expect("answered");
    assert_eq!(text(&client.line("MGET a b c").expect("answered")), "1 2 3");
}

#[test]
fn clients_hear_of_a_load_and_how_far_it_is() {
    let lines: Vec<String> = (0..2000).map(|i| format!("SET key:{i} x")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let home = log_of(&frames(&lines));
    let node = home.launch(&["--appendonly", "yes", "--key-load-delay", "500"]);
    assert!(node.error("GET key:1").starts_with("LOADING "), "{}", node.log());
    let info = node.info("persistence");
    assert_eq!(info["loading"], "1");
    assert_eq!(info["loading_total_bytes"], frames(&lines).len().to_string());
}
