//! Lines of requests to a server without sockets: no handler panics, hangs or takes memory by what it is told.
#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use resnap::text::words;
use resnap_fuzz::{Capped, Road};

#[global_allocator]
static ALLOCATOR: Capped = Capped;

thread_local! {
    static ROAD: RefCell<Road> = RefCell::new(Road::new(&[]));
}

/// What reaches beyond the process, ends it, or sleeps. (What changes the config would change the next input, too.)
const NEVER: &[&str] = &[
    "SHUTDOWN",
    "SAVE",
    "BGSAVE",
    "BGREWRITEAOF",
    "DEBUG",
    "CONFIG",
    "REPLICAOF",
    "SLAVEOF",
    "MIGRATE",
    "FAILOVER",
    "MONITOR",
    "PFSELFTEST",
    "MODULE",
    "CLUSTER",
    "PSYNC",
    "SYNC",
];
/// These give as many elements as they are asked for, the same ones again and again.
const GENEROUS: &[&str] = &["SRANDMEMBER", "HRANDFIELD", "ZRANDMEMBER"];

/// Whether a request is fit to be run here.
fn is_fit(line: &[u8]) -> bool {
    let Ok(words) = words::split(line) else { return true };
    let is =
        |word: &[u8], names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
    let many = |word: &[u8]| word.starts_with(b"-") && word.len() > 4;
    !words
        .first()
        .is_some_and(|name| is(name, NEVER) || (is(name, GENEROUS) && words.iter().any(|word| many(word))))
}

fuzz_target!(|data: &[u8]| {
    ROAD.with_borrow_mut(|road| {
        road.begin();
        for line in data.split(|byte| *byte == b'\n').take(64) {
            if line.first() != Some(&b'*') && is_fit(line) {
                road.feed(&[line, b"\n"].concat());
            }
        }
        // What came of it can be written and read.
        for key in ["k", "l", "s", "z", "h", "x", "a", "b"] {
            let dump = road.call(&[b"DUMP", key.as_bytes()]);
            if let [payload] = &resnap_fuzz::bulks(&dump, 1)[..] {
                road.call(&[b"RESTORE", b"copy", b"0", payload, b"REPLACE"]);
            }
        }
    });
});
