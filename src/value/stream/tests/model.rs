//! Random operations on a stream and on a naive one.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Step {
    Add { ms: u64, seq: u64, names: u8, value: Vec<u8> },
    Delete(usize),
    TrimLen(u64),
    TrimId(usize),
    TrimApprox(u64),
    Reload(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40)
    ];
    prop_oneof![
        12 => (0u64..3, 0u64..500, 0u8..5, value)
            .prop_map(|(ms, seq, names, value)| Step::Add { ms, seq, names, value }),
        3 => any::<usize>().prop_map(Step::Delete),
        1 => (0u64..60).prop_map(Step::TrimLen),
        1 => any::<usize>().prop_map(Step::TrimId),
        1 => (0u64..60).prop_map(Step::TrimApprox),
        1 => any::<bool>().prop_map(Step::Reload),
    ]
}

/// Nothing to four fields; 1 and 2 have the same number of other names.
fn fields_of(names: u8, value: &[u8]) -> Fields {
    let name = |n: u8| (format!("{names}-{n}").into_bytes(), [value, &[n]].concat());
    (0..names.max(1) - u8::from(names == 0)).map(name).collect()
}

type Model = BTreeMap<StreamId, Fields>;

fn nth(model: &Model, n: usize) -> StreamId {
    if model.is_empty() { id(1, 1) } else { *model.keys().nth(n % model.len()).expect("within") }
}

fn apply(stream: &mut Stream, model: &mut Model, step: Step, limits: &Limits) {
    match step {
        Step::Add { ms, seq, names, value } => {
            let new = StreamId::new(stream.log.last_id.ms + ms, seq);
            let fields = fields_of(names, &value);
            let flat = fields.iter().flat_map(|(name, value)| [&name[..], &value[..]]);
            let greater = new > stream.log.last_id;
            let added = stream.log.append(new, flat, limits);
            assert_eq!(added.is_ok(), greater);
            if added.is_ok() {
                model.insert(new, fields);
            }
        }
        Step::Delete(n) => {
            let gone = nth(model, n);
            assert_eq!(stream.log.delete(gone), model.remove(&gone).is_some());
            assert!(!stream.log.delete(gone));
        }
        Step::TrimLen(keep) => {
            let excess = (model.len() as u64).saturating_sub(keep);
            assert_eq!(stream.log.trim(Keep::MaxLen(keep), false, 0), excess);
            (0..excess).for_each(|_| drop(model.pop_first()));
        }
        Step::TrimId(n) => {
            let from = nth(model, n);
            let kept = model.split_off(&from);
            let gone = std::mem::replace(model, kept);
            assert_eq!(stream.log.trim(Keep::MinId(from), false, 0), gone.len() as u64);
        }
        Step::TrimApprox(keep) => {
            let before = model.len() as u64;
            let removed = stream.log.trim(Keep::MaxLen(keep), true, 20);
            assert!(removed <= 20 && before - removed >= keep.min(before));
            (0..removed).for_each(|_| drop(model.pop_first()));
        }
        Step::Reload(old) => {
            let bytes = save(stream);
            let again = Reader::load(21, &bytes).expect("our own");
            assert_eq!(save(&again), bytes);
            *stream = if old { stream.clone() } else { again };
        }
    }
}

fn check(stream: &Stream, model: &Model, from: StreamId, to: StreamId) {
    let log = &stream.log;
    assert_eq!(log.length, model.len() as u64);
    assert_eq!(log.first_id, model.keys().next().copied().unwrap_or_default());
    assert_eq!(log.edge(true, false), model.keys().next_back().copied());
    let entries: Vec<_> = model.iter().map(|(id, fields)| (*id, fields.clone())).collect();
    assert_eq!(all(log, false), entries);
    assert!(all(log, true).iter().eq(entries.iter().rev()));
    let within: Vec<StreamId> = model.keys().copied().filter(|id| (from..=to).contains(id)).collect();
    assert!(log.range(from, to, false).map(|entry| entry.id).eq(within.iter().copied()));
    assert!(log.range(from, to, true).map(|entry| entry.id).eq(within.iter().rev().copied()));
    assert!(log.nodes().zip(log.nodes().skip(1)).all(|(a, b)| a.key() < b.key()));
    assert!(log.range(from, to, false).all(|entry| entry.fields.len() == entry.fields.count()));
}

proptest! {
    #[test]
    fn a_stream_behaves_like_a_map(
        steps in proptest::collection::vec(step(), 0..250),
        max_bytes in prop_oneof![Just(0usize), 100usize..2000],
        max_entries in 0usize..20,
        (a, b) in (any::<usize>(), any::<usize>()),
    ) {
        let (mut stream, mut model) = (Stream::new(), Model::new());
        let limits = limits(max_bytes, max_entries);
        for step in steps {
            apply(&mut stream, &mut model, step, &limits);
        }
        let (a, b) = (nth(&model, a), nth(&model, b));
        check(&stream, &model, a, b.next().expect("not the last"));
        check(&stream, &model, a.next().expect("not the last"), b);
    }
}

