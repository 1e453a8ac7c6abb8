//! Every file of `fixtures/rdb` as the dump file of our binary, against what real servers did with it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use resnap::persist::rdb::{Item, Reader, SliceSource};
use serde_json::Value as Json;

use crate::canon;
use crate::client::Value;
use crate::node::{Home, Node, parallel};

/// Where we do otherwise than the real servers, and why.
const DELIBERATE: &[(&str, &str)] = &[
    ("craft_moduleaux_unknown_v10", KEPT),
    ("craft_valkey_v81", NEWER),
    (
        "found_hdt_valkey_cluster_slot_import_old",
        "the note of a slot migration is no reason to refuse the keys; Valkey aborts",
    ),
    ("found_keydb_redis-module-save", KEPT),
    ("found_librdb_misc_with_stream", KEPT),
    ("found_librdb_module_aux", KEPT),
    ("found_librdb_module_aux_empty", KEPT),
    ("found_rdbtools_redis_40_with_module", KEPT),
    ("found_rdbtools_redis_60_with_module_aux", KEPT),
    ("found_replicator_dump-module-2", KEPT),
    ("found_valkey_encodings-rdb987", NEWER),
    ("found_vkjson_rejson-1.0.8_old", KEPT),
    ("found_vkjson_rejson-2.0.6_old", KEPT),
    ("found_vkjson_rejson-2.0.7_old", KEPT),
    ("found_vkjson_rejson-2.2.0_old", KEPT),
    ("found_vkjson_rejson-2.6.12_old", KEPT),
    ("found_vksearch_hnsw_duplicate_label", KEPT),
    ("found_xpipe_dump_8", KEPT),
];
const KEPT: &str = "a module's data is kept as it is and written back; real servers need the module";
const NEWER: &str = "a newer version of which every byte is understood; real servers go by the number alone";

/// Resident memory beyond that of an empty server: so much, and so many times the file's size.
const MEMORY: (u64, u64) = (12 << 20, 6);

/// Address space for a file that is refused, in KiB. An empty server takes less than a quarter of it.
const ADDRESS_SPACE: &str = "ulimit -v 524288";

struct Fixture {
    name: String,
    path: PathBuf,
    expected: Json,
}

impl Fixture {
    /// Whether any real server, as it is or with a directive, loads the file and stays.
    fn is_loaded_somewhere(&self) -> bool {
        self.expected["expect_from"].is_string()
    }

