//! Each packed form for itself: what is accepted can be gone through, changed and accepted again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use resnap::text::lzf;
use resnap::value::legacy::{ziplist, zipmap};
use resnap::value::stream::{Counters, Loader, StreamId};
use resnap::value::{Entry, Intset, Limits, Listpack, hll};
use resnap_fuzz::{Capped, Choices};

#[global_allocator]
static ALLOCATOR: Capped = Capped;

fn listpack(mut choices: Choices<'_>) {
    let changes = choices.byte() % 8;
    let plan = choices.bytes(usize::from(changes) * 2);
    let Ok(mut pack) = Listpack::from_bytes(choices.rest()) else { return };
    let mut model: Vec<Vec<u8>> = pack.iter().map(|entry| entry.to_vec()).collect();
    assert_eq!(pack.len(), model.len());
    let mut back = Vec::new();
    let mut at = pack.last();
    while let Some(pos) = at {
        back.push(pack.get(pos).to_vec());
        at = pack.prev(pos);
    }
    assert!(back.iter().rev().eq(&model), "backwards is another way");
    for step in plan.as_chunks::<2>().0 {
        change(&mut pack, &mut model, *step);
    }
    let again = Listpack::from_bytes(pack.as_bytes()).expect("what we made is whole");
    assert!(again.iter().map(|entry| entry.to_vec()).eq(model));
}

fn change(pack: &mut Listpack, model: &mut Vec<Vec<u8>>, [what, how]: [u8; 2]) {
    let text = match how % 5 {
        0 => vec![b'x'; usize::from(how) * 40],
        1 => (i64::from(how) << (how % 64)).to_string().into_bytes(),
        2 => vec![how; usize::from(how)],
        _ => model.get(usize::from(how)).cloned().unwrap_or_default(),
    };
    let index = usize::from(how) % (model.len() + 1);
    let at = pack.seek(index as i64);
    assert_eq!(at.is_some(), index < model.len());
    match (what % 6, at) {
        (0, _) => {
            pack.push_back(&text[..]);
            model.push(text);
        }
        (1, _) => {
            pack.push_front(&text[..]);
            model.insert(0, text);
        }
        (2, Some(pos)) => {
            pack.insert_after(pos, &text[..]);
            model.insert(index + 1, text);
        }
        (3, Some(pos)) => {
            pack.replace(pos, &text[..]);
            model[index] = text;
        }
        (4, Some(pos)) => {
            let n = usize::from(how % 7).min(model.len() - index);
            pack.delete_range(pos, n);
            model.drain(index..index + n);
        }
        (5, Some(pos)) => {
            let tail = pack.split_off(pos);
            assert_eq!(tail.len(), model.len() - index);
            pack.append(&tail);
            assert_eq!(pack.find(pack.first().expect("not empty"), &model[index], 0).is_some(), true);
        }
        _ => {}
    }
}

fn intset(bytes: &[u8]) {
    let Some((number, bytes)) = bytes.split_first_chunk::<8>() else { return };
    let Ok(mut ints) = Intset::from_bytes(bytes) else { return };
    let before: Vec<i64> = ints.iter().collect();
    assert!(before.is_sorted() && before.len() == ints.len());
    assert!(before.iter().all(|n| ints.contains(*n)));
    let number = i64::from_le_bytes(*number);
    assert_eq!(ints.add(number), !before.contains(&number));
    assert!(Intset::from_bytes(ints.as_bytes()).is_ok_and(|again| again.iter().eq(ints.iter())));
    if let Some(first) = before.first() {
        assert!(ints.remove(*first));
    }
    let again = Intset::from_bytes(ints.as_bytes());
    assert!(ints.is_empty() || again.is_ok_and(|again| again.iter().eq(ints.iter())));
}

fn legacy_list(bytes: &[u8]) {
    let Ok(entries) = ziplist::entries(bytes) else {
        assert!(ziplist::to_listpack(bytes).is_err());
        return;
    };
    let pack = ziplist::to_listpack(bytes).expect("its entries were read");
    assert!(Listpack::from_bytes(pack.as_bytes()).is_ok());
    let text = |entry: Entry<'_>| entry.to_vec();
    assert!(entries.map(text).eq(pack.iter().map(text)));
}

fn legacy_map(bytes: &[u8]) {
    if let Ok(pairs) = zipmap::pairs(bytes) {
        assert!(pairs.map(|(field, value)| field.len() + value.len()).sum::<usize>() < bytes.len());
    }
}

