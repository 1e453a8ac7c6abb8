//! The table against a HashMap, under random operations, at all sizes that matter to its shape.

use super::*;
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// An item with a key, an optional deadline, a spare field if `S`, and a counter of the living.
struct Item<const S: bool>(Box<Inner>);

struct Inner {
    key: u64,
    deadline: u64,
    spare: u16,
    _alive: Rc<()>,
}

impl<const S: bool> Slot for Item<S> {
    const SPARE: bool = S;
    fn hash(&self) -> u64 {
        hash_of(self.0.key)
    }
    fn deadline(&self) -> Option<u64> {
        (self.0.deadline != 0).then_some(self.0.deadline)
    }
    fn address(&self) -> *const u8 {
        std::ptr::from_ref(&*self.0).cast()
    }
    fn spare(&self) -> u16 {
        self.0.spare
    }
    fn set_spare(&mut self, bits: u16) {
        self.0.spare = bits;
    }
}

fn hash_of(key: u64) -> u64 {
    match key >> 62 {
        3 => hash_bytes(&(key % 8).to_le_bytes()), // collides entirely with seven others
        _ => hash_bytes(&key.to_le_bytes()),
    }
}

struct Model<const S: bool> {
    table: Table<Item<S>>,
    naive: HashMap<u64, u64>,
    alive: Rc<()>,
}

impl<const S: bool> Model<S> {
    fn new() -> Self {
        Model { table: Table::new(), naive: HashMap::new(), alive: Rc::new(()) }
    }

    fn item(&self, key: u64, deadline: u64) -> Item<S> {
        Item(Box::new(Inner { key, deadline, spare: 0, _alive: self.alive.clone() }))
    }

    fn find(&self, key: u64) -> Option<SlotIx> {
        self.table.find(hash_of(key), |item| item.0.key == key)
    }

    fn set(&mut self, key: u64, deadline: u64) {
        let item = self.item(key, deadline);
        let old = match self.find(key) {
            Some(ix) => Some(self.table.replace(ix, item).0.deadline),
            None => {
                let ix = self.table.insert_new(hash_of(key), item);
                assert_eq!(self.table.get(ix).0.key, key);
                None
            }
        };
        assert_eq!(old, self.naive.insert(key, deadline));
    }

    fn remove(&mut self, key: u64) {
        let removed = self.find(key).map(|ix| self.table.remove(ix).0.deadline);
        assert_eq!(removed, self.naive.remove(&key));
    }

    fn expire(&mut self, now: u64) {
        let mut taken = HashSet::new();
        while self.table.take_due(now, 50, |item| assert!(taken.insert(item.0.key))).more {}
        let due: HashSet<u64> =
            self.naive.iter().filter(|&(_, &d)| d != 0 && d < now).map(|(&key, _)| key).collect();
        assert_eq!(taken, due);
        self.naive.retain(|key, _| !due.contains(key));
        let earliest = self.naive.values().copied().filter(|&d| d != 0).min();
        assert!(self.table.earliest_deadline().is_none_or(|e| e >= now), "all that is due is gone");
        assert!(self.table.earliest_deadline().unwrap_or(u64::MAX) <= earliest.unwrap_or(u64::MAX));
    }

    fn check(&self) {
        assert_eq!(self.table.len(), self.naive.len());
        assert_eq!(Rc::strong_count(&self.alive), self.naive.len() + 1, "nothing leaks, nothing is lost");
        let seen: HashMap<u64, u64> = self.table.iter().map(|item| (item.0.key, item.0.deadline)).collect();
        assert_eq!(seen, self.naive);
        let keys = |iter: Iter<'_, Item<S>>| iter.map(|item| item.0.key).collect::<Vec<_>>();
        assert_eq!(keys(self.table.iter_inside()), keys(self.table.iter()));
        for &key in self.naive.keys() {
            assert!(self.find(key).is_some(), "{key} is found");
        }
        self.check_shape();
    }

