//! Hashes against a BTreeMap, in all encodings.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn small() -> Limits {
    Limits { hash_max_listpack_entries: 20, hash_max_listpack_value: 12, ..Limits::default() }
}

#[derive(Default)]
struct Model {
    hash: Hash,
    naive: BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>,
}

type Owned = (Vec<u8>, (Vec<u8>, Option<u64>));

fn owned(item: Item<'_>) -> Owned {
    (item.field.to_vec(), (item.value.to_vec(), item.deadline))
}

impl Model {
    fn set(&mut self, field: &[u8], value: &[u8], ttl: Ttl) {
        let new = self.hash.set(field, value, ttl, &small());
        let old = self.naive.get(field).cloned();
        assert_eq!(new, old.is_none());
        let deadline = old.and_then(|(_, deadline)| deadline).filter(|_| ttl == Ttl::Keep);
        self.naive.insert(field.to_vec(), (value.to_vec(), deadline));
    }

    fn remove(&mut self, field: &[u8]) {
        assert_eq!(self.hash.remove(field), self.naive.remove(field).is_some());
    }

    fn set_deadline(&mut self, field: &[u8], deadline: Option<u64>) {
        let found = self.naive.get_mut(field).map(|(_, old)| *old = deadline).is_some();
        assert_eq!(self.hash.set_deadline(field, deadline), found);
    }

    fn expire(&mut self, now: u64, budget: usize) {
        let due: BTreeSet<_> = self
            .naive
            .iter()
            .filter(|(_, (_, d))| d.is_some_and(|d| d < now))
            .map(|(f, _)| f.clone())
            .collect();
        assert_eq!(self.hash.count_due(now), due.len());
        let mut removed = BTreeSet::new();
        while self.hash.take_due(now, budget, |field| assert!(removed.insert(field.to_vec()))).more {}
        assert_eq!(removed, due);
        due.iter().for_each(|field| {
            self.naive.remove(field);
        });
    }

