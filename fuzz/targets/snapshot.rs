//! Whole snapshots: stepped over, looked at and loaded, from a slice and in small reads; what was loaded is written
//! and read again.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use resnap::persist::rdb::{
    Item, KeyInfo, LoadOptions, Loaded, Reader, SaveOptions, SaveVersion, SliceSource, Source, StreamSource,
    Visit, Writer,
};
use resnap::text::log::{self, Level};
use resnap::value::{Entry, Limits, Str, StreamId, Value};
use resnap_fuzz::Capped;

#[global_allocator]
static ALLOCATOR: Capped = Capped;

/// Gives little at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(to.len());
        self.0.read(&mut to[..n])
    }
}

/// Counts what it is told.
#[derive(Default)]
struct Count(usize);

impl Visit for Count {
    fn element(&mut self, element: &[u8]) {
        self.0 += element.len();
    }

    fn member(&mut self, member: &[u8], _score: f64) {
        self.0 += member.len();
    }

    fn field(&mut self, field: &[u8], value: &[u8], _expire_at_ms: Option<u64>) {
        self.0 += field.len() + value.len();
    }

    fn entry(&mut self, _id: StreamId, fields: &mut dyn Iterator<Item = (Entry<'_>, Entry<'_>)>) {
        self.0 += fields.count();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Skip,
    Visit,
    Load,
    LoadStrictly,
}

type Key = (u32, Vec<u8>, Option<i64>, u64);

/// Goes through a file in one way: its keys, whether that went well, and the values if it loads.
fn go<S: Source>(source: S, way: Way) -> (Vec<Key>, bool, Vec<Value>) {
    let (limits, mut keys, mut values) = (Limits::default(), Vec::new(), Vec::new());
    let options = LoadOptions { limits: &limits, strict: way == Way::LoadStrictly, salvage: false };
    let Ok(mut reader) = Reader::new(source) else { return (keys, false, values) };
    loop {
        let pending = match reader.next_item() {
            Ok(None) => return (keys, true, values),
            Err(_) => return (keys, false, values),
            Ok(Some(Item::Key(pending))) => pending,
            Ok(Some(_)) => continue,
        };
        let meta = pending.meta();
        keys.push((meta.db, meta.key.to_vec(), meta.expire_at_ms, meta.offset));
        let settled = match way {
            Way::Skip => pending.skip().map(drop),
            Way::Visit => pending.visit(&mut Count::default()),
            Way::Load | Way::LoadStrictly => pending.load(&options).map(|(_, loaded)| match loaded {
                Loaded::Bytes(text) => values.push(Value::Str(Str::from(text))),
                Loaded::Packed(packed) => values.push(packed.to_value()),
                Loaded::Value(value) => values.push(value),
                Loaded::Empty => drop(keys.pop()),
            }),
        };
        if settled.is_err() {
            return (keys, false, values);
        }
    }
}

/// Writes what was loaded; it must be possible to load that.
fn again(keys: &[Key], values: &[Value]) {
    let options = SaveOptions {
        version: SaveVersion::Auto { has_field_ttl: true },
        compress: keys.len() % 2 == 0,
        checksum: true,
    };
    let mut writer = Writer::new(Vec::new(), &options);
    for ((_, key, expire_at_ms, _), value) in keys.iter().zip(values) {
        let info = KeyInfo { key, expire_at_ms: *expire_at_ms, ..KeyInfo::default() };
        let _ = writer.key(&info, value); // not every version holds everything
    }
    let bytes = writer.finish().expect("memory takes it");
    let (_, well, _) = go(SliceSource::new(&bytes), Way::Load);
    assert!(well, "what was written is not read");
}

fuzz_target!(|data: &[u8]| {
    log::set_level(Level::Nothing);
    // The checksum does not count, so that what is behind it is reached.
    let open = |n| StreamSource::new(Drops(data, n), (n % 2 == 0).then_some(data.len() as u64)).unchecked();
    let (keys, well, values) = go(open(4096), Way::Load);
    let (strict_keys, strictly, _) = go(open(7), Way::LoadStrictly);
    let (skipped, stepped, _) = go(open(3), Way::Skip);
    let (_, visited, _) = go(open(64), Way::Visit);
    if well {
        assert!(stepped && visited, "loaded, but skipped: {stepped}, visited: {visited}");
        assert!(keys.len() <= skipped.len());
        again(&keys, &values);
    }
    assert!(!strictly || (well && strict_keys == keys), "stricter is more lenient");
    go(SliceSource::new(data), Way::Load);
});
