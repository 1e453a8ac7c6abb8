//! The table against the recording of the real server, and the texts of everything around it.

use super::row::{FIXED, HIDDEN, PROTECTED};
use super::*;

const RECORDING: &str = include_str!("../../../fixtures/config-8.0.6.txt");

/// The recorded lines of one kind, without it.
fn recorded(kind: &str) -> impl Iterator<Item = Vec<&'static str>> {
    RECORDING
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(move |fields| fields[0] == kind)
        .map(|fields| fields[1..].to_vec())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}

fn get(config: &Config, name: &str) -> String {
    config.get(&[name]).into_iter().next().map(|(_, value)| text(value)).expect(name)
}

/// CONFIG SET from this machine, as text: `OK` or the error line.
fn set(config: &mut Config, pairs: &[(&str, &str)]) -> String {
    match config.set(pairs, true, false) {
        Ok(change) => {
            *config = change.config;
            "OK".to_owned()
        }
        Err(error) => error.message().map_or_else(|| "LOADING".to_owned(), text),
    }
}

/// The part of an error that says why.
fn reason(error: &str) -> &str {
    error.split_once(" - ").map_or(error, |(_, why)| why)
}

fn is_refused(name: &str) -> bool {
    lookup(name.as_bytes()).is_some_and(|(row, _)| matches!(row.status, Status::Refused(_)))
}

#[test]
fn names_and_defaults_are_the_real_ones() {
    let config = Config::default();
    let own = ["rdb-save-version"];
    let mut ours: Vec<(String, String)> = config
        .get(&["*"])
        .into_iter()
        .map(|(name, value)| (text(name), text(value)))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect();
    ours.sort();
    let real: Vec<(String, String)> =
        recorded("get").map(|fields| (fields[0].to_owned(), fields[1].to_owned())).collect();
    assert_eq!(ours, real);
    for fields in recorded("hidden") {
        assert_eq!(get(&config, fields[0]), fields[1], "{}", fields[0]);
        assert!(lookup(fields[0].as_bytes()).expect("known").0.is(HIDDEN));
    }
}

#[test]
fn names_are_unique_and_documented() {
    let mut names: Vec<&str> =
        all_rows().flat_map(|row| std::iter::once(row.name).chain(row.alias)).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all_rows().all(|row| row.doc.ends_with(['.', ')']) && row.name == row.name.to_lowercase()));
}

#[test]
fn fixed_ones_are_fixed() {
    let fixed: Vec<&str> = recorded("fixed").map(|fields| fields[0]).collect();
    for name in recorded("get").map(|fields| fields[0]) {
        let (row, _) = lookup(name.as_bytes()).expect(name);
        let skipped =
            ["port", "bind", "dir", "replicaof", "slaveof"].contains(&name) || name.starts_with("tls-");
        if !skipped {
            assert_eq!(row.is(FIXED) || row.is(PROTECTED), fixed.contains(&name), "{name}");
        }
    }
    for fields in recorded("fixed") {
        let mut config = Config::default();
        assert_eq!(reason(&set(&mut config, &[(fields[0], "1")])), fields[1], "{}", fields[0]);
    }
}

#[test]
fn values_are_taken_and_shown_as_by_the_real_server() {
    let taken = recorded("takes").map(|f| (f[0], f[1], f[2]));
    let kept = recorded("keeps").flat_map(|f| f[1..].iter().map(|v| (f[0], *v, *v)).collect::<Vec<_>>());
    for (name, value, shown) in taken.chain(kept) {
        let mut config = Config::default();
        let answer = set(&mut config, &[(name, value)]);
        // Replication will have to raise it to the least that is useful.
        if name == "repl-backlog-size" {
            continue;
        }
        if is_refused(name) && answer != "OK" {
            assert!(answer.contains("yet") || answer.contains("enabled"), "{name} {value}: {answer}");
        } else {
            assert_eq!((answer.as_str(), get(&config, name).as_str()), ("OK", shown), "{name} {value:?}");
        }
    }
}

#[test]
fn values_are_refused_for_the_same_reasons() {
    for fields in recorded("refuses") {
        let (name, why) = (fields[0], fields[1]);
        for value in &fields[2..] {
            let mut config = Config::default();
            assert_eq!(reason(&set(&mut config, &[(name, value)])), why, "{name} {value:?}");
        }
    }
}

