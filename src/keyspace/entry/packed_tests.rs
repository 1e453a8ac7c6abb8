//! Aggregates in an entry against the naive record of them, on both sides of the size up to which they lie in place.

use super::*;
use crate::value::hash::Ttl;
use crate::value::list::End;
use crate::value::{Limits, capacity};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, PartialEq)]
enum Naive {
    Text(Vec<u8>),
    List(Vec<Vec<u8>>),
    Set(BTreeSet<Vec<u8>>),
    Zset(BTreeMap<Vec<u8>, f64>),
    /// Values and deadlines.
    Hash(BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>),
}

#[derive(Debug, Clone)]
enum Op {
    /// A value of another kind, with these elements.
    Become(u8, Vec<Vec<u8>>),
    Add(Vec<Vec<u8>>),
    /// As many as that, from some element on, but never the last one.
    Remove(usize, usize),
    Deadline(usize, Option<u64>),
    Text(Vec<u8>),
    Expiry(Option<u64>),
    Rename(Vec<u8>),
    Copy(Vec<u8>),
    TakeAndPutBack,
}

fn elements() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let number = any::<i64>().prop_flat_map(|n| (0..60_u32).prop_map(move |bits| (n >> bits).to_string()));
    let numbers = prop::collection::vec(number.prop_map(String::into_bytes), 1..20);
    let texts = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..66), 1..8);
    prop_oneof![2 => numbers, 1 => texts]
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![8 => 0..40_usize, 1 => 65_533..65_539_usize];
    (len, any::<u8>()).prop_map(|(len, byte)| vec![byte; len])
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => (0..4_u8, elements()).prop_map(|(kind, first)| Op::Become(kind, first)),
        6 => elements().prop_map(Op::Add),
        6 => (any::<usize>(), 0..12_usize).prop_map(|(from, n)| Op::Remove(from, n)),
        2 => (any::<usize>(), prop::option::of(1..1_u64 << 60)).prop_map(|(at, when)| Op::Deadline(at, when)),
        1 => prop::collection::vec(any::<u8>(), 0..100).prop_map(Op::Text),
        2 => prop::option::of(any::<u64>()).prop_map(Op::Expiry),
        1 => key().prop_map(Op::Rename),
        1 => key().prop_map(Op::Copy),
        1 => Just(Op::TakeAndPutBack),
    ]
}

/// An empty value of one of four types, twice.
fn empty(kind: u8) -> (Naive, Value) {
    match kind {
        0 => (Naive::List(Vec::new()), Value::List(List::new())),
        1 => (Naive::Set(BTreeSet::new()), Value::Set(Set::default())),
        2 => (Naive::Zset(BTreeMap::new()), Value::Zset(Zset::new())),
        _ => (Naive::Hash(BTreeMap::new()), Value::Hash(Hash::new())),
    }
}

fn add(entry: &mut Entry, naive: &mut Naive, new: &[Vec<u8>]) {
    let limits = Limits::default();
    for e in new {
        let done = match naive {
            Naive::Text(_) => Some(()),
            Naive::List(items) => {
                items.push(e.clone());
                entry.edit_list(|list| list.push(End::Tail, e, &limits))
            }
            Naive::Set(members) => {
                let fresh = members.insert(e.clone());
                entry.edit_set(|set| assert_eq!(set.add(&e[..], &limits), fresh))
            }
            Naive::Zset(scores) => {
                let score = e.len() as f64 / 2.0;
                let old = scores.insert(e.clone(), score);
                entry.edit_zset(|set| assert_eq!(set.set(e, score, &limits), old))
            }
            Naive::Hash(fields) => {
                let value: Vec<u8> = e.iter().rev().copied().collect();
                let old = fields.insert(e.clone(), (value.clone(), None));
                entry.edit_hash(|hash| assert_eq!(hash.set(e, &value, Ttl::Clear, &limits), old.is_none()))
            }
        };
        done.expect("the entry is of the type that it should be of");
    }
}

/// The key of element `at` of a map or a set.
fn nth<'a>(mut keys: impl ExactSizeIterator<Item = &'a Vec<u8>>, at: usize) -> Vec<u8> {
    let at = at % keys.len();
    keys.nth(at).expect("below the length").clone()
}

/// Whether there was more than one element.
fn remove_one(entry: &mut Entry, naive: &mut Naive, at: usize) -> bool {
    match naive {
        Naive::List(items) if items.len() > 1 => {
            let at = at % items.len();
            items.remove(at);
            entry.edit_list(|list| assert_eq!(list.remove_range(at, 1, &Limits::default()), 1))
        }
        Naive::Set(members) if members.len() > 1 => {
            let member = nth(members.iter(), at);
            members.remove(&member);
            entry.edit_set(|set| assert!(set.remove(&member[..])))
        }
        Naive::Zset(scores) if scores.len() > 1 => {
            let member = nth(scores.keys(), at);
            let score = scores.remove(&member);
            entry.edit_zset(|set| assert_eq!(set.remove(&member), score))
        }
        Naive::Hash(fields) if fields.len() > 1 => {
            let field = nth(fields.keys(), at);
            fields.remove(&field);
            entry.edit_hash(|hash| assert!(hash.remove(&field)))
        }
        _ => None,
    }
    .is_some()
}

