//! Values of all types and encodings, written and read again.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;
use crate::value::list::End;
use crate::value::stream::{Stream, StreamId};
use crate::value::{Hash, List, Set, Zset};

/// Texts that packed forms and snapshots treat differently: integers of all widths, almost integers, bytes that
/// compress and bytes that don't.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (any::<i64>(), 0u32..64).prop_map(|(n, shift)| (n >> shift).to_string().into_bytes()),
        "-?0[0-9]{0,3}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..90),
        vec(0u8..3, 0..300),
        (any::<u8>(), 1usize..20000).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

/// No minus zero: a packed sorted set forgets its sign, as in the real server.
fn score() -> impl Strategy<Value = f64> {
    let any = any::<f64>().prop_filter("no score", |score| !score.is_nan());
    prop_oneof![any.prop_map(|score| score + 0.0), (-5i32..5).prop_map(f64::from)]
}

fn limits() -> impl Strategy<Value = Limits> {
    (0usize..40, 0usize..80).prop_map(|(entries, value)| Limits {
        hash_max_listpack_entries: entries,
        hash_max_listpack_value: value,
        set_max_intset_entries: entries,
        set_max_listpack_entries: entries,
        set_max_listpack_value: value,
        zset_max_listpack_entries: entries,
        zset_max_listpack_value: value,
        list_max_listpack_size: entries as i64 - 5,
        stream_node_max_entries: entries,
        ..Limits::default()
    })
}

/// A value that proptest can print.
struct Any(Value);

impl std::fmt::Debug for Any {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2000}", content::of(&self.0, 0).to_string())
    }
}

fn value() -> impl Strategy<Value = Any> {
    prop_oneof![
        text().prop_map(|text| Any(Value::Str(Str::from(text)))),
        (vec(text(), 1..30), limits()).prop_map(|(elements, limits)| {
            let mut list = List::new();
            elements.iter().for_each(|element| list.push(End::Tail, element, &limits));
            Any(Value::List(list))
        }),
        (vec(text(), 1..30), limits()).prop_map(|(members, limits)| {
            let mut set = Set::for_loading(members.len() as u64, &limits);
            for member in &members {
                set.add(&member[..], &limits);
            }
            Any(Value::Set(set))
        }),
        (vec((text(), score()), 1..30), limits()).prop_map(|(members, limits)| {
            let mut zset = Zset::new();
            for (member, score) in &members {
                zset.set(member, *score, &limits);
            }
            Any(Value::Zset(zset))
        }),
        hash(),
        stream().prop_map(|stream| Any(Value::Stream(Box::new(stream)))),
    ]
}

fn hash() -> impl Strategy<Value = Any> {
    let deadline = proptest::option::of(1u64..1 << 48);
    (btree_map(text(), (text(), deadline), 1..30), any::<bool>(), limits()).prop_map(
        |(fields, expiring, limits)| {
            let mut hash = Hash::new();
            for (field, (value, deadline)) in &fields {
                assert!(hash.load(field, value, deadline.filter(|_| expiring), &limits));
            }
            Any(Value::Hash(hash))
        },
    )
}

fn stream() -> impl Strategy<Value = Stream> {
    let entries = vec((1u64..3, vec((text(), text()), 1..4), any::<bool>()), 0..30);
    let groups = btree_map(vec(any::<u8>(), 0..9), (vec(text(), 0..3), -1i64..9), 0..4);
    (entries, groups, limits()).prop_map(|(entries, groups, limits)| {
        let mut stream = Stream::new();
        let mut id = StreamId::new(7, 0);
        for (step, fields, deleted) in entries {
            id = StreamId::new(id.ms + step / 2, id.seq + step);
            let texts = fields.iter().flat_map(|(field, value)| [&field[..], &value[..]]);
            stream.log.append(id, texts, &limits).unwrap();
            if deleted {
                stream.log.delete(id);
            }
        }
        let ids: Vec<_> = stream.log.iter().map(|entry| entry.id).collect();
        for (name, (consumers, read)) in groups {
            let Some(group) = stream.groups.create(&name, id, read) else { continue };
            for consumer in consumers {
                let (consumer, _) = group.create_consumer(&consumer, 1_700_000_000_000);
                if let Some(free) = ids.iter().find(|id| group.nack(**id).is_none()) {
                    group.deliver(*free, consumer, 1_700_000_000_001);
                }
            }
        }
        stream
    })
}

fn written(value: &Value, version: SaveVersion, compress: bool) -> Result<Vec<u8>, SaveError> {
    let mut writer = Writer::new(Vec::new(), &SaveOptions { version, compress, checksum: true });
    writer.select(3, 1, 1);
    let info = KeyInfo { key: b"key", expire_at_ms: Some(-5), idle_s: Some(70), freq: Some(255) };
    writer.key(&info, value)?;
    Ok(writer.finish()?)
}

proptest! {
    #[test]
    fn any_value_comes_back(Any(value) in value(), compress: bool, limits in limits()) {
        let versions = [SaveVersion::Redis(10), SaveVersion::Redis(11), SaveVersion::Redis(12), SaveVersion::Valkey];
        for version in versions {
            let Ok(bytes) = written(&value, version, compress) else {
                let expiring = matches!(&value, Value::Hash(hash) if hash.has_deadlines());
                prop_assert!(expiring && version.version().number < 12);
                continue;
            };
            let again = load(&bytes, 0, true, |_, _| ()).unwrap();
            let again = &again.dbs["3"]["\"key\""];
            prop_assert_eq!(&again["expire_at_ms"], &json!(-5));
            prop_assert_eq!(lost(version, "", &content::of(&value, 0), &again["value"]), None);
            prop_assert_eq!(&content::field_expiries(&value, 0), &again["field_expire_at_ms"]);
        }
        let payload = dump(&value, compress);
        let restored = restore(&payload, &LoadOptions { limits: &limits, strict: true, salvage: false }, true).unwrap();
        prop_assert_eq!(content::difference("", &content::of(&value, 0), &content::of(&restored, 0)), None);
    }
}