#[test]
fn get_lists_each_name_once_as_it_was_asked_for() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<String> {
        config.get(patterns).into_iter().map(|(name, _)| text(name)).collect()
    };
    assert_eq!(names(&["MaxMemory"]), ["MaxMemory"]);
    assert_eq!(names(&["nosuch", "key-load-delay", "key-load-*"]), ["key-load-delay"]);
    let several = names(&["maxmemory", "MAXMEMORY*", "bind", "*of", "bind"]);
    let mut unique = several.clone();
    unique.sort();
    unique.dedup();
    assert_eq!(unique.len(), several.len());
    for name in ["slaveof", "replicaof", "maxmemory-samples", "maxmemory-clients", "bind"] {
        assert!(several.iter().any(|n| n == name), "{name}");
    }
    assert!(names(&["port-file"]) == ["port-file"] && !names(&["*"]).contains(&"port-file".to_owned()));
}

#[test]
fn set_is_all_or_nothing() {
    let mut config = Config::default();
    let error = set(
        &mut config,
        &[("maxmemory", "10000001"), ("maxmemory-clients", "200%"), ("client-query-buffer-limit", "invalid")],
    );
    assert_eq!(
        error,
        "CONFIG SET failed (possibly related to argument 'maxmemory-clients') - percentage argument must be less \
         or equal to 100"
    );
    assert_eq!(get(&config, "maxmemory"), "0");
    assert_eq!(set(&mut config, &[("maxmemory", "1mb"), ("Save", "3000 5")]), "OK");
    assert_eq!((config.maxmemory, config.save.len()), (1 << 20, 1));
}

