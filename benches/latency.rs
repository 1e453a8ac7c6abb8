//! Latency under load: what a steady load at half of the peak rate notices of something big that the server does.
//!
//! `cargo bench --bench latency` runs all scenes, `cargo bench --bench latency -- idle unlink` some. Real servers run
//! beside ours if `RESNAP_REAL` and `RESNAP_VALKEY9` name their programs; `RESNAP_SET` is the size of the big set
//! (10,000,000), `RESNAP_ROUNDS` how often all is repeated (5). The best round counts: what a server does it does in
//! every round, what its neighbours on the machine do is not its own.
//!
//! The load is open: requests are due at fixed times, whether earlier ones were answered or not, and a latency counts
//! from when its request was due, so that a stall is charged for all who would have come meanwhile. All servers get the
//! same rate, half of what the slowest of them does with a closed load. The server, its helper threads with it, has one
//! core; the client, which never sleeps, has the other. When the client itself stood still (a machine that is shared
//! stops it now and then), the requests of that time are left out; how many is shown. Needs two cores and `taskset`.

mod servers;

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use servers::{Client, Program, Server, is_wanted, keep_to_second_core, number, programs, request};

const CONNECTIONS: usize = 50;
/// Keys that are there from the beginning.
const KEYS: u64 = 1_000_000;
const LENGTH: Duration = Duration::from_secs(3);
/// How often a scene may do something.
const BEAT: Duration = Duration::from_millis(20);
/// The beat at which the big thing happens.
const THEN: u32 = 25;
/// Keys that expire at one moment.
const EXPIRING: u64 = 500_000;

/// Something that happens beside the load.
struct Scene {
    name: &'static str,
    prepare: fn(&mut Client),
    /// Called at every beat.
    disturb: fn(&mut Client, u32),
    /// Half of the load's requests add a key, instead of changing one.
    grows: bool,
}

const SCENES: [Scene; 8] = [
    scene("idle", |_| {}, |_, _| {}),
    scene("expiring-keys", add_expiring_keys, |_, _| {}),
    scene("unlink", add_big_set, |client, beat| at(client, beat, &["UNLINK", "big"])),
    scene("del-lazy", add_big_set, |client, beat| at(client, beat, &["DEL", "big"])),
    scene("expiring-set", add_big_set, |client, beat| at(client, beat, &["PEXPIRE", "big", "1"])),
    scene("flushall-async", add_big_set, |client, beat| at(client, beat, &["FLUSHALL", "ASYNC"])),
    Scene { grows: true, ..scene("growing-table", |_| {}, |_, _| {}) },
    scene("slow-reader", add_big_value, ask_and_never_read),
];

const fn scene(name: &'static str, prepare: fn(&mut Client), disturb: fn(&mut Client, u32)) -> Scene {
    Scene { name, prepare, disturb, grows: false }
}

/// All at one moment, while the load runs.
fn add_expiring_keys(client: &mut Client) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    let moment = since + Duration::from_secs(5);
    let at = moment.as_millis().to_string();
    pipeline(client, EXPIRING, |i| request(&["SET", &format!("brief:{i:012}"), "v", "PXAT", &at]));
    let left = moment - Duration::from_millis(500);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    std::thread::sleep(left.checked_sub(now).expect("filling it took too long"));
}

fn add_big_set(client: &mut Client) {
    const AT_ONCE: u64 = 500;
    pipeline(client, number("RESNAP_SET", 10_000_000) / AT_ONCE, |i| {
        let members: Vec<String> = (0..AT_ONCE).map(|k| format!("member:{:09}", i * AT_ONCE + k)).collect();
        let mut words = vec!["SADD", "big"];
        words.extend(members.iter().map(String::as_str));
        request(&words)
    });
}

fn add_big_value(client: &mut Client) {
    let value = "v".repeat(1 << 20);
    pipeline(client, 1, |_| request(&["SET", "big", &value]));
}

/// A megabyte at every beat for two seconds; then the client leaves.
fn ask_and_never_read(client: &mut Client, beat: u32) {
    match beat {
        THEN..125 => client.send(&request(&["GET", "big"])),
        125 => client.stream.shutdown(std::net::Shutdown::Both).expect("it is open"),
        _ => {}
    }
}

/// A server with a million keys.
fn filled(program: &Program) -> Server {
    let lazy = ["--lazyfree-lazy-user-del", "yes", "--lazyfree-lazy-expire", "yes"];
    let server = Server::start(program, &lazy);
    pipeline(&mut server.client(), KEYS, |i| request(&["SET", &key(i), &"v".repeat(32)]));
    server
}

