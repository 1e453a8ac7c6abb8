//! The append log, read: every directory of `fixtures/aof` as our data directory, against what real servers did with
//! it; earlier moments; the tools that check a log. Written: `writing`; handed to real servers and back: `handing`.

mod check;
mod directories;
mod handing;
mod until;
mod writing;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::client::Value;
use crate::node::{Home, Node};

/// A directory of `fixtures/aof` and what became of it.
struct Case {
    name: String,
    dir: PathBuf,
    expected: Json,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/aof")
}

fn case(name: &str) -> Case {
    let text =
        fs::read(folder().join(format!("{name}.expect.json"))).expect("every case has its expectation");
    let expected = serde_json::from_slice(&text).expect("JSON");
    Case { name: name.to_owned(), dir: folder().join(name), expected }
}

fn cases() -> Vec<Case> {
    let names = fs::read_dir(folder()).expect("readable").flatten().map(|entry| entry.file_name());
    let names = names.filter_map(|name| name.to_str()?.strip_suffix(".expect.json").map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.iter().map(|name| case(name)).collect()
}

impl Case {
    /// Whether any real server loads it and stays.
    fn is_loaded_somewhere(&self) -> bool {
        self.expected["expect_from"].is_string()
    }

    /// A home with a copy of the directory.
    fn home(&self) -> Home {
        let home = Home::new();
        copy(&self.dir, &home.data());
        home
    }

    /// The arguments that it is started with.
    fn options(&self) -> Vec<&str> {
        let words = self.expected["start_with"].as_array().expect("there are some");
        words.iter().map(|word| word.as_str().expect("text")).collect()
    }

    fn start(&self, home: &Home) -> Node {
        home.launch(&self.options())
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("readable").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::write(target, fs::read(entry.path()).expect("readable")).expect("written");
        }
    }
}

/// All files below a directory, by their names from there on, but for the lock that a server holds meanwhile.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("readable").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            found.extend(
                files(&entry.path()).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else if !(name.starts_with('.') && name.ends_with(".lock")) {
            found.push((name, fs::read(entry.path()).expect("readable")));
        }
    }
    found.sort();
    found
}

/// A log of one increment, by a manifest of its own.
fn log_of(bytes: &[u8]) -> Home {
    let home = Home::new();
    let dir = home.data().join("appendonlydir");
    fs::create_dir(&dir).expect("a directory");
    fs::write(dir.join("appendonly.aof.1.incr.aof"), bytes).expect("written");
    fs::write(dir.join("appendonly.aof.manifest"), "file appendonly.aof.1.incr.aof seq 1 type i\n")
        .expect("written");
    home
}

/// A request as a log has it.
fn frame(line: &str) -> Vec<u8> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut out = format!("*{}\r\n", words.len());
    words.iter().for_each(|word| out.push_str(&format!("${}\r\n{word}\r\n", word.len())));
    out.into_bytes()
}

fn frames(lines: &[&str]) -> Vec<u8> {
    lines
        .iter()
        .flat_map(|line| if line.starts_with('#') { format!("{line}\r\n").into_bytes() } else { frame(line) })
        .collect()
}

/// What MGET answers, in one line.
fn text(answer: &Value) -> String {
    let Value::Array(items) = answer else { panic!("{answer:?}") };
    let shown = items.iter().map(|item| match item {
        Value::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => "nil".to_owned(),
    });
    shown.collect::<Vec<_>>().join(" ")
}
