//! All files of `fixtures/rdb`, and whatever the single files of the room don't test themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod content;
mod damage;
mod found;
mod round_trip;
mod visiting;

use serde_json::{Value as Json, json};

use super::*;
use crate::value::{Limits, Str, Value};

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rdb");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "rdb"));
    files.sort();
    files
}

/// Files that end in an error even when nothing is loaded, and the offset of what is wrong.
const UNREADABLE: &[(&str, u64)] = &[
    ("bad_crc_wrong", 209),
    ("bad_empty_file", 0),
    ("bad_header_only", 9),
    ("bad_magic", 0),
    ("bad_no_crc", 209),
    ("bad_quicklist2_container3", 16),
    ("bad_quicklist2_count_2p60", 26),
    ("bad_set_count_2p60", 26),
    ("bad_strenc_4", 15),
    ("bad_strlen_4g", 19),
    ("bad_trunc_25pct", 53),
    ("bad_trunc_70pct", 149),
    ("bad_type_unknown_100", 16),
    ("bad_version_0", 0),
    ("found_librdb_future_v19", 184),
    ("found_librdb_invalid_chksum_v8", 201),
    ("found_librdb_redis_ent_opcode_ram_lru", 280),
    ("found_librdb_stream_v13_idmp_old", 90),
    ("found_replicator_module", 1262),
    ("found_valkey_encodings-rdb75-unknown-types", 91),
    ("found_xpipe_dump6379_old", 220),
    ("hostile_30_v9", 27),
    ("hostile_33_v9", 49),
    ("hostile_39_v9", 35),
    ("hostile_45_v9", 32),
    ("hostile_48_v9", 44),
    ("hostile_57_v9", 27),
    ("hostile_66_v10", 146),
];

fn skip_all(bytes: &[u8]) -> Result<u64, LoadError> {
    let mut keys = 0;
    let mut reader = Reader::new(SliceSource::new(bytes))?;
    while let Some(item) = reader.next_item()? {
        keys += u64::from(matches!(item, Item::Key(_)));
    }
    Ok(keys)
}

#[test]
fn every_file_can_be_stepped_through_or_names_the_offset() {
    for path in fixtures() {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let wrong = UNREADABLE.iter().find(|(unreadable, _)| *unreadable == name);
        match skip_all(&std::fs::read(&path).unwrap()) {
            Ok(_) => assert!(wrong.is_none(), "{name} is no longer refused"),
            Err(e) => assert_eq!(wrong.map(|w| w.1), Some(e.offset), "{name}: {e}"),
        }
    }
}

/// What the expectation beside a file says was found in its bytes.
fn in_file(path: &Path) -> Json {
    expectation(path)["in_file"].clone()
}

