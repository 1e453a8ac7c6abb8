//! What is sent: rounds of steps, made of a seed and a number alone, so that any of them can be made again.

use fastrand::Rng;

use super::cover::is_drawn;
use super::grammar::Verb;
use super::harm::harmless;
use super::words::{Word, Words, line};

/// How many connections take part.
pub const CONNS: usize = 6;

/// One sequence: begins with empty databases, new connections and this configuration.
#[derive(Clone)]
pub struct Round {
    pub seed: u64,
    pub number: u64,
    pub config: Vec<(&'static str, String)>,
    pub steps: Vec<Step>,
}

/// A request.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub conn: usize,
    pub args: Vec<Word>,
    /// Something lapses a millisecond later: everyone waits until it has.
    pub lapses: bool,
}

impl Step {
    /// Whether this is the command (and subcommand) with this lowercase name.
    pub fn is(&self, name: &str) -> bool {
        let mut words = name.split(' ');
        let same = |(arg, word): (&Word, &str)| arg.eq_ignore_ascii_case(word.as_bytes());
        self.args.len() >= words.clone().count() && self.args.iter().zip(&mut words).all(same)
    }

    pub fn is_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    /// Whether one of the words after the name is this one.
    pub fn has(&self, word: &str) -> bool {
        self.args.iter().skip(1).any(|arg| arg.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// The name as it came, for reports.
    pub fn name(&self) -> String {
        let first = self.args.first().map(|w| String::from_utf8_lossy(w).to_lowercase()).unwrap_or_default();
        let containers = [
            "xgroup", "xinfo", "client", "object", "pubsub", "config", "command", "memory", "debug",
            "pfdebug",
        ];
        match self.args.get(1).filter(|_| containers.contains(&first.as_str())) {
            Some(sub) => format!("{first} {}", String::from_utf8_lossy(sub).to_lowercase()),
            None => first,
        }
    }
}

/// How often, against 10 for most.
fn weight(verb: &Verb) -> u32 {
    match verb.name[0].as_str() {
        "set" | "append" | "setrange" | "incrby" | "lpush" | "rpush" | "sadd" | "zadd" | "hset" | "pfadd" => {
            40
        }
        "xadd" => 70,
        "geoadd" | "setbit" | "bitfield" | "linsert" | "lset" | "zincrby" | "hincrby" => 25,
        "xgroup" | "xreadgroup" | "xack" | "xclaim" | "xautoclaim" | "xpending" | "xinfo" | "sort"
        | "zrange" => 20,
        "del" | "unlink" | "rename" | "move" | "getdel" => 5,
        "randomkey" | "scan" | "keys" | "psubscribe" | "ssubscribe" | "pubsub" => 4,
        "subscribe" => 2,
        _ => 10,
    }
}

/// Makes rounds.
pub struct Planner {
    verbs: Vec<Verb>,
    /// Verbs by weight: an index into `verbs` as often as it weighs.
    lots: Vec<usize>,
}

impl Planner {
    pub fn new() -> Planner {
        let mut verbs = super::grammar::verbs();
        verbs.retain(is_drawn);
        let lots = verbs.iter().enumerate().flat_map(|(at, verb)| vec![at; weight(verb) as usize]).collect();
        Planner { verbs, lots }
    }

    pub fn round(&self, seed: u64, number: u64) -> Round {
        let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let size = *rng.choice([100, 300, 300, 600].iter()).expect("four");
        let config = config(&mut rng);
        let mut round = Round { seed, number, config, steps: Vec::new() };
        let mut draft = Draft::new(self, Words::new(rng));
        draft.hellos();
        while draft.steps.len() < size {
            draft.burst();
        }
        round.steps = draft.steps;
        round
    }
}

/// Thresholds, mostly so small that encodings change all the time.
pub fn config(rng: &mut Rng) -> Vec<(&'static str, String)> {
    let mut one =
        |name: &'static str, from: &[&str]| (name, (*rng.choice(from.iter()).expect("not empty")).to_owned());
    vec![
        one("hash-max-listpack-entries", &["4", "8", "512", "0"]),
        one("hash-max-listpack-value", &["64", "64", "8"]),
        one("set-max-intset-entries", &["4", "512", "0"]),
        one("set-max-listpack-entries", &["4", "128", "0"]),
        one("set-max-listpack-value", &["64", "64", "8"]),
        one("zset-max-listpack-entries", &["4", "128", "0"]),
        one("zset-max-listpack-value", &["64", "64", "8"]),
        one("list-max-listpack-size", &["-2", "4", "1", "128", "-1"]),
        one("list-compress-depth", &["0", "0", "1"]),
        one("stream-node-max-entries", &["100", "3", "0"]),
        one("stream-node-max-bytes", &["4096", "0", "200"]),
        one("hll-sparse-max-bytes", &["3000", "3000", "40", "0"]),
        one("maxmemory-policy", &["noeviction", "noeviction", "allkeys-lfu"]),
        one("notify-keyspace-events", &["KEA", "KEAmn", "", "Ex", "Kgsh"]),
    ]
}

/// A round in the making.
pub struct Draft<'p> {
    planner: &'p Planner,
    pub words: Words,
    steps: Vec<Step>,
    /// Connections that are within MULTI, as far as one knows who does not see the answers.
    pub queueing: [bool; CONNS],
    /// A queued command lets something lapse: wait after EXEC.
    lapses: [bool; CONNS],
}

impl Draft<'_> {
    fn new(planner: &Planner, words: Words) -> Draft<'_> {
        Draft { planner, words, steps: Vec::new(), queueing: [false; CONNS], lapses: [false; CONNS] }
    }

    /// The odd connections speak RESP3.
    fn hellos(&mut self) {
        for conn in (1..CONNS).step_by(2) {
            self.push(conn, line("HELLO 3"));
        }
    }

    /// Some commands of one connection. The last two wait for keys, the one before listens, more than others.
    fn burst(&mut self) {
        let conn = self.words.pick(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5]);
        let len = if conn < 4 { self.words.rng.usize(1..20) } else { 1 };
        for _ in 0..len {
            match conn {
                4 | 5 if !self.queueing[conn] && self.words.one_in(2) => self.wait(conn),
                _ => self.command(conn),
            }
        }
    }

    fn command(&mut self, conn: usize) {
        if self.queueing[conn] && self.words.one_in(7) {
            return self.end_transaction(conn);
        }
        if self.words.one_in(12) {
            return self.by_hand(conn);
        }
        let args = self.drawn();
        let args = if self.words.one_in(18) { self.damaged(args) } else { args };
        self.push(conn, args);
    }

    pub fn drawn(&mut self) -> Vec<Word> {
        let lot = self.words.rng.usize(0..self.planner.lots.len());
        self.words.command(&self.planner.verbs[self.planner.lots[lot]])
    }

    /// A command that waits.
    fn wait(&mut self, conn: usize) {
        let names = [
            "blpop",
            "brpop",
            "blmove",
            "blmpop",
            "bzpopmin",
            "bzpopmax",
            "bzmpop",
            "brpoplpush",
            "xread",
            "xreadgroup",
        ];
        let name = self.words.pick(&names);
        let verb = self.planner.verbs.iter().find(|verb| verb.name[0] == name).expect("it is documented");
        let args = self.words.command(verb);
        self.push(conn, args);
    }

    pub fn push(&mut self, conn: usize, args: Vec<Word>) {
        let lapses = std::mem::take(&mut self.words.lapses);
        self.lapses[conn] |= lapses && self.queueing[conn];
        let mut step = Step { conn, args, lapses };
        harmless(&mut step);
        self.steps.push(step);
    }

    fn end_transaction(&mut self, conn: usize) {
        self.queueing[conn] = false;
        self.words.lapses = std::mem::take(&mut self.lapses[conn]);
        let word = if self.words.one_in(10) { "DISCARD" } else { "EXEC" };
        self.push(conn, line(word));
    }
}
