//! A keyspace against naive maps, under random operations, with a clock that moves and every policy.

use super::*;
use crate::text::clock::Now;
use crate::value::hash;
use crate::value::list::{End, List};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

const DBS: usize = 3;
const START_MS: u64 = 1_700_000_000_000;

#[derive(Debug, Clone, PartialEq)]
enum NaiveValue {
    Str(Vec<u8>),
    List(Vec<Vec<u8>>),
    Hash(BTreeMap<Vec<u8>, Option<u64>>),
}

#[derive(Debug, Clone, PartialEq)]
struct NaiveKey {
    value: NaiveValue,
    expiry: Option<u64>,
    /// Unix seconds of the last use.
    used: u64,
}

type Name = Vec<u8>;

#[derive(Debug, Clone)]
enum Op {
    Set(usize, Vec<u8>, Ttl),
    Add(usize, i64),
    Append(usize, usize),
    Update(usize, Vec<u8>),
    Read(usize),
    Meta(usize),
    Contains(usize),
    ForWrite(usize),
    Use(usize),
    Put(usize, Option<u64>),
    Remove(usize),
    ExpireAt(usize, i64),
    Persist(usize),
    Rename(usize, usize),
    Move(usize, usize),
    Copy(usize, usize, usize),
    Swap(usize, usize),
    Flush,
    Push(usize),
    Pop(usize),
    SetField(usize, u8, Option<i64>),
    LapseFields(usize),
    Many(u16),
    Scan,
    Random(u64),
    Expire(usize),
    Elapse(u64),
    Select(usize),
    NoTouch(bool),
    Lapse(Lapse),
    Resizing(bool),
}

/// The names that operations work on: short, binary, long beyond every header.
fn name(i: usize) -> Name {
    match i {
        0 => Vec::new(),
        1 => vec![0; 65_535],
        2 => vec![1; 65_536],
        3 => vec![255; 70_000],
        i => format!("key:{i}").into_bytes(),
    }
}

fn op() -> impl Strategy<Value = Op> {
    let k = || 0..14_usize;
    let delta = -2_000..4_000_i64;
    let ttl = prop_oneof![
        Just(Ttl::Keep),
        Just(Ttl::Clear),
        delta.clone().prop_map(|delta| Ttl::At(START_MS.saturating_add_signed(delta)))
    ];
    let bytes = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..50),
        2 => any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        1 => (32_766..32_770_usize).prop_map(|len| vec![7; len]),
    ];
    let strings = prop_oneof![
        4 => (k(), bytes.clone(), ttl).prop_map(|(k, v, t)| Op::Set(k, v, t)),
        2 => (k(), any::<i64>()).prop_map(|(k, n)| Op::Add(k, n)),
        2 => (k(), 0..50_usize).prop_map(|(k, n)| Op::Append(k, n)),
        1 => k().prop_map(|k| Op::Append(k, 32_760)),
        1 => (k(), bytes).prop_map(|(k, v)| Op::Update(k, v)),
    ];
    let lookups = prop_oneof![
        k().prop_map(Op::Read),
        k().prop_map(Op::Meta),
        k().prop_map(Op::Contains),
        k().prop_map(Op::ForWrite),
        k().prop_map(Op::Use),
    ];
    let keys = prop_oneof![
        (k(), prop::option::of(START_MS..START_MS + 3_000)).prop_map(|(k, e)| Op::Put(k, e)),
        k().prop_map(Op::Remove),
        (k(), delta.clone()).prop_map(|(k, d)| Op::ExpireAt(k, d)),
        k().prop_map(Op::Persist),
        (k(), k()).prop_map(|(a, b)| Op::Rename(a, b)),
        (k(), 0..DBS).prop_map(|(k, db)| Op::Move(k, db)),
        (k(), k(), 0..DBS).prop_map(|(a, b, db)| Op::Copy(a, b, db)),
    ];
    let aggregates = prop_oneof![
        k().prop_map(Op::Push),
        k().prop_map(Op::Pop),
        (k(), 0..4_u8, prop::option::of(delta)).prop_map(|(k, f, d)| Op::SetField(k, f, d)),
        k().prop_map(Op::LapseFields),
    ];
    let rare = prop_oneof![
        (0..DBS, 0..DBS).prop_map(|(a, b)| Op::Swap(a, b)),
        Just(Op::Flush),
        (1..300_u16).prop_map(Op::Many),
        Just(Op::Scan),
        any::<u64>().prop_map(Op::Random),
        (0..DBS).prop_map(Op::Expire),
        any::<bool>().prop_map(Op::NoTouch),
        prop::sample::select(&[Lapse::Delete, Lapse::Delete, Lapse::Hide, Lapse::Ignore][..])
            .prop_map(Op::Lapse),
        any::<bool>().prop_map(Op::Resizing),
    ];
    prop_oneof![
        6 => strings,
        4 => lookups,
        6 => keys,
        4 => aggregates,
        2 => rare,
        2 => (0..1_500_u64).prop_map(Op::Elapse),
        1 => (0..DBS).prop_map(Op::Select),
    ]
}

