use super::*;
use proptest::prelude::*;

fn limits(size: i64) -> Limits {
    Limits { list_max_listpack_size: size, ..Limits::default() }
}

/// Few different elements, so that searches find some; sizes around every limit.
fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0..6i64).prop_map(|n| n.to_string().into_bytes()),
        4 => (0..4usize).prop_map(|n| vec![b'a'; n]),
        2 => (100..104usize).prop_map(|n| vec![b'b'; n]),
        1 => (1000..1002usize).prop_map(|n| vec![b'c'; n]),
        1 => (4080..4100usize).prop_map(|n| vec![b'd'; n]),
        1 => (8180..8200usize).prop_map(|n| vec![b'e'; n]),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Push(End, Vec<Vec<u8>>),
    Pop(End),
    Set(i64, Vec<u8>),
    Insert(Vec<u8>, bool, Vec<u8>),
    Remove(i64, Vec<u8>),
    RemoveRange(usize, usize),
    Trim(i64, i64),
    Positions(Vec<u8>, i64, usize),
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Head), Just(End::Tail)]
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let index = -40..40i64;
    prop_oneof![
        6 => (end(), proptest::collection::vec(element(), 1..8)).prop_map(|(e, v)| Push(e, v)),
        4 => end().prop_map(Pop),
        4 => (index.clone(), element()).prop_map(|(i, e)| Set(i, e)),
        4 => (element(), any::<bool>(), element()).prop_map(|(p, a, e)| Insert(p, a, e)),
        2 => (-3..4i64, element()).prop_map(|(n, e)| Remove(n, e)),
        1 => (0..40usize, 0..6usize).prop_map(|(i, n)| RemoveRange(i, n)),
        1 => (-60..20i64, -20..60i64).prop_map(|(a, b)| Trim(a, b)),
        1 => (element(), -3..4i64, 0..30usize).prop_map(|(e, r, n)| Positions(e, r, n)),
    ]
}

type Model = Vec<Vec<u8>>;

fn elements(list: &List) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    list.each(0, usize::MAX, |e| all.push(e.to_vec()));
    all
}

fn of_end(list: &List, end: End, n: usize) -> Vec<Vec<u8>> {
    let mut some = Vec::new();
    list.each_of_end(end, n, |e| some.push(e.to_vec()));
    some
}

fn model_index(model: &Model, index: i64) -> Option<usize> {
    let index = if index < 0 { index + model.len() as i64 } else { index };
    usize::try_from(index).ok().filter(|i| *i < model.len())
}

fn model_remove(model: &mut Model, count: i64, value: &[u8]) -> usize {
    let mut hits: Vec<usize> = (0..model.len()).filter(|i| model[*i] == value).collect();
    if count < 0 {
        hits.reverse();
    }
    if count != 0 {
        hits.truncate(count.unsigned_abs() as usize);
    }
    let mut i = 0;
    model.retain(|_| {
        i += 1;
        !hits.contains(&(i - 1))
    });
    hits.len()
}

fn model_positions(model: &Model, value: &[u8], rank: i64, max_len: usize) -> Vec<usize> {
    let max_len = if max_len == 0 { usize::MAX } else { max_len };
    let order: Vec<usize> =
        if rank < 0 { (0..model.len()).rev().collect() } else { (0..model.len()).collect() };
    let hits = order.into_iter().take(max_len).filter(|i| model[*i] == value);
    hits.skip((rank.unsigned_abs() as usize).saturating_sub(1)).collect()
}

fn apply(list: &mut List, model: &mut Model, step: Step, limits: &Limits) {
    match step {
        Step::Push(end, elements) => {
            list.push_all(end, elements.iter().map(Vec::as_slice), limits);
            for e in elements {
                model.insert(if end == End::Head { 0 } else { model.len() }, e);
            }
        }
        Step::Pop(end) => {
            let want = match end {
                _ if model.is_empty() => None,
                End::Head => Some(model.remove(0)),
                End::Tail => model.pop(),
            };
            assert_eq!(list.pop(end, limits), want);
        }
        Step::Set(i, e) => {
            let want = model_index(model, i);
            assert_eq!(list.set(i, &e, limits), want.is_some());
            if let Some(i) = want {
                model[i] = e;
            }
        }
        Step::Insert(pivot, after, e) => {
            let want = model.iter().position(|x| *x == pivot);
            assert_eq!(list.insert(&pivot, after, &e, limits), want.is_some());
            if let Some(i) = want {
                model.insert(i + usize::from(after), e);
            }
        }
        Step::Remove(n, e) => assert_eq!(list.remove(n, &e, limits), model_remove(model, n, &e)),
        Step::RemoveRange(start, n) => {
            let (from, upto) = (start.min(model.len()), (start + n).min(model.len()));
            assert_eq!(list.remove_range(start, n, limits), upto - from);
            model.drain(from..upto);
        }
        Step::Trim(start, stop) => {
            let (from, n) = list.resolve(start, stop);
            assert_eq!(list.trim(start, stop, limits), model.len() - n);
            *model = model[from..from + n].to_vec();
        }
        Step::Positions(e, rank, max_len) => {
            for most in [1, 2, usize::MAX] {
                let mut got = Vec::new();
                let n = list.positions(&e, rank, max_len, most, |index| got.push(index));
                let mut want = model_positions(model, &e, rank, max_len);
                want.truncate(most);
                assert_eq!((n, got), (want.len(), want));
            }
        }
    }
}