    fn check(&self) {
        let hash = &self.hash;
        let naive: Vec<Owned> = self.naive.clone().into_iter().collect();
        let sorted = |mut all: Vec<Owned>| {
            all.sort();
            all
        };
        assert_eq!(sorted(hash.iter().map(owned).collect()), naive);
        assert_eq!(sorted(hash.clone().iter().map(owned).collect()), naive);
        assert_eq!((hash.len(), hash.clone().encoding()), (naive.len(), hash.encoding()));
        let earliest = naive.iter().filter_map(|(_, (_, deadline))| *deadline).min();
        assert_eq!((hash.earliest_deadline(), hash.has_deadlines()), (earliest, earliest.is_some()));
        assert_eq!(hash.next_deadline().is_some(), earliest.is_some());
        assert!(hash.next_deadline() <= earliest);
        let (mut scanned, mut cursor) = (Vec::new(), 0);
        loop {
            cursor = hash.scan(cursor, |item| scanned.push(owned(item)));
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(sorted(scanned), naive);
        if let Hash::PackedEx(ex) = hash {
            assert!(ex.in_order());
            let again = Listpack::from_bytes(ex.listpack().as_bytes()).expect("it is sound");
            let again = Hash::from_listpack_ex(again, &Limits::default()).expect("triplets they are");
            assert_eq!(
                again.iter().map(owned).collect::<Vec<_>>(),
                hash.iter().map(owned).collect::<Vec<_>>()
            );
        }
        let mut loaded = Hash::with_hint(naive.len(), &small());
        for (field, (value, deadline)) in &naive {
            assert!(loaded.load(field, value, *deadline, &small()));
        }
        assert_eq!(sorted(loaded.iter().map(owned).collect()), naive);
    }
}

#[derive(Debug, Clone)]
enum Op {
    Set(Vec<u8>, Vec<u8>, bool),
    Run(u16, u8),
    Remove(Vec<u8>),
    Deadline(Vec<u8>, Option<u64>),
    Expire(u64, usize),
    Prepare,
}

fn op() -> impl Strategy<Value = Op> {
    let field = || {
        prop_oneof![
            (0..40_u32).prop_map(|n| n.to_string().into_bytes()),
            prop::collection::vec(b'a'..b'c', 0..4),
            prop::collection::vec(any::<u8>(), 0..13),
        ]
    };
    prop_oneof![
        20 => (field(), field(), any::<bool>()).prop_map(|(f, v, keep)| Op::Set(f, v, keep)),
        1 => (0..500_u16, any::<u8>()).prop_map(|(from, n)| Op::Run(from, n)),
        10 => field().prop_map(Op::Remove),
        20 => (field(), prop::option::weighted(0.8, 1..100_u64)).prop_map(|(f, d)| Op::Deadline(f, d)),
        2 => (1..100_u64, 1..50_usize).prop_map(|(now, budget)| Op::Expire(now, budget)),
        1 => Just(Op::Prepare),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn behaves_like_a_map(ops in prop::collection::vec(op(), 0..100)) {
        let mut model = Model::default();
        for op in ops {
            match op {
                Op::Set(field, value, true) => model.set(&field, &value, Ttl::Keep),
                Op::Set(field, value, false) => model.set(&field, &value, Ttl::Clear),
                Op::Run(from, n) => (from..from + u16::from(n)).for_each(|i| {
                    model.set(i.to_string().as_bytes(), b"v", Ttl::Keep);
                    model.set_deadline(i.to_string().as_bytes(), Some(u64::from(i % 100 + 1)));
                }),
                Op::Remove(field) => model.remove(&field),
                Op::Deadline(field, deadline) => model.set_deadline(&field, deadline),
                Op::Expire(now, budget) => model.expire(now, budget),
                Op::Prepare => model.hash.prepare_deadlines(),
            }
        }
        model.check();
    }
}

fn hash_of(fields: &[(&str, &str)], limits: &Limits) -> Hash {
    let mut hash = Hash::new();
    fields.iter().for_each(|(field, value)| {
        hash.set(field.as_bytes(), value.as_bytes(), Ttl::Clear, limits);
    });
    hash
}

#[test]
fn converts_where_the_real_server_does() {
    let limits = Limits { hash_max_listpack_entries: 2, hash_max_listpack_value: 4, ..Limits::default() };
    let mut hash = hash_of(&[("a", "four"), ("b", "1"), ("a", "2")], &limits);
    assert_eq!(hash.encoding(), "listpack");
    assert!(!hash.set_deadline(b"nosuch", None));
    assert_eq!(hash.encoding(), "listpack", "nothing to take away");
    assert!(!hash.set_deadline(b"nosuch", Some(5)));
    assert_eq!(hash.encoding(), "listpackex", "even though there is no such field");
    hash.set(b"c", b"", Ttl::Clear, &limits);
    assert_eq!((hash.encoding(), hash.len()), ("hashtable", 3));
    assert_eq!(hash_of(&[("a", "fiver")], &limits).encoding(), "hashtable");
    assert_eq!(hash_of(&[("fiver", "a")], &limits).encoding(), "hashtable");
    for (fields, lengths, encoding) in
        [(2, [4, 4], "listpack"), (3, [1, 1], "hashtable"), (1, [1, 5], "hashtable")]
    {
        let mut hash = Hash::new();
        hash.expect(fields, lengths.into_iter(), &limits);
        assert_eq!(hash.encoding(), encoding, "{fields} {lengths:?}");
    }
}

#[test]
fn triplets_stand_in_the_order_of_deadlines() {
    let limits = Limits::default();
    let mut hash = hash_of(&[("a", "1"), ("b", "2"), ("c", "3"), ("d", "4")], &limits);
    for (field, deadline) in [("a", 30), ("c", 10), ("d", 30)] {
        assert!(hash.set_deadline(field.as_bytes(), Some(deadline)));
    }
    let order = |hash: &Hash| hash.iter().map(|item| item.field.to_vec()).collect::<Vec<_>>().concat();
    assert_eq!(order(&hash), b"cdab", "one that comes later goes before its equals, without one goes last");
    hash.set(b"c", b"5", Ttl::Keep, &limits);
    assert_eq!(order(&hash), b"cdab");
    hash.set(b"c", b"6", Ttl::Clear, &limits);
    assert_eq!(order(&hash), b"dabc");
    assert_eq!(hash.get(b"c").map(owned), Some((b"c".to_vec(), (b"6".to_vec(), None))));
}

#[test]
fn hostile_listpacks_are_refused_or_mended() {
    let lp = |entries: &[&[u8]]| {
        let mut lp = Listpack::new();
        entries.iter().for_each(|entry| lp.push_back(*entry));
        lp
    };
    let limits = Limits::default();
    assert!(Hash::from_listpack(lp(&[b"a", b"b", b"c"]), &limits).is_err());
    assert!(Hash::from_listpack_ex(lp(&[b"a", b"b"]), &limits).is_err());
    assert!(Hash::from_listpack_ex(lp(&[b"a", b"b", b"soon"]), &limits).is_err());
    assert!(Hash::from_listpack_ex(lp(&[b"a", b"b", b"-1"]), &limits).is_err());
    let wild = lp(&[b"a", b"1", b"0", b"b", b"2", b"9", b"c", b"3", b"5"]);
    let hash = Hash::from_listpack_ex(wild, &limits).expect("triplets they are");
    assert_eq!(hash.iter().map(|item| item.field.to_vec()).collect::<Vec<_>>().concat(), b"cba");
    let few = Limits { hash_max_listpack_entries: 1, ..Limits::default() };
    let twice = Hash::from_listpack(lp(&[b"a", b"1", b"a", b"2"]), &few).expect("pairs they are");
    assert_eq!((twice.encoding(), twice.len()), ("hashtable", 1));
}

#[test]
fn random_reaches_every_field() {
    let mut rng = fastrand::Rng::with_seed(1);
    assert!(Hash::new().random(&mut rng).is_none());
    for limits in [Limits::default(), Limits { hash_max_listpack_entries: 1, ..Limits::default() }] {
        let hash = hash_of(&[("a", "1"), ("b", "2"), ("c", "3")], &limits);
        let seen: BTreeSet<Owned> = (0..200).filter_map(|_| hash.random(&mut rng)).map(owned).collect();
        assert_eq!(seen.len(), 3, "{}", hash.encoding());
    }
}
