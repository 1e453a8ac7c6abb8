//! The content of a server in the canonical form of the `*.expect.json` files, read over the socket, and compared.
//!
//! Bytes are a JSON string if they are UTF-8, else `{"b64": ..}`, and `{"len", "sha256"}` beyond 1 KiB. A collection
//! of more than 16 KiB is `{"count", "bytes", "sha256", "head"}`: the digest is over the length (8 bytes, little-endian)
//! and the bytes of every part of every item. Keys are sorted, and so are sets, fields, groups and consumers; a score is
//! what Python prints. `enc` is never compared, `seen_ms` and `active_ms` only where both sides have them.

use std::io;

use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};

use crate::client::{Client, Value};

const LONGEST_TEXT: usize = 1024;
const LARGEST_COLLECTION: usize = 16384;

type Bytes = Vec<u8>;

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes in the canonical form.
pub fn bytes(bytes: &[u8]) -> Json {
    if bytes.len() > LONGEST_TEXT {
        return json!({ "len": bytes.len(), "sha256": hex(Sha256::new().chain_update(bytes)) });
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
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let digit = DIGITS[(word >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { digit as char } else { '=' });
        }
    }
    text
}

fn collection(items: Vec<Vec<Bytes>>, shape: fn(&[Bytes]) -> Json) -> Json {
    let total: usize = items.iter().flatten().map(Vec::len).sum();
    if total <= LARGEST_COLLECTION {
        return items.iter().map(|item| shape(item)).collect();
    }
    let mut hash = Sha256::new();
    for part in items.iter().flatten() {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let head: Json = items.iter().take(3).map(|item| shape(item)).collect();
    json!({ "count": items.len(), "bytes": total, "sha256": hex(hash), "head": head })
}

fn one(item: &[Bytes]) -> Json {
    bytes(&item[0])
}

fn all(item: &[Bytes]) -> Json {
    item.iter().map(|part| bytes(part)).collect()
}

fn entry(item: &[Bytes]) -> Json {
    json!([bytes(&item[0]), all(&item[1..])])
}

/// A score as Python prints it.
fn score(text: &[u8]) -> Bytes {
    let score: f64 = String::from_utf8_lossy(text).parse().expect("a score is a number");
    if score != 0.0 && score.is_finite() && !(1e-4..1e16).contains(&score.abs()) {
        let text = format!("{score:e}");
        let (digits, exponent) = text.split_once('e').expect("asked for");
        let exponent: i32 = exponent.parse().expect("a number");
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs()).into_bytes();
    }
    format!("{score:?}").into_bytes()
}

fn invalid(what: &str, value: &Value) -> io::Error {
    io::Error::other(format!("{what}: {value:?}"))
}

fn items(value: Value) -> io::Result<Vec<Value>> {
    match value {
        Value::Array(items) => Ok(items),
        Value::NilArray => Ok(Vec::new()),
        other => Err(invalid("no array", &other)),
    }
}

fn texts(value: Value) -> io::Result<Vec<Bytes>> {
    items(value)?.iter().map(|item| item.bytes().ok_or_else(|| invalid("no text", item))).collect()
}

fn groups_of(flat: Vec<Bytes>, size: usize) -> Vec<Vec<Bytes>> {
    flat.chunks(size).map(<[Bytes]>::to_vec).collect()
}

/// A map as RESP2 has it, its names as text.
struct Fields(Vec<(String, Value)>);

impl Fields {
    fn of(value: Value) -> io::Result<Fields> {
        let flat = items(value)?;
        let pair = |pair: &[Value]| {
            (String::from_utf8_lossy(&pair[0].bytes().unwrap_or_default()).into_owned(), pair[1].clone())
        };
        Ok(Fields(flat.chunks_exact(2).map(pair).collect()))
    }

    fn find(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.0.iter().find(|pair| pair.0 == *name)).map(|pair| &pair.1)
    }

    fn get(&self, name: &str) -> Json {
        match self.find(&[name]) {
            Some(Value::Int(number)) => (*number).into(),
            Some(value) => value.bytes().map_or(Json::Null, |text| bytes(&text)),
            None => Json::Null,
        }
    }

    fn list(&self, names: &[&str]) -> io::Result<Vec<Value>> {
        match self.find(names) {
            None | Some(Value::Int(_)) => Ok(Vec::new()),
            Some(value) => items(value.clone()),
        }
    }
}

fn number(value: &Value) -> Json {
    if let Value::Int(number) = value { (*number).into() } else { Json::Null }
}

fn words(words: &[&[u8]]) -> Vec<Bytes> {
    words.iter().map(|word| word.to_vec()).collect()
}

