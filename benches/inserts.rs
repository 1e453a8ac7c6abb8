//! The longest command while ten million keys are added: does a table that grows ever make somebody wait?
//!
//! `cargo bench --bench inserts` measures all kinds, `cargo bench --bench inserts -- keys` one. Real servers run beside
//! ours if `RESNAP_REAL` and `RESNAP_VALKEY9` name their programs; `RESNAP_INSERTS` is how many are added.
//!
//! What is measured is CPU time of the thread that executes commands, by the kernel's account of it, which is exact when
//! the thread sleeps. A figure is that of 64 commands sent together, with the wake-up, the read and the write that they
//! cost: none of them took longer. All is done three times, and each batch counts with its shortest time: what a table
//! does it does at the same size again, what a host does to a virtual machine (whose account shows it as run time) not.

mod servers;

use servers::{Program, Server, is_wanted, keep_to_second_core, number, programs, request};

const AT_ONCE: u64 = 64;

/// What is added: its name, and request number `i`.
type Kind = (&'static str, fn(u64) -> Vec<u8>);

const KINDS: [Kind; 4] = [
    ("keys", |i| request(&["SET", &format!("key:{i:012}"), "some value of 32 bytes in length"])),
    ("expiring-keys", |i| {
        request(&["SET", &format!("key:{i:012}"), "v", "EX", &(100_000 + i % 50_000).to_string()])
    }),
    ("set-members", |i| request(&["SADD", "set", &format!("member:{i:09}")])),
    ("sorted-set", |i| {
        request(&["ZADD", "zset", &(i * 7919 % 10_000_019).to_string(), &format!("member:{i:09}")])
    }),
];

/// Nanoseconds that the server's main thread has run.
fn run_time(pid: u32) -> u64 {
    let text =
        std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/schedstat")).expect("the server lives");
    text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number")
}

/// Nanoseconds of every batch.
fn measure(server: &Server, nth: fn(u64) -> Vec<u8>) -> Vec<u64> {
    let (mut client, pid) = (server.client(), server.child.id());
    let (mut before, mut took) = (run_time(pid), Vec::new());
    let count = number("RESNAP_INSERTS", 10_000_000);
    for from in (0..count).step_by(AT_ONCE as usize) {
        client.batch(from, count.min(from + AT_ONCE), nth);
        // The account is written when the thread goes to sleep.
        let after = std::iter::repeat_with(|| run_time(pid)).find(|after| *after != before);
        let after = after.expect("the iterator has no end");
        took.push(after - before);
        before = after;
    }
    took
}

/// The shortest time of every batch, in order of their length.
fn shortest(program: &Program, nth: fn(u64) -> Vec<u8>) -> Vec<u64> {
    const ROUNDS: usize = 3;
    let rounds = std::iter::repeat_with(|| measure(&Server::start(program, &[]), nth)).take(ROUNDS);
    let shorter = |a: Vec<u64>, b: Vec<u64>| a.into_iter().zip(b).map(|(a, b)| a.min(b)).collect();
    let mut took = rounds.reduce(shorter).expect("there are rounds");
    took.sort_unstable();
    took
}

fn main() {
    keep_to_second_core();
    println!("microseconds of CPU time for {AT_ONCE} commands");
    println!("kind           server       median    p99.99   longest   over 1 ms");
    for (name, nth) in KINDS.into_iter().filter(|(name, _)| is_wanted(name)) {
        for program in programs() {
            let took = shortest(&program, nth);
            let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize] as f64 / 1e3;
            let long = took.iter().filter(|took| **took > 1_000_000).count();
            let (median, tail, longest) = (at(0.5), at(0.9999), at(1.0));
            println!("{name:14} {:8} {median:10.1} {tail:9.1} {longest:9.1} {long:11}", program.name);
        }
    }
}
