//! Freeing big things on another thread.

use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use crate::keyspace::Database;
use crate::value::Value;

enum Trash {
    Value(#[expect(dead_code, reason = "held to be dropped elsewhere")] Value),
    Databases(#[expect(dead_code, reason = "held to be dropped elsewhere")] Vec<Database>),
}

/// Aggregates of so many elements are freed elsewhere.
const BIG: usize = 64;

fn bin() -> &'static Sender<Trash> {
    static BIN: OnceLock<Sender<Trash>> = OnceLock::new();
    BIN.get_or_init(|| {
        let (sender, receiver) = channel::<Trash>();
        std::thread::Builder::new()
            .name("bio_lazy_free".into())
            .spawn(move || receiver.iter().for_each(drop))
            .expect("a thread can be started");
        sender
    })
}

fn elements(value: &Value) -> usize {
    match value {
        Value::Str(_) | Value::Module(_) => 1,
        Value::List(list) => list.len(),
        Value::Set(set) => set.len(),
        Value::Zset(zset) => zset.len(),
        Value::Hash(hash) => hash.len(),
        Value::Stream(stream) => stream.log.length as usize,
    }
}

/// Frees a value, a big one on a helper thread.
pub fn discard_value(value: Value) {
    if elements(&value) > BIG {
        // A closed channel cannot be: its receiver lives as long as the process.
        let _ = bin().send(Trash::Value(value));
    }
}

/// Frees whole databases on a helper thread.
pub fn discard_databases(databases: Vec<Database>) {
    let _ = bin().send(Trash::Databases(databases));
}
