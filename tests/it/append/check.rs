//! `resnap check`, and the program under the names of the real servers' tools.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{case, cases, files, frame, frames, log_of};

/// Runs a program and gives its exit code and what it printed.
fn run(name: &str, args: &[&str], answer: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resnap"));
    command.arg0(name).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    child.stdin.take().expect("piped").write_all(answer.as_bytes()).expect("it reads, or has a pipe");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    (output.status.code().expect("no signal"), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check(path: &Path, options: &[&str]) -> (i32, String) {
    let path = path.display().to_string();
    run("resnap", &[&["check"], options, &[path.as_str()]].concat(), "")
}

fn check_aof(path: &Path, options: &[&str], answer: &str) -> (i32, String) {
    let path = path.display().to_string();
    run("redis-check-aof", &[options, &[path.as_str()]].concat(), answer)
}

fn incr(home: &crate::node::Home) -> PathBuf {
    home.data().join("appendonlydir/appendonly.aof.1.incr.aof")
}

fn manifest(home: &crate::node::Home) -> PathBuf {
    home.data().join("appendonlydir/appendonly.aof.manifest")
}

#[test]
fn says_of_every_case_whether_a_start_would_load_it() {
    for case in cases() {
        let home = case.home();
        let (before, (code, said)) = (files(&home.data()), check(&home.data(), &[]));
        assert_eq!(files(&home.data()), before, "{}", case.name);
        let torn = case.name.starts_with("trunc_") || case.name == "cmd_old_commands";
        let nothing = case.name == "dir_without_manifest";
        let bad = !case.is_loaded_somewhere() || torn || nothing;
        assert_eq!(code, i32::from(bad), "{}:\n{said}", case.name);
        let says = ["bad: ", "cannot be opened: ", "there is neither"].iter().any(|part| said.contains(part));
        assert_eq!(says, bad, "{}:\n{said}", case.name);
    }
}

#[test]
fn says_the_first_bad_offset_and_what_is_good_before_it() {
    let good = frames(&["#TS:1700000000", "SET a 1", "MULTI", "SET b 1", "INCR b", "EXEC"]);
    let home = log_of(&[&good[..], b"*1\r\n!4\r\nPING\r\n"].concat());
    let (code, said) = check(&home.data(), &[]);
    assert_eq!(code, 1);
    let path = incr(&home).display().to_string();
    let lines = [
        format!("{path}: bad: offset {}: an argument should begin here", good.len() + 4),
        format!(
            "{path}: good before it: 5 commands (1 transactions), last time noted 1700000000, {} bytes",
            good.len()
        ),
    ];
    lines.iter().for_each(|line| assert!(said.contains(line), "{line}\n{said}"));
    let snapshot = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb/made_r7.0.15_16dbs.rdb");
    let (code, said) = check(&snapshot, &[]);
    assert!(code == 0 && said.contains(": good: ") && said.contains("16 databases"), "{said}");
    assert_eq!(check(Path::new("/nonexistent"), &[]).0, 1);
}

#[test]
fn fix_cuts_a_torn_tail_and_keeps_what_it_cuts() {
    let whole = frames(&["SET a 1", "SET b 2"]);
    let tail = &frame("SET c 3")[..12];
    let home = log_of(&[&whole[..], tail].concat());
    // No answer is no.
    let (code, said) = check(&home.data(), &["--fix"]);
    assert!(code == 1 && said.contains("Continue? [y/N]: ") && said.contains("Aborting..."), "{said}");
    assert_eq!(check(&home.data(), &["--fix", "--yes"]).0, 0);
    assert_eq!(fs::read(incr(&home)).expect("there"), whole);
    let kept = PathBuf::from(format!("{}.cut-{}", incr(&home).display(), whole.len()));
    assert_eq!(fs::read(kept).expect("kept"), tail);
    assert_eq!(check(&home.data(), &[]).0, 0);
    // What is whole and not understood is not mended by cutting.
    let home = log_of(&[&whole[..], &frame("NOSUCH x")].concat());
    let before = files(&home.data());
    assert_eq!(check(&home.data(), &["--fix", "--yes"]).0, 1);
    assert_eq!(files(&home.data()), before);
    // Nor is a file that others follow.
    let home = case("trunc_first_incr").home();
    let before = files(&home.data());
    assert_eq!(check(&home.data(), &["--fix", "--yes"]).0, 1);
    assert_eq!(files(&home.data()), before);
}

/// A server that goes on writing would leave a hole where the tail was.
#[test]
fn nothing_is_cut_off_a_log_that_a_server_writes() {
    let home = log_of(&frames(&["SET a 1"]));
    let mut node = home.start(&["--appendonly", "yes"]);
    let torn = b"*3\r\n$3\r\nSET\r\n";
    let append = || File::options().append(true).open(incr(&home)).and_then(|mut file| file.write_all(torn));
    append().expect("written");
    let before = files(&home.data());
    let says = format!(
        "cannot be cut: The data set in {} belongs to another process (pid {})",
        home.data().display(),
        node.pid()
    );
    let (code, said) = check(&home.data(), &["--fix", "--yes"]);
    assert!(code == 1 && said.contains(&says), "{said}");
    let (code, said) = check_aof(&incr(&home), &["--fix"], "y\n");
    assert!(code == 1 && said.contains("Failed to truncate AOF"), "{said}");
    assert_eq!(files(&home.data()), before);
    node.signal("KILL");
    node.wait_for_end();
    assert_eq!(check(&home.data(), &["--fix", "--yes"]).0, 0);
    assert_eq!(fs::read(incr(&home)).expect("there"), frames(&["SET a 1"]));
}

#[test]
fn until_cuts_at_an_annotation() {
    let (before, after) = (frames(&["#TS:100", "SET a 1"]), frames(&["#TS:200", "SET a 2"]));
    let home = log_of(&[&before[..], &after[..]].concat());
    assert_eq!(check(&home.data(), &["--until", "200", "--yes"]).0, 0);
    assert_eq!(fs::read(incr(&home)).expect("there").len(), before.len() + after.len());
    assert_eq!(check(&home.data(), &["--until", "199", "--yes"]).0, 0);
    assert_eq!(fs::read(incr(&home)).expect("there"), before);
    assert_eq!(check(&home.data(), &["--until", "99", "--yes"]).0, 1);
    assert_eq!(fs::read(incr(&home)).expect("there"), before);
}

#[test]
fn redis_check_aof_says_what_the_real_one_says() {
    let home = log_of(&frames(&["SET foo hello", "SET bar world"]));
    let name = "appendonly.aof.1.incr.aof";
    assert_eq!(
        check_aof(&manifest(&home), &[], ""),
        (
            0,
            format!(
                "Start checking Multi Part AOF\nStart to check INCR files.\nAOF analyzed: filename={name}, size=66, ok_up_to=66, \
                 ok_up_to_line=15, diff=0\nINCR AOF {name} is valid\nAll AOF files and manifest are valid\n"
            )
        )
    );
    let whole = frame("SET foo hello");
    let home = log_of(&[&whole[..], &frame("SET bar world")[..32]].concat());
    let analyzed =
        format!("AOF analyzed: filename={name}, size=65, ok_up_to=33, ok_up_to_line=14, diff=32\n");
    let head = "Start checking Multi Part AOF\nStart to check INCR files.\n";
    let error = "0x              3b: Expected to read 7 bytes, got 6 bytes\n";
    let invalid = format!("AOF {name} is not valid. Use the --fix option to try fixing it.\n");
    assert_eq!(check_aof(&manifest(&home), &[], ""), (1, format!("{head}{error}{analyzed}{invalid}")));
    let shrink = format!(
        "This will shrink the AOF {name} from 65 bytes, with 32 bytes, to 33 bytes\nContinue? [y/N]: "
    );
    let (code, said) = check_aof(&manifest(&home), &["--fix"], "n\n");
    assert_eq!((code, said), (1, format!("{head}{error}{analyzed}{shrink}Aborting...\n")));
    let (code, said) = check_aof(&manifest(&home), &["--fix"], "y\n");
    let end = format!("Successfully truncated AOF {name}\nAll AOF files and manifest are valid\n");
    assert_eq!((code, said), (0, format!("{head}{error}{analyzed}{shrink}{end}")));
    assert_eq!(fs::read(incr(&home)).expect("there"), whole);
}

#[test]
fn redis_check_aof_cuts_at_a_time() {
    let home = log_of(&frames(&["#TS:100", "SET a 1", "#TS:200", "SET a 2"]));
    let (code, said) = check_aof(&manifest(&home), &["--truncate-to-timestamp", "250"], "");
    assert!(
        code == 0 && said.contains("Truncate nothing in AOF appendonly.aof.1.incr.aof to timestamp 250\n"),
        "{said}"
    );
    let (code, said) = check_aof(&manifest(&home), &["--truncate-to-timestamp", "150"], "");
    assert!(
        code == 0 && said.contains("Successfully truncated AOF appendonly.aof.1.incr.aof to timestamp 150\n"),
        "{said}"
    );
    assert_eq!(fs::read(incr(&home)).expect("there"), frames(&["#TS:100", "SET a 1"]));
    let (code, said) = check_aof(&manifest(&home), &["--truncate-to-timestamp", "50"], "");
    assert!(code == 1 && said.contains("has nothing before timestamp 50, aborting...\n"), "{said}");
    let (code, said) = run("redis-check-aof", &[], "");
    assert_eq!((code, &said[..14]), (1, "Usage: redis-c"));
    assert!(run("redis-check-aof", &["-v"], "").1.starts_with("redis-check-aof v=8.0.6 "));
}

#[test]
fn redis_check_aof_knows_preambles_and_old_files() {
    let home = case("found_redis_rdb-preamble").home();
    let (code, said) = check_aof(&home.data().join("appendonly.aof"), &[], "");
    assert_eq!(code, 0, "{said}");
    for part in
        ["Start checking Old-Style AOF\n", "RDB preamble is OK, proceeding with AOF tail...\n", " is valid\n"]
    {
        assert!(said.contains(part), "{said}");
    }
    let home = case("manifest_two_bases").home();
    let (code, said) = check_aof(&manifest(&home), &[], "");
    assert!(code == 1 && said.contains("Found duplicate base file information"), "{said}");
}

#[test]
fn redis_check_rdb_says_what_the_real_one_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb");
    let check = |name: &str| run("redis-check-rdb", &[folder.join(name).to_str().expect("text")], "");
    let (code, said) = check("made_r7.0.15_16dbs.rdb");
    assert_eq!(code, 0);
    for part in [
        "] AUX FIELD redis-ver = '7.0.15'\n",
        "] Selecting DB ID 15\n",
        "] Checksum OK\n",
        "] \\o/ RDB looks OK! \\o/\n",
        " keys read\n",
    ] {
        assert!(said.contains(part), "{part}{said}");
    }
    let (code, said) = check("bad_crc_wrong.rdb");
    assert_eq!(code, 1);
    assert!(said.contains("--- RDB ERROR DETECTED ---\n") && said.contains("] RDB CRC error\n"), "{said}");
}