/// Sends many requests whose answers are one line each.
fn pipeline(client: &mut Client, count: u64, nth: impl Fn(u64) -> Vec<u8>) {
    const AT_ONCE: u64 = 100;
    for from in (0..count).step_by(AT_ONCE as usize) {
        client.batch(from, count.min(from + AT_ONCE), &nth);
    }
}

/// Sends a request when its time has come.
fn at(client: &mut Client, beat: u32, words: &[&str]) {
    if beat == THEN {
        client.send(&request(words));
    }
}

fn key(i: u64) -> String {
    format!("key:{i:012}")
}

/// Connections on which requests are sent without waiting.
struct Load {
    connections: Vec<Connection>,
    /// Connections that wait for answers.
    waiting: Vec<usize>,
    answered: Vec<Span>,
    watch: Watch,
    rng: fastrand::Rng,
    added: u64,
    grows: bool,
}

/// From when until when.
#[derive(Clone, Copy)]
struct Span {
    from: Instant,
    until: Instant,
}

impl Span {
    fn meets(&self, other: &Span) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// Notices when the client stands still: a step of it takes some microseconds.
struct Watch {
    seen: Instant,
    holes: Vec<Span>,
}

impl Watch {
    const LONG: Duration = Duration::from_micros(300);

    fn look(&mut self) -> Instant {
        let now = Instant::now();
        if now - self.seen > Watch::LONG {
            self.holes.push(Span { from: self.seen, until: now });
        }
        self.seen = now;
        now
    }
}

struct Connection {
    stream: TcpStream,
    /// When the requests were due that are not answered.
    due: VecDeque<Instant>,
    input: Vec<u8>,
}

impl Load {
    fn new(server: &Server, grows: bool) -> Load {
        let open = |_| {
            let stream = server.client().stream;
            stream.set_nonblocking(true).expect("settable");
            Connection { stream, due: VecDeque::new(), input: Vec::new() }
        };
        let connections = (0..CONNECTIONS).map(open).collect();
        let rng = fastrand::Rng::with_seed(1);
        let watch = Watch { seen: Instant::now(), holes: Vec::new() };
        Load { connections, waiting: Vec::new(), answered: Vec::new(), watch, rng, added: 0, grows }
    }

    /// Sends a GET or a SET.
    fn send(&mut self, at: usize, due: Instant) {
        let known = key(self.rng.u64(..KEYS));
        let bytes = match self.rng.bool() {
            true => request(&["GET", &known]),
            false if self.grows => {
                self.added += 1;
                request(&["SET", &key(KEYS + self.added), &"n".repeat(32)])
            }
            false => request(&["SET", &known, &"w".repeat(32)]),
        };
        let connection = &mut self.connections[at];
        connection.stream.write_all(&bytes).expect("it takes requests");
        if connection.due.is_empty() {
            self.waiting.push(at);
        }
        connection.due.push_back(due);
    }

    /// Takes the answers that have come; gives the connections that wait no more.
    fn take(&mut self) -> Vec<usize> {
        let waiting = std::mem::take(&mut self.waiting);
        let (still, done) = waiting.into_iter().partition(|at| {
            let connection = &mut self.connections[*at];
            connection.take(&mut self.answered, &mut self.watch);
            !connection.due.is_empty()
        });
        self.waiting = still;
        done
    }

    /// As many requests as it answers, one at a time on each connection: requests per second.
    fn peak(&mut self, length: Duration) -> f64 {
        let start = Instant::now();
        (0..CONNECTIONS).for_each(|at| self.send(at, start));
        while start.elapsed() < length {
            for at in self.take() {
                self.send(at, Instant::now());
            }
        }
        let answered = std::mem::take(&mut self.answered).len() as f64;
        while !self.waiting.is_empty() {
            self.take();
        }
        answered / length.as_secs_f64()
    }

    /// Requests at a fixed rate. `beat` is called with the number of each beat.
    fn steady(&mut self, rate: f64, length: Duration, mut beat: impl FnMut(u32)) -> Figures {
        let count = (rate * length.as_secs_f64()) as u32;
        let (start, mut sent, mut beats) = (Instant::now(), 0, 0);
        self.answered.clear();
        self.watch = Watch { seen: start, holes: Vec::new() };
        while sent < count || !self.waiting.is_empty() {
            // All that are due, also after a stall: the client must not be what holds the load back.
            let due_by_now = count.min((start.elapsed().as_secs_f64() * rate) as u32 + 1);
            for number in sent..due_by_now {
                let due = start + Duration::from_secs_f64(f64::from(number) / rate);
                self.send(number as usize % CONNECTIONS, due);
                self.watch.look();
            }
            sent = due_by_now;
            if start.elapsed() >= beats * BEAT {
                beat(beats);
                beats += 1;
                self.watch.seen = Instant::now();
            }
            self.take();
        }
        self.figures()
    }

