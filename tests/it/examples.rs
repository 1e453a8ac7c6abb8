//! Every row's examples answer as written, each on an empty database.

use resnap::command::table::table;

use crate::client::{Client, Value};
use crate::server::Server;

#[test]
fn examples_answer_as_written() {
    let server = Server::ours(&["--enable-debug-command", "yes"]).expect("our server starts");
    let mut wrong = Vec::new();
    for row in table().rows() {
        for (request, expected) in row.command.examples {
            let mut client = server.connect().expect("it listens");
            client.line("FLUSHALL").expect("it answers");
            let answer = ask(&mut client, request);
            if answer != *expected {
                wrong.push(format!(
                    "{}: {request}\n    written  {expected}\n    answered {answer}",
                    row.full_name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn ask(client: &mut Client, request: &str) -> String {
    match client.line(request) {
        Ok(value) => shown(&value, ""),
        Err(error) => format!("<{error}>"),
    }
}

/// As a terminal shows it; errors without the word in front.
fn shown(value: &Value, indent: &str) -> String {
    let text = || String::from_utf8_lossy(&value.bytes().unwrap_or_default()).into_owned();
    match value {
        Value::Int(n) => format!("(integer) {n}"),
        Value::Bulk(_) => format!("{:?}", text()),
        Value::NilBulk | Value::NilArray | Value::Null => "(nil)".into(),
        _ => match value.items() {
            None => text(),
            Some([]) => "(empty array)".into(),
            Some(items) => {
                let below = format!("{indent}   ");
                let line = |(i, item): (usize, &Value)| format!("{}) {}", i + 1, shown(item, &below));
                items.iter().enumerate().map(line).collect::<Vec<_>>().join(&format!("\n{indent}"))
            }
        },
    }
}
