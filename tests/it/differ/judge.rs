//! Whether two answers are the same: to the byte, but for what the real server leaves to chance or to the clock.

use crate::client::Value;

use super::plan::Step;
use super::stage::Answer;
use super::words::Word;

/// How two answers are compared.
#[derive(Clone, Copy)]
enum Rule {
    /// To the byte.
    Exact,
    /// The elements in any order: hash tables have none. (Where the encoding has one, `Pair::inspect` sees it.)
    Bag,
    /// Flat pairs in any order.
    Pairs,
    /// Types and lengths only.
    Shape,
    /// The number of elements only.
    Length,
    /// Strings up to a zero.
    UpToZero,
    /// An aggregate for an aggregate.
    Kind,
    /// Numbers may be this far apart: time goes on between two servers.
    Near(i64),
    /// DEBUG OBJECT: without addresses and times.
    Addresses,
}

fn rule(step: &Step) -> Rule {
    // Hash tables have no order.
    if step.is_any(&[
        "smembers",
        "sunion",
        "sinter",
        "sdiff",
        "keys",
        "hkeys",
        "hvals",
        "pubsub channels",
        "pubsub shardchannels",
    ]) || is_scan(step)
        || step.is_any(&["unsubscribe", "punsubscribe", "sunsubscribe"])
    {
        return Rule::Bag;
    }
    if step.is("hgetall") {
        return Rule::Pairs;
    }
    if step.is_any(&["sort", "sort_ro"]) && !step.has("store") {
        return sorting(step);
    }
    // Chosen by chance. What is popped is popped from both (`Pair::follow`).
    if step.is_any(&["spop", "srandmember", "hrandfield", "zrandmember", "randomkey"]) {
        return Rule::Shape;
    }
    // The clock: milliseconds and seconds, and how long ago something was.
    if step.is_any(&["ttl", "expiretime", "httl", "hexpiretime"]) {
        return Rule::Near(2);
    }
    if step.is_any(&["pttl", "pexpiretime", "hpttl", "hpexpiretime", "xpending", "xinfo"]) {
        return Rule::Near(10_000);
    }
    // The moment, sizes in memory, numbers of connections, a counter that goes up by chance; which small integers are
    // shared (a copied one is not), and when: all keys have one clock for them, which begins anywhere.
    let chance = [
        "time",
        "lastsave",
        "memory usage",
        "client id",
        "client getredir",
        "client trackinginfo",
        "object refcount",
        "object freq",
        "object idletime",
    ];
    if step.is_any(&chance) {
        return Rule::Shape;
    }
    // How a hash table lies and how far LZF gets is each server's own. What it means shows RESTORE.
    if step.is("dump") {
        return Rule::Shape;
    }
    // The modules, of which there are none in ours, and that number.
    if step.is("hello") {
        return Rule::Kind;
    }
    if step.is("debug object") {
        return Rule::Addresses;
    }
    Rule::Exact
}

/// Elements that are equal for SORT lie as they came, which is nobody's order in a hash table; with a LIMIT the real
/// server sorts in part, by an algorithm that does not even keep them as they came, and it is chance which it shows.
fn sorting(step: &Step) -> Rule {
    let constant = |pair: &[Word]| pair[0].eq_ignore_ascii_case(b"by") && !pair[1].contains(&b'*');
    let unsorted = step.args.windows(2).any(constant);
    match (step.has("by"), step.has("alpha") || unsorted, step.has("limit")) {
        (_, false, _) => Rule::Exact,
        (false, true, _) => Rule::UpToZero,
        (true, true, false) => Rule::Bag,
        (true, true, true) => Rule::Length,
    }
}

/// Whether chance decides which elements SORT shows, so that what its patterns lead to is found or missing by chance.
pub fn shows_ties(step: &Step) -> bool {
    step.is_any(&["sort", "sort_ro"]) && matches!(sorting(step), Rule::Length)
}

pub fn is_scan(step: &Step) -> bool {
    step.is_any(&["scan", "sscan", "hscan", "zscan"])
}

/// Whether two answers to a step are the same.
pub fn same(real: &Answer, ours: &Answer) -> bool {
    let (a, b) = (&real.values, &ours.values);
    if let ([Value::Array(a), ..], [Value::Array(b), ..]) = (a.as_slice(), b.as_slice())
        && real.step.is("exec")
        && a.len() == real.queued.len()
        && a.len() == b.len()
    {
        let mut pairs = real.queued.iter().zip(a.iter().zip(b));
        return pairs.all(|(step, (a, b))| same_value(rule(step), a, b));
    }
    match rule(&real.step) {
        Rule::Bag if a.len() > 1 => confirmations(a) == confirmations(b),
        rule => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(rule, a, b)),
    }
}

/// Names and counts of confirmations, each in any order: channels are left as they lie in the table.
fn confirmations(values: &[Value]) -> (Vec<String>, Vec<String>) {
    let part = |at: usize| {
        let mut part: Vec<String> =
            values.iter().map(|v| format!("{:?}", v.items().and_then(|items| items.get(at)))).collect();
        part.sort();
        part
    };
    (part(1), part(2))
}

