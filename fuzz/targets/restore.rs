//! RESTORE of hostile payloads by the road of a client, who then reads, changes, dumps and restores what came of it.
//!
//! Shape of an input: how (a byte), how many steps, two bytes for each, and then the payload without its footer.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use resnap::persist::aof::Commands;
use resnap::persist::rdb::{Body, KeyInfo, LoadOptions, restore};
use resnap::text::crc::crc64;
use resnap::value::Limits;
use resnap_fuzz::{Capped, Choices, Road, bulks};

#[global_allocator]
static ALLOCATOR: Capped = Capped;

thread_local! {
    /// One that looks closely, one that takes what real servers take by default; the second has small limits.
    static ROADS: [RefCell<Road>; 2] = [
        RefCell::new(Road::new(&["sanitize-dump-payload yes"])),
        RefCell::new(Road::new(&[
            "sanitize-dump-payload no",
            "hash-max-listpack-entries 4",
            "zset-max-listpack-entries 4",
            "set-max-intset-entries 4",
            "set-max-listpack-entries 6",
            "list-max-listpack-size 4",
            "list-compress-depth 1",
            "stream-node-max-entries 4",
            "hll-sparse-max-bytes 100",
        ])),
    ];
}

const ANY: &[&str] = &[
    "COPY k o REPLACE",
    "RENAME k k",
    "OBJECT ENCODING k",
    "MEMORY USAGE k SAMPLES 0",
    "DEBUG OBJECT k",
    "PEXPIRE k 100000",
    "SORT k ALPHA LIMIT 0 5",
    "SORT k BY nosort GET # STORE o",
    "SORT k BY * DESC",
    "TYPE o",
];
const STRING: &[&str] = &[
    "APPEND k $v",
    "SETRANGE k $n $v",
    "GETRANGE k $i $i",
    "SETBIT k $n 1",
    "GETBIT k $n",
    "BITCOUNT k $i $i BIT",
    "BITPOS k 1 $i $i",
    "BITFIELD k INCRBY i$m $n $i OVERFLOW FAIL SET u7 $n $i",
    "INCR k",
    "INCRBYFLOAT k $f",
    "PFADD k $v $e",
    "PFCOUNT k",
    "PFMERGE o k",
    "PFCOUNT k o",
    "PFMERGE k o",
    "PFDEBUG DECODE k",
    "PFDEBUG TODENSE k",
    "PFDEBUG GETREG k",
    "LCS k k LEN",
    "BITOP NOT o k",
    "BITOP XOR k k o",
    "GETEX k PERSIST",
    "STRLEN k",
];
const LIST: &[&str] = &[
    "LPUSH k $v",
    "RPUSH k $v $e",
    "LPOP k",
    "RPOP k $n",
    "LINSERT k BEFORE $e $v",
    "LINSERT k AFTER $e $v",
    "LSET k $i $v",
    "LREM k $i $e",
    "LTRIM k $i $i",
    "LPOS k $e RANK $i COUNT 0",
    "LRANGE k $i $i",
    "LINDEX k $i",
    "LMOVE k k LEFT RIGHT",
    "LMOVE k o RIGHT LEFT",
    "LMPOP 1 k LEFT COUNT $n",
    "LPUSH k $v $v $v $v $v $v",
];
const SET: &[&str] = &[
    "SADD k $v",
    "SADD k $m",
    "SADD k $e $v",
    "SREM k $e",
    "SREM k $v",
    "SPOP k",
    "SPOP k $n",
    "SRANDMEMBER k -7",
    "SRANDMEMBER k $n",
    "SMOVE k o $e",
    "SINTER k o",
    "SUNIONSTORE k k o",
    "SDIFFSTORE o k o",
    "SMISMEMBER k $e $v $i",
    "SSCAN k 0 COUNT 5",
    "SINTERCARD 2 k k LIMIT $n",
    "ZUNIONSTORE o 1 k",
];
const ZSET: &[&str] = &[
    "ZADD k $f $v",
    "ZADD k XX GT CH $f $e",
    "ZADD k $f $e",
    "ZINCRBY k $f $e",
    "ZREM k $e",
    "ZREM k $v",
    "ZPOPMIN k",
    "ZPOPMAX k $n",
    "ZRANK k $e WITHSCORE",
    "ZREVRANK k $e",
    "ZRANGE k $f $f BYSCORE",
    "ZRANGE k ($e [$e BYLEX",
    "ZREVRANGE k $i $i WITHSCORES",
    "ZCOUNT k ($f +inf",
    "ZLEXCOUNT k - [$e",
    "ZREMRANGEBYRANK k $i $i",
    "ZREMRANGEBYSCORE k $f ($f",
    "ZREMRANGEBYLEX k [$e +",
    "ZUNIONSTORE o 2 k o WEIGHTS $f $f",
    "ZINTERSTORE k 2 k k AGGREGATE MAX",
    "ZDIFF 2 k o WITHSCORES",
    "ZRANDMEMBER k -5 WITHSCORES",
    "ZSCAN k 0",
    "ZMSCORE k $e $v",
    "GEOSEARCH k FROMLONLAT 1 2 BYRADIUS $n km ASC WITHHASH",
    "GEODIST k $e $e",
    "GEOHASH k $e",
    "GEOPOS k $e",
    "ZRANGESTORE o k 0 $i",
];
const HASH: &[&str] = &[
    "HSET k $v $v",
    "HSET k $e $v",
    "HDEL k $e",
    "HDEL k $v",
    "HINCRBY k $e $i",
    "HINCRBYFLOAT k $e $f",
    "HSETNX k $v $v",
    "HPEXPIRE k $m FIELDS 1 $e",
    "HPEXPIREAT k 1750000000001 FIELDS 1 $e",
    "HPERSIST k FIELDS 1 $e",
    "HPTTL k FIELDS 2 $e $v",
    "HGETDEL k FIELDS 1 $e",
    "HGETEX k PX $m FIELDS 1 $e",
    "HSETEX k KEEPTTL FIELDS 1 $e $v",
    "HRANDFIELD k -5 WITHVALUES",
    "HRANDFIELD k $n",
    "HSCAN k 0 NOVALUES",
    "HSTRLEN k $e",
    "HGET k $e",
    "HEXPIRE k 0 FIELDS 1 $e",
    "HMGET k $e $v",
];
const STREAM: &[&str] = &[
    "XADD k * $v $v",
    "XADD k $d f $v",
    "XADD k MAXLEN ~ $n * f v",
    "XADD k $n-* f v",
    "XDEL k $d",
    "XDEL k $d $d",
    "XTRIM k MAXLEN $n",
    "XTRIM k MINID ~ $d",
    "XRANGE k $d + COUNT $n",
    "XREVRANGE k + $d",
    "XREAD COUNT $n STREAMS k $d",
    "XSETID k $d",
    "XSETID k $d ENTRIESADDED $n MAXDELETEDID $d",
    "XGROUP CREATE k new $d ENTRIESREAD $n",
    "XGROUP SETID k $e $d",
    "XGROUP DESTROY k $e",
    "XGROUP CREATECONSUMER k $e $v",
    "XGROUP DELCONSUMER k $e $e",
    "XREADGROUP GROUP $e $v COUNT $n STREAMS k >",
    "XREADGROUP GROUP $e $e STREAMS k $d",
    "XACK k $e $d",
    "XCLAIM k $e $v 0 $d FORCE",
    "XCLAIM k $e $e 0 $d JUSTID RETRYCOUNT $n",
    "XAUTOCLAIM k $e $v 0 $d COUNT $n",
    "XPENDING k $e",
    "XPENDING k $e IDLE 0 - + 9 $e",
    "XINFO STREAM k FULL COUNT 0",
    "XINFO GROUPS k",
    "XINFO CONSUMERS k $e",
];

