//! An entry against the naive record of what it should hold, at all sizes where its shape changes.

use super::*;
use crate::value::list::End;
use crate::value::{Limits, capacity};
use bytes::Bytes;
use proptest::prelude::*;

/// What an entry should be.
#[derive(Debug, Clone, PartialEq)]
struct Naive {
    key: Vec<u8>,
    value: NaiveValue,
    expiry: Option<u64>,
    clock: u32,
    spare: u16,
}

#[derive(Debug, Clone, PartialEq)]
enum NaiveValue {
    Str(Vec<u8>, Made),
    List(Vec<Vec<u8>>),
}

impl NaiveValue {
    /// The encoding's name by the real server's rules, told from the bytes alone.
    fn encoding(&self) -> &'static str {
        match self {
            NaiveValue::List(_) => "listpack",
            NaiveValue::Str(_, Made::Changed) => "raw",
            NaiveValue::Str(bytes, made) => {
                let text = std::str::from_utf8(bytes).unwrap_or("");
                let is_int = text.parse::<i64>().is_ok_and(|n| n.to_string() == text);
                match bytes.len() {
                    _ if is_int && *made != Made::Text => "int",
                    ..=44 => "embstr",
                    _ => "raw",
                }
            }
        }
    }

    fn value(&self) -> Value {
        match self {
            NaiveValue::Str(bytes, _) => Value::Str(Str::from(&bytes[..])),
            NaiveValue::List(items) => {
                let items = items.iter().map(Vec::as_slice);
                Value::List(List::from_elements(items, &Limits::default()))
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Bytes(Vec<u8>, Made),
    Change(usize, u8),
    Shared(Vec<u8>),
    List(Vec<Vec<u8>>),
    Swap(Vec<u8>),
    Push(Vec<u8>),
    Share,
    Expiry(Option<u64>),
    Clock(u32),
    Rename(Vec<u8>),
    Spare(u16),
    Copy(Vec<u8>),
}

/// Lengths about every border of a string's form.
fn value_len() -> impl Strategy<Value = usize> {
    prop_oneof![
        8 => 0..70_usize,
        1 => IN_PLACE - 2..IN_PLACE + 3,
        1 => 65_530..65_540_usize,
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (value_len(), any::<u8>()).prop_map(|(len, byte)| vec![byte; len]),
        any::<i64>().prop_map(|n| n.to_string().into_bytes()),
        prop::sample::select(&["9223372036854775808", "-9223372036854775809", "007", "-0", "+1", "1.0"][..])
            .prop_map(|text| text.as_bytes().to_vec()),
    ]
}

fn key() -> impl Strategy<Value = Vec<u8>> {
    let len = prop_oneof![8 => 0..40_usize, 1 => 65_533..65_539_usize, 1 => Just(100_000)];
    (len, any::<u8>()).prop_map(|(len, byte)| vec![byte; len])
}

fn op() -> impl Strategy<Value = Op> {
    let made = prop::sample::select(&[Made::Whole, Made::Text, Made::Changed][..]);
    let items = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..10), 1..5);
    prop_oneof![
        3 => (text(), made).prop_map(|(bytes, made)| Op::Bytes(bytes, made)),
        2 => (value_len(), any::<u8>()).prop_map(|(len, byte)| Op::Change(len, byte)),
        1 => (IN_PLACE - 1..IN_PLACE + 2, any::<u8>()).prop_map(|(len, byte)| Op::Shared(vec![byte; len])),
        1 => items.prop_map(Op::List),
        1 => text().prop_map(Op::Swap),
        1 => prop::collection::vec(any::<u8>(), 0..10).prop_map(Op::Push),
        1 => Just(Op::Share),
        2 => prop::option::of(any::<u64>()).prop_map(Op::Expiry),
        1 => (0..1_u32 << 24).prop_map(Op::Clock),
        1 => key().prop_map(Op::Rename),
        1 => any::<u16>().prop_map(Op::Spare),
        1 => key().prop_map(Op::Copy),
    ]
}

fn apply(entry: &mut Entry, naive: &mut Naive, op: Op) {
    match op {
        Op::Bytes(bytes, made) => {
            entry.set_bytes(&bytes, made);
            naive.value = NaiveValue::Str(bytes, made);
        }
        Op::Change(len, byte) => change(entry, naive, len, byte),
        Op::Shared(bytes) => {
            entry.set_value(Value::Str(Str::Shared(Bytes::from(bytes.clone()))));
            naive.value = NaiveValue::Str(bytes, Made::Whole);
        }
        Op::List(items) => {
            naive.value = NaiveValue::List(items);
            entry.set_value(naive.value.value());
        }
        Op::Swap(bytes) => {
            let old = entry.swap_value(Value::Str(Str::from(&bytes[..])));
            assert!(
                matches!((&old, &naive.value),
                (Value::Str(a), NaiveValue::Str(b, _)) if a.as_slice() == b)
                    || matches!((&old, &naive.value), (Value::List(_), NaiveValue::List(_)))
            );
            naive.value = NaiveValue::Str(bytes, Made::Whole);
        }
        Op::Push(item) => {
            let pushed = entry.edit_list(|list| list.push(End::Tail, &item, &Limits::default()));
            assert_eq!(pushed.is_some(), matches!(naive.value, NaiveValue::List(_)));
            if let NaiveValue::List(items) = &mut naive.value {
                items.push(item);
            }
        }
        Op::Share => share(entry, naive),
        Op::Expiry(expiry) => {
            entry.set_expiry(expiry);
            naive.expiry = expiry;
        }
        Op::Clock(clock) => {
            entry.set_clock(clock);
            naive.clock = clock;
        }
        Op::Rename(key) => {
            entry.rename(&key);
            naive.key = key;
        }
        Op::Spare(bits) => {
            entry.set_spare(bits);
            naive.spare = bits;
        }
        Op::Copy(key) => {
            let copy = entry.copy_as(&key, 7);
            check(&copy, &Naive { key, clock: 7, spare: copy.spare(), ..naive.clone() });
        }
    }
}

