//! A room imports only from floors below. The floors are those of `src/lib.rs`.

use std::path::{Path, PathBuf};

/// Rooms by floor, and which rooms of the own floor a room may use all the same.
const FLOORS: [(&str, usize, &[&str]); 10] = [
    ("text", 0, &[]),
    ("resp", 0, &["text"]),
    ("value", 0, &["text"]),
    ("keyspace", 1, &[]),
    ("persist", 1, &[]),
    ("engine", 2, &[]),
    ("command", 3, &[]),
    ("serve", 4, &[]),
    ("net", 5, &[]),
    ("cli", 6, &[]),
];

fn floor(room: &str) -> Option<(usize, &'static [&'static str])> {
    FLOORS.iter().find(|(name, ..)| *name == room).map(|(_, floor, beside)| (*floor, *beside))
}

fn may_import(room: &str, other: &str) -> bool {
    let Some((other_floor, _)) = floor(other) else { return true }; // a macro at the root
    let (own_floor, beside) = floor(room).expect("every folder is a room");
    room == other || other_floor < own_floor || beside.contains(&other)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Code without its line comments.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first word of a path, or of each path of a group.
fn heads(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = path.strip_prefix('{') else { return vec![word(path)] };
    let (mut depth, mut heads, mut from) = (0, Vec::new(), 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                heads.push(word(&group[from..at]));
                from = at + 1;
            }
            _ => {}
        }
        if c == '}' && depth == 0 && from == at + 1 {
            break;
        }
    }
    heads
}

/// What of the crate's root a file names. `depth`: how many modules it lies below the root.
fn imports(text: &str, depth: usize) -> Vec<String> {
    let code = code(text);
    let to_root = format!("{}::", vec!["super"; depth].join("::"));
    let starts = code.match_indices("crate::").map(|(at, found)| (at, at + found.len()));
    let climbs = code.match_indices(&to_root).map(|(at, found)| (at, at + found.len()));
    let begins_here =
        |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
    starts
        .chain(climbs)
        .filter(|(at, _)| begins_here(*at) || code[..*at].ends_with('$'))
        .flat_map(|(_, end)| heads(&code[end..]))
        .collect()
}

#[test]
fn no_room_imports_from_above() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 200, "{} files found", files.len());
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&src).expect("found there");
        let parts: Vec<&str> = inside.iter().map(|part| part.to_str().expect("text")).collect();
        let [room, .., last] = parts[..] else { continue }; // lib.rs, main.rs
        assert!(floor(room).is_some(), "{room}: which floor is it on?");
        let depth = if last == "mod.rs" { parts.len() - 1 } else { parts.len() };
        let text = std::fs::read_to_string(&file).expect("readable");
        for import in imports(&text, depth) {
            if !may_import(room, &import) {
                wrong.push(format!("{}: {room} imports {import}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The test above can fail.
#[test]
fn imports_are_seen() {
    let text = "use crate::serve::x;\nuse crate::{value::{A, B}, net, text};\n// crate::cli\nlet x = super::super::cli::y();";
    assert_eq!(imports(text, 2), ["serve", "value", "net", "text", "cli"]);
    assert!(
        !may_import("engine", "serve") && !may_import("keyspace", "persist") && !may_import("text", "value")
    );
    assert!(may_import("value", "text") && may_import("net", "value") && may_import("net", "warning"));
}

#[test]
fn the_crate_docs_show_the_same_floors() {
    let lib =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("readable");
    for (room, number, _) in FLOORS {
        let row = lib.lines().find(|line| line.starts_with(&format!("//! {number}  ")));
        assert!(row.is_some_and(|row| row.contains(&format!("{room}/"))), "floor {number} has no {room}");
        assert!(lib.contains(&format!("pub mod {room};")), "{room}");
    }
}
