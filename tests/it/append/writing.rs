//! The log written: by every policy, through kills and rewrites, turned on and off, on a disk that is full.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;

use super::files;
use crate::canon;
use crate::client::{Client, Value};
use crate::node::{Home, Node, parallel, signal};

/// Writes of all kinds: what is relative, random or conditional must be in the log as what it did.
pub const WRITES: &[&str] = &[
    "SET s:a 1 PX 10000000",
    "INCRBYFLOAT s:a 0.1",
    "SETRANGE s:b 10 hello",
    "SETBIT s:bits 7 1",
    "MSET s:c 1 s:d 2 s:e 3",
    "GETEX s:c EX 100000",
    "GETDEL s:d",
    "EXPIRE s:e 100000 NX",
    "PFADD hll a b c",
    "RPUSH list 1 2 3 four five",
    "LMOVE list other LEFT RIGHT",
    "LMPOP 2 list other RIGHT COUNT 2",
    "SADD set a b c d e f g 1 2 3",
    "SPOP set 3",
    "SRANDMEMBER set",
    "SMOVE set set2 a",
    "SINTERSTORE set3 set set2",
    "ZADD z 1 a 2 b 3 c inf d",
    "ZADD z GT INCR 5 a",
    "ZPOPMIN z",
    "ZRANGESTORE z2 z 0 -1",
    "GEOADD geo 13.361389 38.115556 Palermo",
    "HSET h f 1 g 2 h 3",
    "HINCRBYFLOAT h f 1.5",
    "HEXPIRE h 100000 FIELDS 1 g",
    "HGETDEL h FIELDS 1 h",
    "XADD st * f 1",
    "XADD st MAXLEN ~ 100 * f 2",
    "XGROUP CREATE st g 0",
    "XREADGROUP GROUP g c COUNT 1 STREAMS st >",
    "XGROUP CREATECONSUMER st g idle",
    "SELECT 3",
    "SET three 3",
    "COPY three there DB 4",
    "MOVE three 5",
    "SORT nothing STORE sorted",
    "SELECT 0",
    "RESTORE r 0 \"\\x00\\xc0\\x01\\x0b\\x00\\x05\\xd8\\x1f\\x1b\\x82\\x0a\\x9a\\xf5\" REPLACE",
    "MULTI",
    "INCR s:n",
    "LPUSH list x",
    "SPOP set",
    "EXEC",
    "SET gone 1 PX 1",
    "DEL s:b",
];

/// Runs all of [`WRITES`]; some may be refused, if only they are again.
pub fn write(client: &mut Client) {
    for line in WRITES {
        client.line(line).expect("answered");
    }
}

fn content(node: &Node) -> Json {
    canon::dump(&mut node.client()).expect("readable")
}

/// What differs, but for when consumers were seen: no command says that, so a replay is the last time.
pub fn differences(want: &Json, got: &Json) -> Vec<String> {
    let times = ["seen_ms", "active_ms"];
    let matters = |line: &String| !times.iter().any(|time| line.contains(time));
    canon::compare(want, got).into_iter().filter(matters).collect()
}

fn digest(node: &Node) -> Value {
    node.ask("DEBUG DIGEST")
}

const LOGS: [&str; 2] = ["--appendonly", "yes"];

fn with<'a>(options: &[&'a str]) -> Vec<&'a str> {
    [&LOGS[..], options].concat()
}

/// What is there after a kill, a start, and another start.
fn survives(home: &Home, node: Node, options: &[&str]) {
    std::thread::sleep(std::time::Duration::from_millis(150)); // what is past its time goes
    let (before, sum) = (content(&node), digest(&node));
    node.kill();
    for _ in 0..2 {
        let node = home.start(&with(options));
        assert_eq!(differences(&before, &content(&node)), Vec::<String>::new());
        assert_eq!(digest(&node), sum);
        node.kill();
    }
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let rows: &[&[&str]] = &[
        &["--appendfsync", "always"],
        &["--appendfsync", "everysec"],
        &["--appendfsync", "no"],
        &["--appendfsync", "always", "--aof-use-rdb-preamble", "no"],
        &["--aof-timestamp-enabled", "yes"],
        &["--io-threads", "3"],
        &["--appendfilename", "a log", "--appenddirname", "logs of ours"],
    ];
    parallel(rows, |options| {
        let home = Home::new();
        let node = home.start(&with(options));
        write(&mut node.client());
        survives(&home, node, options);
    });
}

