//! Going through a value tells what loading it makes.

use super::*;
use crate::value::stream::{Counters, ENTRIES_READ_UNKNOWN, StreamId};
use crate::value::{Entry, Hash};

/// Everything that was told, as text.
#[derive(Default)]
struct Told(Vec<String>);

impl Told {
    fn tell(&mut self, what: &str, told: &dyn std::fmt::Debug) {
        self.0.push(format!("{what} {told:?}"));
    }
}

impl Visit for Told {
    fn element(&mut self, element: &[u8]) {
        self.tell("element", &element);
    }
    fn member(&mut self, member: &[u8], score: f64) {
        self.tell("member", &(member, score + 0.0)); // a packed one forgets the sign of zero
    }
    fn field(&mut self, field: &[u8], value: &[u8], expire_at_ms: Option<u64>) {
        self.tell("field", &(field, value, expire_at_ms));
    }
    fn entry(&mut self, id: StreamId, fields: &mut dyn Iterator<Item = (Entry<'_>, Entry<'_>)>) {
        let fields: Vec<_> = fields.map(|(field, value)| (field.to_vec(), value.to_vec())).collect();
        self.tell("entry", &(id, fields));
    }
    fn counters(&mut self, counters: &Counters) {
        self.tell("counters", &(counters.length, counters.last_id));
    }
    fn group(&mut self, name: &[u8], last_id: StreamId, _: Option<u64>) {
        self.tell("group", &(name, last_id));
    }
    fn pending(&mut self, id: StreamId, delivered_ms: i64, deliveries: u64) {
        self.tell("pending", &(id, delivered_ms, deliveries));
    }
    fn consumer(&mut self, name: &[u8], seen_ms: i64, _: Option<i64>) {
        self.tell("consumer", &(name, seen_ms));
    }
    fn owned(&mut self, id: StreamId) {
        self.tell("owned", &id);
    }
    fn module(&mut self, id: u64, raw: &[u8]) {
        self.tell("module", &(id, raw));
    }
}

/// The same, told of a value.
fn told_of(value: &Value) -> Told {
    let mut told = Told::default();
    match value {
        Value::Str(text) => told.element(text.as_slice()),
        Value::List(list) => list.each(0, usize::MAX, |element| told.element(&element.to_vec())),
        Value::Set(set) => set.iter().for_each(|member| told.element(&member.to_vec())),
        Value::Zset(zset) => zset.iter().for_each(|(member, score)| told.member(&member.to_vec(), score)),
        Value::Hash(hash) => of_hash(hash, &mut told),
        Value::Stream(stream) => {
            stream.log.iter().for_each(|mut entry| told.entry(entry.id, &mut entry.fields));
            let (length, last_id) = (stream.log.length, stream.log.last_id);
            told.counters(&Counters { length, last_id, more: None });
            for group in stream.groups.iter() {
                assert!(group.entries_read >= ENTRIES_READ_UNKNOWN);
                told.group(group.name(), group.last_id, None);
                group.pending().for_each(|n| told.pending(n.id, n.delivery_time_ms, n.delivery_count));
                for (_, consumer) in group.consumers() {
                    told.consumer(consumer.name(), consumer.seen_ms, None);
                    consumer.pending().for_each(|id| told.owned(id));
                }
            }
        }
        Value::Module(module) => told.module(module.id(), module.raw()),
    }
    told
}

fn of_hash(hash: &Hash, told: &mut Told) {
    hash.iter().for_each(|item| told.field(&item.field.to_vec(), &item.value.to_vec(), item.deadline));
}

#[test]
fn what_is_told_is_what_is_loaded() {
    for path in fixtures() {
        let bytes = std::fs::read(&path).unwrap();
        let mut loaded = Vec::new();
        if load(&bytes, 0, true, |meta, value| loaded.push((meta.key.to_vec(), told_of(value)))).is_err() {
            continue;
        }
        let mut loaded = loaded.into_iter();
        let mut reader = Reader::new(SliceSource::new(&bytes)).unwrap();
        while let Some(item) = reader.next_item().unwrap() {
            let Item::Key(pending) = item else { continue };
            let (key, mut told) = (pending.meta().key.to_vec(), Told::default());
            pending.visit(&mut told).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            if told.0.is_empty() {
                continue; // loading skips what has no elements
            }
            let (loaded_key, mut loaded) = loaded.next().unwrap();
            told.0.sort();
            loaded.0.sort();
            assert_eq!(key, loaded_key);
            assert!(told.0 == loaded.0, "{}: {:?}", path.display(), key.escape_ascii().to_string());
        }
    }
}