fn check(list: &List, model: &Model, limits: &Limits) {
    assert_eq!(list.len(), model.len());
    assert_eq!(list.is_empty(), model.is_empty());
    assert_eq!(elements(list), *model);
    assert!(of_end(list, End::Tail, usize::MAX).iter().eq(model.iter().rev()));
    for n in [0, 1, 7] {
        assert!(of_end(list, End::Head, n).iter().eq(model.iter().take(n)));
        assert!(of_end(list, End::Tail, n).iter().eq(model.iter().rev().take(n)));
    }
    for i in (0..model.len()).step_by(model.len() / 50 + 1) {
        assert_eq!(list.get(i as i64, |e| e.to_vec()), Some(model[i].clone()));
        for n in [0, 1, 7, 200, usize::MAX] {
            let mut shown = Vec::new();
            list.each(i, n, |e| shown.push(e.to_vec()));
            assert!(shown.iter().eq(model.iter().skip(i).take(n)));
        }
    }
    list.each(model.len(), 1, |e| panic!("{e:?} is none"));
    assert_eq!(list.get(model.len() as i64, |e| e.to_vec()), None);
    assert_eq!(list.get(-1 - model.len() as i64, |e| e.to_vec()), None);
    assert!(list.memory(0) > 0 && list.memory(1) > 0);
    check_nodes(list, model, limits);
    check_depth(list);
}

/// Outer nodes are as they are, and inner ones compressed unless that is not worth it.
fn check_depth(list: &List) {
    let List::Quick(quick) = list else { return };
    let (depth, len) = (quick.depth() as usize, quick.nodes.len());
    for (at, node) in quick.nodes.iter().enumerate() {
        let mut best = node.clone();
        if depth > 0 && at >= depth && at + depth < len {
            best.squeeze();
        } else {
            best.unpack();
        }
        assert_eq!(
            node.squeezed().is_some(),
            best.squeezed().is_some(),
            "node {at} of {len} at depth {depth}"
        );
    }
}

/// A snapshot of the nodes makes the same list again.
fn check_nodes(list: &List, model: &Model, limits: &Limits) {
    let mut quick = Quicklist::new(limits.list_compress_depth);
    for (plain, bytes) in list.nodes() {
        if plain {
            quick.push_plain(bytes.into_owned().into());
        } else {
            let lp = Listpack::from_bytes(&bytes).expect("our own bytes");
            assert!(!lp.is_empty() || model.is_empty());
            quick.push_packed(lp);
        }
    }
    let again = List::from_quicklist(quick, limits);
    assert_eq!(elements(&again), *model);
    assert_eq!(again.len(), model.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn behaves_as_a_vec(
        size in prop_oneof![-5..9i64, Just(128)],
        threshold in prop_oneof![3 => Just(0usize), 1 => Just(3usize), 1 => Just(200)],
        depth in prop_oneof![2 => 0..4u32, 1 => Just(i32::MAX as u32)],
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let limits =
            Limits { list_packed_threshold: threshold, list_compress_depth: depth, ..limits(size) };
        let (mut list, mut model) = (List::new(), Vec::new());
        for step in steps {
            apply(&mut list, &mut model, step, &limits);
            check_depth(&list);
        }
        check(&list, &model, &limits);
    }
}

/// Long runs at the head, where nodes carry gaps, with other changes and looks between them.
#[test]
fn the_head_is_as_good_as_the_tail() {
    (0..4).for_each(both_ends);
}

fn both_ends(depth: u32) {
    let limits = Limits { list_compress_depth: depth, ..Limits::default() };
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut list, mut model) = (List::new(), Vec::<Vec<u8>>::new());
    for _ in 0..300 {
        let (push, end) = (rng.u8(..5) < 3, if rng.u8(..6) == 0 { End::Tail } else { End::Head });
        for _ in 0..rng.usize(1..200) {
            let step = match push {
                true => Step::Push(end, vec![vec![b'0' + rng.u8(..10); rng.usize(0..40)]]),
                false => Step::Pop(end),
            };
            apply(&mut list, &mut model, step, &limits);
        }
        let (at, e) = (rng.i64(-90..90), vec![b'z'; rng.usize(0..300)]);
        let pivot = model.get(rng.usize(..90)).cloned().unwrap_or_default();
        match rng.u8(..8) {
            0 => apply(&mut list, &mut model, Step::Set(at, e), &limits),
            1 => apply(&mut list, &mut model, Step::Insert(pivot, rng.bool(), e), &limits),
            2 => apply(&mut list, &mut model, Step::Remove(at % 3, pivot), &limits),
            3 => apply(&mut list, &mut model, Step::RemoveRange(rng.usize(..90), 3), &limits),
            4 => check(&list.clone(), &model, &limits),
            _ => assert_eq!(elements(&list), model),
        }
    }
    check(&list, &model, &limits);
}