/// What to do to a key of a type, and how to see all of it.
fn trade(road: &mut Road) -> (&'static [&'static str], &'static str) {
    match &road.line("TYPE k")[..] {
        b"+string\r\n" => (STRING, "GET k"),
        b"+list\r\n" => (LIST, "LRANGE k 0 -1"),
        b"+set\r\n" => (SET, "SMEMBERS k"),
        b"+zset\r\n" => (ZSET, "ZRANGE k 0 -1 WITHSCORES"),
        b"+hash\r\n" => (HASH, "HGETALL k"),
        b"+stream\r\n" => (STREAM, "XRANGE k - +"),
        _ => (&[], "TYPE k"),
    }
}

/// Words that a value has, to be told of again.
fn pool(road: &mut Road, walk: &str) -> Vec<Vec<u8>> {
    let mut pool = bulks(&road.line(walk), 40);
    if walk.starts_with('X') {
        pool.extend(bulks(&road.line("XINFO STREAM k FULL"), 60));
    }
    pool.truncate(80);
    pool
}

/// What stands for a placeholder.
fn word(kind: u8, by: u8, pool: &[Vec<u8>]) -> Vec<u8> {
    const FLOATS: [&str; 12] = [
        "0",
        "-0",
        "1",
        "1.5",
        "-3",
        "inf",
        "-inf",
        "1e308",
        "5e-324",
        "3.14159",
        "9007199254740993",
        "-1e300",
    ];
    const NUMBERS: [i64; 12] =
        [0, -1, 1, 127, -129, 32768, -2147483649, 4294967295, i64::MAX, i64::MIN, 1750000000000, 63];
    let small = i64::from(by as i8);
    match kind {
        b'e' if !pool.is_empty() => pool[usize::from(by) % pool.len()].clone(),
        b'd' => {
            let ids: Vec<_> =
                pool.iter().filter(|word| word.contains(&b'-') && word[0].is_ascii_digit()).collect();
            match ids.get(usize::from(by) % (ids.len() + 1)) {
                Some(id) => id.to_vec(),
                None => [&b"0-1"[..], b"5", b"18446744073709551615-18446744073709551615", b"1-0"]
                    [usize::from(by & 3)]
                .to_vec(),
            }
        }
        b'n' => (by % 70).to_string().into_bytes(),
        b'i' => small.to_string().into_bytes(),
        b'm' => NUMBERS[usize::from(by) % NUMBERS.len()].to_string().into_bytes(),
        b'f' => FLOATS[usize::from(by) % FLOATS.len()].into(),
        _ => match by % 4 {
            0 => vec![b'v'; usize::from(by)],
            1 => small.to_string().into_bytes(),
            2 => NUMBERS[usize::from(by / 4) % NUMBERS.len()].to_string().into_bytes(),
            _ => vec![by, by / 3],
        },
    }
}

