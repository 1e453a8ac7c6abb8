use super::*;
use proptest::prelude::*;

/// Elements of every encoding and around every bound.
fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (any::<i64>(), 0..64u32).prop_map(|(n, shift)| (n >> shift).to_string().into_bytes()),
        4 => proptest::collection::vec(any::<u8>(), 0..20),
        2 => (60..130usize, any::<u8>()).prop_map(|(n, c)| vec![c; n]),
        1 => (4080..4110usize, any::<u8>()).prop_map(|(n, c)| vec![c; n]),
        1 => (16370..16400usize, any::<u8>()).prop_map(|(n, c)| vec![c; n]),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    PushBack(Vec<u8>),
    PushFront(Vec<u8>),
    InsertBefore(usize, Vec<u8>),
    InsertAfter(usize, Vec<u8>),
    Replace(usize, Vec<u8>),
    DeleteRange(usize, usize),
    Split(usize),
    Double,
    Append(Vec<Vec<u8>>),
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    prop_oneof![
        3 => element().prop_map(PushBack),
        2 => element().prop_map(PushFront),
        2 => (any::<usize>(), element()).prop_map(|(i, e)| InsertBefore(i, e)),
        2 => (any::<usize>(), element()).prop_map(|(i, e)| InsertAfter(i, e)),
        3 => (any::<usize>(), element()).prop_map(|(i, e)| Replace(i, e)),
        2 => (any::<usize>(), 0..4usize).prop_map(|(i, n)| DeleteRange(i, n)),
        1 => any::<usize>().prop_map(Split),
        1 => Just(Double),
        1 => proptest::collection::vec(element(), 0..5).prop_map(Append),
    ]
}

fn apply(lp: &mut Listpack, model: &mut Vec<Vec<u8>>, step: Step) {
    let at = |lp: &Listpack, i: usize| lp.seek(i as i64).expect("inside");
    let pick = |model: &Vec<Vec<u8>>, i: usize| if model.is_empty() { None } else { Some(i % model.len()) };
    match step {
        Step::PushBack(e) => {
            lp.push_back(&e);
            model.push(e);
        }
        Step::PushFront(e) => {
            lp.push_front(&e);
            model.insert(0, e);
        }
        Step::InsertBefore(i, e) => {
            let Some(i) = pick(model, i) else { return };
            let pos = lp.insert_before(at(lp, i), &e);
            assert!(lp.get(pos).is(&e));
            model.insert(i, e);
        }
        Step::InsertAfter(i, e) => {
            let Some(i) = pick(model, i) else { return };
            let pos = lp.insert_after(at(lp, i), &e);
            assert!(lp.get(pos).is(&e));
            model.insert(i + 1, e);
        }
        Step::Replace(i, e) => {
            let Some(i) = pick(model, i) else { return };
            lp.replace(at(lp, i), &e);
            model[i] = e;
        }
        Step::DeleteRange(i, n) => {
            let Some(i) = pick(model, i) else { return };
            let next = lp.delete_range(at(lp, i), n);
            model.drain(i..(i + n).min(model.len()));
            assert_eq!(next.map(|p| lp.get(p).to_vec()), model.get(i).cloned());
        }
        Step::Split(i) => {
            let Some(i) = pick(model, i) else { return };
            let tail = lp.split_off(at(lp, i));
            assert_eq!(tail.iter().map(|e| e.to_vec()).collect::<Vec<_>>(), model[i..]);
            let head = std::mem::take(lp);
            *lp = Listpack::merge(tail, head);
            model.rotate_left(i);
        }
        Step::Double => {
            if model.len() < 100 {
                *lp = Listpack::merge(lp.clone(), lp.clone());
                model.extend_from_within(..);
            }
        }
        Step::Append(more) => {
            lp.append_many(more.iter().map(Entry::from));
            model.extend(more);
        }
    }
}