#[test]
fn set_errors() {
    let rows = [
        (&[("nosuch", "1")][..], "Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
        (
            &[("maxmemory", "1"), ("MaxMemory", "2")],
            "CONFIG SET failed (possibly related to argument 'MaxMemory') - duplicate parameter",
        ),
        (
            &[("daemonize", "yes")],
            "CONFIG SET failed (possibly related to argument 'daemonize') - can't set immutable config",
        ),
        (
            &[("DIR", "/")],
            "CONFIG SET failed (possibly related to argument 'DIR') - can't set protected config",
        ),
        (
            &[("save", "1")],
            "CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters",
        ),
        (
            &[("Slave-Priority", "x")],
            "CONFIG SET failed (possibly related to argument 'slave-priority') - argument couldn't be parsed into \
             an integer",
        ),
        (
            &[("tls-port", "6380")],
            "CONFIG SET failed (possibly related to argument 'tls-port') - there is no TLS yet: connections would not be encrypted",
        ),
    ];
    for (pairs, error) in rows {
        assert_eq!(set(&mut Config::default(), pairs), error);
    }
    // An alias is another argument, so both may be set: the last one counts.
    let mut config = Config::default();
    let both = [("hash-max-listpack-entries", "20"), ("hash-max-ziplist-entries", "21")];
    assert_eq!(set(&mut config, &both), "OK");
    assert_eq!(config.limits.hash_max_listpack_entries, 21);
}

#[test]
fn protected_and_loading() {
    let mut config = Config::default();
    assert!(!config.enable_protected_configs.allows(true), "nobody may, by default");
    config.enable_protected_configs = Protected::Local;
    let dir = [("dir", "/tmp"), ("port", "0"), ("bind", "127.0.0.1")];
    assert!(config.set(&dir, false, false).is_err());
    assert_eq!(config.set(&dir, true, true).expect_err("loading"), SetError::Loading);
    let change = config.set(&dir, true, false).expect("allowed");
    assert_eq!(change.hooks, [(Hook::Dir, "dir"), (Hook::Port, "port"), (Hook::Bind, "bind")]);
    let same = config.set(&[("port", "6379"), ("oom-score-adj", "no")], true, false).expect("fine");
    assert_eq!(same.hooks, []);
    let oom = config.set(&[("oom-score-adj", "yes"), ("oom-score-adj-values", "1 1 1")], true, false);
    assert_eq!(oom.expect("fine").hooks, [(Hook::OomScoreAdj, "oom-score-adj")]);
}

/// Loads lines; the error, if any, with its line.
fn load(lines: &str) -> (Config, Result<(), (usize, String)>) {
    let mut loader = Loader::default();
    for (number, line) in lines.split('\n').enumerate() {
        if let Err(why) = loader.line(line.as_bytes()) {
            return (loader.config, Err((number + 1, why.into_owned())));
        }
    }
    loader.finish();
    (loader.config, Ok(()))
}

#[test]
fn files_set_what_they_say() {
    let (config, result) = load(
        "# comment\n\n  PORT 7000 \r\nsave 10 5\nsave \"20 6\"\nbind 127.0.0.1 -::1\nlogfile ''\n\
         loglevel verbose\nclient-output-buffer-limit replica 1mb 2kb 3\nhash-max-ziplist-entries 7\nhz 700\n\
         proc-title-template \"--my\\x41\"\nuser default on nopass sanitize-payload ~* &* +@all\n\
         lua-replicate-commands yes\nunixsocketperm 700\nreplicaof no one\nshutdown-on-sigint now force",
    );
    assert_eq!(result, Ok(()));
    assert_eq!((config.port, config.hz, config.unixsocketperm), (7000, 500, 0o700));
    assert_eq!(get(&config, "save"), "10 5 20 6");
    assert_eq!(config.bind, ["127.0.0.1", "-::1"]);
    assert_eq!(config.loglevel, LogLevel::Verbose);
    assert_eq!(
        config.client_output_buffer_limit[1],
        OutputLimit { hard: 1 << 20, soft: 2048, soft_seconds: 3 }
    );
    assert_eq!(config.limits.hash_max_listpack_entries, 7);
    assert_eq!(config.proc_title_template, "--myA");
    assert!(config.shutdown_on_sigint.has(ShutdownFlags::FORCE));
    assert_eq!(get(&load("save 1 1\nsave \"\"").0, "save"), "");
    assert_eq!(get(&load("save \"\"\nsave 5 6").0, "save"), "5 6");
}

#[test]
fn files_with_errors() {
    let rows = [
        ("port 1\nbind 1 2 \"3", 2, "Unbalanced quotes in configuration line"),
        ("port", 1, "wrong number of arguments"),
        ("port 1 2", 1, "wrong number of arguments"),
        ("port --bla", 1, "argument couldn't be parsed into an integer"),
        ("invalid", 1, "Bad directive or wrong number of arguments"),
        ("include", 1, "Bad directive or wrong number of arguments"),
        ("save 1", 1, "Invalid save parameters"),
        ("replicaof 127.0.0.1 abc", 1, "Invalid master port"),
        ("replicaof --127.0.0.1", 1, "wrong number of arguments"),
        ("replicaof 127.0.0.1 6379", 1, "there is no replication yet"),
        ("unixsocketperm 7777", 1, "argument must be between 0 and 777 inclusive"),
        ("sentinel monitor a b", 1, "sentinel directive while not in sentinel mode"),
        ("user default on >x ~* &* +@all", 1, "there are no users yet: the server would be open"),
        ("user default on nopass ~* &*", 1, "there are no users yet: the server would be open"),
        ("tls-port 6380", 1, "there is no TLS yet: connections would not be encrypted"),
        ("cluster-enabled yes", 1, "there is no cluster yet: every key would be taken as this node's"),
        (
            "shutdown-on-sigint",
            1,
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
    ];
    for (lines, number, why) in rows {
        assert_eq!(load(lines).1, Err((number, why.to_owned())), "{lines}");
    }
}

#[test]
fn lines_that_ask_for_something() {
    let mut loader = Loader::default();
    assert_eq!(loader.line(b"include /etc/*.conf"), Ok(Step::Include(b"/etc/*.conf".to_vec())));
    assert_eq!(loader.line(b"dir /tmp"), Ok(Step::ChangeDir("/tmp".into())));
    assert_eq!(loader.line(b"some.module-option 1 2"), Ok(Step::Next));
    assert_eq!(loader.unknown, [(b"some.module-option".to_vec(), b"1 2".to_vec())]);
    loader.line(b"crash-memcheck-enabled no").expect("fine");
    loader.line(b"appendfsync everysec").expect("fine");
    assert_eq!(loader.without_effect(), ["crash-memcheck-enabled"]);
}

#[test]
fn rewriting_keeps_the_file_and_changes_the_values() {
    let old = "# mine\nport 7000\n\n\n  # indented\nsave 1 1\nsave 2 2\nsave 3 3\nslave-priority 5\nnosuch thing\n\
               include /x\nloglevel verbose\nmaxmemory 1024";
    let (mut config, _) = load("port 7000\nsave 1 1\nsave 2 2\nsave 3 3\nslave-priority 5\nloglevel verbose");
    config.dir = "/data".into();
    let pairs = [("port", "7001"), ("save", "9 9"), ("maxmemory", "3mb"), ("notify-keyspace-events", "KEA")];
    assert_eq!(set(&mut config, &pairs), "OK");
    let new = text(rewrite(old.as_bytes(), &config, false));
    assert_eq!(
        new,
        "# mine\nport 7001\n\n# indented\nsave 9 9\n\nreplica-priority 5\n# ??? nosuch thing\ninclude /x\n\
         loglevel verbose\nmaxmemory 3mb\n# Generated by CONFIG REWRITE\ndir \"/data\"\n\
         notify-keyspace-events \"AKE\"\nlatency-tracking-info-percentiles 50 99 99.9\n\
         user default on nopass sanitize-payload ~* &* +@all\n"
    );
    // As in the real server, what follows the last line break is a line, too: once, a blank one is added.
    assert_eq!(text(rewrite(new.as_bytes(), &config, false)), new + "\n");
}

/// What Redis 8.0.6 made of this file; it appends in the order of a hash table, we in that of ours.
#[test]
fn rewriting_is_the_real_servers() {
    let old = "# mine\nport 7931\n\n\n  # indented\nsave 1 1\nsave 2 2\nsave 3 3\nslave-priority 5\nloglevel verbose\n\
               maxmemory 1024\nclient-output-buffer-limit pubsub 1 2 3\nclient-output-buffer-limit normal 4 5 6\n";
    let kept = "# mine\nport 7931\n\n# indented\nsave 9 9\n\nreplica-priority 5\nloglevel verbose\nmaxmemory 3mb\n\
                client-output-buffer-limit normal 4 5 6\nclient-output-buffer-limit replica 256mb 64mb 60\n\n\
                # Generated by CONFIG REWRITE\n";
    let appended = "maxmemory-clients 5%\nlatency-tracking-info-percentiles 50 99 99.9\noom-score-adj-values 1 2 3\n\
                    proc-title-template \"a\\\"b {port}\"\nbind 127.0.0.1\nshutdown-on-sigterm nosave now\n\
                    client-output-buffer-limit pubsub 1 2 3\ndir \"/data\"\nnotify-keyspace-events \"AKE\"\ntimeout 7\n\
                    user default on nopass sanitize-payload ~* &* +@all\n";
    let (mut config, _) = load(old);
    config.dir = "/data".into();
    let pairs = [
        ("save", "9 9"),
        ("maxmemory", "3mb"),
        ("notify-keyspace-events", "KEA"),
        ("bind", "127.0.0.1"),
        ("shutdown-on-sigterm", "nosave now"),
        ("maxmemory-clients", "5%"),
        ("timeout", "7"),
        ("proc-title-template", "a\"b {port}"),
        ("oom-score-adj-values", "1 2 3"),
    ];
    assert_eq!(set(&mut config, &pairs), "OK");
    let new = text(rewrite(old.as_bytes(), &config, false));
    let ours = new.strip_prefix(kept).unwrap_or_else(|| panic!("{new}"));
    let sorted = |lines: &str| {
        let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(ours), sorted(appended));
}

#[test]
fn rewriting_from_nothing_comes_back_the_same() {
    let mut config = Config::default();
    let mut everything = Vec::new();
    for fields in recorded("keeps").filter(|fields| fields.len() > 2 && !is_refused(fields[0])) {
        set(&mut config, &[(fields[0], fields[2])]);
        everything.push(fields[0]);
    }
    let new = text(rewrite(b"", &config, false));
    let (again, result) = load(&new);
    assert_eq!(result, Ok(()));
    for name in everything {
        assert_eq!(get(&again, name), get(&config, name), "{name}");
    }
}

#[test]
fn titles() {
    let mut config = Config::default();
    let title = |config: &Config| expand_title(config, "resnap", None);
    assert_eq!(title(&config), "resnap *:6379");
    config.bind = vec!["127.0.0.1".to_owned()];
    assert_eq!(title(&config), "resnap 127.0.0.1:6379");
    config.port = 0;
    config.unixsocket = Some("/tmp/s".into());
    config.proc_title_template = "  {title} {{{listen-addr} {config-file}  ".to_owned();
    assert_eq!(title(&config), "resnap {unixsocket:/tmp/s -");
}

/// `OPTIONS.md` is written from the table: run with `UPDATE=1` after a change.
#[test]
fn the_list_of_options_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine/config/OPTIONS.md");
    let list = options_list();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &list).expect("writable");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), list, "run this test with UPDATE=1");
}

