//! Values in the canonical form of the expectations beside the files.

use serde_json::{Value as Json, json};

use crate::value::stream::{Group, Stream};
use crate::value::{Entry, Hash, Value};

/// What a client would see of a value at a moment.
pub(super) fn of(value: &Value, now_ms: i64) -> Json {
    match value {
        Value::Str(text) => bytes(text.as_slice()),
        Value::List(list) => {
            let mut elements = Vec::new();
            list.each(0, usize::MAX, |element| elements.push(entry(element)));
            Json::Array(elements)
        }
        Value::Set(set) => {
            let mut members: Vec<_> = set.iter().map(|member| member.to_vec()).collect();
            members.sort();
            members.iter().map(|member| bytes(member)).collect()
        }
        Value::Zset(zset) => {
            zset.iter().map(|(member, score)| json!([entry(member), score_text(score)])).collect()
        }
        Value::Hash(hash) => of_hash(hash, now_ms),
        Value::Stream(stream) => of_stream(stream),
        Value::Module(_) => Json::Null,
    }
}

/// Bytes as text, in base64 if they are none, by length if they are many.
pub(super) fn bytes(bytes: &[u8]) -> Json {
    if bytes.len() > 1024 {
        return json!({ "len": bytes.len() });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "b64": base64(bytes) }),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { digit as char } else { '=' });
        }
    }
    text
}

fn entry(entry: Entry<'_>) -> Json {
    bytes(&entry.to_vec())
}

fn of_hash(hash: &Hash, now_ms: i64) -> Json {
    let live = hash.iter().filter(|item| !item.expired(now_ms as u64));
    let mut pairs: Vec<_> = live.map(|item| (item.field.to_vec(), item.value.to_vec())).collect();
    pairs.sort();
    pairs.iter().map(|(field, value)| json!([bytes(field), bytes(value)])).collect()
}

/// Whether it is a hash of which all fields have expired.
pub(super) fn is_over(value: &Value, now_ms: i64) -> bool {
    matches!(value, Value::Hash(hash) if hash.iter().all(|item| item.expired(now_ms as u64)))
}

/// The expiries of a hash's fields, of those that are still there.
pub(super) fn field_expiries(value: &Value, now_ms: i64) -> Json {
    let Value::Hash(hash) = value else { return Json::Null };
    let mut expiries = serde_json::Map::new();
    for item in hash.iter().filter(|item| !item.expired(now_ms as u64)) {
        let Some(deadline) = item.deadline else { continue };
        let name = bytes(&item.field.to_vec());
        expiries.insert(name.as_str().map_or(name.to_string(), str::to_owned), deadline.into());
    }
    if expiries.is_empty() { Json::Null } else { expiries.into() }
}

/// A score as Python prints it.
fn score_text(score: f64) -> String {
    if score != 0.0 && score.is_finite() && !(1e-4..1e16).contains(&score.abs()) {
        let text = format!("{score:e}");
        let (digits, exponent) = text.split_once('e').unwrap();
        let exponent: i32 = exponent.parse().unwrap();
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    format!("{score:?}")
}

fn of_stream(stream: &Stream) -> Json {
    let log = &stream.log;
    let entries = log.iter().map(|found| {
        let fields: Json = found.fields.flat_map(|(name, value)| [entry(name), entry(value)]).collect();
        json!([found.id.to_string(), fields])
    });
    let mut groups: Vec<Json> = stream.groups.iter().map(of_group).collect();
    groups.sort_by_key(|group| group["name"].to_string());
    json!({
        "length": log.length, "last_id": log.last_id.to_string(), "max_deleted_id": log.max_deleted.to_string(),
        "entries_added": log.entries_added, "entries": entries.collect::<Json>(), "groups": groups,
    })
}

fn of_group(group: &Group) -> Json {
    let owner = |id| group.consumer(id).map(|consumer| bytes(consumer.name()));
    let pel = group.pending().map(|nack| {
        json!([
            nack.id.to_string(),
            nack.consumer.and_then(owner),
            nack.delivery_time_ms,
            nack.delivery_count
        ])
    });
    let mut consumers: Vec<Json> = group
        .consumers()
        .map(|(_, consumer)| {
            json!({
                "name": bytes(consumer.name()), "seen_ms": consumer.seen_ms, "active_ms": consumer.active_ms,
                "pel": consumer.pending().map(|id| id.to_string()).collect::<Vec<_>>(),
            })
        })
        .collect();
    consumers.sort_by_key(|consumer| consumer["name"].to_string());
    let read =
        (group.entries_read != crate::value::stream::ENTRIES_READ_UNKNOWN).then_some(group.entries_read);
    json!({
        "name": bytes(group.name()), "last_id": group.last_id.to_string(), "entries_read": read,
        "pel": pel.collect::<Json>(), "consumers": consumers,
    })
}

/// What differs, if anything does. Long texts and collections are compared as far as the expectation has them.
pub(super) fn difference(path: &str, want: &Json, got: &Json) -> Option<String> {
    match (want, got) {
        (Json::Object(want), Json::Array(got)) if want.contains_key("count") => {
            let head = want["head"].as_array().unwrap();
            if want["count"] != json!(got.len()) {
                return Some(format!("{path}: {} items, not {}", got.len(), want["count"]));
            }
            let mut pairs = head.iter().zip(got).enumerate();
            pairs.find_map(|(i, (want, got))| difference(&format!("{path}[{i}]"), want, got))
        }
        (Json::Object(want), Json::Object(got)) if want.contains_key("len") => {
            (want["len"] != got["len"]).then(|| format!("{path}: {} bytes", got["len"]))
        }
        (Json::Object(want), Json::Object(got)) => want.iter().find_map(|(name, want)| {
            let unknown =
                matches!(&name[..], "seen_ms" | "active_ms") && (want.is_null() || got[name].is_null());
            if unknown || name == "enc" {
                return None;
            }
            difference(&format!("{path}.{name}"), want, got.get(name).unwrap_or(&Json::Null))
        }),
        (Json::Array(want), Json::Array(got)) if want.len() == got.len() => {
            let mut pairs = want.iter().zip(got).enumerate();
            pairs.find_map(|(i, (want, got))| difference(&format!("{path}[{i}]"), want, got))
        }
        _ => (want != got).then(|| format!("{path}: got {got:.300}, want {want:.300}")),
    }
}

/// What TYPE says.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Str(_) => "string",
        Value::List(_) => "list",
        Value::Set(_) => "set",
        Value::Zset(_) => "zset",
        Value::Hash(_) => "hash",
        Value::Stream(_) => "stream",
        Value::Module(_) => "module",
    }
}

/// What OBJECT ENCODING says; nothing where that is a database's choice.
pub(super) fn encoding(value: &Value) -> Option<&'static str> {
    match value {
        Value::List(list) => Some(list.encoding()),
        Value::Set(set) => Some(set.encoding()),
        Value::Zset(zset) => Some(zset.encoding()),
        Value::Hash(hash) => Some(hash.encoding()),
        Value::Stream(stream) => Some(stream.encoding()),
        Value::Str(_) | Value::Module(_) => None,
    }
}