/// The keyspace and what it should hold.
struct Model {
    ks: Keyspace,
    naive: Vec<BTreeMap<Name, NaiveKey>>,
    lapsed: Vec<(usize, Name)>,
    lost_fields: Vec<(usize, Name, BTreeSet<Name>, bool)>,
    stats: KeyStats,
    index: usize,
    now_ms: u64,
    no_touch: bool,
}

impl Model {
    fn new() -> Model {
        Model {
            ks: Keyspace::new(DBS, Limits::default(), drop),
            naive: vec![BTreeMap::new(); DBS],
            lapsed: Vec::new(),
            lost_fields: Vec::new(),
            stats: KeyStats::default(),
            index: 0,
            now_ms: START_MS,
            no_touch: false,
        }
    }

    fn db(&mut self) -> Db<'_> {
        let now = Now { ms: self.now_ms, ..Now::default() };
        Db::new(&mut self.ks, self.index, now, self.no_touch)
    }

    // ---- the naive side

    /// A lookup: whether the key counts as there; one past its time goes if the policy says so.
    fn find_in(&mut self, db: usize, key: &[u8], to_change: bool) -> bool {
        let Some(found) = self.naive[db].get(key) else { return false };
        if found.expiry.is_none_or(|when| when >= self.now_ms) || self.ks.lapse == Lapse::Ignore {
            return true;
        }
        if self.ks.lapse == Lapse::Delete || to_change {
            self.naive[db].remove(key);
            self.lapsed.push((db, key.to_vec()));
            self.stats.expired += 1;
        }
        false
    }

    fn find(&mut self, key: &[u8], to_change: bool) -> bool {
        self.find_in(self.index, key, to_change)
    }

    /// A lookup that moves the access clock.
    fn find_used(&mut self, key: &[u8], to_change: bool) -> Option<&mut NaiveKey> {
        if !self.find(key, to_change) {
            return None;
        }
        let used = self.now_ms / 1000;
        let no_touch = self.no_touch;
        let found = self.naive[self.index].get_mut(key)?;
        if !no_touch {
            found.used = used;
        }
        Some(found)
    }

    fn count_lookup(&mut self, found: bool) {
        *(if found { &mut self.stats.hits } else { &mut self.stats.misses }) += 1;
    }

    fn put(&mut self, key: &[u8], value: NaiveValue, expiry: Option<u64>) {
        let used = self.now_ms / 1000;
        self.naive[self.index].insert(key.to_vec(), NaiveKey { value, expiry, used });
    }

    /// The string at a key for changing: `Err` of another type, `None` if it is missing.
    fn string_for_change(&mut self, key: &[u8]) -> Result<Option<&mut Vec<u8>>, WrongType> {
        match self.find_used(key, true).map(|found| &mut found.value) {
            None => Ok(None),
            Some(NaiveValue::Str(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(WrongType),
        }
    }

    // ---- one operation on both

    fn apply(&mut self, op: Op) {
        match op {
            Op::Set(k, value, ttl) => self.set(&name(k), value, ttl),
            Op::Add(k, by) => self.add(&name(k), by),
            Op::Append(k, more) => self.append(&name(k), more),
            Op::Update(k, value) => self.update(&name(k), &value),
            Op::Read(k) => self.read(&name(k)),
            Op::Meta(k) => self.meta(&name(k)),
            Op::Contains(k) => {
                let found = self.find(&name(k), false);
                assert_eq!(self.db().contains(&name(k)), found);
            }
            Op::ForWrite(k) => {
                let found = self.find_used(&name(k), true).is_some();
                assert_eq!(self.db().contains_for_write(&name(k)), found);
            }
            Op::Use(k) => self.use_key(&name(k)),
            Op::Put(k, expiry) => self.put_list(&name(k), expiry),
            Op::Remove(k) => self.remove(&name(k)),
            Op::ExpireAt(k, delta) => self.expire_at(&name(k), self.now_ms.saturating_add_signed(delta)),
            Op::Persist(k) => self.persist(&name(k)),
            Op::Rename(a, b) if a != b => self.rename(&name(a), &name(b)),
            Op::Rename(..) => {}
            Op::Move(k, to) if to != self.index => self.move_to(&name(k), to),
            Op::Move(..) => {}
            Op::Copy(a, b, to) if a != b || to != self.index => self.copy_to(&name(a), &name(b), to),
            Op::Copy(..) => {}
            Op::Swap(a, b) => {
                self.naive.swap(a, b);
                assert_eq!(self.db().swap_databases(a, b).dirty, 1);
            }
            Op::Flush => self.flush(),
            Op::Push(k) => self.push(&name(k)),
            Op::Pop(k) => self.pop(&name(k)),
            Op::SetField(k, field, delta) => self.set_field(&name(k), field, delta),
            Op::LapseFields(k) => self.lapse_fields(&name(k)),
            Op::Many(n) => self.many(n),
            Op::Scan => self.scan(),
            Op::Random(seed) => self.random(seed),
            Op::Expire(db) => self.expire(db),
            Op::Elapse(ms) => self.now_ms += ms,
            Op::Select(db) => self.index = db,
            Op::NoTouch(on) => self.no_touch = on,
            Op::Lapse(lapse) => self.ks.lapse = lapse,
            Op::Resizing(on) => self.ks.set_resizing(on),
        }
    }

    fn set(&mut self, key: &[u8], value: Vec<u8>, ttl: Ttl) {
        let found = self.find(key, true);
        let kept = found.then(|| self.naive[self.index][key].expiry).flatten();
        let expiry = match ttl {
            Ttl::Keep => kept,
            Ttl::Clear => None,
            Ttl::At(when) => Some(when),
        };
        self.put(key, NaiveValue::Str(value.clone()), expiry);
        let effect = self.db().set(key, New::Bytes(&value), ttl);
        assert_eq!((effect.event, effect.dirty, effect.created), ("set", 1, !found));
    }

    fn add(&mut self, key: &[u8], by: i64) {
        let old = self.string_for_change(key).map(|old| old.cloned());
        let sum = match &old {
            Err(WrongType) => Err(AddError::WrongType),
            Ok(None) => Ok(by),
            Ok(Some(text)) => {
                match std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok()) {
                    Some(n) if n.to_string().as_bytes() == text => {
                        n.checked_add(by).ok_or(AddError::Overflow)
                    }
                    _ => Err(AddError::NotInteger),
                }
            }
        };
        if let Ok(sum) = sum {
            let text = sum.to_string().into_bytes();
            match self.string_for_change(key) {
                Ok(Some(old)) => *old = text,
                _ => self.put(key, NaiveValue::Str(text), None),
            }
        }
        let got = self.db().add(key, by);
        assert_eq!(got.map(|(sum, effect)| (sum, effect.event)), sum.map(|sum| (sum, "incrby")));
    }

    fn append(&mut self, key: &[u8], more: usize) {
        let old_len = match self.string_for_change(key) {
            Err(WrongType) => {
                assert!(self.db().edit_string(key, 5, "append", |_| ()).is_err());
                return;
            }
            Ok(Some(bytes)) => {
                bytes.extend(std::iter::repeat_n(9, more));
                Some(bytes.len() - more)
            }
            Ok(None) => None,
        };
        if old_len.is_none() {
            self.put(key, NaiveValue::Str(vec![9; more]), None);
        }
        let old = old_len.unwrap_or(0);
        let (len, effect) = self
            .db()
            .edit_string(key, old + more, "append", |bytes| {
                bytes[old..].fill(9);
                bytes.len()
            })
            .expect("its type was seen");
        assert_eq!((len, effect.created), (old + more, old_len.is_none()));
    }

    fn update(&mut self, key: &[u8], value: &[u8]) {
        if !self.find(key, true) {
            self.put(key, NaiveValue::Str(value.to_vec()), None);
        } else if let NaiveValue::Str(old) = &mut self.naive[self.index].get_mut(key).expect("found").value {
            *old = value.to_vec();
        } else {
            // Callers have seen that it is a string; the look at it is all that both sides had.
            let _ = self.db().contains(key);
            return;
        }
        let _ = self.db().update_string(key, value, Made::Text, "x");
    }

    fn read(&mut self, key: &[u8]) {
        let found = self.find_used(key, false).map(|found| found.value.clone());
        self.count_lookup(found.is_some());
        let got = self.db().string(key).map(|bytes| bytes.map(<[u8]>::to_vec));
        let wanted = match found {
            None => Ok(None),
            Some(NaiveValue::Str(bytes)) => Ok(Some(bytes)),
            Some(_) => Err(WrongType),
        };
        assert!(got == wanted, "the string");
    }

    fn meta(&mut self, key: &[u8]) {
        let found = self.find(key, false);
        self.count_lookup(found);
        let meta = self.db().meta(key);
        assert_eq!(meta.is_some(), found);
        if let (Some(meta), Some(wanted)) = (meta, self.naive[self.index].get(key)) {
            assert_eq!(meta.expiry, wanted.expiry);
            assert_eq!(meta.clock, clock_of(wanted));
        }
    }

    fn use_key(&mut self, key: &[u8]) {
        let no_touch = std::mem::replace(&mut self.no_touch, false);
        let found = self.find_used(key, false).is_some();
        self.no_touch = no_touch;
        self.count_lookup(found);
        assert_eq!(self.db().use_key(key), found);
    }

    fn put_list(&mut self, key: &[u8], expiry: Option<u64>) {
        let found = self.find(key, true);
        self.put(key, NaiveValue::List(vec![b"x".to_vec()]), expiry);
        let list = List::from_elements([&b"x"[..]].into_iter(), &Limits::default());
        let effect = self.db().put(key, Value::List(list), expiry, "restore");
        assert_eq!((effect.event, effect.created), ("restore", !found));
    }

    fn remove(&mut self, key: &[u8]) {
        let found = self.find(key, true);
        if found {
            self.naive[self.index].remove(key);
        }
        assert_eq!(!self.db().remove(key).is_none(), found);
    }

    fn expire_at(&mut self, key: &[u8], when: u64) {
        let found = self.find(key, true);
        if found {
            self.naive[self.index].get_mut(key).expect("found").expiry = Some(when);
        }
        assert_eq!(!self.db().expire_at(key, when).is_none(), found);
    }

    fn persist(&mut self, key: &[u8]) {
        let had = self.find(key, true) && {
            let found = self.naive[self.index].get_mut(key).expect("found");
            found.expiry.take().is_some()
        };
        assert_eq!(!self.db().persist(key).is_none(), had);
    }

    fn rename(&mut self, from: &[u8], to: &[u8]) {
        if !self.find(from, true) {
            assert!(self.db().rename(from, to).is_none());
            return;
        }
        self.find(to, true);
        let moved = self.naive[self.index].remove(from).expect("found");
        self.naive[self.index].insert(to.to_vec(), moved);
        let effects = self.db().rename(from, to).expect("it is there");
        // What was there before has gone: the key is new. All is told once both have changed.
        assert!(effects[0].created && effects[0].key == to);
        assert_eq!(effects.map(|effect| effect.event), ["", "", "", "rename_from", "rename_to"]);
        assert_eq!(effects.map(|effect| effect.dirty).iter().sum::<u64>(), 1);
    }

    fn move_to(&mut self, key: &[u8], to: usize) {
        let goes = self.find_used(key, true).is_some() && !self.find_in(to, key, true);
        if goes {
            let moved = self.naive[self.index].remove(key).expect("found");
            self.naive[to].insert(key.to_vec(), moved);
        }
        assert_eq!(self.db().move_to(key, to).is_some(), goes);
    }

    fn copy_to(&mut self, from: &[u8], to: &[u8], other: usize) {
        let found = self.find(from, false);
        if found {
            let mut copy = self.naive[self.index][from].clone();
            copy.used = self.now_ms / 1000;
            self.naive[other].insert(to.to_vec(), copy);
        }
        let effect = self.db().copy_to(from, to, other);
        assert_eq!((!effect.is_none(), effect.created), (found, found));
    }

    fn flush(&mut self) {
        let held = std::mem::take(&mut self.naive[self.index]);
        let (old, effect) = self.db().flush();
        assert_eq!((old.len(), effect.dirty), (held.len(), held.len() as u64));
    }

    fn push(&mut self, key: &[u8]) {
        let wanted = match self.find_used(key, true).map(|found| &mut found.value) {
            None => {
                self.put(key, NaiveValue::List(vec![b"x".to_vec()]), None);
                Ok(1)
            }
            Some(NaiveValue::List(items)) => {
                items.push(b"x".to_vec());
                Ok(items.len())
            }
            Some(_) => Err(WrongType),
        };
        let got = self.db().edit_list(key, Missing::Create, |list, limits| {
            list.push(End::Tail, b"x", limits);
            (list.len(), Change::new("rpush", 1).ready())
        });
        assert_eq!(got.map(|(len, effect)| (len, effect.ready)), wanted.map(|len| (Some(len), true)));
    }

    fn pop(&mut self, key: &[u8]) {
        let wanted = match self.find_used(key, true).map(|found| &mut found.value) {
            None => Ok((None, false)),
            Some(NaiveValue::List(items)) => Ok((items.pop(), items.is_empty())),
            Some(_) => Err(WrongType),
        };
        if let Ok((Some(_), true)) = wanted {
            self.naive[self.index].remove(key);
        }
        let got = self.db().edit_list(key, Missing::Leave, |list, limits| {
            (list.pop(End::Tail, limits), Change::new("rpop", 1))
        });
        assert_eq!(got.map(|(popped, effect)| (popped.flatten(), effect.emptied)), wanted);
    }

    fn set_field(&mut self, key: &[u8], field: u8, delta: Option<i64>) {
        let deadline = delta.map(|delta| self.now_ms.saturating_add_signed(delta));
        let wanted = match self.find_used(key, true).map(|found| &mut found.value) {
            None => {
                let fields = BTreeMap::from([(vec![field], deadline)]);
                self.put(key, NaiveValue::Hash(fields), None);
                Ok(())
            }
            Some(NaiveValue::Hash(fields)) => {
                fields.insert(vec![field], deadline);
                Ok(())
            }
            Some(_) => Err(WrongType),
        };
        let got = self.db().edit_hash(key, Missing::Create, |hash, limits| {
            hash.set(&[field], b"v", hash::Ttl::Clear, limits);
            if deadline.is_some() {
                hash.set_deadline(&[field], deadline);
            }
            ((), Change::new("hset", 1))
        });
        assert_eq!(got.map(|_| ()), wanted);
    }

    /// What a hash loses when its fields past their time are deleted; the hash goes with the last.
    fn lose_fields(&mut self, db: usize, key: &[u8]) {
        let now_ms = self.now_ms;
        let Some(NaiveKey { value: NaiveValue::Hash(fields), .. }) = self.naive[db].get_mut(key) else {
            return;
        };
        let past = |deadline: &Option<u64>| deadline.is_some_and(|when| when < now_ms);
        let gone: BTreeSet<Name> =
            fields.iter().filter(|(_, when)| past(when)).map(|(field, _)| field.clone()).collect();
        fields.retain(|_, when| !past(when));
        let emptied = fields.is_empty();
        if emptied {
            self.naive[db].remove(key);
        }
        if !gone.is_empty() {
            self.stats.expired_fields += gone.len() as u64;
            self.lost_fields.push((db, key.to_vec(), gone, emptied));
        }
    }

    fn lapse_fields(&mut self, key: &[u8]) {
        // Asks for nothing where no hash of the database has a deadline: an expired key may stay then.
        if self.ks.lapse == Lapse::Delete
            && self.ks.dbs[self.index].with_field_ttl > 0
            && self.find(key, false)
        {
            self.lose_fields(self.index, key);
        }
        self.db().lapse_all_fields(key);
    }

    fn many(&mut self, n: u16) {
        for i in 0..n {
            let key = format!("many:{i}").into_bytes();
            let when = START_MS + u64::from(i) * 10;
            self.set(&key, key.clone(), if i % 3 == 0 { Ttl::At(when) } else { Ttl::Clear });
        }
    }

    fn scan(&mut self) {
        let (mut cursor, mut seen) = (0, BTreeSet::new());
        loop {
            (cursor, _) = self.db().scan(
                cursor,
                |_| true,
                |key, _| {
                    seen.insert(key.to_vec());
                },
            );
            if cursor == 0 {
                break;
            }
        }
        let names: Vec<Name> = self.naive[self.index].keys().cloned().collect();
        let present: BTreeSet<Name> = names.into_iter().filter(|key| self.find(key, false)).collect();
        assert!(seen == present, "SCAN gives what is there");
        let mut listed = BTreeSet::new();
        self.db().each_key(|key, _| assert!(listed.insert(key.to_vec()), "each key once"));
        assert!(listed == present, "KEYS gives what is there");
    }

    fn random(&mut self, seed: u64) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let key = self.db().random_key(&mut rng);
        self.take_chosen_lapses();
        assert_eq!(key.is_none(), self.naive[self.index].is_empty());
        if let Some(key) = key {
            assert!(self.naive[self.index].contains_key(&key));
        }
    }

    /// Takes over which of the keys past their time a random choice met and deleted.
    fn take_chosen_lapses(&mut self) {
        for lapsed in self.ks.lapsed.clone() {
            let key = lapsed.key.to_vec();
            if !self.lapsed.contains(&(lapsed.db, key.clone())) {
                assert!(!self.find_in(lapsed.db, &key, false), "only what is past its time goes");
            }
        }
    }

    fn expire(&mut self, db: usize) {
        let now = Now { ms: self.now_ms, ..Now::default() };
        while self.ks.expire_some(db, now, 5) {}
        if self.ks.lapse != Lapse::Delete {
            return;
        }
        for key in self.naive[db].keys().cloned().collect::<Vec<_>>() {
            if self.find_in(db, &key, false) {
                self.lose_fields(db, &key);
            }
        }
    }

    // ---- comparing

    fn check(&mut self) {
        self.check_lapsed();
        assert_eq!(self.ks.stats, self.stats, "what INFO counts");
        for (db, naive) in self.naive.iter().enumerate() {
            let database = self.ks.database(db);
            assert_eq!(database.len(), naive.len());
            let volatile = naive.values().filter(|key| key.expiry.is_some()).count();
            assert_eq!(database.volatile(), volatile);
            let with_field_ttl = database.entries().filter(|entry| entry.field_deadline().is_some()).count();
            assert_eq!(database.with_field_ttl(), with_field_ttl);
            assert_eq!(database.entries().count(), naive.len());
            naive.iter().for_each(|(key, wanted)| check_key(database, key, wanted));
        }
    }

    fn check_lapsed(&mut self) {
        let (mut keys, mut fields) = (Vec::new(), Vec::new());
        for lapsed in self.ks.take_lapsed() {
            if lapsed.fields.is_empty() {
                keys.push((lapsed.db, lapsed.key.to_vec()));
            } else {
                let gone = lapsed.fields.iter().map(|field| field.to_vec()).collect::<BTreeSet<_>>();
                fields.push((lapsed.db, lapsed.key.to_vec(), gone, lapsed.emptied));
            }
        }
        keys.sort();
        fields.sort();
        self.lapsed.sort();
        self.lost_fields.sort();
        assert!(keys == self.lapsed, "the keys that went are told");
        assert_eq!(merged(fields), merged(std::mem::take(&mut self.lost_fields)));
        self.lapsed.clear();
    }
}