/// Whether a message says that somebody looked for a key in vain.
pub fn is_miss(message: &Value) -> bool {
    let mut words = message.items().unwrap_or_default().iter().rev().filter_map(Value::bytes);
    let (last, channel) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    last == b"keymiss" || channel.ends_with(b":keymiss")
}

/// Whether a message says that all keys went.
fn is_flush(message: &Value) -> bool {
    let items = message.items().unwrap_or_default();
    items.len() == 2
        && items[0].bytes().is_some_and(|word| word == b"invalidate")
        && items[1].items().is_none()
}

/// Messages, in an order of ours where it is nobody's: those that different patterns made of one, and the keys that
/// SORT's patterns missed, come as they lie in a hash table; that all keys went comes to a client in its own name and in
/// that of others who send it theirs, in the order of a list of clients that the real server's timer turns.
pub fn by_publisher(mut messages: Vec<Value>) -> Vec<Value> {
    let tail = |value: &Value| {
        let items = value.items().unwrap_or_default();
        (items.len() == 4).then(|| items[2..].to_vec())
    };
    for one in messages.chunk_by_mut(|a, b| tail(a).is_some() && tail(a) == tail(b)) {
        one.sort_by_key(|value| format!("{value:?}"));
    }
    for alike in [is_miss, is_flush] {
        for one in messages.chunk_by_mut(|a, b| alike(a) && alike(b)) {
            one.sort_by_key(|value| format!("{value:?}"));
        }
    }
    messages
}

pub fn same_message(a: &Value, b: &Value) -> bool {
    same_value(Rule::Exact, a, b)
}

fn same_value(rule: Rule, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    if a.is_error() || b.is_error() {
        return false;
    }
    match (rule, a, b) {
        (Rule::Kind, Value::Array(_), Value::Array(_)) | (Rule::Kind, Value::Map(_), Value::Map(_)) => true,
        (Rule::Bag, ..) => sorted(a, 1) == sorted(b, 1),
        (Rule::Pairs, ..) => sorted(a, 2) == sorted(b, 2),
        (Rule::Addresses, Value::Simple(a), Value::Simple(b)) => without_addresses(a) == without_addresses(b),
        (Rule::Near(by), Value::Int(a), Value::Int(b)) => {
            *a >= 0 && *b >= 0 && a.abs_diff(*b) <= by.unsigned_abs()
        }
        (Rule::Shape, Value::Int(_), Value::Int(_)) | (Rule::Shape, Value::Bulk(_), Value::Bulk(_)) => true,
        (Rule::Shape, Value::Double(_), Value::Double(_)) => true,
        (Rule::Length, Value::Array(a), Value::Array(b)) => a.len() == b.len(),
        (Rule::UpToZero, Value::Bulk(a), Value::Bulk(b)) => up_to_zero(a) == up_to_zero(b),
        (_, Value::Bulk(a), Value::Bulk(b)) => both_now(a, b),
        (_, Value::Array(a), Value::Array(b))
        | (_, Value::Set(a), Value::Set(b))
        | (_, Value::Push(a), Value::Push(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_value(rule, a, b))
        }
        (_, Value::Map(a), Value::Map(b)) => {
            let pair = |((ka, va), (kb, vb)): (&(Value, Value), &(Value, Value))| {
                same_value(rule, ka, kb) && same_value(rule, va, vb)
            };
            a.len() == b.len() && a.iter().zip(b).all(pair)
        }
        _ => false,
    }
}

fn up_to_zero(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The ids of a stream that were made by the clock: `1763650000123-0`.
fn both_now(a: &[u8], b: &[u8]) -> bool {
    let parts = |id: &[u8]| {
        let (ms, seq) =
            std::str::from_utf8(id).ok()?.split_once('-').map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        (ms.len() == 13).then_some((ms.parse::<i64>().ok()?, seq))
    };
    match (parts(a), parts(b)) {
        (Some((a, _)), Some((b, _))) => {
            a.abs_diff(b) < 10_000 && a > 1_700_000_000_000 && a < 2_000_000_000_000
        }
        _ => false,
    }
}

fn sorted(value: &Value, width: usize) -> Vec<String> {
    let mut found: Vec<String> = match value {
        Value::Array(items) | Value::Set(items) | Value::Push(items) => {
            items.chunks(width).map(|chunk| format!("{chunk:?}")).collect()
        }
        Value::Map(pairs) => pairs.iter().map(|pair| format!("{pair:?}")).collect(),
        other => vec![format!("{other:?}")],
    };
    found.sort();
    found
}

/// DEBUG OBJECT without what is about memory and time.
fn without_addresses(text: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(text).into_owned();
    let volatile = ["at:", "refcount:", "lru:", "lru_seconds_idle:", "serializedlength:"];
    let kept: Vec<&str> =
        text.split(' ').filter(|word| !volatile.iter().any(|prefix| word.starts_with(prefix))).collect();
    kept.join(" ").into_bytes()
}
