//! Saving, failing to save, and leaving: the process with its files, from outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::canon;
use crate::client::Value;
use crate::node::{Home, Node, parallel, signal, wait};

/// A millisecond and more per key, so that a save of a few thousand keys can be watched.
const SLOW_SAVE: [&str; 2] = ["--rdb-key-save-delay", "1000"];

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb").join(format!("{name}.rdb"))
}

fn content(node: &Node) -> Json {
    canon::dump(&mut node.client()).expect("readable")
}

/// Sets `count` keys of `size` bytes that don't compress.
fn fill(node: &Node, count: usize, size: usize) {
    let mut client = node.client();
    let mut state = 1u64;
    let mut value = || -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..size).map(|_| next()).collect()
    };
    let requests: Vec<_> =
        (0..count).map(|i| vec![b"SET".to_vec(), format!("key:{i}").into_bytes(), value()]).collect();
    for part in requests.chunks(500) {
        let replies = client.pipeline(part).expect("answered");
        assert!(replies.iter().all(|reply| !reply.is_error()), "{:?}", replies[0]);
    }
}

fn bgsave(node: &Node) {
    assert_eq!(node.ask("BGSAVE"), Value::Simple(b"Background saving started".to_vec()));
}

fn bgsave_and_wait(node: &Node) {
    bgsave(node);
    node.wait_for("rdb_bgsave_in_progress", "0");
}

// Round trips

#[test]
fn a_save_and_a_kill_lose_nothing() {
    let plain = ["--rdbcompression", "no", "--rdbchecksum", "no", "--rdb-save-incremental-fsync", "no"];
    let rows: &[(&str, &str, &[&str])] = &[
        ("made_r8.0.6_alltypes", "SAVE", &[]),
        ("made_r8.0.6_alltypes", "BGSAVE", &[]),
        ("made_r8.0.6_alltypes", "SAVE", &plain),
        ("made_v9.1.2_alltypes", "BGSAVE", &["--rdb-save-version", "valkey"]),
        ("made_v9.1.2_alltypes", "SAVE", &["--rdb-save-version", "12"]),
        ("made_r8.0.6_streams", "SAVE", &[]),
        ("made_r8.0.6_streams", "BGSAVE", &["--rdb-save-version", "11"]),
        ("made_r8.0.6_fieldttl", "BGSAVE", &[]),
        ("made_r8.0.6_fieldttl", "SAVE", &["--rdb-save-version", "valkey"]),
        ("made_r8.0.6_bigenc", "BGSAVE", &["--rdb-save-version", "11"]),
        ("made_r7.0.15_alltypes", "SAVE", &["--rdb-save-version", "10"]),
        ("made_r7.0.15_16dbs", "BGSAVE", &plain),
        ("made_r8.0.6_functions", "SAVE", &[]),
        ("made_r8.0.6_lru", "SAVE", &["--maxmemory-policy", "allkeys-lru"]),
        ("made_r8.0.6_lfu", "BGSAVE", &["--maxmemory-policy", "allkeys-lfu"]),
    ];
    parallel(rows, |(file, command, options)| {
        let home = Home::with(&fixture(file));
        let node = home.start(options);
        for line in [
            "SET more 1",
            "RPUSH list:new a b 3",
            "SADD set:new a",
            "ZADD zset:new 1.5 a",
            "PEXPIRE more 99999999",
        ] {
            assert!(!node.ask(line).is_error(), "{line}");
        }
        let before = content(&node);
        match *command {
            "SAVE" => node.ok("SAVE"),
            _ => bgsave_and_wait(&node),
        }
        assert_eq!(node.persistence("rdb_changes_since_last_save"), "0");
        node.kill();
        let node = home.start(options);
        let mut differences = canon::compare(&before, &content(&node));
        // Version 10, the lowest that holds all but this, has no place for when a consumer was active.
        let has_place = !home.bytes().starts_with(b"REDIS0010");
        differences.retain(|line| has_place || !line.contains(".active_ms: "));
        assert!(differences.is_empty(), "{file} {command} {options:?}: {differences:#?}");
        assert_eq!(home.strays(), [""; 0]);
    });
}

#[test]
fn debug_reload_keeps_the_digest() {
    let home = Home::with(&fixture("made_r8.0.6_alltypes"));
    let node = home.start(&[]);
    let digest = node.ask("DEBUG DIGEST");
    node.ok("DEBUG RELOAD");
    assert_eq!(node.ask("DEBUG DIGEST"), digest);
    // What is not saved is gone with NOSAVE, and stays with NOFLUSH MERGE.
    node.ok("SET unsaved 1");
    node.ok("DEBUG RELOAD NOSAVE");
    assert_eq!(node.ask("DEBUG DIGEST"), digest);
    node.ok("SET unsaved 1");
    node.ok("DEBUG RELOAD NOSAVE NOFLUSH MERGE");
    assert_eq!(node.ask("EXISTS unsaved"), Value::Int(1));
}

