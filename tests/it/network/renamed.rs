//! `rename-command`: commands under other names, and without any.

use super::{connect, on_each, ours};
use crate::client::Value;
use crate::node::Home;

const RENAMED: [&str; 9] = [
    "--rename-command",
    "GET",
    "fetch",
    "--rename-command",
    "fetch",
    "FETCH2",
    "--rename-command",
    "CONFIG",
    "",
];

fn error(line: &str) -> Value {
    Value::Error(line.as_bytes().to_vec())
}

#[test]
fn a_command_answers_to_its_new_name_alone() {
    on_each(&RENAMED, |server| {
        let mut client = connect(server);
        let mut ask = |line: &str| client.line(line).expect("an answer");
        ask("SET k v");
        assert_eq!(ask("get k"), error("ERR unknown command 'get', with args beginning with: 'k' "));
        assert_eq!(ask("fetch2 k"), Value::Bulk(b"v".to_vec()));
        assert_eq!(ask("fetch2 k"), Value::Bulk(b"v".to_vec()));
        assert_eq!(ask("FETCH k"), error("ERR unknown command 'FETCH', with args beginning with: 'k' "));
        assert_eq!(ask("FETCH2"), error("ERR wrong number of arguments for 'get' command"));
        let gone = "ERR unknown command 'CONFIG', with args beginning with: 'GET' 'save' ";
        assert_eq!(ask("CONFIG GET save"), error(gone));
        assert_eq!(ask("COMMAND INFO get config config|get"), Value::Array(vec![Value::NilBulk; 3]));
        let Value::Array(rows) = ask("COMMAND INFO fetch2") else { panic!("an array") };
        assert_eq!(rows[0].items().expect("a row")[0], Value::Bulk(b"get".to_vec()));
        assert_eq!(ask("COMMAND LIST FILTERBY PATTERN conf*"), Value::Array(Vec::new()));
        assert_eq!(
            ask("COMMAND LIST FILTERBY PATTERN ge?"),
            Value::Array(vec![Value::Bulk(b"get".to_vec())])
        );
        let stats = ask("INFO commandstats").bytes().expect("a text");
        assert!(String::from_utf8_lossy(&stats).contains("cmdstat_get:calls=2,"));
    });
}

/// Redis 8.0.6 runs GET here: it compares with the last command's own name before it looks into its table.
#[test]
fn the_old_name_is_gone_behind_the_new_one_too() {
    let server = ours(&RENAMED);
    let mut client = connect(&server);
    client.line("FETCH2 k").expect("an answer");
    let gone = error("ERR unknown command 'get', with args beginning with: 'k' ");
    assert_eq!(client.line("get k").expect("an answer"), gone);
}

#[test]
fn a_queued_command_is_known_by_its_new_name() {
    let server = ours(&RENAMED);
    let mut client = connect(&server);
    let answers = client.pipeline(&[vec!["SET", "k", "v"], vec!["MULTI"], vec!["FETCH2", "k"], vec!["EXEC"]]);
    let answers = answers.expect("answers");
    assert_eq!(answers[3], Value::Array(vec![Value::Bulk(b"v".to_vec())]));
}

/// What the server writes by itself has the commands' own names.
#[test]
fn a_log_is_replayed_whatever_commands_are_called() {
    let home = Home::new();
    let options = ["--appendonly", "yes", "--rename-command", "SET", "put", "--rename-command", "DEL", ""];
    let node = home.start(&options);
    let mut client = node.client();
    for line in ["PUT a 1", "PUT gone 1 PX 1", "PUT b 2 EX 1000", "XADD s 1-1 f v"] {
        assert!(!client.line(line).expect("an answer").is_error(), "{line}");
    }
    while client.line("EXISTS gone").expect("an answer") == Value::Int(1) {}
    drop((client, node));
    let options = [&options[..], &["--rename-command", "XADD", "append-entry"]].concat();
    let node = home.start(&options);
    let mut client = node.client();
    assert_eq!(client.line("GET b").expect("an answer"), Value::Bulk(b"2".to_vec()));
    assert_eq!(client.line("DBSIZE").expect("an answer"), Value::Int(3));
}

#[test]
fn names_that_are_taken_or_unknown_end_the_start() {
    for (pair, why) in [
        (["nosuch", "x"], "No such command in rename-command"),
        (["GET", "set"], "Target command name already exists"),
    ] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_resnap"));
        let output = command.args(["--rename-command", pair[0], pair[1]]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stderr).contains(why));
    }
}
