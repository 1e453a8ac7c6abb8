//! Freeing big things on another thread.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};

use super::process::turns::stand_back;
use crate::keyspace::Database;
use crate::value::Value;

enum Trash {
    Value(Value),
    Databases(Vec<Database>),
    /// Everything before this is free.
    Then(Box<dyn FnOnce() + Send>),
}

/// Aggregates of so many elements are freed elsewhere.
const BIG: usize = 64;

/// Keys that wait to be freed, and that were freed here.
static COUNTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

fn bin() -> &'static Sender<Trash> {
    static BIN: OnceLock<Sender<Trash>> = OnceLock::new();
    BIN.get_or_init(|| {
        let (sender, receiver) = channel::<Trash>();
        std::thread::Builder::new()
            .name("bio_lazy_free".into())
            .spawn(move || {
                stand_back();
                receiver.iter().for_each(free);
            })
            .expect("a thread can be started");
        sender
    })
}

fn free(trash: Trash) {
    let keys = keys(&trash);
    match trash {
        Trash::Then(then) => then(),
        Trash::Value(value) => drop(value),
        Trash::Databases(databases) => drop(databases),
    }
    COUNTS[0].fetch_sub(keys, Ordering::Relaxed);
    COUNTS[1].fetch_add(keys, Ordering::Relaxed);
}

fn throw(trash: Trash) {
    COUNTS[0].fetch_add(keys(&trash), Ordering::Relaxed);
    // A closed channel cannot be: its receiver lives as long as the process.
    let _ = bin().send(trash);
}

fn keys(trash: &Trash) -> usize {
    match trash {
        Trash::Value(_) => 1,
        Trash::Databases(databases) => databases.iter().map(Database::len).sum(),
        Trash::Then(_) => 0,
    }
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
        throw(Trash::Value(value));
    }
}

/// Frees whole databases on a helper thread.
pub fn discard_databases(databases: Vec<Database>) {
    throw(Trash::Databases(databases));
}

/// Calls back, on the helper thread, when everything is free that was discarded up to now.
pub fn when_free(then: impl FnOnce() + Send + 'static) {
    throw(Trash::Then(Box::new(then)));
}

/// Keys that wait to be freed, and that were freed since the start or [`forget_freed`].
pub fn counts() -> [usize; 2] {
    [0, 1].map(|which| COUNTS[which].load(Ordering::Relaxed))
}

/// CONFIG RESETSTAT.
pub fn forget_freed() {
    COUNTS[1].store(0, Ordering::Relaxed);
}