/// A group, naively: who has which entry, how often delivered.
#[derive(Default)]
struct NaiveGroup {
    last: u64,
    pending: BTreeMap<u64, (String, u64)>,
    consumers: BTreeSet<String>,
}

proptest! {
    #[test]
    fn a_group_behaves_like_a_map(steps in proptest::collection::vec((0u8..8, 0u8..6, 0u64..120), 0..400)) {
        let mut stream = Stream::new();
        for ms in (1..120).filter(|ms| ms % 5 != 0) {
            stream.log.append(id(ms, 0), [b"f", b"v"].map(|x| &x[..]), &limits(0, 10)).expect("ascending");
        }
        stream.groups.create(b"g", StreamId::MIN, 0);
        let mut naive = NaiveGroup::default();
        for (step, who, ms) in steps {
            group_step(&mut stream, &mut naive, step, format!("c{who}"), ms);
        }
        check_group(stream.groups.get(b"g").expect("there"), &naive);
        let bytes = save(&stream);
        let again = Reader::load(21, &bytes).expect("our own");
        check_group(again.groups.get(b"g").expect("there"), &naive);
        prop_assert_eq!(save(&again), bytes);
    }
}

fn group_step(stream: &mut Stream, naive: &mut NaiveGroup, step: u8, who: String, ms: u64) {
    let group = stream.groups.get_mut(b"g").expect("there");
    if step == 0 {
        let had = naive.consumers.remove(&who);
        let count = naive.pending.values().filter(|(owner, _)| *owner == who).count();
        assert_eq!(group.delete_consumer(who.as_bytes()), had.then_some(count));
        naive.pending.retain(|_, (owner, _)| *owner != who);
        return;
    }
    if step == 1 {
        assert_eq!(group.ack(id(ms, 0)).is_some(), naive.pending.remove(&ms).is_some());
        return;
    }
    let (consumer, new) = group.create_consumer(who.as_bytes(), 5);
    assert_eq!(new, naive.consumers.insert(who.clone()));
    match step {
        2..5 => {
            let first = stream.log.range(id(naive.last + 1, 0), StreamId::MAX, false).next();
            let Some(entry) = first else { return };
            naive.last = entry.id.ms;
            assert!(group.advance(&stream.log, entry.id));
            group.deliver(entry.id, consumer, 7);
            naive.pending.insert(entry.id.ms, (who, 1));
        }
        5 => {
            naive.last = ms;
            group.last_id = id(ms, 0);
        }
        _ => {
            let force = step == 7;
            let how = Claim {
                consumer,
                now_ms: 9,
                min_idle_ms: 0,
                delivery_time_ms: 9,
                retry_count: None,
                just_id: false,
                force,
            };
            let exists = !ms.is_multiple_of(5);
            let had = naive.pending.get(&ms).map(|(_, count)| *count);
            let claimed = group.claim(&stream.log, id(ms, 0), &how);
            if exists && (had.is_some() || force) {
                naive.pending.insert(ms, (who, had.unwrap_or(1) + 1));
                assert!(matches!(claimed, Claimed::Taken(nack) if nack.id == id(ms, 0)));
            } else {
                naive.pending.remove(&ms);
                assert_eq!(claimed == Claimed::No, had.is_none());
            }
        }
    }
}

fn check_group(group: &Group, naive: &NaiveGroup) {
    assert_eq!((group.pending_len(), group.consumers_len()), (naive.pending.len(), naive.consumers.len()));
    for (nack, (ms, (owner, count))) in group.pending().zip(&naive.pending) {
        assert_eq!((nack.id, nack.delivery_count), (id(*ms, 0), *count));
        let consumer = nack.consumer.and_then(|id| group.consumer(id)).expect("owned");
        assert_eq!(consumer.name(), owner.as_bytes());
    }
    for ((number, consumer), name) in group.consumers().zip(&naive.consumers) {
        assert_eq!((consumer.name(), group.find_consumer(name.as_bytes())), (name.as_bytes(), Some(number)));
        let own = naive.pending.iter().filter(|(_, (owner, _))| owner == name).map(|(ms, _)| id(*ms, 0));
        assert!(consumer.pending().eq(own));
    }
    let from = id(30, 0)..=id(60, 0);
    assert!(
        group.pending_in(from).map(|nack| nack.id.ms).eq(naive.pending.range(30..=60).map(|(ms, _)| *ms))
    );
}