    fn check_shape(&self) {
        let mut spills = 0;
        for home in 0..self.table.main.len() {
            let depth = self.table.depth(home);
            for bucket in self.table.chain(home) {
                assert!(bucket.link().is_none() || bucket.vacant().is_none(), "only the last has vacancies");
                for item in bucket.items() {
                    assert_eq!(self.table.home(item.hash()), home);
                    assert!(
                        !S || item.spare() == window(item.hash(), depth),
                        "the window is that of depth {depth}"
                    );
                }
            }
            for bucket in self.table.chain(home).skip(1) {
                spills += 1;
                assert!(bucket.present().count_ones() >= 2);
            }
        }
        assert_eq!(self.table.spill.len(), spills, "no spill bucket is lost");
    }
}

#[derive(Debug, Clone)]
enum Op {
    Set(u64, u64),
    Remove(u64),
    Fill(u64, u16),
    Drain(u64, u16),
    Expire(u64),
    Resizing(bool),
    Expect(usize),
    Clear,
}

fn op() -> impl Strategy<Value = Op> {
    let key = || prop_oneof![0..40_u64, 0..3000_u64, (3 << 62)..(3 << 62) + 40_u64];
    let deadline = prop_oneof![2 => Just(0_u64), 1 => 1..1000_u64];
    prop_oneof![
        30 => (key(), deadline).prop_map(|(k, d)| Op::Set(k, d)),
        20 => key().prop_map(Op::Remove),
        6 => (0..3000_u64, 0..800_u16).prop_map(|(k, n)| Op::Fill(k, n)),
        4 => (0..3000_u64, 0..1500_u16).prop_map(|(k, n)| Op::Drain(k, n)),
        4 => (1..1000_u64).prop_map(Op::Expire),
        2 => any::<bool>().prop_map(Op::Resizing),
        1 => (0..3000_usize).prop_map(Op::Expect),
        1 => Just(Op::Clear),
    ]
}