type Lost = (usize, Name, BTreeSet<Name>, bool);

/// A round with a small budget may take a hash's fields in several goes.
fn merged(lost: Vec<Lost>) -> BTreeMap<(usize, Name), (BTreeSet<Name>, bool)> {
    let mut merged = BTreeMap::new();
    for (db, key, fields, emptied) in lost {
        let (all, gone): &mut (BTreeSet<Name>, bool) = merged.entry((db, key)).or_default();
        all.extend(fields);
        *gone |= emptied;
    }
    merged
}

/// The access clock of a key that was last used then.
fn clock_of(key: &NaiveKey) -> u32 {
    (key.used & 0xff_ffff) as u32
}

fn check_key(database: &Database, key: &[u8], wanted: &NaiveKey) {
    let entry = database.entry(key).expect("what should be there is there");
    assert_eq!((entry.expiry(), entry.clock()), (wanted.expiry, clock_of(wanted)), "expiry, access clock");
    match (entry.view(), &wanted.value) {
        (View::Str(bytes), NaiveValue::Str(text)) => assert!(bytes == text, "the string"),
        (View::List(list), NaiveValue::List(items)) => assert_eq!(list.len(), items.len()),
        (View::Hash(hash), NaiveValue::Hash(fields)) => {
            assert_eq!(hash.len(), fields.len());
            for (field, deadline) in fields {
                assert_eq!(hash.get(field).expect("it was set").deadline, *deadline);
            }
        }
        (_, wanted) => panic!("{:?} where {wanted:?} should be", entry.kind()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn holds_what_naive_maps_hold(ops in prop::collection::vec(op(), 0..80)) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
    }
}

/// A hidden key's place is needed by the one that is made: never two of one name.
#[test]
fn a_hidden_key_gives_way() {
    let mut model = Model::new();
    model.set(b"k", b"old".to_vec(), Ttl::At(START_MS));
    model.now_ms += 1;
    model.ks.lapse = Lapse::Hide;
    assert!(!model.db().contains(b"k"));
    assert_eq!(model.ks.database(0).len(), 1, "it stays while it is only looked for");
    let _ = model.db().set(b"k", New::Bytes(b"new"), Ttl::Keep);
    assert_eq!((model.ks.database(0).len(), model.ks.database(0).volatile()), (1, 0));
    assert_eq!(model.db().string(b"k"), Ok(Some(&b"new"[..])));
}

#[test]
fn frequencies_grow_and_decay() {
    let access = Access { policy: Policy::Lfu, log_factor: 0, decay_minutes: 1 };
    let start = access.fresh(START_MS);
    assert_eq!(access.counter(start, START_MS), 5);
    let used = access.used(start, START_MS);
    assert_eq!(access.counter(used, START_MS), 6, "with factor 0 every use counts");
    assert_eq!(access.counter(used, START_MS + 4 * 60_000), 2);
    assert_eq!(access.counter(used, START_MS + 600 * 60_000), 0);
    assert_eq!(access.counter(access.with_counter(200, START_MS), START_MS), 200);
}

#[test]
fn idle_time_is_told_from_the_clock() {
    let access = Access::default();
    let clock = access.fresh(START_MS);
    assert_eq!(access.idle_seconds(clock, START_MS + 90_000), 90);
    assert_eq!(access.idle_seconds(access.idle_since(1_000, START_MS), START_MS), 1_000);
    let wrapping = access.fresh((1 << 24) * 1000 - 1);
    assert_eq!(access.idle_seconds(wrapping, (1 << 24) * 1000 + 5_000), 6, "over the end of 24 bits");
}
