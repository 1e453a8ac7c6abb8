//! The argument trees of COMMAND DOCS, as the real server gave them (`fixtures/oracle/command_docs.json`).

use std::path::Path;

use serde_json::Value as Json;

/// A command, or a subcommand with its container's name in front.
pub struct Verb {
    /// `set`, or `xgroup` and `create`.
    pub name: Vec<String>,
    pub group: String,
    pub args: Vec<Arg>,
}

pub struct Arg {
    pub name: String,
    pub kind: Kind,
    /// What stands in front of the argument; all of a pure token.
    pub token: Option<String>,
    pub optional: bool,
    pub multiple: bool,
    /// The token is repeated, too.
    pub multiple_token: bool,
    pub parts: Vec<Arg>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Key,
    Integer,
    Double,
    Text,
    Pattern,
    UnixTime,
    Token,
    OneOf,
    Block,
}

/// All commands of the real server.
pub fn verbs() -> Vec<Verb> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/oracle/command_docs.json");
    let text = std::fs::read_to_string(&path).expect("the file is in the repository");
    let all: Json = serde_json::from_str(&text).expect("the recorder wrote it");
    let mut verbs = Vec::new();
    for (name, facts) in all.as_object().expect("one entry per command") {
        match facts.get("subcommands").and_then(Json::as_object) {
            Some(subs) => verbs.extend(subs.iter().map(|(name, facts)| verb(name, facts))),
            None => verbs.push(verb(name, facts)),
        }
    }
    verbs
}

fn verb(name: &str, facts: &Json) -> Verb {
    let name = name.split('|').map(str::to_owned).collect();
    let group = facts["group"].as_str().unwrap_or_default().to_owned();
    Verb { name, group, args: args(facts) }
}

fn args(facts: &Json) -> Vec<Arg> {
    facts["arguments"].as_array().into_iter().flatten().map(arg).collect()
}

fn arg(facts: &Json) -> Arg {
    let flag = |name: &str| facts["flags"].as_array().is_some_and(|all| all.contains(&Json::from(name)));
    Arg {
        name: facts["name"].as_str().unwrap_or_default().to_owned(),
        kind: kind(facts["type"].as_str().unwrap_or_default()),
        token: facts["token"].as_str().map(str::to_owned),
        optional: flag("optional"),
        multiple: flag("multiple"),
        multiple_token: flag("multiple_token"),
        parts: args(facts),
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "key" => Kind::Key,
        "integer" => Kind::Integer,
        "double" => Kind::Double,
        "pattern" => Kind::Pattern,
        "unix-time" => Kind::UnixTime,
        "pure-token" => Kind::Token,
        "oneof" => Kind::OneOf,
        "block" => Kind::Block,
        _ => Kind::Text,
    }
}