#[test]
fn the_file_has_the_version_that_is_asked_for() {
    let home = Home::new();
    let node = home.start(&[]);
    let written = |version: &str| {
        node.ok(&format!("CONFIG SET rdb-save-version {version}"));
        node.ok("SAVE");
        String::from_utf8_lossy(&home.bytes()[..9]).into_owned()
    };
    node.ok("SET k v");
    node.ok("SAVE");
    assert_eq!(&home.bytes()[..9], b"REDIS0010");
    for (version, header) in
        [("11", "REDIS0011"), ("12", "REDIS0012"), ("valkey", "VALKEY080"), ("10", "REDIS0010")]
    {
        assert_eq!(written(version), header);
    }

    assert_eq!(node.ask("HSET h f v g w"), Value::Int(2));
    assert_eq!(node.ask("HPEXPIRE h 99999999 FIELDS 1 f"), Value::Array(vec![Value::Int(1)]));
    assert_eq!(written("12"), "REDIS0012");
    assert_eq!(written("valkey"), "VALKEY080");
    let before = home.bytes();
    for version in ["10", "11"] {
        node.ok(&format!("CONFIG SET rdb-save-version {version}"));
        let error = node.error("SAVE");
        assert!(error.starts_with("ERR ") && error.contains("\"h\"") && error.contains(version), "{error}");
        bgsave_and_wait(&node);
        assert_eq!(node.persistence("rdb_last_bgsave_status"), "err");
        assert_eq!(home.bytes(), before);
        assert_eq!(home.strays(), [""; 0]);
    }
    assert!(node.log().contains("RDB version 11 cannot hold"), "{}", node.log());
    node.kill();
    // Not said, it is the lowest that does.
    let node = home.start(&[]);
    let content = content(&node);
    node.ok("SAVE");
    assert_eq!(&home.bytes()[..9], b"REDIS0012");
    node.kill();
    let node = home.start(&[]);
    assert_eq!(canon::compare(&content, &self::content(&node)), [""; 0]);
}

#[test]
fn compression_and_checksum_can_be_turned_off() {
    let home = Home::new();
    let node = home.start(&["--rdbchecksum", "no"]);
    node.ok(&format!("SET k {}", "a".repeat(5000)));
    node.ok("SAVE");
    let compressed = home.bytes();
    assert!(compressed.len() < 1000 && compressed.ends_with(&[0; 8]));
    node.ok("CONFIG SET rdbcompression no");
    node.ok("SAVE");
    assert!(home.bytes().len() > 5000);
    node.kill();
    // A checksum of zero is none, and a server that checks none takes a wrong one.
    let node = home.start(&[]);
    assert_eq!(node.ask("STRLEN k"), Value::Int(5000));
    node.ok("SAVE");
    let mut bytes = home.bytes();
    assert!(!bytes.ends_with(&[0; 8]));
    node.kill();
    *bytes.last_mut().expect("not empty") ^= 1;
    fs::write(home.snapshot(), &bytes).expect("written");
    assert_eq!(home.launch(&[]).exit_code(), 1);
    home.start(&["--rdbchecksum", "no"]).kill();
}