fn reading(key: &[u8], kind: &str) -> Vec<Bytes> {
    match kind {
        "string" => words(&[b"GET", key]),
        "list" => words(&[b"LRANGE", key, b"0", b"-1"]),
        "set" => words(&[b"SMEMBERS", key]),
        "zset" => words(&[b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]),
        "hash" => words(&[b"HGETALL", key]),
        "stream" => words(&[b"XINFO", b"STREAM", key, b"FULL", b"COUNT", b"0"]),
        _ => words(&[b"TYPE", key]),
    }
}

fn value(
    client: &mut Client,
    key: &[u8],
    kind: &str,
    reply: Value,
    into: &mut Map<String, Json>,
) -> io::Result<()> {
    let value = match kind {
        "string" => bytes(&reply.bytes().ok_or_else(|| invalid("no text", &reply))?),
        "list" => collection(groups_of(texts(reply)?, 1), one),
        "set" => {
            let mut members = texts(reply)?;
            members.sort();
            collection(groups_of(members, 1), one)
        }
        "zset" => {
            let pairs = groups_of(texts(reply)?, 2);
            let shown = pairs.into_iter().map(|pair| vec![pair[0].clone(), score(&pair[1])]);
            collection(shown.collect(), all)
        }
        "hash" => {
            let mut pairs = groups_of(texts(reply)?, 2);
            pairs.sort();
            let ends = field_ends(client, key, &pairs)?;
            if !ends.is_empty() {
                into.insert("field_expire_at_ms".into(), ends.into());
            }
            collection(pairs, all)
        }
        "stream" => stream(reply)?,
        other => json!({ "unsupported_type": other }),
    };
    into.insert("value".into(), value);
    Ok(())
}

fn field_ends(client: &mut Client, key: &[u8], pairs: &[Vec<Bytes>]) -> io::Result<Map<String, Json>> {
    let mut ends = Map::new();
    for part in pairs.chunks(500) {
        let mut request = words(&[b"HPEXPIRETIME", key, b"FIELDS", part.len().to_string().as_bytes()]);
        request.extend(part.iter().map(|pair| pair[0].clone()));
        let reply = client.call(&request)?;
        if reply.is_error() {
            return Ok(ends); // a server that has no such thing
        }
        for (pair, end) in part.iter().zip(items(reply)?) {
            if let Value::Int(end @ 0..) = end {
                let name = bytes(&pair[0]);
                ends.insert(name.as_str().map_or_else(|| name.to_string(), str::to_owned), end.into());
            }
        }
    }
    Ok(ends)
}

fn stream(reply: Value) -> io::Result<Json> {
    let fields = Fields::of(reply)?;
    let mut entries = Vec::new();
    for found in fields.list(&["entries"])? {
        let mut parts = items(found)?;
        let rest = texts(parts.pop().expect("an id and its fields"))?;
        let id = parts.pop().and_then(|id| id.bytes()).expect("an id and its fields");
        entries.push([vec![id], rest].concat());
    }
    let mut groups = fields.list(&["groups"])?.into_iter().map(group).collect::<io::Result<Vec<Json>>>()?;
    groups.sort_by_key(|group| ascii(&group["name"]));
    Ok(json!({
        "length": fields.get("length"), "last_id": fields.get("last-generated-id"),
        "max_deleted_id": fields.get("max-deleted-entry-id"), "entries_added": fields.get("entries-added"),
        "entries": collection(entries, entry), "groups": groups,
    }))
}

fn group(value: Value) -> io::Result<Json> {
    let fields = Fields::of(value)?;
    let mut consumers =
        fields.list(&["consumers"])?.into_iter().map(consumer).collect::<io::Result<Vec<Json>>>()?;
    consumers.sort_by_key(|consumer| ascii(&consumer["name"]));
    let mut pending = Vec::new();
    for item in fields.list(&["pending", "pel"])? {
        let parts = items(item)?;
        let text = |i: usize| parts.get(i).and_then(Value::bytes).map_or(Json::Null, |text| bytes(&text));
        pending.push(json!([text(0), text(1), number(&parts[2]), number(&parts[3])]));
    }
    Ok(json!({
        "name": fields.get("name"), "last_id": fields.get("last-delivered-id"),
        "entries_read": fields.get("entries-read"), "pel": pending, "consumers": consumers,
    }))
}

fn consumer(value: Value) -> io::Result<Json> {
    let fields = Fields::of(value)?;
    let mut pending = Vec::new();
    for item in fields.list(&["pending", "pel"])? {
        let id = items(item)?.first().and_then(Value::bytes).unwrap_or_default();
        pending.push(bytes(&id));
    }
    Ok(json!({
        "name": fields.get("name"), "seen_ms": fields.get("seen-time"), "active_ms": fields.get("active-time"),
        "pel": pending,
    }))
}