    fn figures(&self) -> Figures {
        let whole = |span: &&Span| !self.watch.holes.iter().any(|hole| hole.meets(span));
        let took = self.answered.iter().filter(whole).map(|span| span.until - span.from);
        let mut took: Vec<Duration> = took.collect();
        took.sort_unstable();
        let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let kept = took.len() as f64 / self.answered.len() as f64;
        [at(0.5), at(0.99), at(0.999), at(1.0), 100.0 * (1.0 - kept)]
    }
}

impl Connection {
    fn take(&mut self, answered: &mut Vec<Span>, watch: &mut Watch) {
        let mut bytes = [0; 4096];
        let read = self.stream.read(&mut bytes);
        let now = watch.look();
        match read {
            Ok(0) => panic!("it hung up"),
            Ok(got) => self.input.extend_from_slice(&bytes[..got]),
            Err(error) => return assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        while let Some(len) = answer(&self.input) {
            self.input.drain(..len);
            let due = self.due.pop_front().expect("one answer for each request");
            answered.push(Span { from: due, until: now });
        }
    }
}

/// The length of the first answer, a line or a text, if it is whole.
fn answer(input: &[u8]) -> Option<usize> {
    let line = input.iter().position(|byte| *byte == b'\n')? + 1;
    let text = std::str::from_utf8(&input[..line]).expect("a line").trim_end();
    assert!(!text.starts_with('-'), "{text}");
    let length = text.strip_prefix('$').filter(|length| *length != "-1");
    let whole = length.map_or(line, |length| line + length.parse::<usize>().expect("a length") + 2);
    (input.len() >= whole).then_some(whole)
}

/// Milliseconds: p50, p99, p99.9, and the longest; and how many requests were left out, in percent.
type Figures = [f64; 5];

fn run(program: &Program, scene: &Scene, rate: f64) -> Figures {
    let server = filled(program);
    let mut client = server.client();
    let mut load = Load::new(&server, scene.grows);
    load.steady(rate, Duration::from_millis(500), |_| {});
    (scene.prepare)(&mut client);
    load.steady(rate, LENGTH, |beat| (scene.disturb)(&mut client, beat))
}

/// Of each figure the best of all rounds.
fn best(rounds: &[Figures]) -> Figures {
    [0, 1, 2, 3, 4].map(|which| rounds.iter().map(|figures| figures[which]).fold(f64::INFINITY, f64::min))
}

fn show(scene: &Scene, programs: &[Program], rounds: &[Vec<Figures>]) {
    let ours = best(&rounds[0]);
    for (program, rounds) in programs.iter().zip(rounds) {
        let its = best(rounds);
        let [p50, p99, p999, most, left_out] = its;
        print!("{:16} {:8} {p50:9.3} {p99:9.3} {p999:9.3} {most:9.3}", scene.name, program.name);
        print!("  {left_out:6.1} %");
        println!("   {:8.2} {:8.2}", ours[1] / its[1], ours[2] / its[2]);
    }
}

fn main() {
    keep_to_second_core();
    let programs = programs();
    let peak = |program: &Program| {
        let server = filled(program);
        let mut load = Load::new(&server, false);
        (0..3).map(|_| load.peak(Duration::from_secs(1))).fold(0.0, f64::max)
    };
    let peaks: Vec<f64> = programs.iter().map(peak).collect();
    let rate = peaks.iter().copied().fold(f64::INFINITY, f64::min) / 2.0;
    for (program, peak) in programs.iter().zip(&peaks) {
        println!("{}: {peak:.0} requests a second at most", program.name);
    }
    println!("load: {rate:.0} requests a second, latencies in ms; ratios are ours / the line's");
    println!("scene            server         p50       p99     p99.9   longest  left out    / p99  / p99.9");
    for scene in SCENES.iter().filter(|scene| is_wanted(scene.name)) {
        let mut rounds = vec![Vec::new(); programs.len()];
        for _ in 0..number("RESNAP_ROUNDS", 5) {
            for (program, rounds) in programs.iter().zip(&mut rounds) {
                rounds.push(run(program, scene, rate));
            }
        }
        show(scene, &programs, &rounds);
    }
}