/// Strings only grow in place, as commands only make them grow.
fn change(entry: &mut Entry, naive: &mut Naive, len: usize, byte: u8) {
    let NaiveValue::Str(bytes, made) = &mut naive.value else { return };
    let len = len.max(bytes.len());
    bytes.resize(len, 0);
    *made = Made::Changed;
    entry.change_bytes(len, |lent| {
        assert!(lent == &bytes[..], "as it was, and zeros behind");
        if let Some(last) = lent.last_mut() {
            *last = byte;
        }
    });
    if let Some(last) = bytes.last_mut() {
        *last = byte;
    }
}

/// Handles live on their own, and are not changed by what becomes of the entry.
fn share(entry: &mut Entry, naive: &mut Naive) {
    let shared = entry.share_bytes();
    let NaiveValue::Str(bytes, _) = &naive.value else {
        assert!(shared.is_none());
        return;
    };
    assert_eq!(shared.is_some(), bytes.len() >= IN_PLACE);
    if let Some(shared) = shared {
        let len = bytes.len();
        assert!(shared == bytes[..]);
        change(entry, naive, len, 1);
        assert_eq!(shared.len(), len);
    }
}

fn check(entry: &Entry, naive: &Naive) {
    assert!(entry.key() == naive.key, "the key");
    assert_eq!(
        (entry.expiry(), entry.clock(), entry.spare()),
        (naive.expiry, naive.clock, naive.spare),
        "expiry, clock, the table's bits"
    );
    assert_eq!(entry.kind().encoding(), naive.value.encoding());
    match (entry.view(), &naive.value) {
        (View::Str(bytes), NaiveValue::Str(wanted, _)) => {
            assert!(bytes == wanted, "the string");
            assert_eq!(entry.is_in_place(), wanted.len() < IN_PLACE);
            assert!(entry.list().is_none());
        }
        (View::List(list), NaiveValue::List(wanted)) => {
            let items: Vec<Vec<u8>> = (0..list.len() as i64)
                .map(|i| list.get(i, |element| element.to_vec()).expect("inside"))
                .collect();
            assert_eq!(&items, wanted);
            assert!(entry.bytes().is_none());
        }
        (_, wanted) => panic!("{:?} where {wanted:?} should be", entry.kind()),
    }
    let header =
        8 + if naive.expiry.is_some() { 8 } else { 0 } + if naive.key.len() >= 1 << 16 { 8 } else { 0 };
    let value = match entry.view() {
        View::Str(bytes) if bytes.len() < IN_PLACE => bytes.len(),
        View::List(list) => list.nodes().map(|(_, bytes)| bytes.len()).sum(),
        _ => 8,
    };
    assert_eq!(
        entry.block_bytes(),
        capacity(header + naive.key.len() + value),
        "not a size class more than needed"
    );
}

proptest! {
    #[test]
    fn is_what_was_put_into_it(
        key in key(),
        first in text(),
        expiry in prop::option::of(any::<u64>()),
        ops in prop::collection::vec(op(), 0..30),
    ) {
        let mut entry = Entry::with_bytes(&key, &first, Made::Whole, expiry, 9);
        let value = NaiveValue::Str(first, Made::Whole);
        let mut naive = Naive { key, value, expiry, clock: 9, spare: entry.spare() };
        check(&entry, &naive);
        for op in ops {
            apply(&mut entry, &mut naive, op);
            check(&entry, &naive);
        }
        let last = entry.into_value();
        let same = match (&last, &naive.value) {
            (Value::Str(a), NaiveValue::Str(b, _)) => a.as_slice() == b,
            (Value::List(a), NaiveValue::List(b)) => a.len() == b.len(),
            _ => false,
        };
        prop_assert!(same);
    }
}

#[test]
fn encodings_at_their_borders() {
    let encoding = |bytes: &[u8], made| Entry::with_bytes(b"k", bytes, made, None, 0).kind().encoding();
    let cases: [(&[u8], &str); 8] = [
        (&[b'a'; 44], "embstr"),
        (&[b'a'; 45], "raw"),
        (b"", "embstr"),
        (b"-9223372036854775808", "int"),
        (b"9223372036854775807", "int"),
        (b"9223372036854775808", "embstr"),
        (b"01", "embstr"),
        (b"0", "int"),
    ];
    for (bytes, name) in cases {
        assert_eq!(encoding(bytes, Made::Whole), name, "{}", bytes.escape_ascii());
    }
    assert_eq!(encoding(b"12", Made::Text), "embstr");
    assert_eq!(encoding(b"12", Made::Changed), "raw");
    assert_eq!(encoding(b"12", Made::Integer), "int");
}

#[test]
fn a_small_string_costs_its_bytes_and_eight() {
    let entry = Entry::with_bytes(b"0123456789abcdef", &[b'v'; 32], Made::Whole, None, 0);
    assert_eq!(entry.block_bytes(), 56);
}