fn options_list() -> String {
    let config = Config::default();
    let mut out = String::from(
        "# Directives\n\nEvery directive of Redis 8.0.6, and our own (`aof-until`, `huge-pages`, `port-file`, \
         `rdb-save-version`). Written from the table in `rows/` by its tests.\n",
    );
    type Part = (&'static str, fn(Status) -> bool);
    let parts: [Part; 3] = [
        ("In effect", |status| status == Status::Live),
        ("Accepted and reported, without effect yet", |status| status == Status::Inert),
        ("Refused unless at the default, until they work", |status| matches!(status, Status::Refused(_))),
    ];
    for (title, wanted) in parts {
        out += &format!("\n## {title}\n\n| name | default | meaning |\n|---|---|---|\n");
        for row in all_rows().filter(|row| wanted(row.status)) {
            let alias = row.alias.map(|alias| format!(" (`{alias}`)")).unwrap_or_default();
            let fixed = if row.is(FIXED) { " Only at start." } else { "" };
            let why = if let Status::Refused(why) = row.status {
                format!(" Refused: {why}.")
            } else {
                String::new()
            };
            let default = text(config.show(row));
            out += &format!("| `{}`{alias} | `{default}` | {}{fixed}{why} |\n", row.name, row.doc);
        }
    }
    out.replace("| `` |", "| |")
}