fn stream(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let id = |choices: &mut Choices<'_>| StreamId::new(choices.byte().into(), choices.byte().into());
    let (key, next, length) = (id(&mut choices), id(&mut choices), choices.byte());
    let more = (choices.byte() & 1 == 1).then(|| (id(&mut choices), id(&mut choices), length.into()));
    let (from, to) = (id(&mut choices), id(&mut choices));
    let mut loader = Loader::new();
    if loader.node(&key.to_bytes(), choices.rest()).is_err() {
        return;
    }
    let counters = Counters { length: length.into(), last_id: next, more };
    let counted = loader.counters(counters).and_then(|()| loader.group(b"g", from, None));
    let (Ok(()), Ok(mut stream)) = (counted, loader.finish()) else { return };
    let log = &mut stream.log;
    let ids: Vec<StreamId> = log.iter().map(|entry| entry.id).collect();
    let mut back: Vec<StreamId> =
        log.range(StreamId::MIN, StreamId::MAX, true).map(|entry| entry.id).collect();
    back.reverse();
    assert_eq!(ids, back);
    for mut entry in log.range(from, to, false) {
        entry.fields.by_ref().for_each(drop);
    }
    let _ = log.append(StreamId::new(u64::MAX, 0), [&b"f"[..], b"v"], &Limits::default());
    for id in ids.iter().step_by(2) {
        log.delete(*id);
    }
    log.trim(resnap::value::stream::Keep::MaxLen(1), false, u64::MAX);
    log.find_first_id();
}

fn hyperloglog(mut choices: Choices<'_>) {
    let (at, value, sparse_max) = (choices.byte(), choices.byte() % 52, usize::from(choices.byte()) * 16);
    let encoding = choices.byte() & 1;
    let mut bytes = hll::empty();
    bytes.truncate(hll::HEADER);
    if encoding == 0 {
        bytes[4] = 0;
        bytes.extend(choices.rest().iter().copied().cycle().take(hll::DENSE - hll::HEADER));
        bytes.resize(hll::DENSE, 0);
    } else {
        bytes.extend_from_slice(choices.rest());
    }
    assert!(hll::encoding(&bytes).is_some());
    let mut registers = Box::new([0; hll::REGISTERS]);
    let merged = hll::merge(&mut registers, &bytes);
    let counted = hll::histogram(&bytes);
    assert_eq!(merged.is_ok(), counted.is_ok());
    hll::runs(&bytes).for_each(drop);
    let index = usize::from(at) * 64 + usize::from(value);
    let index = index % hll::REGISTERS;
    let raised = hll::raise(&mut bytes, index, value, sparse_max);
    let Ok(before) = counted else { return };
    // A whole one counts what its registers count, before and after.
    assert_eq!(before, hll::histogram_of(&registers));
    hll::estimate(&before);
    assert_eq!(raised, Ok(registers[index] < value));
    registers[index] = registers[index].max(value);
    assert_eq!(hll::histogram(&bytes), Ok(hll::histogram_of(&registers)));
    let dense = hll::to_dense(&bytes).expect("whole");
    assert_eq!(hll::histogram(&dense), Ok(hll::histogram_of(&registers)));
}

fn compressed(bytes: &[u8]) {
    let Some((len, bytes)) = bytes.split_first_chunk::<2>() else { return };
    let len = usize::from(u16::from_le_bytes(*len));
    let _ = lzf::decompress(bytes, len);
    let short = len % 600;
    let mut room = vec![0; short + lzf::SLACK];
    let found = lzf::decompress_short(bytes, short, &mut room).ok().map(|()| &room[..short]);
    assert_eq!(found, lzf::decompress(bytes, short).as_deref().ok());
    let mut out = Vec::new();
    if lzf::Compressor::new().compress(bytes, &mut out) {
        assert!(lzf::decompress(&out, bytes.len()).is_ok_and(|again| again == bytes));
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((first, bytes)) = data.split_first() else { return };
    match first % 7 {
        0 => listpack(Choices::new(bytes)),
        1 => intset(bytes),
        2 => legacy_list(bytes),
        3 => legacy_map(bytes),
        4 => stream(bytes),
        5 => hyperloglog(Choices::new(bytes)),
        _ => compressed(bytes),
    }
});
