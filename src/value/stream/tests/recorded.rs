//! `fixtures/stream/*.txt`: operations on a real server, and what it then had.

use super::*;

const NOW: i64 = 1_000;

/// A word of the recording: `\xx` is a byte, a lone `\` the empty string.
fn word(text: &str) -> Vec<u8> {
    let mut parts = text.split('\\');
    let mut bytes = parts.next().unwrap_or("").as_bytes().to_vec();
    for part in parts.filter(|part| !part.is_empty()) {
        bytes.push(u8::from_str_radix(&part[..2], 16).expect("two hex digits"));
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

fn parse(text: &str) -> StreamId {
    StreamId::parse(text.as_bytes(), 0).expect("an id")
}

fn add(stream: &mut Stream, words: &[&str], limits: &Limits) -> bool {
    let fields: Vec<Vec<u8>> = words[3..].iter().map(|text| word(text)).collect();
    stream.log.append(parse(words[2]), fields.iter().map(Vec::as_slice), limits).is_ok()
}

fn trim(stream: &mut Stream, words: &[&str], limits: &Limits) -> u64 {
    let keep = match words[2] {
        "MAXLEN" => Keep::MaxLen(words[4].parse().expect("a number")),
        _ => Keep::MinId(parse(words[4])),
    };
    let approx = words[3] == "~";
    let limit = match limits.stream_node_max_entries as u64 {
        0 => 10_000,
        entries => entries * 100,
    };
    stream.log.trim(keep, approx, if approx { limit } else { 0 })
}

fn limits_of(words: &[&str]) -> Limits {
    limits(words[1].parse().expect("bytes"), words[2].parse().expect("entries"))
}

#[test]
fn nodes_are_byte_for_byte_what_redis_writes() {
    let (mut stream, mut set, mut dumps) = (Stream::new(), Limits::default(), 0);
    for line in include_str!("../../../../fixtures/stream/bytes.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[0] {
            "limits" => (stream, set) = (Stream::new(), limits_of(&words)),
            "XADD" => drop(add(&mut stream, &words, &set)),
            "XDEL" => drop(stream.log.delete(parse(words[2]))),
            "XTRIM" => drop(trim(&mut stream, &words, &set)),
            "dump" => {
                check_dump(&stream, words[1]);
                dumps += 1;
            }
            _ => assert_eq!(words[0], "#"),
        }
    }
    assert!(dumps > 15);
}

fn check_dump(stream: &Stream, hex: &str) {
    let bytes = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    let dump: Vec<u8> = (0..hex.len()).step_by(2).map(bytes).collect();
    let (body, trailer) = dump.split_at(dump.len() - 10);
    assert_eq!((body[0], trailer[0]), (21, 12), "type and version");
    assert_eq!(save(stream).escape_ascii().to_string(), body[1..].escape_ascii().to_string());
    let again = Reader::load(21, &body[1..]).expect("a real server's stream");
    assert_eq!(all(&again.log, false), all(&stream.log, false));
    assert_eq!(save(&again), &body[1..]);
}

#[test]
fn groups_go_through_what_redis_goes_through() {
    let (mut stream, mut set, mut before) = (Stream::new(), Limits::default(), String::new());
    for (number, line) in include_str!("../../../../fixtures/stream/groups.txt").lines().enumerate() {
        let mut parts = line.split(" -> ");
        let words: Vec<&str> = parts.next().expect("an operation").split(' ').collect();
        match words[0] {
            "#" => continue,
            "limits" => {
                set = limits_of(&words);
                continue;
            }
            _ => {}
        }
        let said = run(&mut stream, &words, &set);
        let want = (parts.next().expect("a reply"), parts.next().expect("a state"));
        let state = state(&stream);
        let same = if state == before { "same" } else { &state };
        assert_eq!((&*said, same), want, "line {}: {words:?}", number + 1);
        before = state;
    }
}

fn run(stream: &mut Stream, words: &[&str], limits: &Limits) -> String {
    match words[0] {
        "XADD" => {
            assert!(add(stream, words, limits));
            words[2].to_string()
        }
        "XDEL" => u8::from(stream.log.delete(parse(words[2]))).to_string(),
        "XTRIM" => trim(stream, words, limits).to_string(),
        "XSETID" => set_id(stream, words),
        "XGROUP" => xgroup(stream, words),
        "XREADGROUP" => readgroup(stream, words),
        "XACK" => {
            let Some(group) = stream.groups.get_mut(words[2].as_bytes()) else { return "0".into() };
            words[3..].iter().filter(|text| group.ack(parse(text)).is_some()).count().to_string()
        }
        "XCLAIM" => claim(stream, words),
        "XAUTOCLAIM" => auto_claim(stream, words),
        other => panic!("{other}"),
    }
}

fn set_id(stream: &mut Stream, words: &[&str]) -> String {
    let added = words.get(4).map(|text| text.parse().expect("a number"));
    let max_deleted = words.get(6).map(|text| parse(text));
    let smaller = max_deleted.is_some_and(|max| parse(words[2]) < max); // the command's own check
    let done = !smaller && stream.log.set_id(parse(words[2]), added, max_deleted).is_ok();
    if done { "OK" } else { "error" }.into()
}

fn xgroup(stream: &mut Stream, words: &[&str]) -> String {
    let name = words[3].as_bytes();
    let read = words.get(6).map_or(ENTRIES_READ_UNKNOWN, |text| text.parse().expect("a number"));
    let group = stream.groups.get_mut(name);
    match words[1] {
        "CREATE" => {
            assert!(stream.groups.create(name, parse(words[4]), read).is_some());
            return "OK".into();
        }
        "DESTROY" => return u8::from(stream.groups.destroy(name)).to_string(),
        _ => {}
    }
    let group = group.expect("recorded without errors");
    match words[1] {
        "SETID" => {
            (group.last_id, group.entries_read) = (parse(words[4]), read);
            "OK".into()
        }
        "CREATECONSUMER" => u8::from(group.create_consumer(words[4].as_bytes(), NOW).1).to_string(),
        _ => group.delete_consumer(words[4].as_bytes()).unwrap_or(0).to_string(),
    }
}

fn readgroup(stream: &mut Stream, words: &[&str]) -> String {
    let noack = words[6] == "NOACK";
    let count = words[5].parse().expect("a count");
    let group = stream.groups.get_mut(words[2].as_bytes()).expect("recorded without errors");
    let (consumer, _) = group.create_consumer(words[3].as_bytes(), NOW);
    let from = words[words.len() - 1];
    let mut ids = Vec::new();
    if from == ">" {
        let start = group.last_id.next().expect("not the last");
        for entry in stream.log.range(start, StreamId::MAX, false).take(count) {
            assert!(group.advance(&stream.log, entry.id));
            if !noack {
                group.deliver(entry.id, consumer, NOW);
            }
            ids.push(entry.id);
        }
    } else {
        let start = parse(from).next().expect("not the last");
        let own = group.consumer(consumer).expect("created");
        ids = own.pending_from(start).take(count).collect();
        ids.iter().filter(|id| stream.log.contains(**id)).for_each(|id| group.redeliver(*id, NOW));
    }
    join(ids.into_iter())
}

fn join(ids: impl Iterator<Item = StreamId>) -> String {
    ids.map(|id| id.to_string()).collect::<Vec<_>>().join(",")
}

fn how(group: &mut Group, words: &[&str], option: &str) -> Claim {
    let consumer = group.create_consumer(words[3].as_bytes(), NOW).0;
    let retry_count = (option == "RETRYCOUNT").then_some(9);
    let (just_id, force) = (option == "JUSTID", option == "FORCE");
    Claim { consumer, now_ms: NOW, min_idle_ms: 0, delivery_time_ms: NOW, retry_count, just_id, force }
}

fn claim(stream: &mut Stream, words: &[&str]) -> String {
    let group = stream.groups.get_mut(words[2].as_bytes()).expect("recorded without errors");
    let how = how(group, words, words.get(7).unwrap_or(&""));
    let claimed = words[5..7].iter().filter_map(|text| match group.claim(&stream.log, parse(text), &how) {
        Claimed::Taken(nack) => Some(nack.id),
        _ => None,
    });
    join(claimed)
}

fn auto_claim(stream: &mut Stream, words: &[&str]) -> String {
    let group = stream.groups.get_mut(words[2].as_bytes()).expect("recorded without errors");
    let how = how(group, words, words.get(8).unwrap_or(&""));
    let count = words[7].parse().expect("a count");
    let did = group.auto_claim(&stream.log, parse(words[5]), count, &how);
    let pick = |gone: bool| {
        let nacks = did.done.iter().filter_map(move |done| match done {
            Claimed::Gone(nack) if gone => Some(nack.id),
            Claimed::Taken(nack) if !gone => Some(nack.id),
            _ => None,
        });
        join(nacks)
    };
    format!("{};{};{}", did.next, pick(false), pick(true))
}

/// What XINFO STREAM FULL shows, but for times, in the recording's words.
fn state(stream: &Stream) -> String {
    let log = &stream.log;
    let mut words = vec![log.length.to_string()];
    words.extend([log.last_id, log.first_id, log.max_deleted].map(|id| id.to_string()));
    words.push(log.entries_added.to_string());
    for group in stream.groups.iter() {
        let nil = |number: Option<i64>| number.map_or("nil".into(), |number| number.to_string());
        let read = Some(group.entries_read).filter(|read| *read != ENTRIES_READ_UNKNOWN);
        words.extend(["|".into(), String::from_utf8_lossy(group.name()).into(), group.last_id.to_string()]);
        words.extend([nil(read), nil(log.lag(group))]);
        words.extend(group.pending().map(|nack| {
            let owner = nack.consumer.and_then(|id| group.consumer(id)).expect("owned");
            format!("{}:{}:{}", nack.id, String::from_utf8_lossy(owner.name()), nack.delivery_count)
        }));
        words.extend(group.consumers().map(|(_, consumer)| {
            format!("{}={}", String::from_utf8_lossy(consumer.name()), join(consumer.pending()))
        }));
    }
    words.join(" ")
}