#[test]
fn rewrites_under_writes_lose_nothing() {
    let rows: &[&[&str]] = &[
        &["--appendfsync", "always"],
        &["--aof-use-rdb-preamble", "no"],
        &["--auto-aof-rewrite-percentage", "10", "--auto-aof-rewrite-min-size", "20kb", "--hz", "100"],
        &[
            "--no-appendfsync-on-rewrite",
            "yes",
            "--aof-timestamp-enabled",
            "yes",
            "--aof-disable-auto-gc",
            "yes",
        ],
    ];
    parallel(rows, |options| {
        let home = Home::new();
        let node = home.start(&with(options));
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for id in 0..3 {
                let (node, done) = (&node, &done);
                scope.spawn(move || {
                    let mut client = node.client();
                    for round in 0.. {
                        for line in
                            [format!("RPUSH list:{id} {round}"), format!("SET key:{id}:{round} {round}")]
                        {
                            assert!(!client.line(&line).expect("answered").is_error());
                        }
                        if done.load(Ordering::Relaxed) {
                            return;
                        }
                    }
                });
            }
            write(&mut node.client());
            let begun = |node: &Node| node.persistence("aof_rewrites").parse::<u32>().expect("a number");
            while begun(&node) < 4 {
                if !options.contains(&"--auto-aof-rewrite-percentage") {
                    node.ask("BGREWRITEAOF");
                }
                node.wait_for("aof_rewrite_in_progress", "0");
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(node.persistence("aof_last_bgrewrite_status"), "ok");
        survives(&home, node, options);
        let strays =
            files(&home.data()).into_iter().map(|(name, _)| name).filter(|name| name.contains("temp"));
        assert_eq!(strays.collect::<Vec<_>>(), Vec::<String>::new());
    });
}

#[test]
fn turned_on_and_off_at_run_time() {
    let home = Home::new();
    let node = home.start(&["--appendfsync", "always"]);
    node.ok("SET before 1");
    for round in 0..3 {
        node.ok("CONFIG SET appendonly yes");
        node.ok(&format!("SET during:{round} 1"));
        node.wait_for("aof_rewrite_in_progress", "0");
        assert_eq!(node.persistence("aof_enabled"), "1");
        node.ok(&format!("SET after:{round} 1"));
        if round < 2 {
            node.ok("CONFIG SET appendonly no");
            node.ok(&format!("SET unlogged:{round} 1"));
            assert_eq!(node.persistence("aof_enabled"), "0");
        }
    }
    survives(&home, node, &[]);
}

#[test]
fn a_base_that_comes_late_is_waited_for() {
    let home = Home::new();
    let mut node = home.start(&["--rdb-key-save-delay", "100000"]);
    for key in 0..20 {
        node.ok(&format!("SET key:{key} 1"));
    }
    node.ok("CONFIG SET appendonly yes");
    node.ok("SET more 1");
    assert_eq!(node.error("BGREWRITEAOF"), "ERR Background append only file rewriting already in progress");
    assert_eq!(node.error("SHUTDOWN"), "ERR Errors trying to SHUTDOWN. Check logs.");
    node.wait_for_line("Writing initial AOF, can't exit.");
    assert!(node.runs());
    // The child ends in no good way: the server tries again by itself.
    signal(node.saver(), "KILL");
    node.wait_for_line("Background AOF rewrite terminated by signal 9");
    node.ok("CONFIG SET rdb-key-save-delay 0");
    node.wait_for_line("Background AOF rewrite finished successfully");
    assert_eq!(node.persistence("aof_rewrites_consecutive_failures"), "0");
    node.ok("SET last 1");
    survives(&home, node, &[]);
}

#[test]
fn one_child_at_a_time() {
    let home = Home::new();
    let node = home.start(&with(&["--rdb-key-save-delay", "100000"]));
    for key in 0..10 {
        node.ok(&format!("SET key:{key} 1"));
    }
    let scheduled = || Value::Simple(b"Background append only file rewriting scheduled".to_vec());
    node.ask("BGSAVE");
    assert_eq!(node.ask("BGREWRITEAOF"), scheduled());
    assert_eq!(node.persistence("aof_rewrite_scheduled"), "1");
    node.wait_for("rdb_bgsave_in_progress", "0");
    node.wait_for("aof_rewrite_in_progress", "1");
    assert!(node.error("BGSAVE").starts_with("ERR Another child process is active (AOF?)"));
    assert_eq!(node.ask("BGSAVE SCHEDULE"), Value::Simple(b"Background saving scheduled".to_vec()));
    node.ok("CONFIG SET rdb-key-save-delay 0");
    node.wait_for("rdb_saves", "2");
    node.wait_for("rdb_bgsave_in_progress", "0");
    let mut client = node.client();
    client.line("MULTI").expect("answered");
    client.line("BGREWRITEAOF").expect("answered");
    assert_eq!(client.line("EXEC").expect("answered"), Value::Array(vec![scheduled()]));
    survives(&home, node, &[]);
}

#[test]
fn a_failed_rewrite_leaves_everything_as_it_was() {
    let home = Home::new();
    let node = home.start(&with(&["--rdb-key-save-delay", "100000"]));
    write(&mut node.client());
    for failures in 1..=2 {
        node.ask("BGREWRITEAOF");
        node.ok("SET during 1");
        signal(node.saver(), "KILL");
        node.wait_for("aof_rewrite_in_progress", "0");
        assert_eq!(node.persistence("aof_last_bgrewrite_status"), "err");
        assert_eq!(node.persistence("aof_rewrites_consecutive_failures"), failures.to_string());
    }
    // A child that is asked to end is no failure.
    node.ask("BGREWRITEAOF");
    node.ok("CONFIG SET appendonly no");
    node.wait_for("aof_rewrite_in_progress", "0");
    assert_eq!(node.persistence("aof_rewrites_consecutive_failures"), "2");
    let names: Vec<String> = files(&home.data()).into_iter().map(|(name, _)| name).collect();
    assert!(!names.iter().any(|name| name.contains("temp")), "{names:?}");
    survives(&home, node, &[]);
}

/// A log whose increment takes no byte.
fn full_disk() -> Home {
    let home = Home::new();
    let dir = home.data().join("appendonlydir");
    fs::create_dir(&dir).expect("a directory");
    std::os::unix::fs::symlink("/dev/full", dir.join("appendonly.aof.1.incr.aof")).expect("linked");
    fs::write(dir.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n")
        .expect("written");
    home
}

#[test]
fn a_full_disk_refuses_writes() {
    for policy in ["everysec", "no"] {
        let home = full_disk();
        let node = home.start(&with(&["--appendfsync", policy]));
        assert_eq!(node.persistence("aof_last_write_status"), "ok");
        node.ok("SET k 1");
        for line in ["SET k 2", "PING", "DEL k"] {
            let why = "MISCONF Errors writing to the AOF file: No space left on device";
            assert_eq!(node.error(line), why);
        }
        assert_eq!(node.ask("GET k"), Value::Bulk(b"1".to_vec()));
        assert_eq!(node.persistence("aof_last_write_status"), "err");
        node.wait_for_line("Error writing to the AOF file: No space left on device");
        // A new increment would be writable, but the old one's end has to be there before.
        assert!(node.error("BGREWRITEAOF").starts_with("ERR Can't execute an AOF background rewriting."));
        node.ok("CONFIG SET appendonly no");
        node.ok("SET k 3");
    }
}

#[test]
fn a_full_disk_ends_a_server_that_always_syncs_before_it_answers() {
    let home = full_disk();
    let mut node = home.start(&with(&["--appendfsync", "always"]));
    let mut client = node.client();
    assert!(client.line("SET k 1").is_err(), "nothing is said that is not safe");
    assert_eq!(node.exit_code(), 1);
    assert!(
        node.log().contains(
            "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...\n"
        )
    );
}

#[test]
fn a_reader_waits_for_what_it_has_read() {
    let home = Home::new();
    let node = home.start(&with(&["--appendfsync", "always"]));
    node.ok("DEBUG AOF-FLUSH-SLEEP 300000");
    let (mut writer, mut reader) = (node.client(), node.client());
    reader.line("PING").expect("answered");
    let begin = std::time::Instant::now();
    writer.send(&["INCR", "n"]).expect("sent");
    loop {
        let seen = reader.line("GET n").expect("answered");
        if seen != Value::NilBulk {
            assert_eq!(seen, Value::Bulk(b"1".to_vec()));
            break;
        }
    }
    assert!(begin.elapsed() >= std::time::Duration::from_millis(300), "{:?}", begin.elapsed());
    assert_eq!(writer.reply().expect("answered"), Value::Int(1));
}

/// In memory, counted as such, and not among what eviction is to bring down.
#[test]
fn what_waits_for_the_file_is_counted() {
    let home = Home::new();
    let node = home.start(&with(&[]));
    let buffers =
        || ["mem_aof_buffer", "mem_not_counted_for_evict"].map(|field| node.info("memory")[field].clone());
    let count = |bytes: &str| bytes.parse::<usize>().expect("a number");
    // A sync in the background holds a write up, which takes no time by itself.
    let [before, _] = buffers();
    let value = "v".repeat(300_000);
    node.ok(&format!("SET k {value}"));
    let [after, uncounted] = buffers();
    assert!(count(&after) >= count(&before) + value.len(), "{before}, {after}");
    assert_eq!(after, uncounted);
    assert_eq!(node.ask("CONFIG SET appendonly no"), Value::Simple(b"OK".to_vec()));
    assert!(count(&buffers()[0]) < value.len(), "{:?}", buffers());
}
