use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn limits(ints: usize, entries: usize, value: usize) -> Limits {
    Limits {
        set_max_intset_entries: ints,
        set_max_listpack_entries: entries,
        set_max_listpack_value: value,
        ..Limits::default()
    }
}

fn member() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0..200i64).prop_map(|n| n.to_string().into_bytes()),
        1 => (any::<i64>(), 0..64u32).prop_map(|(n, shift)| (n >> shift).to_string().into_bytes()),
        2 => "[a-c]{0,7}".prop_map(String::into_bytes),
        1 => (0..40usize).prop_map(|n| vec![b'x'; n]),
    ]
}

/// The rules of `setTypeAddAux`, said in another way: what the encoding must be after an addition.
fn encoding_after(before: &str, model: &BTreeSet<Vec<u8>>, new: &[u8], l: &Limits) -> &'static str {
    let longest = model.iter().map(Vec::len).max().unwrap_or(0);
    let packs = model.len() <= l.set_max_listpack_entries;
    let is_int = parse_i64(new).is_some();
    match before {
        "intset" if is_int && model.len() <= l.set_max_intset_entries => "intset",
        "intset" if !is_int && packs && longest <= l.set_max_listpack_value => "listpack",
        "listpack" if packs && new.len() <= l.set_max_listpack_value => "listpack",
        _ => "hashtable",
    }
}

fn check(set: &Set, model: &BTreeSet<Vec<u8>>) {
    assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
    let mut members: Vec<_> = set.iter().map(|e| e.to_vec()).collect();
    members.sort();
    assert!(members.iter().eq(model));
    let (mut seen, mut cursor) = (BTreeSet::new(), 0);
    loop {
        cursor = set.scan(cursor, |e| {
            seen.insert(e.to_vec());
        });
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(&seen, model);
    assert!(set.iter().all(|e| set.contains(e)));
    let copy = set.clone();
    assert_eq!((copy.len(), copy.encoding()), (set.len(), set.encoding()));
    assert!(set.memory(0) >= set.memory(1).min(8));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn behaves_as_a_set(
        steps in proptest::collection::vec((0..8u8, member()), 0..300),
        ints in 0..60usize, entries in 0..40usize, value in 0..30usize, seed in any::<u64>(),
    ) {
        let l = limits(ints, entries, value);
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut set, mut model) = (Set::default(), BTreeSet::new());
        for (what, m) in steps {
            match what {
                0 => prop_assert_eq!(set.remove(&m), model.remove(&m)),
                1 => {
                    let gone = set.pop(&mut rng);
                    prop_assert_eq!(gone.is_some(), !model.is_empty());
                    prop_assert!(gone.is_none_or(|m| model.remove(&m)));
                }
                _ => {
                    let before = set.encoding();
                    let new = model.insert(m.clone());
                    prop_assert_eq!(set.add(&m, &l), new);
                    let want = if new { encoding_after(before, &model, &m, &l) } else { before };
                    prop_assert_eq!(set.encoding(), want);
                }
            }
            prop_assert_eq!(set.contains(&m), model.contains(&m));
        }
        check(&set, &model);
    }

    #[test]
    fn random_members_are_members(
        members in proptest::collection::btree_set(member(), 0..100), n in 0..120usize, seed in any::<u64>(),
        ints in 0..120usize, entries in 0..120usize,
    ) {
        let l = limits(ints, entries, 64);
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut set = Set::default();
        members.iter().for_each(|m| assert!(set.add(m, &l)));
        prop_assert_eq!(set.random(&mut rng).is_some(), !members.is_empty());
        let sample: BTreeSet<_> = set.sample(n, &mut rng).iter().map(|e| e.to_vec()).collect();
        prop_assert_eq!(sample.len(), n.min(members.len()));
        prop_assert!(sample.is_subset(&members));
        let mut popped = BTreeSet::new();
        set.pop_many(n, &l, &mut rng, |e| {
            popped.insert(e.to_vec());
        });
        prop_assert_eq!(popped.len(), n.min(members.len()));
        check(&set, &members.difference(&popped).cloned().collect());
    }
}

#[test]
fn a_random_member_is_any() {
    let mut rng = fastrand::Rng::with_seed(1);
    for limits in [limits(9, 9, 9), limits(0, 9, 9), limits(0, 0, 0)] {
        let mut set = Set::for_loading(5, &limits);
        (0..5).for_each(|n| assert!(set.add(n, &limits)));
        let mut counts = [0; 5];
        for _ in 0..1000 {
            counts[set.random(&mut rng).and_then(|e| e.as_int()).expect("an integer") as usize] += 1;
        }
        assert!(counts.iter().all(|n| (100..300).contains(n)), "{}: {counts:?}", set.encoding());
    }
}

#[test]
fn sets_begin_as_their_first_member_says() {
    let l = limits(10, 5, 64);
    assert_eq!(Set::new(b"1", 10, &l).encoding(), "intset");
    assert_eq!(Set::new(b"1", 11, &l).encoding(), "hashtable");
    assert_eq!(Set::new(b"a", 5, &l).encoding(), "listpack");
    assert_eq!(Set::new(b"a", 6, &l).encoding(), "hashtable");
    let mut set = Set::default();
    set.expect(11, &l);
    assert_eq!(set.encoding(), "hashtable");
}

#[test]
fn loaded_listpacks_have_no_duplicates() {
    let lp = |members: &[&str]| {
        let mut lp = Listpack::new();
        members.iter().for_each(|m| lp.push_back(m.as_bytes()));
        lp
    };
    let l = limits(10, 3, 64);
    assert_eq!(Set::from_listpack(lp(&["a", "1", "b"]), &l).expect("fine").encoding(), "listpack");
    assert_eq!(Set::from_listpack(lp(&["a", "1", "b", "c"]), &l).expect("fine").encoding(), "hashtable");
    assert!(Set::from_listpack(lp(&["a", "1", "a"]), &l).is_err());
    // "1" as a string: no encoding of ours, but a duplicate all the same
    let odd = [12, 0, 0, 0, 2, 0, 1, 1, 0x81, b'1', 2, 255];
    assert!(Set::from_listpack(Listpack::from_bytes(&odd).expect("valid"), &l).is_err());
}

#[test]
fn integers_go_back_to_an_intset_on_request() {
    let l = limits(10, 5, 64);
    let mut set = Set::table();
    (0..5).for_each(|n| assert!(set.add(n, &l)));
    set.make_ints(&l);
    assert_eq!(set.encoding(), "intset");
    set.add(b"x", &l);
    set.make_ints(&l);
    assert_eq!(set.encoding(), "hashtable");
}