    fn deliberate(&self) -> bool {
        DELIBERATE.iter().any(|row| row.0 == self.name)
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb")
}

fn fixture(name: &str) -> Fixture {
    let path = folder().join(format!("{name}.rdb"));
    let text = fs::read(path.with_extension("expect.json")).expect("every file has its expectation");
    Fixture { name: name.to_owned(), path, expected: serde_json::from_slice(&text).expect("JSON") }
}

fn fixtures() -> Vec<Fixture> {
    let names = fs::read_dir(folder()).expect("readable").flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| name.to_str()?.strip_suffix(".rdb").map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.iter().map(|name| fixture(name)).collect()
}

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

#[test]
fn files_that_a_real_server_loads_show_the_same() {
    let empty = Home::new().start(&[]).peak_memory();
    let (faults, files) = (Faults::default(), fixtures());
    let loaded: Vec<_> = files.into_iter().filter(Fixture::is_loaded_somewhere).collect();
    assert!(loaded.len() > 150, "{} files", loaded.len());
    parallel(&loaded, |file| {
        let home = Home::with(&file.path);
        let mut node = home.launch(&["--key-load-delay", "0"]);
        node.wait_until_it_serves();
        let size = file.expected["size"].as_u64().expect("known");
        let taken = node.peak_memory().saturating_sub(empty);
        if taken > MEMORY.0 + MEMORY.1 * size.max(content_size(&file.expected)) {
            faults.add(&file.name, &format!("{taken} bytes of memory for a file of {size}"));
        }
        shows(file, &home, &node, &faults);
    });
    faults.none();
}

/// Bytes of what the keys hold: a small file may unpack to a lot.
fn content_size(expected: &Json) -> u64 {
    match expected {
        Json::Object(map) if map.contains_key("len") => map["len"].as_u64().unwrap_or(0),
        Json::Object(map) => map.values().map(content_size).sum(),
        Json::Array(items) => items.iter().map(content_size).sum(),
        _ => 0,
    }
}

/// Compares content; what has aged since the expectation was recorded is left alone.
fn shows(file: &Fixture, home: &Home, node: &Node, faults: &Faults) {
    let expected = &file.expected;
    if expected["ages_at_ms"].as_i64().is_some_and(|ages| canon::now_ms() >= ages) {
        println!("{}: the expectation is out of date, content not compared", file.name);
        return;
    }
    let mut differences = Vec::new();
    // A hash of which all fields are past is there until the first round of active expiry, as in the real server.
    for _ in 0..50 {
        differences = match canon::dump(&mut node.client()) {
            Ok(seen) => differences_of(expected, &seen),
            Err(error) => vec![format!("{error}; log:\n{}", node.log())],
        };
        if !differences.iter().any(|line| line.ends_with(": unexpected")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    differences.iter().for_each(|line| faults.add(&file.name, line));
    if expected["functions"].as_array().is_some_and(|functions| !functions.is_empty()) {
        keeps_functions(file, home, node, faults);
    }
}

fn differences_of(expected: &Json, seen: &Json) -> Vec<String> {
    if expected["dbs"].is_object() {
        return canon::compare(expected, seen);
    }
    // Too big to be written out: one number stands for all of it.
    let server = expected["expect_from"].as_str().expect("some server loads it");
    let same = expected["servers"][server]["digest"] == canon::digest(seen).as_str();
    if same { Vec::new() } else { vec!["the content's digest differs".to_owned()] }
}

/// Libraries are in the next snapshot as they were in this one.
fn keeps_functions(file: &Fixture, home: &Home, node: &Node, faults: &Faults) {
    node.ok("SAVE");
    let bytes = home.bytes();
    let mut found = Vec::new();
    let mut reader = Reader::new(SliceSource::new(&bytes)).expect("a snapshot");
    while let Some(item) = reader.next_item().expect("a whole snapshot") {
        if let Item::Function(code) = item {
            found.push(canon::bytes(code).to_string());
        }
    }
    let libraries = file.expected["functions"].as_array().expect("asked before");
    let mut wanted: Vec<_> = libraries.iter().map(|library| library["code"].to_string()).collect();
    found.sort();
    wanted.sort();
    if found != wanted {
        faults.add(
            &file.name,
            &format!("{} of {} libraries are saved as they were", found.len(), wanted.len()),
        );
    }
}

#[test]
fn files_that_every_real_server_refuses_are_refused() {
    let faults = Faults::default();
    let refused: Vec<_> =
        fixtures().into_iter().filter(|file| !file.is_loaded_somewhere() && !file.deliberate()).collect();
    assert!(refused.len() > 50, "{} files", refused.len());
    parallel(&refused, |file| {
        let home = Home::with(&file.path);
        let mut node = home.launch_limited(ADDRESS_SPACE, &[]);
        let status = node.wait_for_end();
        let log = node.log();
        if status.code() != Some(1) {
            faults.add(&file.name, &format!("ended with {status}; log:\n{log}"));
        }
        let path = home.snapshot();
        let says_why = |line: &str| {
            let about = line.split_once(&format!("{}: offset ", path.display()));
            about.is_some_and(|(head, rest)| {
                head.contains(" # Fatal error loading the DB")
                    && rest.starts_with(|c: char| c.is_ascii_digit())
                    && rest.split_once(": ").is_some_and(|(_, reason)| reason.len() > "Exiting.".len() + 5)
            })
        };
        if !log.lines().any(says_why) {
            faults.add(&file.name, &format!("no line with file, offset and reason in:\n{log}"));
        }
        if log.matches("Terminating server after rdb file reading failure.").count() != 1 {
            faults.add(&file.name, &format!("it does not say that it ends in:\n{log}"));
        }
        if home.bytes() != fs::read(&file.path).expect("readable") || !home.strays().is_empty() {
            faults.add(&file.name, "something changed in the directory");
        }
    });
    faults.none();
}

/// What a file holds that has to survive as it is.
#[derive(Debug, Default, PartialEq)]
struct Opaque {
    /// Type and bytes of values by database and key, those of modules.
    values: BTreeMap<(u32, Vec<u8>), Vec<u8>>,
    module_aux: Vec<Vec<u8>>,
    keys: u64,
}

fn opaque(bytes: &[u8]) -> Opaque {
    const MODULE: u8 = 7;
    let mut found = Opaque::default();
    let mut reader = Reader::new(SliceSource::new(bytes)).expect("a snapshot");
    while let Some(item) = reader.next_item().expect("a whole snapshot") {
        match item {
            Item::Key(pending) => {
                found.keys += 1;
                let at = (pending.meta().db, pending.meta().key.to_vec());
                let (kind, offset, len) = pending.skip().expect("a whole value");
                if kind == MODULE {
                    let range = offset as usize..(offset + len) as usize;
                    found.values.insert(at, bytes[range].to_vec());
                }
            }
            Item::ModuleAux(aux) => found.module_aux.push(aux.raw.to_vec()),
            _ => {}
        }
    }
    found
}

#[test]
fn what_we_alone_load_is_kept() {
    let files: Vec<_> = DELIBERATE.iter().map(|row| fixture(row.0)).collect();
    assert!(files.iter().all(|file| !file.is_loaded_somewhere()), "a real server loads it, too");
    let mut modules = 0;
    for file in &files {
        let home = Home::with(&file.path);
        let before = opaque(&home.bytes());
        let expired = file.expected["in_file"]["expired"].as_u64().unwrap_or(0);
        modules += before.values.len() + before.module_aux.len();

        let node = home.start(&[]);
        let keys: u64 = node.info("keyspace").values().map(|line| keys_of(line)).sum();
        assert_eq!(keys, before.keys - expired, "{}", file.name);
        for key in before.values.keys() {
            knows_module_value(&node, key, &file.name);
        }
        node.ok("SAVE");
        node.kill();

        let mut after = opaque(&home.bytes());
        after.keys = before.keys;
        assert_eq!(after, before, "{}", file.name);
    }
    assert!(modules > 10, "{modules} things of modules");
}

/// `keys=3,expires=0,...`
fn keys_of(line: &str) -> u64 {
    line.strip_prefix("keys=")
        .and_then(|rest| rest.split(',').next()?.parse().ok())
        .expect("a number of keys")
}

/// A module's value can be named, moved and deleted, and is of the wrong type for everything else.
fn knows_module_value(node: &Node, (db, key): &(u32, Vec<u8>), name: &str) {
    let mut client = node.client();
    client.line(&format!("SELECT {db}")).expect("answered");
    let kind = client.call(&[b"TYPE", &key[..]]).expect("answered");
    assert!(matches!(&kind, Value::Simple(kind) if kind.len() == 9), "{name}: {kind:?}");
    let wrong = client.call(&[b"GET", &key[..]]).expect("answered");
    assert!(wrong.bytes().is_some_and(|text| text.starts_with(b"WRONGTYPE ")), "{name}: {wrong:?}");
    assert_eq!(
        client.call(&[&b"RENAME"[..], key, b"elsewhere"]).expect("answered"),
        Value::Simple(b"OK".to_vec())
    );
    assert_eq!(
        client.call(&[&b"RENAME"[..], b"elsewhere", key]).expect("answered"),
        Value::Simple(b"OK".to_vec())
    );
}

#[test]
fn more_databases_than_configured_are_refused_and_allowed() {
    let file = fixture("craft_db16_v9");
    let home = Home::with(&file.path);
    let mut refused = home.launch(&[]);
    assert_eq!(refused.exit_code(), 1);
    assert!(refused.log().contains("databases"), "{}", refused.log());
    let node = home.start(&["--databases", "17"]);
    let seen = canon::dump(&mut node.client()).expect("readable");
    assert_eq!(canon::digest(&seen), file.expected["servers"]["redis-8.0.6 with databases 200000"]["digest"]);
}

/// A line for whoever reads the table and asks whether a row is still true.
#[test]
fn every_difference_has_a_reason_and_a_file() {
    for (name, why) in DELIBERATE {
        assert!(!why.is_empty() && folder().join(format!("{name}.rdb")).exists(), "{name}");
    }
}

/// Damage of our own: a file cut anywhere is refused, and so is one with any bit of its middle turned.
#[test]
fn cut_and_bent_files_are_refused() {
    let whole = fs::read(folder().join("made_r7.0.15_16dbs.rdb")).expect("readable");
    let step = whole.len() / 24;
    let mut damaged: Vec<Vec<u8>> = (0..24).map(|i| whole[..i * step].to_vec()).collect();
    damaged.push(whole[..whole.len() - 1].to_vec());
    damaged.extend((1..24).map(|i| {
        let mut bent = whole.clone();
        bent[i * step] ^= 1 << (i % 8);
        bent
    }));
    parallel(&damaged, |bytes| {
        let home = Home::new();
        fs::write(home.snapshot(), bytes).expect("written");
        let mut node = home.launch_limited(ADDRESS_SPACE, &[]);
        assert_eq!(node.exit_code(), 1);
        assert!(node.log().contains(": offset "), "{}", node.log());
        assert_eq!(home.bytes(), *bytes);
    });
}

#[test]
fn what_lies_behind_the_end_is_not_read() {
    let file = fixture("craft_trailing_bytes_v9");
    let home = Home::with(&file.path);
    let node = home.start(&[]);
    assert!(node.log().contains("DB loaded from disk"), "{}", node.log());
}

#[test]
fn no_file_is_an_empty_data_set_and_a_directory_is_an_error() {
    let home = Home::new();
    let node = home.start(&[]);
    assert_eq!(node.ask("DBSIZE"), Value::Int(0));
    assert!(!node.log().contains("DB loaded from disk"));
    node.kill();
    fs::create_dir(home.snapshot()).expect("a directory");
    let mut node = home.launch(&[]);
    assert_eq!(node.exit_code(), 1);
    assert!(node.log().contains(&home.snapshot().display().to_string()), "{}", node.log());
}