#[test]
fn grows_at_the_limit_and_shrinks_at_half_of_it() {
    let limits = limits(4);
    let mut list = List::new();
    for n in 0..4 {
        list.push(End::Tail, b"x", &limits);
        assert_eq!((list.len(), list.encoding()), (n + 1, "listpack"));
    }
    list.push(End::Head, b"x", &limits);
    assert_eq!(list.encoding(), "quicklist");
    list.pop(End::Head, &limits);
    list.pop(End::Tail, &limits);
    assert_eq!((list.len(), list.encoding()), (3, "quicklist"));
    list.pop(End::Tail, &limits);
    assert_eq!((list.len(), list.encoding()), (2, "listpack"));
}

#[test]
fn a_big_element_has_a_node_of_its_own() {
    let limits = Limits::default();
    let mut list = List::new();
    list.push(End::Tail, &[b'x'; 8193], &limits);
    assert_eq!(list.encoding(), "quicklist");
    assert!(list.nodes().map(|(plain, bytes)| (plain, bytes.len())).eq([(true, 8193)]));
    list.push(End::Tail, b"small", &limits);
    list.pop(End::Head, &limits);
    assert_eq!(list.encoding(), "listpack");
}

#[test]
fn a_failed_insert_may_still_change_the_encoding() {
    let limits = limits(2);
    let mut list = List::new();
    list.push_all(End::Tail, [b"a".as_slice(), b"b"].into_iter(), &limits);
    assert_eq!(list.encoding(), "listpack");
    assert!(!list.insert(b"nosuch", true, b"c", &limits));
    assert_eq!(list.encoding(), "quicklist");
}

/// A list that is compressed has the same nodes as one that is not, keeps its depth, and takes less.
#[test]
fn compressed_nodes_hold_the_same_bytes() {
    let text = |n: usize| format!("an element of a list, number {}", n % 7).into_bytes();
    let elements: Vec<_> = (0..5000).map(text).collect();
    let of = |depth| {
        let limits = Limits { list_compress_depth: depth, ..Limits::default() };
        List::from_elements(elements.iter().map(Vec::as_slice), &limits)
    };
    let plain = of(0);
    for depth in 1..4 {
        let mut list = of(depth);
        assert!(list.nodes().eq(plain.nodes()));
        assert_eq!(list.shape(), (plain.shape().0, plain.shape().1, true));
        assert!(list.memory(0) < plain.memory(0) / 2);
        list.push(End::Head, b"more", &Limits::default());
        while list.len() > 2000 {
            list.pop(End::Head, &Limits::default());
            check_depth(&list);
        }
        assert_eq!(self::elements(&list), elements[3000..]);
    }
}

#[test]
fn what_does_not_shrink_stays_as_it_is() {
    let mut rng = fastrand::Rng::with_seed(1);
    let limits = Limits { list_compress_depth: 1, list_max_listpack_size: 1, ..Limits::default() };
    let noise: Vec<u8> = std::iter::repeat_with(|| rng.u8(..)).take(200).collect();
    let elements: [&[u8]; 5] = [b"head", &[b'a'; 38], &noise, &[b'b'; 200], b"tail"];
    let list = List::from_elements(elements.into_iter(), &limits);
    let List::Quick(quick) = &list else { panic!("five nodes") };
    let squeezed: Vec<_> = quick.nodes.iter().map(|node| node.squeezed().is_some()).collect();
    // The second is 47 bytes long with the rest of its listpack, one less than is tried.
    assert_eq!(squeezed, [false, false, false, true, false]);
}
