//! The command line, case by case as `unit/introspection.tcl` of the real server has them.

use super::args::{ConfigLines, Request, Tool, read};
use super::conf::{ConfError, load};
use std::ffi::OsString;

fn request(args: &[&str]) -> Request {
    let argv: Vec<OsString> = std::iter::once(&"resnap").chain(args).map(OsString::from).collect();
    read(&argv)
}

fn lines(args: &[&str]) -> ConfigLines {
    match request(args) {
        Request::Serve(lines) => lines,
        other => panic!("{args:?}: {other:?}"),
    }
}

fn options(args: &[&str]) -> String {
    String::from_utf8(lines(args).options.expect("there were arguments")).expect("UTF-8")
}

#[test]
fn options_become_lines() {
    let rows: &[(&[&str], &str)] = &[
        (&["--port", "7000"], "port \"7000\" "),
        (&["--port", "6379", "6380"], "port \"6379\" \"6380\" "),
        (
            &["--save", "900", "1", "300", "10", "--port", "1"],
            "save \"900\" \"1\" \"300\" \"10\" \nport \"1\" ",
        ),
        (&["--port", "--loglevel", "verbose"], "port \"--loglevel\" \"verbose\" "),
        (&["--port", "--bla", "--loglevel", "verbose"], "port \"--bla\" \nloglevel \"verbose\" "),
        (&["--replicaof", "--127.0.0.1", "--abc"], "replicaof \"--127.0.0.1\" \nabc "),
        (&["--maxmemory 700mb", "--port 1"], "maxmemory 700mb \nport 1 "),
        (&["--save", "--loglevel", "verbose"], "save \"\"\nloglevel \"verbose\" "),
        (&["--loglevel", "verbose", "--save"], "loglevel \"verbose\" \nsave \"\""),
        (&["--save", "", "--port", "1"], "save \"\" \nport \"1\" "),
        (&["--proc-title-template", "--save", "--save", ""], "proc-title-template \"--save\" \nsave \"\" "),
        (&["--port"], "port "),
        (&["--logfile", "a b\"c"], "logfile \"a b\\\"c\" "),
        (&["--"], " "),
    ];
    for (args, wanted) in rows {
        assert_eq!(options(args), *wanted, "{args:?}");
    }
}

#[test]
fn files_dashes_and_words() {
    assert_eq!(lines(&[]), ConfigLines::default());
    let with = lines(&["redis.conf", "--port", "1", "-"]);
    assert_eq!((with.file, with.stdin), (Some("redis.conf".into()), true));
    let with = lines(&["-", "--port", "1"]);
    assert_eq!((with.file, with.stdin), (None, true));
    // In the middle a dash is a value.
    assert_eq!(options(&["--logfile", "-", "--port", "1"]), "logfile \"-\" \nport \"1\" ");
    // Wrong usage that works all the same: the first words take the place of a config file.
    assert_eq!(options(&["a.conf", "loglevel", "verbose"]), "\"loglevel\" \"verbose\" ");
    assert_eq!(request(&["-v"]), Request::Version);
    assert_eq!(request(&["--help"]), Request::Help);
    assert_eq!(request(&["--test-memory"]), Request::TestMemory(None));
    assert_eq!(request(&["--test-memory", "1"]), Request::TestMemory(Some("1".into())));
    assert_eq!(request(&["--check-system"]), Request::CheckSystem);
    assert!(matches!(request(&["x.conf", "--sentinel"]), Request::Refuse(_)));
    assert_eq!(read(&["/usr/bin/redis-check-rdb".into(), "x".into()]), Request::Check(Tool::RedisRdb));
    assert_eq!(read(&["redis-check-aof".into()]), Request::Check(Tool::RedisAof));
    assert_eq!(request(&["check", "--fix", "x"]), Request::Check(Tool::Ours));
}

/// The error of a command line: line number, line, reason.
fn error(args: &[&str]) -> (usize, String, String) {
    match load(&lines(args)) {
        Err(ConfError::Line(number, line, why)) => (number, String::from_utf8_lossy(&line).into_owned(), why),
        other => panic!("{args:?}: {other:?}"),
    }
}

#[test]
fn errors_name_the_line() {
    let rows: &[(&[&str], usize, &str, &str)] = &[
        (&["--invalid"], 2, "invalid", "Bad directive or wrong number of arguments"),
        (&["--port"], 2, "port", "wrong number of arguments"),
        (&["--port", "6380", "--loglevel"], 3, "loglevel", "wrong number of arguments"),
        (&["--port", "6379", "6380"], 2, "port \"6379\" \"6380\"", "wrong number of arguments"),
        (
            &["--port", "--bla", "--loglevel", "verbose"],
            2,
            "port \"--bla\"",
            "argument couldn't be parsed into an integer",
        ),
        (&["--dir", "/nonexistent"], 2, "dir \"/nonexistent\"", "No such file or directory"),
        (&["--io-threads", "300"], 2, "io-threads \"300\"", "argument must be between 1 and 128 inclusive"),
        (&["--replicaof", "127.0.0.1", "abc"], 2, "replicaof \"127.0.0.1\" \"abc\"", "Invalid master port"),
        (&["--aclfile", "x"], 2, "aclfile \"x\"", "there are no users yet: the server would be open"),
        (&["--include"], 2, "include", "Bad directive or wrong number of arguments"),
    ];
    for (args, number, line, why) in rows {
        assert_eq!(error(args), (*number, (*line).to_owned(), (*why).to_owned()), "{args:?}");
    }
}

#[test]
fn includes_are_loaded_where_they_stand() {
    let home = tempfile::tempdir().expect("a directory");
    let path = |name: &str| home.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).expect("written");
    write("one.inc", "timeout 5\nport 7001\nport");
    write("two.inc", "timeout 6\n");
    write("three.inc", "save 1 1\n");
    write("main.conf", &format!("port 7000\ninclude {}\nport 7002\n", path("t*.inc")));
    let loaded = load(&lines(&[&path("main.conf"), "--tcp-backlog", "7"])).expect("fine").config;
    assert_eq!((loaded.port, loaded.timeout, loaded.tcp_backlog, loaded.save.len()), (7002, 6, 7, 1));
    assert!(loaded.dir.is_absolute());

    write("bad.conf", &format!("port 1\ninclude {}\n", path("one.inc")));
    assert_eq!(error(&[&path("bad.conf")]).0, 3, "the line of the included file");
    write("loop.conf", &format!("include {}\n", path("loop.conf")));
    assert_eq!(error(&[&path("loop.conf")]).2, "files include each other too deeply");
    write("none.conf", &format!("include {}\nport 7\n", path("*.none")));
    assert_eq!(load(&lines(&[&path("none.conf")])).expect("no match is no error").config.port, 7);
    write("gone.conf", &format!("include {}\n", path("gone.inc")));
    assert!(matches!(load(&lines(&[&path("gone.conf")])), Err(ConfError::Unreadable(..))));
    assert!(matches!(load(&lines(&["--logfile", "/nonexistent/x"])), Err(ConfError::Whole(_))));
}
