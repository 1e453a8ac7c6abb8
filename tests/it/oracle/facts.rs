//! Tables of facts: what COMMAND INFO and COMMAND DOCS say, without the wording (summaries, complexity), and what
//! CONFIG GET says of a server that nobody configured.
//!
//! `command_info.json`, `command_docs.json` and `config.json` hold one entry per line, sorted by name, subcommands inside.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::client::Value;

use super::folder;
use super::run::{Kind, Target};

const INFO: &str = "command_info.json";
const DOCS: &str = "command_docs.json";
const CONFIG: &str = "config.json";

/// Directives whose value the harness or the machine chooses: only the name is recorded.
const CHOSEN: &[&str] = &[
    "appendfsync",
    "appendonly",
    "auto-aof-rewrite-percentage",
    "bind",
    "dir",
    "enable-debug-command",
    "maxclients",
    "port",
    "save",
];

/// Command names and what is known of each.
type Table = BTreeMap<String, Json>;

/// Asks the server for both tables and writes the files.
pub fn record(target: &mut Target) {
    for (file, table) in [(INFO, info(target)), (DOCS, docs(target)), (CONFIG, config(target))] {
        let mut text = "{\n".to_owned();
        let lines: Vec<String> =
            table.iter().map(|(name, facts)| format!("{}: {facts}", Json::from(name.as_str()))).collect();
        text.push_str(&lines.join(",\n"));
        text.push_str("\n}\n");
        std::fs::write(folder().join(file), text).expect("the folder can be written");
    }
}

/// What of the server's tables is not as recorded. `all`: commands that the server lacks count, too.
pub fn differences(target: &mut Target, all: bool) -> Vec<String> {
    let mut found = Vec::new();
    for (file, got) in [(INFO, info(target)), (DOCS, docs(target)), (CONFIG, config(target))] {
        let all = all || file == CONFIG;
        let text = std::fs::read_to_string(folder().join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let want: Table = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{file}: {e}"));
        compare(file, &want, &got, all, &mut found);
    }
    found
}

fn compare(file: &str, want: &Table, got: &Table, all: bool, found: &mut Vec<String>) {
    for (name, got) in got {
        match want.get(name) {
            None if file == CONFIG => {} // ours may have more
            None => found.push(format!("{file}: {name}: Redis 8.0.6 has no such command")),
            Some(want) => {
                let want = if all { want.clone() } else { known_subcommands(want, got) };
                if want != *got {
                    found.push(format!("{file}: {name}:\n    want {want}\n    got  {got}"));
                }
            }
        }
    }
    if all {
        let missing = want.keys().filter(|name| !got.contains_key(*name));
        found.extend(missing.map(|name| format!("{file}: {name} is missing")));
    }
}

/// The facts without the subcommands that the server lacks.
fn known_subcommands(want: &Json, got: &Json) -> Json {
    let mut want = want.clone();
    let wanted = want.get_mut("subcommands").and_then(Json::as_object_mut);
    if let (Some(wanted), Some(known)) = (wanted, got.get("subcommands").and_then(Json::as_object)) {
        wanted.retain(|name, _| known.contains_key(name));
    }
    want
}

/// `COMMAND` in RESP3, where flags are sets and key specifications maps.
fn info(target: &mut Target) -> Table {
    let reply = ask(target, "COMMAND");
    let rows = reply.items().unwrap_or_else(|| panic!("COMMAND answers {reply:?}")).iter().map(info_row);
    let of_modules =
        |facts: &Json| facts["flags"].as_array().is_some_and(|f| f.contains(&Json::from("module")));
    let mut table: Table = rows.filter(|(_, facts)| !of_modules(facts)).collect();
    table.values_mut().for_each(without_wording);
    table
}

fn info_row(row: &Value) -> (String, Json) {
    let items = row.items().expect("a row is an array");
    let name = text(&items[0]);
    let names = ["arity", "flags", "first", "last", "step", "acl", "tips", "keys", "subcommands"];
    let mut facts: Map<String, Json> =
        names.iter().zip(&items[1..]).map(|(name, value)| ((*name).to_owned(), json(value))).collect();
    let subcommands: Table = items[9].items().unwrap_or_default().iter().map(info_row).collect();
    facts.insert("subcommands".to_owned(), Json::Object(subcommands.into_iter().collect()));
    (name, Json::Object(facts))
}

/// `COMMAND DOCS` in RESP3.
fn docs(target: &mut Target) -> Table {
    let all = map(target, "COMMAND DOCS");
    let mut all: Table = all.into_iter().filter(|(_, facts)| facts["group"] != "module").collect();
    all.values_mut().for_each(without_wording);
    all
}

fn config(target: &mut Target) -> Table {
    let all = map(target, "CONFIG GET *");
    // Modules bring directives of their own, with a dot in the name.
    let mut all: Table = all.into_iter().filter(|(name, _)| !name.contains('.')).collect();
    for (_, value) in all.iter_mut().filter(|(name, _)| CHOSEN.contains(&name.as_str())) {
        *value = Json::Null;
    }
    all
}

fn without_wording(facts: &mut Json) {
    match facts {
        Json::Object(map) => {
            for name in ["summary", "complexity", "history", "reply_schema", "notes"] {
                map.remove(name);
            }
            map.values_mut().for_each(without_wording);
        }
        Json::Array(items) => items.iter_mut().for_each(without_wording),
        _ => {}
    }
}

fn map(target: &mut Target, line: &str) -> Map<String, Json> {
    match json(&ask(target, line)) {
        Json::Object(map) => map,
        other => panic!("{line} answers {other}"),
    }
}

fn ask(target: &mut Target, line: &str) -> Value {
    let mut client = target.connect().expect("the server is there");
    client.line("HELLO 3").expect("the server speaks RESP3");
    client.line(line).expect("the server answers")
}

fn json(value: &Value) -> Json {
    match value {
        Value::Int(n) => Json::from(*n),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Set(items) => {
            let mut items: Vec<Json> = items.iter().map(json).collect();
            items.sort_by_key(Json::to_string);
            Json::from(items)
        }
        Value::Map(pairs) => pairs.iter().map(|(k, v)| (text(k), json(v))).collect::<Map<_, _>>().into(),
        Value::Null | Value::NilBulk | Value::NilArray => Json::Null,
        other => Json::from(text(other)),
    }
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(&value.bytes().unwrap_or_default()).into_owned()
}

/// What resnap says of the commands that it has is what Redis 8.0.6 says of them.
#[test]
fn tables() {
    let mut target = Target::start(Kind::Ours).unwrap_or_else(|e| panic!("{e}"));
    let found = differences(&mut target, false);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