fn apply(entry: &mut Entry, naive: &mut Naive, expiry: &mut Option<u64>, op: Op) {
    match op {
        Op::Become(kind, first) => {
            let (fresh, value) = empty(kind);
            entry.set_value(value);
            *naive = fresh;
            add(entry, naive, &first);
        }
        Op::Add(new) => add(entry, naive, &new),
        Op::Remove(from, n) => {
            let _ = (0..n).all(|_| remove_one(entry, naive, from));
        }
        Op::Deadline(at, when) => {
            let Naive::Hash(fields) = naive else { return };
            let field = nth(fields.keys(), at);
            fields.get_mut(&field).expect("just found").1 = when;
            entry.edit_hash(|hash| assert!(hash.set_deadline(&field, when)));
        }
        Op::Text(text) => {
            entry.set_bytes(&text, Made::Whole);
            *naive = Naive::Text(text);
        }
        Op::Expiry(when) => {
            entry.set_expiry(when);
            *expiry = when;
        }
        Op::Rename(key) => {
            entry.rename(&key);
            assert!(entry.key() == key);
        }
        Op::Copy(key) => {
            let copy = entry.copy_as(&key, 7);
            check(&copy, naive, *expiry);
            assert!(copy.key() == key && copy.kind() == entry.kind());
        }
        Op::TakeAndPutBack => {
            let value = entry.swap_value(Value::Str(Str::from(&b"in between"[..])));
            check(entry, &Naive::Text(b"in between".to_vec()), *expiry);
            entry.set_value(value);
        }
    }
}

/// Bytes of a value that is one piece.
fn packed_len(entry: &Entry) -> Option<usize> {
    match entry.view() {
        View::Str(bytes) => Some(bytes.len()),
        View::List(list) => match &*list {
            List::Packed(lp) => Some(lp.bytes()),
            List::Quick(_) => None,
        },
        View::Set(set) => match &*set {
            Set::Ints(ints) => Some(ints.as_bytes().len()),
            Set::Packed(lp) => Some(lp.bytes()),
            Set::Table(_) => None,
        },
        View::Zset(set) => match &*set {
            Zset::Packed(lp) => Some(lp.bytes()),
            Zset::Tree(_) => None,
        },
        View::Hash(hash) => hash.listpack().map(|lp| lp.bytes()),
        View::Stream(_) | View::Module(_) => None,
    }
}

/// What the entry holds, element by element.
fn contents(entry: &Entry) -> Naive {
    match entry.view() {
        View::Str(bytes) => Naive::Text(bytes.to_vec()),
        View::List(list) => Naive::List(
            (0..list.len() as i64).map(|i| list.get(i, |e| e.to_vec()).expect("inside")).collect(),
        ),
        View::Set(set) => Naive::Set(set.iter().map(|e| e.to_vec()).collect()),
        View::Zset(set) => Naive::Zset(set.iter().map(|(e, score)| (e.to_vec(), score)).collect()),
        View::Hash(hash) => Naive::Hash(
            hash.iter().map(|item| (item.field.to_vec(), (item.value.to_vec(), item.deadline))).collect(),
        ),
        View::Stream(_) | View::Module(_) => panic!("nobody put {:?} there", entry.kind()),
    }
}

fn check(entry: &Entry, naive: &Naive, expiry: Option<u64>) {
    assert_eq!(&contents(entry), naive);
    assert_eq!(entry.expiry(), expiry);
    let in_place = packed_len(entry).filter(|len| *len <= PACKED_IN_PLACE);
    assert_eq!(entry.is_in_place(), in_place.is_some(), "{:?}", entry.kind());
    let header = 8 + if expiry.is_some() { 8 } else { 0 } + if entry.key().len() >= 1 << 16 { 8 } else { 0 };
    assert_eq!(entry.block_bytes(), capacity(header + entry.key().len() + in_place.unwrap_or(8)));
    if let (Naive::Hash(fields), View::Hash(hash)) = (naive, entry.view()) {
        assert_eq!(hash.earliest_deadline(), fields.values().filter_map(|(_, when)| *when).min());
    }
}

proptest! {
    #[test]
    fn aggregates_are_what_was_put_into_them(
        key in key(),
        kind in 0..4_u8,
        first in elements(),
        ops in prop::collection::vec(op(), 0..40),
    ) {
        let (mut naive, value) = empty(kind);
        let (mut entry, mut expiry) = (Entry::with_value(&key, value, None, 9), None);
        entry.set_spare(0x5a5a);
        add(&mut entry, &mut naive, &first);
        for op in ops {
            check(&entry, &naive, expiry);
            apply(&mut entry, &mut naive, &mut expiry, op);
            prop_assert_eq!((entry.clock(), entry.spare()), (9, 0x5a5a));
        }
        let value = entry.into_value();
        prop_assert_eq!(contents(&Entry::with_value(b"again", value, None, 0)), naive);
    }
}

#[test]
fn a_small_hash_costs_its_listpack_and_eight() {
    let mut hash = Hash::new();
    (0..5).for_each(|i| {
        hash.set(format!("field-{i}").as_bytes(), b"0123456789", Ttl::Clear, &Limits::default());
    });
    let bytes = hash.listpack().expect("five fields are packed").bytes();
    let entry = Entry::with_value(b"0123456789abcdef", Value::Hash(hash), None, 0);
    assert_eq!(entry.block_bytes(), capacity(8 + 16 + bytes));
}