fn check(lp: &Listpack, model: &[Vec<u8>]) {
    assert_eq!(lp.len(), model.len());
    assert_eq!(lp.is_empty(), model.is_empty());
    assert!(lp.iter().map(|e| e.to_vec()).eq(model.iter().cloned()));
    assert!(lp.iter().rev().map(|e| e.to_vec()).eq(model.iter().rev().cloned()));
    assert_eq!(Listpack::from_bytes(lp.as_bytes()).as_ref(), Ok(lp), "our own bytes are valid");
    let size: usize = model.iter().map(|e| Entry::from(e).packed_size()).sum();
    assert_eq!(lp.bytes(), size + 7);
    for (i, e) in model.iter().enumerate() {
        let pos = lp.seek(i as i64).expect("inside");
        assert_eq!(lp.seek(i as i64 - model.len() as i64), Some(pos));
        assert!(lp.get(pos).is(e) && lp.get(pos).text_len() == e.len());
        let found = lp.find(lp.first().expect("not empty"), e, 0).expect("is there");
        assert!(found <= pos && lp.get(found).is(e));
    }
    assert_eq!(lp.seek(model.len() as i64), None);
    assert_eq!(lp.seek(-1 - model.len() as i64), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn behaves_as_a_vec(steps in proptest::collection::vec(step(), 0..30)) {
        let (mut lp, mut model) = (Listpack::new(), Vec::new());
        for step in steps {
            apply(&mut lp, &mut model, step);
        }
        check(&lp, &model);
    }

    #[test]
    fn damaged_bytes_are_refused_or_harmless(
        elements in proptest::collection::vec(element(), 0..8),
        hits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4),
        cut in 0..4usize,
    ) {
        let mut lp = Listpack::new();
        lp.append_many(elements.iter().map(Entry::from));
        let mut bytes = lp.as_bytes().to_vec();
        for (at, byte) in hits {
            let at = at % bytes.len().min(64);
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len()));
        if let Ok(lp) = Listpack::from_bytes(&bytes) {
            let forward: Vec<_> = lp.iter().collect();
            let mut backward: Vec<_> = lp.iter().rev().collect();
            backward.reverse();
            prop_assert_eq!(&forward, &backward);
            prop_assert_eq!(lp.len(), forward.len());
            for skip in 0..3 {
                let _ = lp.first().and_then(|p| lp.find(p, b"12", skip));
            }
        }
    }

    #[test]
    fn noise_is_refused_or_harmless(mut bytes in proptest::collection::vec(any::<u8>(), 7..60)) {
        let len = bytes.len();
        bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
        bytes[4..6].copy_from_slice(&[255, 255]);
        bytes[len - 1] = 255;
        if let Ok(lp) = Listpack::from_bytes(&bytes) {
            prop_assert_eq!(lp.iter().count(), lp.iter().rev().count());
        }
    }
}

#[test]
fn find_skips_values() {
    let mut lp = Listpack::new();
    for e in ["a", "b", "b", "1", "1", "a", "77", "x"] {
        lp.push_back(e.as_bytes());
    }
    let first = lp.first().expect("not empty");
    let index = |pos: Pos| (0..8).position(|i| lp.seek(i) == Some(pos));
    assert_eq!(lp.find(first, b"b", 1).and_then(index), Some(2));
    assert_eq!(lp.find(first, b"1", 1).and_then(index), Some(4));
    assert_eq!(lp.find(first, b"x", 1), None);
    assert_eq!(lp.find(first, b"77", 1).and_then(index), Some(6));
}

#[test]
fn the_count_gives_up_at_65535() {
    let mut lp = Listpack::new();
    lp.append_many((0..65534).map(Entry::Int));
    assert_eq!((lp.stated_count(), lp.len()), (65534, 65534));
    lp.push_back(b"one more");
    assert_eq!((lp.stated_count(), lp.len()), (UNCOUNTED, 65535));
    lp.push_front(b"and another");
    assert_eq!(lp.len(), 65536);
    assert_eq!(lp.seek(-1).map(|p| lp.get(p)), Some(Entry::Str(b"one more")));
    assert_eq!(lp.seek(65536), None);
    let tail = lp.split_off(lp.seek(10).expect("inside"));
    assert_eq!((lp.stated_count(), tail.len()), (10, 65526));
}

#[test]
fn filled_reads_in_place() {
    let mut lp = Listpack::new();
    lp.push_back(b"abc");
    let copy = |size| {
        let source = lp.as_bytes();
        Listpack::filled(size, |out| {
            out.copy_from_slice(&source[..out.len()]);
            Ok::<(), ()>(())
        })
    };
    assert_eq!(copy(lp.bytes()), Ok(Ok(lp.clone())));
    assert!(copy(8).is_ok_and(|r| r.is_err()));
    assert!(copy(0).is_ok_and(|r| r.is_err()));
    assert_eq!(Listpack::filled(100, |_| Err(3)), Err(3));
}

#[test]
fn a_raw_pointer_comes_back() {
    let mut lp = Listpack::new();
    lp.push_back_int(-1);
    let raw = lp.into_raw();
    assert_eq!(raw.as_ptr() as usize % 8, 0);
    #[allow(unsafe_code)] // the pair under test
    // SAFETY: from `into_raw` above, once.
    let lp = unsafe { Listpack::from_raw(raw) };
    assert_eq!(lp.iter().collect::<Vec<_>>(), [Entry::Int(-1)]);
}
