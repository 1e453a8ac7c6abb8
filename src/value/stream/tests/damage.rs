//! Nodes and groups out of damaged files: refused, or harmless and shown as the real server shows them.

use super::*;
use crate::value::Listpack;
use crate::value::listpack::Entry;
use proptest::prelude::*;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("hex"), 16).expect("hex");
    digits.chunks(2).map(byte).collect()
}

fn one_node(node: &[u8], length: u64, last_id: StreamId) -> Result<Stream, Flaw> {
    let mut loader = Loader::new();
    loader.node(&id(100, 0).to_bytes(), node)?;
    loader.counters(Counters { length, last_id, more: None })?;
    loader.finish()
}

fn texts(log: &Log, rev: bool) -> Vec<String> {
    let show = |(id, fields): (StreamId, Fields)| {
        let fields = fields.iter().map(|(name, value)| {
            format!(" {}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
        });
        format!("{id}{}", fields.collect::<String>())
    };
    all(log, rev).into_iter().map(show).collect()
}

/// Its second entry says that it has 72 fields: what is before it stays.
#[test]
fn salvage_keeps_the_whole_entries_before_the_damage() {
    let ints = |ints: &[i64]| ints.iter().map(|&int| Entry::Int(int)).collect::<Vec<_>>();
    let mut pack = Listpack::new();
    pack.append_many([ints(&[2, 0, 0, 0, 0, 0, 0, 0, 4]), ints(&[0, 1, 0, 72, 5])].concat().into_iter());
    let mut loader = Loader::new().salvage(true);
    assert_eq!(
        Loader::new().node(&id(100, 0).to_bytes(), pack.as_bytes()).err().map(|f| f.to_string()),
        Some(Flaw::Node("").to_string())
    );
    loader.node(&id(100, 0).to_bytes(), pack.as_bytes()).expect("salvaged");
    loader.counters(Counters { length: 2, last_id: id(101, 0), more: None }).expect("as stated");
    let stream = loader.finish().expect("whole");
    assert_eq!(texts(&stream.log, false), ["100-0"]);
    assert_eq!(texts(&stream.log, true), ["100-0"]);

    // A backward length is wrong, and the end of the last entry missing: elements are read from the front.
    let mut damaged = pack.as_bytes()[..pack.bytes() - 3].to_vec();
    damaged[9] = 9;
    damaged.push(0xff);
    let total = (damaged.len() as u32).to_le_bytes();
    damaged[..4].copy_from_slice(&total);
    assert!(Listpack::from_bytes(&damaged).is_err());
    let readable = Listpack::readable(&damaged).expect("its length and its end are right");
    assert!(readable.iter().eq(pack.iter().take(13)), "{readable:?}");
}

/// The nodes of Redis' own corrupt-dump tests, and what 8.0.6 does with them when it loads a file.
#[test]
fn hostile_nodes_do_what_redis_does() {
    // "NPD in streamIteratorGetID": the last entry says it has 72 pieces. It loads and shows three entries.
    let node = hex(
        "42 00 00 00 18 00 03 01 00 01 02 01 84 69 74 65 6d 05 85 76 61 6c 75 65 06 00 01 02 01 00 01 00 01 01 01 \
         00 01 05 01 02 01 00 01 01 01 01 01 82 5f 31 03 05 01 02 01 00 01 02 01 01 01 02 01 48 01 ff",
    );
    let stream = one_node(&node, 3, id(100, 2)).expect("Redis loads it");
    let want = ["100-0 item=1 value=0", "100-1 item=1 value=_1", "100-2 item=1 value=2"];
    assert_eq!(texts(&stream.log, false), want);
    assert!(texts(&stream.log, true).iter().eq(want.iter().rev()), "mended, where Redis would stumble");

    // "negative reply length": a value is longer than its backward length. Redis ends with an assertion.
    let node = hex(
        "42 00 00 00 18 00 03 01 00 01 02 01 84 69 74 65 6d 05 85 76 61 6c 75 65 06 00 01 02 01 00 01 00 01 01 01 \
         00 01 05 01 02 01 00 01 01 01 01 01 14 5f 31 03 05 01 02 01 00 01 02 01 01 01 02 01 05 01 ff",
    );
    assert!(matches!(one_node(&node, 3, id(100, 2)), Err(Flaw::Node(_))));

    // "negative deleted count": loads, with a length of 3 and one entry without fields.
    let node = hex("18 18 00 00 00 08 00 03 01 df fe 02 00 01 00 01 02 01 00 01 00 01 03 01 ff");
    let mut stream = one_node(&node[1..], 3, id(100, 0)).expect("Redis loads it");
    assert_eq!((stream.log.length, texts(&stream.log, false)), (3, vec!["100-0".to_string()]));
    assert_eq!(stream.log.nodes().next().map(Node::as_bytes), Some(&node[1..]), "as it came");
    assert_eq!(stream.log.trim(Keep::MaxLen(0), false, 0), 3, "what the node says it holds");
    assert_eq!((stream.log.length, stream.log.nodes().len()), (0, 0));
}

#[test]
fn a_length_that_lies_is_shown_as_it_is() {
    let mut stream = Stream::new();
    for seq in 1..=2 {
        stream.log.append(id(1, seq), [b"f", b"v"].map(|x| &x[..]), &Limits::default()).expect("ascending");
    }
    stream.log.length = 200;
    let mut again = Reader::load(21, &save(&stream)).expect("Redis loads it");
    assert_eq!((again.log.length, all(&again.log, false).len()), (200, 2));
    assert!(again.log.delete(id(1, 1)) && again.log.delete(id(1, 2)));
    assert_eq!((again.log.length, again.log.first_id, again.log.nodes().len()), (198, StreamId::MAX, 0));
    assert_eq!(again.log.set_id(id(9, 9), None, None), Ok(()));
    again.log.append(id(10, 0), [], &Limits::default()).expect("greater");
    assert_eq!(all(&again.log, true), [(id(10, 0), vec![])]);
}

#[test]
fn what_going_forward_does_not_see_is_mended() {
    let good = |terminator: i64, pieces: i64| {
        let mut pack = Listpack::new();
        pack.append_many([1, 0, 0, terminator, 2, 5, 6, pieces].into_iter().map(Entry::Int));
        pack
    };
    let want = ["105-6".to_string()];
    for pack in [good(0, 3), good(7, 3), good(0, 99), good(0, -4)] {
        let mut bytes = pack.as_bytes().to_vec();
        for count in [[8, 0], [0, 0], [7, 1]] {
            bytes[4..6].copy_from_slice(&count);
            let stream = one_node(&bytes, 1, id(200, 0)).expect("forwards it is fine");
            assert_eq!((texts(&stream.log, false), texts(&stream.log, true)), (want.to_vec(), want.to_vec()));
        }
        bytes.extend([1, 2, 3, 0xFF]); // an end before the end
        bytes[0] += 4;
        let stream = one_node(&bytes, 1, id(200, 0)).expect("the first end counts");
        assert_eq!(texts(&stream.log, true), want);
    }
}

#[test]
fn nodes_are_refused_with_a_reason() {
    let flaw = |ints: &[i64]| {
        let mut pack = Listpack::new();
        pack.append_many(ints.iter().map(|int| Entry::Int(*int)));
        one_node(pack.as_bytes(), 1, id(200, 0)).err()
    };
    assert_eq!(flaw(&[]), Some(Flaw::EmptyNode));
    assert_eq!(flaw(&[0, 0, 0, 0]), None, "a node without entries");
    assert_eq!(flaw(&[1, 0, 0, 0, 2, 0, 0]), None, "only the pieces are missing");
    for bad in [
        &[1, 0][..],
        &[1, 0, -1, 0],
        &[1, 0, 5, 0],
        &[1, 0, i64::MAX, 0],
        &[1, 0, 0, 0, 2, 5],
        &[1, 0, 0, 0, 0, 0, 0, -1, 3],
    ] {
        assert!(matches!(flaw(bad), Some(Flaw::Node(_))), "{bad:?}");
    }
    let mut pack = Listpack::new();
    pack.append_many(
        [Entry::Int(1), Entry::Int(0), Entry::Int(0), Entry::Int(0), Entry::Str(b"two")].into_iter(),
    );
    assert!(matches!(one_node(pack.as_bytes(), 1, id(1, 1)), Err(Flaw::Node(_))));
    assert_eq!(Loader::new().node(b"short", pack.as_bytes()), Err(Flaw::NodeKey));
    let nothing = Counters { length: 1, last_id: id(1, 1), more: None };
    assert_eq!(Loader::new().counters(nothing), Err(Flaw::LengthWithoutNodes));
}

#[test]
fn nodes_may_come_in_any_order_but_once() {
    let mut pack = Listpack::new();
    pack.append_many([1, 0, 0, 0, 2, 0, 0, 3].into_iter().map(Entry::Int));
    let load = |keys: &[u64]| {
        let mut loader = Loader::new();
        for ms in keys {
            loader.node(&id(*ms, 0).to_bytes(), pack.as_bytes())?;
        }
        loader.counters(Counters { length: 3, last_id: id(9, 0), more: None })?;
        loader.finish()
    };
    let stream = load(&[3, 1, 2]).expect("sorted on the way");
    assert_eq!(texts(&stream.log, false), ["1-0", "2-0", "3-0"]);
    assert_eq!(load(&[1, 1]).err(), Some(Flaw::NodeTwice));
    assert_eq!(load(&[2, 1, 2]).err(), Some(Flaw::NodeTwice));
}

#[test]
fn groups_are_refused_with_a_reason() {
    let mut loader = Loader::new();
    loader.counters(Counters { length: 0, last_id: id(5, 0), more: None }).expect("empty");
    assert_eq!(loader.pending(id(1, 0), 0, 1), Err(Flaw::OutOfPlace));
    loader.group(b"g", id(1, 0), Some(3)).expect("first");
    assert_eq!(loader.owns(id(1, 0)), Err(Flaw::OutOfPlace));
    loader.pending(id(1, 0), 7, 1).expect("first");
    assert_eq!(loader.pending(id(1, 0), 7, 1), Err(Flaw::PendingTwice));
    loader.pending(id(2, 0), 7, 1).expect("another");
    loader.consumer(b"a", 70, None).expect("first");
    assert_eq!(loader.consumer(b"a", 0, None), Err(Flaw::ConsumerTwice));
    assert_eq!(loader.owns(id(3, 0)), Err(Flaw::NotPending));
    loader.owns(id(1, 0)).expect("pending");
    assert_eq!(loader.owns(id(1, 0)), Err(Flaw::OwnedTwice));
    loader.consumer(b"b", 71, Some(-1)).expect("second");
    loader.owns(id(1, 0)).expect("the later one has it");
    assert_eq!(loader.group(b"g", id(1, 0), None), Err(Flaw::GroupTwice(b"g".to_vec())));

    loader.group(b"h", id(2, 0), None).expect("second");
    let mut stream = loader.finish().expect("fine");
    let log = stream.log.clone();
    let group = stream.groups.get_mut(b"g").expect("loaded");
    let [a, b] = [b"a", b"b"].map(|name| group.find_consumer(name).expect("loaded"));
    assert_eq!(
        (group.nack(id(1, 0)).expect("pending").consumer, group.nack(id(2, 0)).expect("pending").consumer),
        (Some(b), None)
    );
    let consumer = |id| group.consumer(id).expect("there");
    assert_eq!((consumer(a).pending_len(), consumer(b).pending_len()), (0, 1));
    assert_eq!((consumer(a).active_ms, consumer(b).active_ms), (70, -1));
    let how = Claim {
        consumer: a,
        now_ms: 9,
        min_idle_ms: 5,
        delivery_time_ms: 9,
        retry_count: None,
        just_id: true,
        force: false,
    };
    assert!(matches!(group.claim(&log, id(2, 0), &how), Claimed::Gone(_)), "nobody's, and not in the stream");
    assert!(group.ack(id(1, 0)).is_some() && group.pending_len() == 0);
}

/// Does everything to a stream that could stumble over an odd node.
fn exercise(mut stream: Stream) {
    let forward = all(&stream.log, false);
    let mut backward = all(&stream.log, true);
    backward.reverse();
    let ascending = forward.windows(2).all(|pair| pair[0].0 < pair[1].0);
    assert!(!ascending || forward == backward);
    for (id, _) in &forward {
        stream.log.get(*id);
    }
    let again = Reader::load(21, &save(&stream)).expect("what we wrote");
    assert_eq!(all(&again.log, false), forward);
    let _ = stream.log.append(
        stream.log.last_id.next().unwrap_or_default(),
        [b"f", b"v"].map(|x| &x[..]),
        &Limits::default(),
    );
    let mut shorter = stream.clone();
    for (id, _) in forward.iter().step_by(2) {
        shorter.log.delete(*id); // gone already, where a node states one entry and has more
    }
    shorter.log.trim(Keep::MinId(id(101, 0)), false, 0);
    all(&shorter.log, true);
    stream.log.trim(Keep::MaxLen(2), false, 0);
    all(&stream.log, true);
    stream.log.trim(Keep::MaxLen(0), true, 1);
    stream.log.edge(true, true);
}

proptest! {
    #[test]
    fn damaged_nodes_are_refused_or_harmless(
        hits in proptest::collection::vec((6usize..200, any::<u8>()), 0..4),
        length in any::<u64>(),
    ) {
        let mut stream = Stream::new();
        for n in 0..6u64 {
            let names: [&[u8]; 4] = if n % 3 == 0 { [b"a", b"1", b"b", b"xyz"] } else { [b"a", b"-77", b"c", b""] };
            stream.log.append(id(100 + n / 2, n), names, &Limits::default()).expect("ascending");
        }
        stream.log.delete(id(101, 2));
        let mut node = stream.log.nodes().next().expect("one").as_bytes().to_vec();
        for (at, byte) in hits {
            let at = at % node.len();
            node[at] = byte;
        }
        if let Ok(stream) = one_node(&node, length, id(102, 5)) {
            exercise(stream);
        }
    }

    #[test]
    fn odd_numbers_are_refused_or_harmless(
        ints in proptest::collection::vec(prop_oneof![4 => -3i64..6, 1 => any::<i64>()], 4..40),
        length in any::<u64>(),
    ) {
        let mut pack = Listpack::new();
        pack.append_many(ints.into_iter().map(Entry::Int));
        if let Ok(stream) = one_node(pack.as_bytes(), length, id(102, 5)) {
            exercise(stream);
        }
    }
}