fn expectation(path: &Path) -> Json {
    let text = std::fs::read(path.with_extension("expect.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// `{"hash(4)": 2, "hash2(valkey,22)": 1}` by number.
fn types(in_file: &Json) -> BTreeMap<u8, u64> {
    let number = |name: &str| name.trim_end_matches(')').rsplit(['(', ',']).next().unwrap().parse().unwrap();
    let types = in_file["types"].as_object().into_iter().flatten();
    types.map(|(name, count)| (number(name), count.as_u64().unwrap())).collect()
}

#[derive(Default)]
struct Seen {
    types: BTreeMap<u8, u64>,
    keys_per_db: BTreeMap<String, u64>,
    with_expire: u64,
    functions: u64,
    aux: BTreeMap<String, String>,
    opcodes: BTreeMap<&'static str, u64>,
}

fn look(bytes: &[u8]) -> Result<Seen, LoadError> {
    let mut seen = Seen::default();
    let mut reader = Reader::new(StreamSource::new(bytes, None))?;
    while let Some(item) = reader.next_item()? {
        let opcode = match item {
            Item::Key(pending) => {
                let meta = pending.meta();
                *seen.types.entry(meta.kind).or_default() += 1;
                *seen.keys_per_db.entry(meta.db.to_string()).or_default() += 1;
                seen.with_expire += u64::from(meta.expire_at_ms.is_some());
                *seen.opcodes.entry("IDLE").or_default() += u64::from(meta.idle_s.is_some());
                *seen.opcodes.entry("FREQ").or_default() += u64::from(meta.freq.is_some());
                continue;
            }
            Item::Aux(name, value) => {
                let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
                seen.aux.insert(text(name), text(value));
                "AUX"
            }
            Item::Function(_) => {
                seen.functions += 1;
                continue;
            }
            Item::Select(_) => "SELECTDB",
            Item::Resize { .. } => "RESIZEDB",
            Item::SlotInfo { .. } => "SLOT_INFO",
            Item::SlotImport(_) => "SLOT_IMPORT",
            Item::ModuleAux(_) => "MODULE_AUX",
            Item::End { .. } => "EOF",
        };
        *seen.opcodes.entry(opcode).or_default() += 1;
    }
    Ok(seen)
}

#[test]
fn keys_types_and_opcodes_are_those_in_the_file() {
    for path in fixtures() {
        let (name, expected) = (path.file_stem().unwrap().display(), in_file(&path));
        let Ok(seen) = look(&std::fs::read(&path).unwrap()) else { continue };
        if expected["error"].is_string() {
            continue; // the scanner that counted got no further
        }
        assert_eq!(seen.types, types(&expected), "{name}");
        let per_db = expected["keys_per_db"].as_object().into_iter().flatten();
        let per_db: BTreeMap<_, _> = per_db.map(|(db, n)| (db.clone(), n.as_u64().unwrap())).collect();
        assert_eq!(seen.keys_per_db, per_db, "{name}");
        assert_eq!(Some(seen.with_expire), expected["with_expire"].as_u64().or(Some(0)), "{name}");
        assert_eq!(Some(seen.functions), expected["functions"].as_u64().or(Some(0)), "{name}");
        for (opcode, count) in seen.opcodes {
            assert_eq!(count, expected["opcodes"][opcode].as_u64().unwrap_or(0), "{name}: {opcode}");
        }
        for (note, value) in &seen.aux {
            let Some(expected) = expected["aux"][note].as_str() else { continue };
            assert!(value == expected || expected.ends_with(" bytes>"), "{name}: {note}");
        }
    }
}

/// The content of a file, by database and key, the way that the expectations have it.
#[derive(Debug, Default, PartialEq)]
struct Content {
    dbs: BTreeMap<String, BTreeMap<String, Json>>,
    functions: Vec<Vec<u8>>,
    module_aux: Vec<Vec<u8>>,
}

/// Reads a file as a master does at `now_ms`, but for expired keys, which stay if `expired` says so. What is read
/// goes to `copy` as well.
fn load(
    bytes: &[u8],
    now_ms: i64,
    expired: bool,
    mut copy: impl FnMut(&Meta<'_>, &Value),
) -> Result<Content, LoadError> {
    let (limits, mut content) = (Limits::default(), Content::default());
    let options = LoadOptions { limits: &limits, strict: false, salvage: false };
    let mut reader = Reader::new(StreamSource::new(bytes, Some(bytes.len() as u64)))?;
    while let Some(item) = reader.next_item()? {
        let pending = match item {
            Item::Key(pending) => pending,
            Item::Function(code) => {
                content.functions.push(code.to_vec());
                continue;
            }
            Item::ModuleAux(aux) => {
                content.module_aux.push(aux.raw.to_vec());
                continue;
            }
            _ => continue,
        };
        let (meta, loaded) = pending.load(&options)?;
        let value = match loaded {
            Loaded::Bytes(text) => Value::Str(Str::from(text)),
            Loaded::Packed(packed) => packed.to_value(),
            Loaded::Value(value) => value,
            Loaded::Empty => continue,
        };
        let over = meta.expire_at_ms.is_some_and(|end| end < now_ms);
        if !expired && (over || content::is_over(&value, now_ms)) {
            continue;
        }
        copy(&meta, &value);
        let shown = json!({
            "type": content::type_name(&value), "expire_at_ms": meta.expire_at_ms, "value": content::of(&value, now_ms),
            "enc": content::encoding(&value), "field_expire_at_ms": content::field_expiries(&value, now_ms),
        });
        let db = content.dbs.entry(meta.db.to_string()).or_default();
        if db.insert(content::bytes(meta.key).to_string(), shown).is_some() {
            let kind = LoadErrorKind::Sink("the same key twice");
            return Err(LoadError { offset: meta.offset, key: Some(meta.key.to_vec()), kind });
        }
    }
    Ok(content)
}

/// Files that no real server loads, and we do: they have modules' values, come from a newer server, or want more
/// databases than usual.
const LOADED_BY_US_ALONE: &[&str] = &[
    "craft_db16_v9",
    "craft_moduleaux_unknown_v10",
    "craft_valkey_v81",
    "found_hdt_valkey_cluster_slot_import_old",
    "found_keydb_redis-module-save",
    "found_librdb_misc_with_stream",
    "found_librdb_module_aux",
    "found_librdb_module_aux_empty",
    "found_rdbtools_redis_40_with_module",
    "found_rdbtools_redis_60_with_module_aux",
    "found_replicator_dump-module-2",
    "found_valkey_encodings-rdb987",
    "found_vkjson_rejson-1.0.8_old",
    "found_vkjson_rejson-2.0.6_old",
    "found_vkjson_rejson-2.0.7_old",
    "found_vkjson_rejson-2.2.0_old",
    "found_vkjson_rejson-2.6.12_old",
    "found_vksearch_hnsw_duplicate_label",
    "found_xpipe_dump_8",
];

#[test]
fn what_is_loaded_is_what_real_servers_show() {
    for path in fixtures() {
        let (name, expected) = (path.file_stem().unwrap().to_str().unwrap(), expectation(&path));
        let now_ms = expected["loaded_at_ms"].as_i64().unwrap_or(0);
        let loaded = load(&std::fs::read(&path).unwrap(), now_ms, false, |_, _| ());
        let some_server_loads_it = expected["expect_from"].is_string();
        let should_load = some_server_loads_it || LOADED_BY_US_ALONE.contains(&name);
        let content = match loaded {
            Ok(content) => content,
            Err(e) if should_load => panic!("{name}: {e}"),
            Err(_) => continue,
        };
        assert!(should_load, "{name} is loaded");
        if expected["dbs"].is_object() {
            compare(name, &expected, &content);
        }
    }
}

fn compare(name: &str, expected: &Json, content: &Content) {
    let functions = expected["functions"].as_array().unwrap();
    assert_eq!(content.functions.len(), functions.len(), "{name}: functions");
    for function in functions {
        let code = function["code"].as_str().unwrap().as_bytes();
        assert!(content.functions.iter().any(|have| have == code), "{name}: {function}");
    }
    for (db, keys) in expected["dbs"].as_object().unwrap() {
        let (keys, none) = (keys.as_array().unwrap(), BTreeMap::new());
        let found = content.dbs.get(db).unwrap_or(&none);
        assert_eq!(found.len(), keys.len(), "{name}: keys of database {db}");
        for want in keys {
            compare_key(name, expected, want, found);
        }
    }
}

fn compare_key(name: &str, expected: &Json, want: &Json, found: &BTreeMap<String, Json>) {
    let mut key = want["key"].clone();
    key.as_object_mut().and_then(|long| long.remove("sha256"));
    let got = found.get(&key.to_string()).unwrap_or_else(|| panic!("{name}: {key} is missing"));
    let mut want = want.clone();
    want.as_object_mut().unwrap().remove("key");
    if let Some(difference) = content::difference(&key.to_string(), &want, got) {
        panic!("{name}: {difference}");
    }
    if got["enc"].is_string() && expected["expect_from"] == "redis-8.0.6" {
        assert_eq!(got["enc"], want["enc"], "{name}: {key}");
    }
}

/// What got lost on the way through a version that should have kept it: 10 knows no active times.
fn lost(version: SaveVersion, path: &str, want: &Json, got: &Json) -> Option<String> {
    let found = content::difference(path, want, got);
    // A stream's length that lies is only Redis's to keep.
    let found = found.filter(|found| version != SaveVersion::Valkey || !found.contains(".value.length: "));
    found.filter(|found| version.version().number > 10 || !found.contains("].active_ms"))
}

/// Every file that can be loaded, written as `version` and read again.
fn rewrite(version: SaveVersion, compress: bool, checksum: bool) {
    let mut refused = 0;
    for path in fixtures() {
        let (name, bytes) = (path.file_stem().unwrap().display(), std::fs::read(&path).unwrap());
        let mut writer = Writer::new(Vec::new(), &SaveOptions { version, compress, checksum });
        let (mut unsupported, mut db) = (None, 0);
        let loaded = load(&bytes, 0, true, |meta, value| {
            if meta.db != db {
                writer.select(meta.db, 1, 1);
                db = meta.db;
            }
            let Meta { key, expire_at_ms, idle_s, freq, .. } = *meta;
            let written = writer.key(&KeyInfo { key, expire_at_ms, idle_s, freq }, value);
            unsupported = unsupported.take().or(written.err());
        });
        let Ok(content) = loaded else { continue };
        if let Some(error) = unsupported {
            assert!(matches!(error, SaveError::Unsupported { .. }), "{name}: {error}");
            refused += 1;
            continue;
        }
        content.functions.iter().for_each(|code| writer.function(code));
        content.module_aux.iter().for_each(|raw| writer.module_aux(raw));
        let again = load(&writer.finish().unwrap(), 0, true, |_, _| ());
        let again = again.unwrap_or_else(|e| panic!("{name}: {e}"));
        for (db, keys) in &content.dbs {
            for (key, want) in keys {
                assert_eq!(lost(version, key, want, &again.dbs[db][key]), None, "{name}");
                let same = want["enc"] == again.dbs[db][key]["enc"];
                assert!(same || version != SaveVersion::Redis(12), "{name}: {key}");
            }
        }
        assert_eq!((content.functions, content.module_aux), (again.functions, again.module_aux), "{name}");
    }
    let needs_12 = !matches!(version, SaveVersion::Redis(12) | SaveVersion::Valkey);
    assert_eq!(refused > 0, needs_12, "{refused} files were refused");
}

#[test]
fn what_is_written_is_what_was_read() {
    rewrite(SaveVersion::Auto { has_field_ttl: false }, true, true);
    rewrite(SaveVersion::Redis(11), false, false);
    rewrite(SaveVersion::Redis(12), true, true);
    rewrite(SaveVersion::Valkey, true, false);
}

#[test]
fn payloads_hold_what_was_read() {
    let limits = Limits::default();
    let options = LoadOptions { limits: &limits, strict: false, salvage: false };
    for path in fixtures() {
        let _ = load(&std::fs::read(&path).unwrap(), 0, true, |meta, value| {
            let payload = dump(value, true);
            let again = restore(&payload, &options, true).unwrap();
            assert_eq!(
                content::of(value, 0),
                content::of(&again, 0),
                "{:?}",
                meta.key.escape_ascii().to_string()
            );
            assert_eq!(content::encoding(value), content::encoding(&again));
            let mut damaged = payload.clone();
            damaged[payload.len() / 2] ^= 1;
            assert!(matches!(restore(&damaged, &options, true), Err(RestoreError::Footer)));
            let _ = restore(&damaged, &options, false);
            let _ = restore(&damaged, &LoadOptions { strict: true, ..options }, false);
        });
    }
}

#[test]
fn function_payloads_hold_their_libraries() {
    let libraries = [&b"#!lua name=a\n"[..], b"#!lua name=b\nredis.log(1, 'x')"];
    let payload = dump_functions(libraries, true);
    assert_eq!(restore_functions(&payload, false).unwrap(), libraries);
    assert!(matches!(restore_functions(&payload[1..], false), Err(RestoreError::Footer)));
    let value = dump(Body::Str(b"x"), true);
    assert!(
        restore_functions(&value, false).unwrap_err().to_string().ends_with("given type is not a function")
    );
}
