//! redis-check-rdb: its arguments, lines and exit codes.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use super::snapshot::{Check, Event, check};
use crate::cli::help;
use crate::persist::rdb::{LoadError, LoadErrorKind, StreamSource};
use crate::text::clock::Clock;

/// Does what the program of that name does.
pub fn main(argv: &[OsString]) -> ExitCode {
    let program = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let [_, path] = argv else {
        eprintln!("Usage: {program} <rdb-file-name>");
        return ExitCode::FAILURE;
    };
    if path == "-v" || path == "--version" {
        println!("redis-check-rdb {}", help::version());
        return ExitCode::SUCCESS;
    }
    let path = Path::new(path);
    println!("[offset 0] Checking RDB file {}", path.display());
    // Without a word more, as there.
    let Ok(source) = File::open(path).and_then(StreamSource::file) else { return ExitCode::FAILURE };
    if show(source).is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Checks the snapshot at the beginning of a log's file, with the lines of redis-check-rdb. `None` if it is bad.
pub fn preamble(path: &Path, file: File) -> Option<StreamSource<File>> {
    println!("[offset 0] Checking RDB file {}", path.display());
    show(StreamSource::file(file).ok()?)
}

fn show(source: StreamSource<File>) -> Option<StreamSource<File>> {
    let now_ms = Clock::real().now().ms as i64;
    let mut end = 0;
    let Check { counts, result, .. } = check(source, now_ms, &mut |offset, event| {
        end = offset;
        tell(offset, &event);
    });
    match &result {
        Ok(_) => println!("[offset {end}] \\o/ RDB looks OK! \\o/"),
        Err(bad) => complain(&bad.0, bad.1),
    }
    println!("[info] {} keys read", counts.keys);
    println!("[info] {} expires", counts.expires);
    println!("[info] {} already expired", counts.expired);
    println!("[info] {} subexpires", counts.subexpires);
    result.ok()
}

fn tell(offset: u64, event: &Event<'_>) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match event {
        Event::Aux(name, value) => println!("[offset {offset}] AUX FIELD {} = '{}'", text(name), text(value)),
        Event::Select(db) => println!("[offset {offset}] Selecting DB ID {db}"),
        Event::ModuleAux(name) => println!("[offset {offset}] MODULE AUX for: {name}"),
        Event::Checksum(true) => println!("[offset {offset}] Checksum OK"),
        Event::Checksum(false) => {
            println!("[offset {offset}] RDB file was saved with checksum disabled: no check performed.");
        }
    }
}

fn complain(error: &LoadError, kind: Option<u8>) {
    println!("--- RDB ERROR DETECTED ---");
    let what = match &error.kind {
        LoadErrorKind::Truncated => "Unexpected EOF reading RDB file".to_owned(),
        LoadErrorKind::Checksum { .. } => "RDB CRC error".to_owned(),
        LoadErrorKind::Magic => "Wrong signature trying to load DB from file".to_owned(),
        LoadErrorKind::Version(version) => format!("Can't handle RDB format version {version}"),
        LoadErrorKind::UnknownType(kind) => format!("Invalid object type: {kind}"),
        other => other.to_string(),
    };
    println!("[offset {}] {what}", error.offset);
    let doing = match &error.kind {
        LoadErrorKind::Magic | LoadErrorKind::Version(_) => "start",
        LoadErrorKind::Checksum { .. } => "check-sum",
        _ if error.key.is_some() => "read-object-value",
        _ => "read-type",
    };
    println!("[additional info] While doing: {doing}");
    if let Some(key) = &error.key {
        println!("[additional info] Reading key '{}'", String::from_utf8_lossy(key));
    }
    if let Some(kind) = kind {
        let name = TYPES.get(usize::from(kind)).unwrap_or(&"unknown");
        println!("[additional info] Reading type {kind} ({name})");
    }
}

/// What the tool calls the types of values.
const TYPES: [&str; 26] = [
    "string",
    "list-linked",
    "set-hashtable",
    "zset-v1",
    "hash-hashtable",
    "zset-v2",
    "module-pre-release",
    "module-value",
    "",
    "hash-zipmap",
    "list-ziplist",
    "set-intset",
    "zset-ziplist",
    "hash-ziplist",
    "quicklist",
    "stream",
    "hash-listpack",
    "zset-listpack",
    "quicklist-v2",
    "stream-v2",
    "set-listpack",
    "stream-v3",
    "hash-hashtable-md-pre-release",
    "hash-listpack-md-pre-release",
    "hash-hashtable-md",
    "hash-listpack-md",
];