/// A template's words, with something for its placeholders.
fn request(template: &str, by: u8, pool: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut by = by;
    let mut fill = |text: &str| {
        let Some((before, kind)) = text.split_once('$') else { return text.into() };
        by = by.wrapping_mul(31).wrapping_add(17);
        [before.as_bytes(), &word(kind.as_bytes()[0], by, pool)].concat()
    };
    template.split(' ').map(&mut fill).collect()
}

fn step(road: &mut Road, [what, by]: [u8; 2]) {
    let (of_type, walk) = trade(road);
    let all = of_type.len() + ANY.len();
    let which = usize::from(what) % all;
    let template = of_type.get(which).unwrap_or_else(|| &ANY[which - of_type.len()]);
    let words = request(template, by, &pool(road, walk));
    let answer = road.call(&words.iter().map(Vec::as_slice).collect::<Vec<_>>());
    if std::env::var_os("RESNAP_FUZZ_LOG").is_some() {
        let line: Vec<String> = words.iter().map(|word| word.escape_ascii().to_string()).collect();
        eprintln!("{}\n  {}", line.join(" "), answer.escape_ascii());
    }
}

/// A payload as DUMP would have made it.
fn with_footer(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = [body, &version.to_le_bytes()].concat();
    payload.extend_from_slice(&crc64(0, &payload).to_le_bytes());
    payload
}

/// What the append log's base says in commands of a value makes the value again.
fn rewritten(road: &mut Road, dumped: &[u8], digest: &[u8]) {
    // Expiries that are past are not set again; entries of streams may be out of order, as in real servers, and
    // cannot be added so.
    const OTHERWISE: [u8; 7] = [15, 19, 21, 22, 23, 24, 25];
    let limits = Limits::default();
    let options = LoadOptions { limits: &limits, strict: true, salvage: false };
    let Ok(value) = restore(dumped, &options, true) else { return };
    if OTHERWISE.contains(&dumped[0]) {
        return;
    }
    let mut commands = Commands::new(Vec::new());
    let info = KeyInfo { key: b"written", ..KeyInfo::default() };
    commands.key(&info, Body::from(&value)).expect("memory takes it");
    let commands = commands.finish().expect("memory takes it");
    // A listpack keeps no sign of zero, in real servers as here; it is lost where one is on the way to a tree.
    if commands.windows(6).any(|word| word == b"\r\n-0\r\n") {
        return;
    }
    road.feed(&commands);
    let same = road.line("DEBUG DIGEST-VALUE written") == digest;
    assert!(same, "another value was logged: {}", commands.escape_ascii());
}

/// The dump of a key, if there is one.
fn dump(road: &mut Road, key: &[u8]) -> Option<Vec<u8>> {
    bulks(&road.call(&[b"DUMP", key]), 1).pop()
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices::new(data);
    let how = choices.byte();
    let steps = choices.below(16);
    let plan = choices.bytes(2 * steps);
    let strict = how & 1 == 0;
    let version = [12, 12, 80, 6][usize::from(how >> 1 & 3)];
    ROADS.with(|roads| {
        let road = &mut *roads[usize::from(!strict)].borrow_mut();
        road.begin();
        let payload = with_footer(choices.rest(), version);
        if road.call(&[b"RESTORE", b"k", b"0", &payload]) != b"+OK\r\n" {
            return;
        }
        let (_, walk) = trade(road);
        pool(road, walk);
        for plan in plan.as_chunks::<2>().0 {
            step(road, *plan);
        }
        let Some(dumped) = dump(road, b"k") else { return };
        let answer = road.call(&[b"RESTORE", b"again", b"0", &dumped]);
        // A tree of members keeps the sign of zero; what is small comes back as a listpack, which does not.
        const ZSET: u8 = 5;
        if dumped[0] == ZSET && dumped.windows(8).any(|score| score == (-0.0_f64).to_le_bytes()) {
            return;
        }
        // What was let in unseen may be found out at the second look.
        if strict || answer == b"+OK\r\n" {
            assert_eq!(String::from_utf8_lossy(&answer), "+OK\r\n");
            road.line("PERSIST k"); // a digest has the expiry, too
            let digest = |road: &mut Road, key| road.line(&format!("DEBUG DIGEST-VALUE {key}"));
            let [before, after] = ["k", "again"].map(|key| digest(road, key));
            assert!(before == after || !strict, "another value came back");
            if strict {
                rewritten(road, &dumped, &before);
            }
        }
    });
});
