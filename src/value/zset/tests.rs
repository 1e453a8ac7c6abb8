//! Sorted sets against a BTreeMap, in both encodings.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Limits at which a few dozen members are many.
fn small() -> Limits {
    Limits { zset_max_listpack_entries: 20, zset_max_listpack_value: 12, ..Limits::default() }
}

#[derive(Default)]
struct Model {
    set: Zset,
    naive: BTreeMap<Vec<u8>, f64>,
}

impl Model {
    fn sorted(&self) -> Vec<(Vec<u8>, f64)> {
        let mut all: Vec<_> = self.naive.iter().map(|(m, s)| (m.clone(), *s)).collect();
        all.sort_by(|(m, s), (n, t)| s.partial_cmp(t).unwrap().then_with(|| m.cmp(n)));
        all
    }

    fn set(&mut self, member: &[u8], score: f64) {
        let old = self.set.set(member, score, &small());
        assert_eq!(old, self.naive.insert(member.to_vec(), score));
    }

    fn remove(&mut self, member: &[u8]) {
        assert_eq!(self.set.remove(member), self.naive.remove(member));
    }

    fn remove_range(&mut self, from: usize, to: usize) {
        let sorted = self.sorted();
        let (from, to) = (from.min(sorted.len()), to.min(sorted.len()));
        assert_eq!(self.set.remove_range(from..to), to.saturating_sub(from));
        sorted[from..to.max(from)].iter().for_each(|(member, _)| {
            self.naive.remove(member);
        });
    }

    fn check(&mut self) {
        let sorted = self.sorted();
        assert_eq!(owned(self.set.iter()), sorted);
        let mut down = owned(self.set.range(0..usize::MAX, true));
        down.reverse();
        assert_eq!(down, sorted);
        for (rank, (member, score)) in sorted.iter().enumerate() {
            assert_eq!(self.set.rank(member), Some((rank, *score)));
            assert_eq!(self.set.score(member), Some(*score));
        }
        assert_eq!(owned(self.set.clone().iter()), sorted);
        let mut builder = ZsetBuilder::new();
        assert!(self.naive.iter().all(|(member, score)| builder.push(member, *score)));
        let built = builder.finish(&small());
        assert_eq!(owned(built.iter()), sorted);
        let fits = sorted.len() <= 20 && sorted.iter().all(|(member, _)| member.len() <= 12);
        assert_eq!(built.encoding(), if fits { "listpack" } else { "skiplist" });
        let mut scanned = Vec::new();
        let mut cursor = 0;
        loop {
            cursor = self.set.scan(cursor, |member, score| scanned.push((member.to_vec(), score)));
            if cursor == 0 {
                break;
            }
        }
        scanned.sort_by(|(m, s), (n, t)| s.partial_cmp(t).unwrap().then_with(|| m.cmp(n)));
        assert_eq!(scanned, sorted);
    }
}

fn owned<'a>(iter: impl Iterator<Item = (Entry<'a>, f64)>) -> Vec<(Vec<u8>, f64)> {
    let mut all = Vec::new();
    iter.for_each(|(member, score)| all.push((member.to_vec(), score))); // not collect: a range walks itself
    all
}

#[derive(Debug, Clone)]
enum Op {
    Set(Vec<u8>, f64),
    Run(u16, u8),
    Remove(Vec<u8>),
    RemoveRange(usize, usize),
    Pop(bool),
    Scores(ScoreRange),
    Lex(Vec<u8>, Vec<u8>, u8),
    Slice(usize, usize, bool),
    Pack,
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0..300_u32).prop_map(|n| n.to_string().into_bytes()),
        prop::collection::vec(b'a'..b'd', 0..4),
        prop::collection::vec(any::<u8>(), 0..14),
    ]
}

fn score() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-5..5_i32).prop_map(f64::from),
        (-20..20_i32).prop_map(|n| f64::from(n) / 8.0),
        prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, 0.0, 1e300, -1e-300, 0.1, 4e18, 9e18]),
    ]
}

fn scores() -> impl Strategy<Value = ScoreRange> {
    (score(), score(), any::<bool>(), any::<bool>()).prop_map(|(min, max, min_excluded, max_excluded)| {
        ScoreRange { min, max, min_excluded, max_excluded }
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (member(), score()).prop_map(|(m, s)| Op::Set(m, s)),
        3 => (0..500_u16, any::<u8>()).prop_map(|(from, n)| Op::Run(from, n)),
        10 => member().prop_map(Op::Remove),
        2 => (0..200_usize, 0..100_usize).prop_map(|(a, n)| Op::RemoveRange(a, a + n)),
        2 => any::<bool>().prop_map(Op::Pop),
        6 => scores().prop_map(Op::Scores),
        6 => (member(), member(), 0..16_u8).prop_map(|(a, b, kinds)| Op::Lex(a, b, kinds)),
        4 => (0..200_usize, 0..200_usize, any::<bool>()).prop_map(|(a, b, r)| Op::Slice(a, b, r)),
        1 => Just(Op::Pack),
    ]
}

fn bound(bytes: &[u8], kind: u8) -> LexBound<'_> {
    match kind & 3 {
        0 => LexBound::Lowest,
        1 => LexBound::Highest,
        2 => LexBound::Included(bytes),
        _ => LexBound::Excluded(bytes),
    }
}