#[test]
fn the_file_is_readable_as_the_umask_says() {
    let home = Home::new();
    let mut node = home.launch_limited("umask 027", &[]);
    node.wait_until_it_serves();
    node.ok("SAVE");
    let mode = fs::metadata(home.snapshot()).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn dir_and_name_can_be_changed() {
    let (home, other) = (Home::new(), Home::new());
    let node = home.start(&["--enable-protected-configs", "yes"]);
    node.ok("SET k v");
    node.ok(&format!("CONFIG SET dir {}", other.data().display()));
    node.ok("CONFIG SET dbfilename other.rdb");
    let answer = |line: &str| node.ask(line).items().expect("pairs")[1].bytes().expect("text");
    assert_eq!(answer("CONFIG GET dir"), other.data().display().to_string().into_bytes());
    assert_eq!(answer("CONFIG GET dbfilename"), b"other.rdb");
    node.ok("SAVE");
    bgsave_and_wait(&node);
    assert_eq!(other.strays(), ["other.rdb"]);
    assert!(home.bytes().is_empty());
    let error = node.error("CONFIG SET dir /nonexistent/directory");
    assert!(error.contains("No such file or directory"), "{error}");
    let error = node.error("CONFIG SET dbfilename a/b.rdb");
    assert!(error.contains("dbfilename can't be a path, just a filename"), "{error}");
}

/// Damage that real servers let in must not end in a file that none of them, and not we, would take.
#[test]
fn what_was_loaded_damaged_is_saved_so_that_it_loads() {
    let home = Home::with(&fixture("bad_stream_len_wrong"));
    let node = home.start(&[]);
    let key = String::from_utf8(node.ask("KEYS *").items().expect("keys")[0].bytes().expect("a name"))
        .expect("text");
    assert_eq!(node.ask(&format!("XLEN {key}")), Value::Int(200));
    for line in [format!("XTRIM {key} MAXLEN 0"), format!("XTRIM {key} MINID 99999999999999-0")] {
        assert!(!node.ask(&line).is_error(), "{line}");
    }
    node.ok("SAVE");
    node.kill();
    let node = home.start(&[]);
    assert_eq!(node.ask(&format!("XLEN {key}")), Value::Int(0));
    node.kill();

    // Valkey takes no wrong length at all.
    let home = Home::with(&fixture("bad_stream_len_wrong"));
    let node = home.start(&["--rdb-save-version", "valkey"]);
    node.ok("SAVE");
    node.kill();
    let node = home.start(&[]);
    assert_eq!(node.ask(&format!("XLEN {key}")), Value::Int(2));
    node.kill();

    // A set whose listpack has a member twice.
    let pack = b"\x10\0\0\0\x03\0\x81a\x02\x81a\x02\x81b\x02\xff";
    let file = [&b"REDIS0011\xfe\0\x14\x01s\x10"[..], pack, b"\xff\0\0\0\0\0\0\0\0"].concat();
    fs::write(home.snapshot(), file).expect("written");
    let node = home.start(&[]);
    assert_eq!(node.ask("SCARD s"), Value::Int(3));
    node.ok("SAVE");
    node.kill();
    let node = home.start(&[]);
    assert_eq!(node.ask("SCARD s"), Value::Int(2));
}

// When

#[test]
fn save_points_fire() {
    let home = Home::new();
    let node = home.start(&["--save", "3600", "1000", "--save", "1", "3"]);
    for i in 0..2 {
        node.ok(&format!("SET k{i} v"));
    }
    std::thread::sleep(Duration::from_millis(2500));
    assert!(home.bytes().is_empty(), "two changes are less than three");
    node.ok("SET k2 v");
    node.wait_for("rdb_changes_since_last_save", "0");
    node.wait_for_line("3 changes in 1 seconds. Saving...");
    node.wait_for_line("Background saving terminated with success");
    assert_eq!(node.persistence("rdb_saves"), "1");
    node.kill();
    let node = home.start(&[]);
    assert_eq!(node.ask("DBSIZE"), Value::Int(3));
}

#[test]
fn flushall_empties_the_file_and_stops_the_child() {
    let home = Home::new();
    let options = [&SLOW_SAVE[..], &["--save", "3600 100000"]].concat();
    let node = home.start(&options);
    fill(&node, 3000, 10);
    bgsave(&node);
    let child = node.saver();
    node.ok("FLUSHALL");
    wait("the child's end", || (!lives(child)).then_some(()));
    node.wait_for("rdb_bgsave_in_progress", "0");
    assert_eq!(node.persistence("rdb_last_bgsave_status"), "ok");
    assert_eq!(node.persistence("rdb_changes_since_last_save"), "0");
    node.wait_for_line("Background saving terminated by signal 10");
    assert!((9..200).contains(&home.bytes().len()), "an empty file");
    assert_eq!(home.strays(), [""; 0]);
    node.ok("CONFIG SET rdb-key-save-delay 0");
    node.ok("SET k v");
    bgsave_and_wait(&node);
    assert_eq!(node.persistence("rdb_changes_since_last_save"), "0");
}

#[test]
fn lastsave_and_info_follow_the_saves() {
    let home = Home::new();
    let node = home.start(&[]);
    let last = || match node.ask("LASTSAVE") {
        Value::Int(seconds) => seconds,
        other => panic!("{other:?}"),
    };
    let start = last();
    assert_eq!(node.persistence("rdb_last_save_time"), start.to_string());
    assert_eq!(node.persistence("rdb_last_bgsave_time_sec"), "-1");
    assert_eq!(node.persistence("rdb_current_bgsave_time_sec"), "-1");
    std::thread::sleep(Duration::from_millis(1100));
    node.ok("SET k v");
    assert_eq!(node.persistence("rdb_changes_since_last_save"), "1");
    node.ok("SAVE");
    assert!(last() > start);
    assert_eq!(node.persistence("rdb_changes_since_last_save"), "0");
    assert_eq!(node.persistence("rdb_saves"), "1");
    assert_eq!(node.persistence("rdb_last_bgsave_time_sec"), "-1", "SAVE is none in the background");
    bgsave_and_wait(&node);
    assert_eq!(node.persistence("rdb_saves"), "2");
    assert_ne!(node.persistence("rdb_last_bgsave_time_sec"), "-1");
    assert_eq!(node.info("stats")["total_forks"], "1");
}

/// Pages that were written to while a child lived, by the server or by the child, are what INFO says was copied.
#[test]
fn pages_written_during_a_save_are_counted() {
    const KEYS: usize = 2_000;
    const SIZE: usize = 8 << 10;
    let home = Home::new();
    let node = home.start(&["--rdb-key-save-delay", "500", "--rdbcompression", "no"]);
    fill(&node, KEYS, SIZE);
    for (command, running, copied) in [
        ("BGSAVE", "rdb_bgsave_in_progress", "rdb_last_cow_size"),
        ("BGREWRITEAOF", "aof_rewrite_in_progress", "aof_last_cow_size"),
    ] {
        let cost = |writes: bool| {
            assert!(!node.ask(command).is_error(), "{command}");
            if writes {
                let overwrite =
                    |i| vec![b"SETRANGE".to_vec(), format!("key:{i}").into(), b"0".into(), vec![b'n'; SIZE]];
                let requests: Vec<_> = (0..KEYS).map(overwrite).collect();
                node.client().pipeline(&requests).expect("answered");
                assert_eq!(node.persistence(running), "1", "the child was too fast to be written beside");
            }
            node.wait_for(running, "0");
            node.persistence(copied).parse::<usize>().expect("a number")
        };
        let (quiet, busy) = (cost(false), cost(true));
        assert!((1..SIZE * KEYS / 2).contains(&quiet), "{command}: {quiet} bytes without writes");
        let written = quiet + SIZE * KEYS;
        assert!(
            (written * 9 / 10..written * 3 / 2).contains(&busy),
            "{command}: {busy} bytes, {quiet} without writes"
        );
    }
}

#[test]
fn what_info_says_moves_during_a_save() {
    let home = Home::new();
    let node = home.start(&SLOW_SAVE);
    fill(&node, 4000, 10);
    let saved_before = node.persistence("rdb_last_save_time");
    bgsave(&node);
    assert_eq!(node.error("BGSAVE"), "ERR Background save already in progress");
    assert_eq!(node.error("SAVE"), "ERR Background save already in progress");
    assert_eq!(node.error("BGSAVE SCHEDULE"), "ERR Background save already in progress");
    let info = node.info("persistence");
    assert_eq!(info["rdb_bgsave_in_progress"], "1");
    assert_eq!(info["current_save_keys_total"], "4000");
    assert!(["0", "1"].contains(&&info["rdb_current_bgsave_time_sec"][..]), "{info:?}");
    node.ok("SET during the-save");
    let processed = wait("progress", || {
        let processed: u64 = node.persistence("current_save_keys_processed").parse().ok()?;
        (processed > 0).then_some(processed)
    });
    assert!((1024..4000).contains(&processed), "{processed}");
    let done: f64 = node.persistence("current_fork_perc").parse().expect("a number");
    assert!(done > 25.0 && done < 100.0, "{done}");
    assert!(node.persistence("current_cow_size").parse::<u64>().expect("a number") > 0);
    let title = fs::read(format!("/proc/{}/cmdline", node.saver())).expect("it lives");
    assert!(String::from_utf8_lossy(&title).starts_with("redis-rdb-bgsave "), "{title:?}");
    node.wait_for("rdb_bgsave_in_progress", "0");
    let info = node.info("persistence");
    assert_eq!(info["rdb_changes_since_last_save"], "1", "what came during the save is not in it");
    assert_eq!((&info["rdb_last_bgsave_status"][..], &info["rdb_current_bgsave_time_sec"][..]), ("ok", "-1"));
    assert!(info["rdb_last_bgsave_time_sec"].parse::<u64>().expect("a number") >= 3);
    assert!(info["rdb_last_cow_size"].parse::<u64>().expect("a number") > 0);
    assert!(info["rdb_last_save_time"] > saved_before);
    assert!(node.log().contains("DB saved on disk") && node.log().contains("Fork CoW for RDB: current "));
    node.kill();
    let node = home.start(&[]);
    assert_eq!(node.ask("EXISTS during"), Value::Int(0));
    assert_eq!(node.ask("DBSIZE"), Value::Int(4000));
}

// Failures

/// The old file and the directory are as they were, INFO says so, and writes are refused as configured.
fn failed(node: &Node, home: &Home, old: &[u8]) {
    node.wait_for("rdb_bgsave_in_progress", "0");
    assert_eq!(node.persistence("rdb_last_bgsave_status"), "err", "log:\n{}", node.log());
    assert!(home.bytes() == old && home.strays().is_empty(), "{:?}", home.strays());
}

fn writes_are_refused(node: &Node) {
    let error = node.error("SET k v");
    assert!(
        error.starts_with("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to"),
        "{error}"
    );
    assert!(node.error("DEL k").starts_with("MISCONF "));
    assert!(node.error("PING").starts_with("MISCONF "));
    assert!(!node.ask("GET k").is_error());
    node.ok("CONFIG SET stop-writes-on-bgsave-error no");
    node.ok("SET k v");
    node.ok("CONFIG SET stop-writes-on-bgsave-error yes");
    assert!(node.error("SET k v").starts_with("MISCONF "));
}

fn recovers(node: &Node) {
    bgsave_and_wait(node);
    assert_eq!(node.persistence("rdb_last_bgsave_status"), "ok", "log:\n{}", node.log());
    node.ok("SET k v");
}

const NEVER_DUE: [&str; 4] = ["--save", "3600 100000000", "--enable-protected-configs", "yes"];

#[test]
fn dir_is_gone() {
    let home = Home::new();
    let node = home.start(&NEVER_DUE);
    fill(&node, 10, 10);
    fs::remove_dir_all(home.data()).expect("removed");
    assert_eq!(node.error("SAVE"), "ERR");
    assert_eq!(node.persistence("rdb_last_bgsave_status"), "ok", "SAVE is none in the background");
    bgsave(&node);
    node.wait_for_line("Background saving started by pid ");
    node.wait_for("rdb_last_bgsave_status", "err");
    node.wait_for_line("Failed opening the temp RDB file ");
    node.wait_for_line("Background saving error");
    writes_are_refused(&node);
    fs::create_dir(home.data()).expect("created");
    node.ok(&format!("CONFIG SET dir {}", home.data().display()));
    recovers(&node);
    assert!(!home.bytes().is_empty());
}

#[test]
fn no_permission_on_dir() {
    // Root may do anything unless it renounces that.
    let renounce = "umask 077; exec setpriv --bounding-set=-dac_override,-dac_read_search -- \"$0\" \"$@\"";
    let root = fs::metadata("/proc/self")
        .map(|me| std::os::unix::fs::MetadataExt::uid(&me))
        .is_ok_and(|uid| uid == 0);
    let has_tool = Command::new("setpriv").arg("--version").output().is_ok();
    if root && !has_tool {
        println!("not run: root without setpriv writes everywhere");
        return;
    }
    let home = Home::new();
    let mut node = home.launch_limited(if root { renounce } else { "true" }, &NEVER_DUE);
    node.wait_until_it_serves();
    node.ok("SET k v");
    node.ok("SAVE");
    let old = home.bytes();
    let set_mode =
        |mode| fs::set_permissions(home.data(), fs::Permissions::from_mode(mode)).expect("allowed");
    set_mode(0o555);
    assert_eq!(node.error("SAVE"), "ERR");
    bgsave(&node);
    failed(&node, &home, &old);
    assert!(
        node.wait_for_line("Failed opening the temp RDB file ").ends_with("for saving: Permission denied")
    );
    set_mode(0o755);
    recovers(&node);
}

#[test]
fn the_name_is_taken_by_a_directory() {
    let home = Home::new();
    let node = home.start(&NEVER_DUE);
    node.ok("SET k v");
    fs::create_dir(home.snapshot()).expect("created");
    assert_eq!(node.error("SAVE"), "ERR");
    assert!(node.wait_for_line("Error moving temp DB file ").contains(" on the final destination "));
    bgsave(&node);
    failed(&node, &home, &[]);
    fs::remove_dir(home.snapshot()).expect("removed");
    recovers(&node);
}

/// The server may not write more than a file of a megabyte at most: as a full disk, but for the error's name.
#[test]
fn the_file_cannot_grow() {
    let home = Home::new();
    let mut node = home.launch_limited("trap '' XFSZ; ulimit -f 1024", &NEVER_DUE);
    node.wait_until_it_serves();
    node.ok("SET k v");
    node.ok("SAVE");
    let old = home.bytes();
    fill(&node, 400, 10_000);
    assert_eq!(node.error("SAVE"), "ERR");
    let line = node.wait_for_line("Write error while saving DB to the disk");
    assert!(line.ends_with(": File too large"), "{line}");
    bgsave(&node);
    failed(&node, &home, &old);
    writes_are_refused(&node);
    // Leaving is a save, too.
    assert_eq!(node.error("SHUTDOWN"), "ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(home.bytes(), old);
    node.ok("CONFIG SET stop-writes-on-bgsave-error no");
    node.ok("FLUSHALL");
    node.ok("CONFIG SET stop-writes-on-bgsave-error yes");
    recovers(&node);
}

#[test]
fn the_disk_is_full() {
    let home = Home::new();
    let mount = |args: &[&str]| {
        Command::new("mount").args(args).arg(home.data()).output().is_ok_and(|o| o.status.success())
    };
    if !mount(&["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) {
        println!("not run: mounting a small file system is not allowed here");
        return;
    }
    let node = home.start(&NEVER_DUE);
    node.ok("SET k v");
    node.ok("SAVE");
    let old = home.bytes();
    fill(&node, 200, 10_000);
    assert_eq!(node.error("SAVE"), "ERR");
    let line = node.wait_for_line("Write error while saving DB to the disk");
    assert!(line.ends_with(": No space left on device"), "{line}");
    bgsave(&node);
    failed(&node, &home, &old);
    node.kill();
    let unmounted = Command::new("umount").arg(home.data()).status();
    assert!(unmounted.expect("umount runs").success());
}

#[test]
fn a_killed_child_leaves_everything_as_it_was() {
    let rows = [("KILL", "9", "err"), ("TERM", "15", "err"), ("ABRT", "6", "err"), ("USR1", "10", "ok")];
    parallel(&rows, |(name, number, status)| {
        let home = Home::new();
        let node = home.start(&[&NEVER_DUE[..], &SLOW_SAVE[..]].concat());
        node.ok("SET k v");
        node.ok("SAVE");
        let old = home.bytes();
        fill(&node, 4000, 10);
        bgsave(&node);
        signal(node.saver(), name);
        node.wait_for("rdb_bgsave_in_progress", "0");
        assert_eq!(node.persistence("rdb_last_bgsave_status"), *status, "{name}");
        node.wait_for_line(&format!("Background saving terminated by signal {number}"));
        assert!(home.bytes() == old && home.strays().is_empty(), "{name}: {:?}", home.strays());
        assert_eq!(node.persistence("rdb_changes_since_last_save"), "4000");
        node.ok("CONFIG SET rdb-key-save-delay 0");
        if *status == "err" {
            writes_are_refused(&node);
        }
        recovers(&node);
    });
}

/// Whether a process is there and no zombie.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
}

#[test]
fn a_killed_server_leaves_no_temporary_file_for_long() {
    let home = Home::new();
    let node = home.start(&SLOW_SAVE);
    node.ok("SET k v");
    node.ok("SAVE");
    let old = home.bytes();
    fill(&node, 30_000, 10);
    bgsave(&node);
    let child = node.saver();
    node.kill();
    assert_eq!(home.strays().len(), 1);
    // The child finds out when it wants to report.
    let since = Instant::now();
    wait("the orphan's end", || (!lives(child)).then_some(()));
    assert!(since.elapsed() < Duration::from_secs(15), "half of what the save would have taken");
    assert_eq!(home.strays(), [""; 0]);
    assert!(home.bytes() == old);

    // Both die together: then the next start clears up, and leaves alone what is not a temporary file of ours.
    let node = home.start(&SLOW_SAVE);
    fill(&node, 3000, 10);
    bgsave(&node);
    let child = node.saver();
    signal(node.pid(), "STOP");
    signal(child, "KILL");
    node.kill();
    assert_eq!(home.strays().len(), 1);
    let others = ["temp-1-abc.aof", "temp-xyz.rdb", "notes"];
    others.iter().for_each(|name| fs::write(home.data().join(name), "x").expect("written"));
    let node = home.start(&[]);
    let mut left = home.strays();
    left.sort();
    assert_eq!(left, ["notes", "temp-1-abc.aof", "temp-xyz.rdb"]);
    assert_eq!(node.ask("DBSIZE"), Value::Int(1));
}

// Leaving

/// How a server is told to leave, with which options, and what is to come of it.
struct Leaving {
    options: &'static [&'static str],
    how: &'static str,
    saves: bool,
}

#[test]
fn leaving_saves_as_configured_and_told() {
    const POINTS: &[&str] = &["--save", "3600", "1"];
    let row = |options, how, saves| Leaving { options, how, saves };
    let rows = [
        row(&[], "TERM", false),
        row(&[], "INT", false),
        row(POINTS, "TERM", true),
        row(POINTS, "INT", true),
        row(&["--save", "3600", "1", "--shutdown-on-sigterm", "nosave"], "TERM", false),
        row(&["--shutdown-on-sigterm", "save"], "TERM", true),
        row(&["--shutdown-on-sigint", "save", "now", "force"], "INT", true),
        row(&["--shutdown-on-sigint", "save"], "TERM", false),
        row(&[], "SHUTDOWN", false),
        row(POINTS, "SHUTDOWN", true),
        row(POINTS, "SHUTDOWN NOSAVE", false),
        row(&[], "SHUTDOWN SAVE", true),
        row(POINTS, "SHUTDOWN NOW", true),
        row(&[], "SHUTDOWN SAVE FORCE NOW", true),
    ];
    parallel(&rows, |row| {
        let home = Home::new();
        let pid_file = home.data().join("pid");
        let mut node = home.start(&[row.options, &["--pidfile", pid_file.to_str().expect("text")]].concat());
        assert!(pid_file.exists());
        let mut waiting = node.client();
        node.ok("SET k v");
        if row.how.starts_with("SHUTDOWN") {
            assert!(node.client().line(row.how).is_err(), "{}: an answer", row.how);
        } else {
            node.signal(row.how);
        }
        let what = format!("{} {:?}", row.how, row.options);
        assert_eq!(node.exit_code(), 0, "{what}");
        let log = node.log();
        let mut lines = vec![
            format!("Received SIG{} scheduling shutdown...", row.how),
            "User requested shutdown...".to_owned(),
        ];
        if row.how.starts_with("SHUTDOWN") {
            lines.remove(0);
        }
        if row.saves {
            lines.extend(
                ["Saving the final RDB snapshot before exiting.", "DB saved on disk"].map(str::to_owned),
            );
        }
        lines.extend(
            ["Removing the pid file.", "# Redis is now ready to exit, bye bye..."].map(str::to_owned),
        );
        let places: Vec<_> = lines.iter().map(|line| log.find(&format!("{line}\n"))).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{what}: {places:?}\n{log}");
        assert_eq!(log.contains("Saving the final"), row.saves, "{what}");
        assert_eq!(!home.bytes().is_empty(), row.saves, "{what}");
        assert_eq!(home.strays(), [""; 0], "{what}");
        assert!(waiting.reply().is_err(), "{what}: the connection goes on");
    });
}

#[test]
fn who_cannot_save_stays_unless_forced() {
    let home = Home::new();
    let mut node = home.start(&["--save", "3600", "1"]);
    node.ok("SET k v");
    fs::remove_dir_all(home.data()).expect("removed");
    node.signal("TERM");
    node.wait_for_line("Error trying to save the DB, can't exit.");
    node.wait_for_line("Errors trying to shut down the server. Check the logs for more information.");
    assert!(node.runs());
    for how in ["SHUTDOWN", "SHUTDOWN SAVE", "SHUTDOWN NOW"] {
        assert_eq!(node.error(how), "ERR Errors trying to SHUTDOWN. Check logs.");
    }
    assert_eq!(node.error("SHUTDOWN ABORT"), "ERR No shutdown in progress.");
    // A signal after a failure is a first one again.
    node.signal("INT");
    wait("another failure", || (node.log().matches("can't exit.").count() == 5).then_some(()));
    assert!(node.runs());
    assert!(node.client().line("SHUTDOWN FORCE").is_err());
    assert_eq!(node.exit_code(), 0);
    assert!(node.log().contains("Error trying to save the DB. Exit anyway."));

    let home = Home::new();
    let mut node = home.start(&["--save", "3600", "1"]);
    fs::remove_dir_all(home.data()).expect("removed");
    assert!(node.client().line("SHUTDOWN NOSAVE").is_err());
    assert_eq!(node.exit_code(), 0);
}

#[test]
fn a_second_interrupt_ends_it_at_once() {
    let home = Home::new();
    let mut node = home.start(&[&SLOW_SAVE[..], &["--shutdown-on-sigint", "save"]].concat());
    node.ok("SET k v");
    node.ok("SAVE");
    let old = home.bytes();
    fill(&node, 20_000, 10);
    node.signal("INT");
    node.wait_for_line("Saving the final RDB snapshot before exiting.");
    wait("the file that is being written", || (home.strays().len() == 1).then_some(()));
    node.signal("TERM");
    node.wait_for_line("Received SIGTERM scheduling shutdown...");
    assert!(node.runs(), "a SIGTERM is no insisting");
    node.signal("INT");
    assert_eq!(node.exit_code(), 1);
    assert!(node.log().contains("You insist... exiting now."));
    assert!(home.bytes() == old && home.strays().is_empty());
}

#[test]
fn leaving_stops_a_save_in_the_background() {
    let home = Home::new();
    let mut node = home.start(&SLOW_SAVE);
    fill(&node, 20_000, 10);
    bgsave(&node);
    let child = node.saver();
    node.signal("TERM");
    assert_eq!(node.exit_code(), 0);
    assert!(node.log().contains("There is a child saving an .rdb. Killing it!"));
    wait("the child's end", || (!lives(child)).then_some(()));
    assert!(home.strays().is_empty() && home.bytes().is_empty());
}

/// Nobody is told that a write went well which the last save does not hold.
#[test]
fn what_was_acknowledged_is_in_the_last_save() {
    let home = Home::new();
    let mut node = home.start(&["--save", "3600", "1"]);
    let mut client = node.client();
    let writer = std::thread::spawn(move || {
        let mut acknowledged = 0;
        while client.line(&format!("SET k {acknowledged}")).is_ok_and(|reply| !reply.is_error()) {
            acknowledged += 1;
        }
        acknowledged - 1
    });
    std::thread::sleep(Duration::from_millis(300));
    node.signal("TERM");
    assert_eq!(node.exit_code(), 0);
    let last: i64 = writer.join().expect("it ends with the server");
    assert!(last > 10);
    let node = home.start(&[]);
    let kept: i64 = String::from_utf8(node.ask("GET k").bytes().expect("a number"))
        .expect("text")
        .parse()
        .expect("a number");
    assert!(kept >= last, "{kept} is kept, {last} was acknowledged");
}

// Loading

fn slowly_loading(keys: usize) -> Home {
    let home = Home::new();
    let node = home.start(&[]);
    fill(&node, keys, 100);
    node.ok("SAVE");
    node.kill();
    home
}

const SLOW_LOAD: &[&str] = &["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"];

#[test]
fn loading_is_told_and_can_be_watched() {
    let home = slowly_loading(4000);
    let mut node = home.launch(SLOW_LOAD);
    wait("the start", || node.log().contains("Listening on port").then_some(()));
    for line in ["PING", "GET key:1", "SET k v", "DBSIZE", "SAVE", "BGSAVE", "FLUSHALL"] {
        assert_eq!(node.error(line), "LOADING Redis is loading the dataset in memory", "{line}");
    }
    for line in
        ["INFO server", "CONFIG GET dir", "COMMAND COUNT", "CLIENT ID", "SELECT 1", "HELLO 3", "LASTSAVE"]
    {
        assert!(!node.ask(line).is_error(), "{line}");
    }
    let info = node.info("persistence");
    assert_eq!((&info["loading"][..], &info["async_loading"][..]), ("1", "0"));
    assert_eq!(info["loading_total_bytes"], home.bytes().len().to_string());
    let start: i64 = info["loading_start_time"].parse().expect("a number");
    assert!((canon::now_ms() / 1000 - start).abs() < 20);
    let loaded = |info: &std::collections::BTreeMap<String, String>| {
        info["loading_loaded_bytes"].parse::<u64>().expect("a number")
    };
    let first = loaded(&info);
    let later = wait("progress", || {
        Some(node.info("persistence"))
            .filter(|info| !info.contains_key("loading_loaded_bytes") || loaded(info) > first)
    });
    let part: f64 = later["loading_loaded_perc"].parse().expect("a number");
    assert!(part > 0.0 && part < 100.0, "{part}");
    assert!(later["loading_eta_seconds"].parse::<i64>().expect("a number") >= 0);
    node.wait_until_it_serves();
    assert_eq!(node.ask("DBSIZE"), Value::Int(4000));
    let info = node.info("persistence");
    assert_eq!((&info["loading"][..], &info["rdb_last_load_keys_loaded"][..]), ("0", "4000"));
    assert!(!info.contains_key("loading_total_bytes"));
    assert!(node.log().contains("Done loading RDB, keys loaded: 4000, keys expired: 0."));
}

#[test]
fn leaving_while_loading_saves_nothing() {
    let home = slowly_loading(20_000);
    let old = home.bytes();
    for how in ["TERM", "INT", "SHUTDOWN", "SHUTDOWN SAVE"] {
        let mut node =
            home.launch(&[SLOW_LOAD, &["--save", "3600", "1", "--shutdown-on-sigint", "save"]].concat());
        node.wait_for_line("Listening on port");
        wait("the load", || (node.persistence("loading") == "1").then_some(()));
        if how.starts_with("SHUTDOWN") {
            assert!(node.client().line(how).is_err());
        } else {
            node.signal(how);
            node.wait_for_line("Received shutdown signal during loading, scheduling shutdown.");
        }
        assert_eq!(node.exit_code(), 0, "{how}");
        assert!(home.bytes() == old && home.strays().is_empty(), "{how}");
    }
}

#[test]
fn keys_that_expired_meanwhile_are_counted_and_gone() {
    let home = Home::new();
    let node = home.start(&[]);
    fill(&node, 10, 10);
    // What is past its time is saved all the same, however late the save comes.
    node.ok("DEBUG SET-ACTIVE-EXPIRE 0");
    node.ok("SET short v PX 300");
    node.ok("SET long v PX 99999999");
    node.ok("SAVE");
    node.kill();
    std::thread::sleep(Duration::from_millis(350));
    let node = home.start(&[]);
    assert_eq!(node.ask("DBSIZE"), Value::Int(11));
    let info = node.info("persistence");
    assert_eq!(
        (&info["rdb_last_load_keys_loaded"][..], &info["rdb_last_load_keys_expired"][..]),
        ("11", "1")
    );
    assert_eq!(info["rdb_changes_since_last_save"], "0");
}

/// Shrinking moves members about, and each page that is touched while a child lives is copied.
#[test]
fn tables_of_values_shrink_when_the_child_is_gone() {
    let home = Home::new();
    let node = home.start(&SLOW_SAVE);
    fill(&node, 3000, 1);
    let members: Vec<String> = (0..20_000).map(|i| format!("m{i}")).collect();
    node.ask(&format!("SADD s {}", members.join(" ")));
    let size = || {
        let Value::Bulk(text) = node.ask("DEBUG HTSTATS-KEY s") else { panic!("a text") };
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix(" table size: ")).map(str::to_owned);
        (line.and_then(|n| n.parse::<u32>().ok()).expect("a size"), text.contains("rehashing target"))
    };
    let (full, resizing) = size();
    assert!(!resizing);
    bgsave(&node);
    node.ask(&format!("SREM s {}", members[..18_000].join(" ")));
    assert_eq!(size(), (full, false), "held");
    signal(node.saver(), "KILL");
    node.wait_for("rdb_bgsave_in_progress", "0");
    node.ask(&format!("SREM s {}", members[18_000]));
    let (now, resizing) = size();
    assert!(now < full && resizing, "{now} of {full}");
    node.ask(&format!("SREM s {}", members[18_001..19_000].join(" ")));
    assert!(size().0 < full / 3, "{} of {full}", size().0);
}