fn databases(client: &mut Client) -> io::Result<Vec<u32>> {
    let reply = client.line("INFO keyspace")?;
    let text = String::from_utf8_lossy(&reply.bytes().unwrap_or_default()).into_owned();
    let number = |line: &str| line.strip_prefix("db")?.split_once(":keys=")?.0.parse().ok();
    let mut numbers: Vec<u32> = text.lines().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn scan(client: &mut Client) -> io::Result<Vec<Bytes>> {
    let (mut keys, mut cursor) = (Vec::new(), b"0".to_vec());
    loop {
        let mut reply = items(client.call(&words(&[b"SCAN", &cursor, b"COUNT", b"1000"]))?)?;
        keys.extend(texts(reply.pop().expect("a cursor and keys"))?);
        cursor = reply.pop().and_then(|cursor| cursor.bytes()).expect("a cursor and keys");
        if cursor == b"0" {
            keys.sort();
            keys.dedup();
            return Ok(keys);
        }
    }
}

fn key_list(client: &mut Client, keys: &[Bytes]) -> io::Result<Vec<Json>> {
    let mut shown = Vec::new();
    for part in keys.chunks(100) {
        let about = |key: &Bytes| {
            [words(&[b"TYPE", key]), words(&[b"PEXPIRETIME", key]), words(&[b"OBJECT", b"ENCODING", key])]
        };
        let about = client.pipeline(&part.iter().flat_map(about).collect::<Vec<_>>())?;
        let kind = |i: usize| String::from_utf8_lossy(&about[3 * i].bytes().unwrap_or_default()).into_owned();
        let here: Vec<usize> = (0..part.len()).filter(|i| kind(*i) != "none").collect();
        let reads: Vec<_> = here.iter().map(|i| reading(&part[*i], &kind(*i))).collect();
        let replies = client.pipeline(&reads)?;
        for (i, reply) in here.into_iter().zip(replies) {
            let end = match &about[3 * i + 1] {
                Value::Int(end @ 0..) => (*end).into(),
                _ => Json::Null,
            };
            let encoding = about[3 * i + 2].bytes().filter(|_| !about[3 * i + 2].is_error());
            let mut key = Map::new();
            key.insert("key".into(), bytes(&part[i]));
            key.insert("type".into(), kind(i).into());
            key.insert("expire_at_ms".into(), end);
            value(client, &part[i], &kind(i), reply, &mut key)?;
            key.insert("enc".into(), encoding.map_or(Json::Null, |text| bytes(&text)));
            shown.push(key.into());
        }
    }
    Ok(shown)
}

/// `Null`: the server has no such thing.
fn libraries(client: &mut Client) -> io::Result<Json> {
    let reply = client.line("FUNCTION LIST WITHCODE")?;
    if reply.is_error() {
        return Ok(Json::Null);
    }
    let mut shown = Vec::new();
    for library in items(reply)? {
        let library = Fields::of(library)?;
        let mut functions = Vec::new();
        for function in library.list(&["functions"])? {
            let function = Fields::of(function)?;
            let mut flags: Vec<Json> =
                function.list(&["flags"])?.iter().filter_map(Value::bytes).map(|flag| bytes(&flag)).collect();
            flags.sort_by_key(Json::to_string);
            functions.push(json!({
                "name": function.get("name"), "description": function.get("description"), "flags": flags,
            }));
        }
        functions.sort_by_key(|function| function["name"].to_string());
        shown.push(json!({
            "library": library.get("library_name"), "engine": library.get("engine"), "functions": functions,
            "code": library.get("library_code"),
        }));
    }
    shown.sort_by_key(|library| library["library"].to_string());
    Ok(shown.into())
}

/// All that a server holds.
pub fn dump(client: &mut Client) -> io::Result<Json> {
    let mut dbs = Map::new();
    for db in databases(client)? {
        client.line(&format!("SELECT {db}"))?;
        let keys = scan(client)?;
        dbs.insert(db.to_string(), key_list(client, &keys)?.into());
    }
    Ok(json!({ "functions": libraries(client)?, "dbs": dbs }))
}

/// What is the same about content wherever it lies: all but encodings and the moments that not every server keeps.
fn stripped(value: &Json) -> Json {
    match value {
        Json::Object(map) => {
            let kept = map.iter().filter(|(name, _)| !matches!(&name[..], "enc" | "active_ms"));
            kept.map(|(name, value)| (name.clone(), stripped(value))).collect()
        }
        Json::Array(items) => items.iter().map(stripped).collect(),
        other => other.clone(),
    }
}

/// JSON as Python writes it with `ensure_ascii`: sorted names, no blanks, ASCII only.
fn ascii(value: &Json) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' {
            text.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

/// One number for the whole content, as `servers.*.digest` of an expectation has it.
pub fn digest(dump: &Json) -> String {
    let functions = if dump["functions"].is_null() { json!([]) } else { dump["functions"].clone() };
    let content = stripped(&json!({ "dbs": dump["dbs"], "functions": functions }));
    hex(Sha256::new().chain_update(ascii(&content)))
}

/// Lines on what differs, at most 20. Functions are left out if one server has no such thing.
pub fn compare(want: &Json, got: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    let none = Map::new();
    let (want_dbs, got_dbs) =
        (want["dbs"].as_object().unwrap_or(&none), got["dbs"].as_object().unwrap_or(&none));
    let mut numbers: Vec<&String> = want_dbs.keys().chain(got_dbs.keys()).collect();
    numbers.sort();
    numbers.dedup();
    for db in numbers {
        let by_key = |dbs: &Map<String, Json>| -> std::collections::BTreeMap<String, Json> {
            let keys = dbs.get(db).and_then(Json::as_array).into_iter().flatten();
            keys.map(|key| (key["key"].to_string(), key.clone())).collect()
        };
        let (wanted, found) = (by_key(want_dbs), by_key(got_dbs));
        for (key, want) in &wanted {
            match found.get(key) {
                Some(got) => differ(&format!("db{db} {key}"), want, got, &mut lines),
                None => lines.push(format!("db{db} {key}: missing")),
            }
        }
        let more = found.keys().filter(|key| !wanted.contains_key(*key));
        lines.extend(more.map(|key| format!("db{db} {key}: unexpected")));
    }
    if !want["functions"].is_null() && !got["functions"].is_null() {
        differ("functions", &want["functions"], &got["functions"], &mut lines);
    }
    lines.truncate(20);
    lines
}

/// How far from the expected moment a key of "load+N" may end, in ms: before and after.
const LEEWAY_MS: (i64, i64) = (600_000, 60_000);

fn differ(path: &str, want: &Json, got: &Json, lines: &mut Vec<String>) {
    match (want, got) {
        (Json::Object(want), Json::Object(got)) => {
            let mut names: Vec<&String> = want.keys().chain(got.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let (a, b) = (want.get(name), got.get(name));
                let is_null = |side: Option<&Json>| side.is_none_or(Json::is_null);
                let unknown = matches!(&name[..], "seen_ms" | "active_ms") && (is_null(a) || is_null(b));
                if name == "enc" || unknown {
                    continue;
                }
                match (a, b) {
                    (Some(a), Some(b)) => differ(&format!("{path}.{name}"), a, b, lines),
                    (Some(_), None) => lines.push(format!("{path}.{name}: missing")),
                    _ => lines.push(format!("{path}.{name}: unexpected")),
                }
            }
        }
        (Json::Array(want), Json::Array(got)) => {
            if want.len() != got.len() {
                lines.push(format!("{path}: {} items, want {}", got.len(), want.len()));
            }
            for (i, (want, got)) in want.iter().zip(got).enumerate() {
                differ(&format!("{path}[{i}]"), want, got, lines);
            }
        }
        (Json::String(want), Json::Number(got)) if want.starts_with("load+") => {
            let after: i64 = want[5..].parse().expect("a number");
            let off = got.as_i64().unwrap_or(0) - now_ms() - after;
            if off <= -LEEWAY_MS.0 || off >= LEEWAY_MS.1 {
                lines.push(format!("{path}: got {got}, want {want}"));
            }
        }
        _ if want == got => {}
        _ => lines.push(format!("{path}: got {:.200}, want {:.200}", got.to_string(), want.to_string())),
    }
}

/// Unix time in milliseconds.
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[test]
fn json_is_written_as_python_writes_it() {
    assert_eq!(
        ascii(&json!({ "b": ["é😀\u{7f}\u{1}\n", null], "a": 1 })),
        "{\"a\":1,\"b\":[\"\\u00e9\\ud83d\\ude00\\u007f\\u0001\\n\",null]}"
    );
    assert_eq!(score(b"3.0000000000000004e+16"), b"3.0000000000000004e+16");
    assert_eq!(score(b"1e-5"), b"1e-05");
    assert_eq!((score(b"1"), score(b"-inf")), (b"1.0".to_vec(), b"-inf".to_vec()));
}