fn step(model: &mut Model, op: Op) {
    match op {
        Op::Set(member, score) => model.set(&member, score),
        Op::Run(from, n) => {
            (from..from + u16::from(n)).for_each(|i| model.set(i.to_string().as_bytes(), f64::from(i) / 4.0));
        }
        Op::Remove(member) => model.remove(&member),
        Op::RemoveRange(from, to) => model.remove_range(from, to),
        Op::Pop(highest) => {
            let sorted = model.sorted();
            let popped = model.set.pop(highest);
            assert_eq!(popped.as_ref(), if highest { sorted.last() } else { sorted.first() });
            popped.map(|(member, _)| model.naive.remove(&member));
        }
        Op::Scores(range) => {
            let naive: Vec<_> =
                model.sorted().into_iter().filter(|(_, s)| range.reaches(*s) && range.allows(*s)).collect();
            let ranks = model.set.score_range(&range);
            assert_eq!(owned(model.set.range(ranks, false)), naive);
        }
        Op::Lex(min, max, kinds) => {
            lex(model, LexRange { min: bound(&min, kinds), max: bound(&max, kinds >> 2) })
        }
        Op::Slice(from, to, reverse) => {
            let sorted = model.sorted();
            let (a, b) = (from.min(sorted.len()), to.min(sorted.len()));
            let mut naive = sorted[a..b.max(a)].to_vec();
            if reverse {
                naive.reverse();
            }
            assert_eq!(owned(model.set.range(from..to, reverse)), naive);
            let mut stepwise = model.set.range(from..to, reverse);
            assert_eq!(owned(std::iter::from_fn(|| stepwise.next())), naive);
        }
        Op::Pack => model.set.pack_if_small(&small()),
    }
}

/// Ranges of bytes are tried on a copy with equal scores.
fn lex(model: &Model, range: LexRange<'_>) {
    let mut set =
        if model.naive.len().is_multiple_of(2) { Zset::new() } else { Zset::with_hint(1000, 1, &small()) };
    model.naive.keys().for_each(|member| {
        set.set(member, 0.0, &small());
    });
    let naive: Vec<_> = model
        .naive
        .keys()
        .filter(|m| range.reaches(m) && range.allows(m))
        .map(|m| (m.clone(), 0.0))
        .collect();
    let ranks = set.lex_range(&range);
    assert_eq!(owned(set.range(ranks, false)), naive);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn behaves_like_a_sorted_map(ops in prop::collection::vec(op(), 0..80)) {
        let mut model = Model::default();
        for op in ops {
            step(&mut model, op);
        }
        model.check();
    }
}

#[test]
fn converts_where_the_real_server_does() {
    let limits = Limits { zset_max_listpack_entries: 3, zset_max_listpack_value: 4, ..Limits::default() };
    let mut set = Zset::new();
    for member in ["a", "b", "four"] {
        set.set(member.as_bytes(), 1.0, &limits);
        assert_eq!(set.encoding(), "listpack");
    }
    set.set(b"a", 2.0, &limits);
    assert_eq!(set.encoding(), "listpack", "a new score is no new member");
    set.set(b"d", 1.0, &limits);
    assert_eq!((set.encoding(), set.len()), ("skiplist", 4));
    set.remove(b"a");
    set.pack_if_small(&limits);
    assert_eq!((set.encoding(), set.len()), ("listpack", 3));
    set.remove(b"b");
    set.set(b"fiver", 1.0, &limits);
    assert_eq!(set.encoding(), "skiplist");
    set.pack_if_small(&limits);
    assert_eq!(set.encoding(), "skiplist", "a member is too long");
    assert_eq!(Zset::with_hint(3, 4, &limits).encoding(), "listpack");
    assert_eq!(Zset::with_hint(4, 4, &limits).encoding(), "skiplist");
    assert_eq!(Zset::with_hint(3, 5, &limits).encoding(), "skiplist");
}

#[test]
fn packed_scores_are_stored_as_the_real_server_stores_them() {
    let cases: [(f64, Entry<'_>); 8] = [
        (3.0, Entry::Int(3)),
        (-0.0, Entry::Int(0)),
        (0.1, Entry::Str(b"0.1")),
        (f64::INFINITY, Entry::Str(b"inf")),
        (f64::NEG_INFINITY, Entry::Str(b"-inf")),
        (4611686018427387904.0, Entry::Int(4611686018427387904)),
        (9e18, Entry::Str(b"9e+18")),
        (1e21, Entry::Str(b"1e+21")),
    ];
    for (score, stored) in cases {
        let mut set = Zset::new();
        set.set(b"m", score, &Limits::default());
        let Zset::Packed(lp) = &set else { panic!("it is small") };
        assert_eq!(lp.get(lp.last().unwrap()), stored, "{score}");
        assert_eq!(set.score(b"m"), Some(score));
    }
}

#[test]
fn hostile_listpacks_are_refused_or_harmless() {
    let mut odd = Listpack::new();
    odd.push_back(b"member");
    assert!(Zset::from_listpack(odd, &Limits::default()).is_err());
    let mut nan = Listpack::new();
    nan.push_back(b"member");
    nan.push_back(b"nan");
    assert!(Zset::from_listpack(nan, &Limits::default()).is_err());
    let mut wild = Listpack::new();
    for (member, score) in [(b"b", 9), (b"a", 5), (b"a", 7)] {
        wild.push_back(member);
        wild.push_back_int(score);
    }
    let few = Limits { zset_max_listpack_entries: 1, ..Limits::default() };
    let set = Zset::from_listpack(wild, &few).expect("pairs they are");
    assert_eq!(owned(set.iter()), [(b"a".to_vec(), 5.0), (b"b".to_vec(), 9.0)]);
}

#[test]
fn the_memory_estimate_is_close() {
    let mut builder = ZsetBuilder::new();
    for i in 0..10_000 {
        assert!(builder.push(format!("member:{i:08}").as_bytes(), f64::from(i)));
    }
    let set = builder.finish(&Limits::default());
    let each = set.memory_bytes() / 10_000;
    assert!((45..65).contains(&each), "{each}");
}