fn run<const S: bool>(ops: &[Op]) {
    let mut model = Model::<S>::new();
    for op in ops {
        match *op {
            Op::Set(key, deadline) => model.set(key, deadline),
            Op::Remove(key) => model.remove(key),
            Op::Fill(from, n) => (from..from + u64::from(n)).for_each(|key| model.set(key, key % 7 * 100)),
            Op::Drain(from, n) => (from..from + u64::from(n)).for_each(|key| model.remove(key)),
            Op::Expire(now) => model.expire(now),
            Op::Resizing(on) => model.table.set_resizing(on),
            Op::Expect(items) => model.table.expect(items),
            Op::Clear => {
                model.table.clear();
                model.naive.clear();
            }
        }
    }
    model.check();
    let (count, mut given) = (model.table.len(), 0);
    std::mem::take(&mut model.table).into_iter().for_each(|_| given += 1);
    assert_eq!((given, Rc::strong_count(&model.alive)), (count, 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn behaves_like_a_map(ops in prop::collection::vec(op(), 0..60)) {
        run::<true>(&ops);
        run::<false>(&ops);
    }

    /// What stays from start to end is returned, while the table grows and shrinks between the calls.
    #[test]
    fn scan_keeps_its_promise(stay in 1..300_u64, steps in prop::collection::vec((any::<bool>(), 0..600_u64), 1..30)) {
        let mut model = Model::<true>::new();
        (0..stay).for_each(|key| model.set(key, 0));
        let (mut cursor, mut steps, mut seen, mut calls) = (0, steps.into_iter().cycle(), HashSet::new(), 0);
        loop {
            cursor = model.table.scan(cursor, |item| { seen.insert(item.0.key); });
            if cursor == 0 {
                break;
            }
            calls += 1;
            if calls > 2000 {
                continue; // the steps go round for ever, the scan shall not
            }
            let (fill, n) = steps.next().expect("it cycles");
            for key in 10_000..10_000 + n {
                if fill { model.set(key, 0) } else { model.remove(key) }
            }
        }
        for key in 0..stay {
            prop_assert!(seen.contains(&key), "{key} was there all the time");
        }
    }
}

#[test]
fn any_cursor_is_valid() {
    let mut model = Model::<true>::new();
    assert_eq!(model.table.scan(77, |_| {}), 0);
    (0..1000).for_each(|key| model.set(key, 0));
    for cursor in [1, 77, 1 << 40, u64::MAX, u64::MAX - 1, 1 << 63] {
        let mut at = cursor;
        let ended = (0..2000).any(|_| {
            at = model.table.scan(at, |_| {});
            at == 0
        });
        assert!(ended, "{cursor} leads to the end");
    }
}

#[test]
fn large_tables_grow_and_shrink() {
    let mut model = Model::<true>::new();
    (0..400_000).for_each(|key| model.set(key, 0)); // 79,000 buckets: past the first window of 16 bits
    model.check();
    let stats = model.table.stats();
    let load = stats.items as f64 / stats.buckets as f64;
    assert!((4.9..5.1).contains(&load), "{stats:?}");
    let full = model.table.memory_bytes();
    assert!(full < 400_000 * 16, "{full}");
    (0..399_000).for_each(|key| model.remove(key));
    model.check();
    assert!(model.table.memory_bytes() < 70_000, "{}", model.table.memory_bytes());
    (399_000..399_999).for_each(|key| model.remove(key));
    let mut new = Model::<true>::new();
    new.set(399_999, 0);
    assert_eq!(model.table.memory_bytes(), new.table.memory_bytes());
    model.remove(399_999);
    model.check();
    assert_eq!(model.table.memory_bytes(), size_of::<Table<Item<true>>>());
}

#[test]
fn what_lies_in_a_spill_bucket_is_asked_for_in_a_further_step() {
    let mut model = Model::<false>::new();
    (0..10_000).for_each(|key| model.set(key, 0));
    let (mut here, mut further) = (0, 0);
    for key in 0..10_000 {
        let spilled = model.find(key).is_some_and(|ix| ix.bucket().0 >= SPILL);
        if model.table.prefetch_items(hash_of(key)) {
            assert!(spilled, "{key} lies in its main bucket");
            further += 1;
            model.table.prefetch_spilled(hash_of(key));
        } else if spilled {
            here += 1;
        }
    }
    assert!(further > 100 && here < further / 10, "{further} of {} in spill buckets", further + here);
    Table::<Item<false>>::new().prefetch_spilled(1);
}

#[test]
fn resizing_stops_while_frozen() {
    let mut model = Model::<true>::new();
    (0..1000).for_each(|key| model.set(key, 0));
    model.table.set_resizing(false);
    let buckets = model.table.stats().buckets;
    (1000..4000).for_each(|key| model.set(key, 0));
    assert_eq!(model.table.stats().buckets, buckets);
    (4000..20_000).for_each(|key| model.set(key, 0));
    let buckets = model.table.stats().buckets;
    assert!(buckets > 100, "there is a limit");
    (0..10_000).for_each(|key| model.remove(key));
    assert_eq!(model.table.stats().buckets, buckets, "half of it is vacant");
    (10_000..19_999).for_each(|key| model.remove(key));
    model.check();
    assert!(model.table.stats().buckets < buckets, "there is a limit, too");
    model.table.set_resizing(true);
    model.table.resize_step(usize::MAX);
    model.check();
    assert!(model.table.stats().buckets < 4);
}

#[test]
fn random_is_uniform() {
    let mut model = Model::<false>::new();
    (0..1000).for_each(|key| model.set(key, 0));
    let (mut rng, mut counts) = (fastrand::Rng::with_seed(7), [0_u32; 1000]);
    for _ in 0..1_000_000 {
        let ix = model.table.random(&mut rng).expect("it isn't empty");
        counts[model.table.get(ix).0.key as usize] += 1;
    }
    // 1000 expected each, standard deviation 32.
    assert!(counts.iter().all(|count| (820..1180).contains(count)), "{counts:?}");
}

#[test]
fn due_work_is_bounded_and_fair() {
    let mut model = Model::<true>::new();
    (0..100_000).for_each(|key| model.set(key, 10 + key % 2));
    let due = model.table.take_due(10, 100, |_| panic!("nothing lies before 10"));
    assert_eq!(due, Due::default());
    let mut taken = 0;
    let due = model.table.take_due(11, 100, |_| taken += 1);
    assert!(due.more && due.examined < 250 && due.taken == taken, "{due:?}");
    while model.table.take_due(11, 100, |_| taken += 1).more {}
    assert_eq!((taken, model.table.len(), model.table.earliest_deadline()), (50_000, 50_000, Some(11)));
}
