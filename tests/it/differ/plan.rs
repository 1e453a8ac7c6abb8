//! What is sent: rounds of steps, made of a seed and a number alone, so that any of them can be made again.

use fastrand::Rng;

use super::grammar::Verb;
use super::judge::is_scan;
use super::stage::timeout_at;
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
        let containers =
            ["xgroup", "xinfo", "client", "object", "pubsub", "config", "command", "memory", "debug"];
        match self.args.get(1).filter(|_| containers.contains(&first.as_str())) {
            Some(sub) => format!("{first} {}", String::from_utf8_lossy(sub).to_lowercase()),
            None => first,
        }
    }
}

/// Commands that the generator does not draw from the documentation's trees; each with its reason.
fn left_out(verb: &Verb) -> bool {
    match verb.group.as_str() {
        // Not built, or about other machines.
        "scripting" | "cluster" | "sentinel" => true,
        // Of these the ones that are about data are written below, by hand: the others are about the process, have
        // volatile answers, and recordings.
        "server" | "connection" => true,
        _ => match verb.name[0].as_str() {
            // To other machines.
            "migrate" | "wait" | "waitaof" => true,
            // Tests of the real server's own making.
            "pfselftest" | "pfdebug" => true,
            // Written below.
            "multi" | "exec" | "discard" => true,
            // A function of the time, and errors without an eviction policy for it.
            "object" => verb.name[1] == "freq" || verb.name[1] == "help",
            _ => verb.name.get(1).is_some_and(|sub| sub == "help"),
        },
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
        verbs.retain(|verb| !left_out(verb));
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
fn config(rng: &mut Rng) -> Vec<(&'static str, String)> {
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
        one("notify-keyspace-events", &["KEA", "KEAmn", "", "Ex", "Kgsh"]),
    ]
}

/// A round in the making.
struct Draft<'p> {
    planner: &'p Planner,
    words: Words,
    steps: Vec<Step>,
    /// Connections that are within MULTI, as far as one knows who does not see the answers.
    queueing: [bool; CONNS],
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

    fn drawn(&mut self) -> Vec<Word> {
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

    fn push(&mut self, conn: usize, args: Vec<Word>) {
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

    /// What is drawn from no tree: transactions, and of the server what is about data.
    fn by_hand(&mut self, conn: usize) {
        let args = match self.words.rng.u32(0..34) {
            0..=9 => {
                if self.words.one_in(2) {
                    let watch = vec![b"WATCH".to_vec(), self.words.any_key(), self.words.any_key()];
                    self.push(conn, watch);
                }
                self.queueing[conn] = true;
                line("MULTI")
            }
            10 => line(self.words.pick(&[
                "EXEC",
                "DISCARD",
                "UNWATCH",
                "MULTI x",
                "EXEC x",
                "RESET",
                "HELLO",
                "HELLO 4",
                "HELLO 3 SETNAME x",
                "HELLO 2",
            ])),
            11 | 12 => {
                vec![b"SELECT".to_vec(), self.words.pick(&["0", "0", "0", "1", "16", "-1", "x"]).into()]
            }
            13 => line(self.words.pick(&[
                "FLUSHDB",
                "FLUSHALL",
                "FLUSHDB ASYNC",
                "FLUSHALL SYNC",
                "FLUSHALL x",
                "SWAPDB 0 1",
                "SWAPDB 1 2",
                "SWAPDB 0 16",
            ])),
            14 => line(self.words.pick(&[
                "DBSIZE",
                "PING",
                "PING x",
                "PING x y",
                "ECHO x",
                "TIME",
                "LASTSAVE x",
                "DBSIZE x",
            ])),
            // Not NO-TOUCH ON: 8.0.6 crashes when it then serves somebody who waits.
            15 => line(self.words.pick(&[
                "CLIENT GETNAME",
                "CLIENT SETNAME me",
                "CLIENT SETNAME",
                "CLIENT NO-TOUCH OFF",
                "CLIENT NO-EVICT OFF",
                "CLIENT GETREDIR",
                "CLIENT x",
                "CLIENT SETINFO LIB-NAME l",
            ])),
            16..=19 => {
                let kind = self.words.pick(&["", " TIMEOUT", " ERROR", " x"]);
                let who = self.words.pick(&["$id4", "$id5", "$id4", "$id5", "$id1", "999999", "abc"]);
                line(&format!("CLIENT UNBLOCK {who}{kind}"))
            }
            20 | 21 => {
                let mut args = line(self.words.pick(&["COMMAND GETKEYS", "COMMAND GETKEYSANDFLAGS"]));
                args.extend(self.drawn());
                self.words.lapses = false;
                args
            }
            22 | 23 => self.configure(),
            24 => vec![b"DEBUG".to_vec(), b"DIGEST-VALUE".to_vec(), self.words.any_key()],
            25 => vec![b"DEBUG".to_vec(), b"OBJECT".to_vec(), self.words.any_key()],
            26 => vec![b"MEMORY".to_vec(), b"USAGE".to_vec(), self.words.any_key()],
            27 if self.words.one_in(12) => line("DEBUG RELOAD"),
            28 => vec![
                self.words.pick(&["NOSUCH", "G\u{e9}T", "", "get\r\nx", "set ", "CONFIG|GET"]).into(),
                self.words.member(),
            ],
            _ => vec![b"OBJECT".to_vec(), b"ENCODING".to_vec(), self.words.any_key()],
        };
        self.push(conn, args);
    }

    fn configure(&mut self) -> Vec<Word> {
        let mut settings = config(&mut self.words.rng);
        // A list of the real server keeps the thresholds that it began with; ours follow the setting.
        settings.retain(|(name, _)| !name.starts_with("list-"));
        let (name, value) = settings[self.words.rng.usize(0..settings.len() - 1)].clone();
        if self.words.one_in(4) {
            return vec![b"CONFIG".to_vec(), b"GET".to_vec(), name.into()];
        }
        vec![b"CONFIG".to_vec(), b"SET".to_vec(), name.into(), value.into()]
    }

    /// A command with something wrong in it, mostly.
    fn damaged(&mut self, mut args: Vec<Word>) -> Vec<Word> {
        const TOKENS: &[&str] = &[
            "NX",
            "XX",
            "GT",
            "LT",
            "CH",
            "INCR",
            "EX",
            "PX",
            "KEEPTTL",
            "PERSIST",
            "GET",
            "WITHSCORES",
            "WITHSCORE",
            "LIMIT",
            "REV",
            "BYLEX",
            "BYSCORE",
            "COUNT",
            "MATCH",
            "ASC",
            "STORE",
            "AGGREGATE",
            "WEIGHTS",
            "SUM",
            "FIELDS",
            "MAXLEN",
            "MINID",
            "~",
            "=",
            "NOACK",
            "STREAMS",
            "REPLACE",
            "ABSTTL",
            "LEFT",
            "RIGHT",
            "BEFORE",
            "ANY",
            "m",
            "WITHDIST",
            "BYRADIUS",
            "FROMMEMBER",
            "BIT",
            "AND",
            "LEN",
            "IDX",
            "OVERFLOW",
            "SAT",
            "FORCE",
            "JUSTID",
            "MKSTREAM",
            "ENTRIESREAD",
            "RANK",
            "MAXLEN",
            "FNX",
            "FXX",
            "WITHVALUES",
            "ALPHA",
            "BY",
            "DESC",
            "MIN",
            "MAX",
        ];
        let at = self.words.rng.usize(1..=args.len());
        let held = at.min(args.len() - 1);
        match self.words.rng.u32(0..9) {
            0 if args.len() > 1 => drop(args.remove(held)),
            1 => args.insert(at, self.words.pick(TOKENS).into()),
            2 => args.insert(at, self.words.edge()),
            3 if args.len() > 1 => args[held] = self.words.edge(),
            4 if args.len() > 1 => args[held] = self.words.any_key(),
            5 if args.len() > 1 => args[held] = self.words.member(),
            6 => args.swap(held, usize::from(held > 0)),
            7 => args.iter_mut().for_each(|arg| arg.make_ascii_lowercase()),
            8 => args.push(args[held].clone()),
            _ => {}
        }
        args
    }
}

/// Without what may have come of a count, an offset or a timeout: an answer of gigabytes, a wait of years.
fn harmless(step: &mut Step) {
    fn number(word: &Word) -> Option<f64> {
        std::str::from_utf8(word).ok()?.trim().trim_start_matches('#').parse().ok()
    }
    if let Some(timeout) = timeout_at(step).and_then(|at| step.args.get_mut(at))
        && (number(timeout).is_some_and(|n| n > 0.02 && n < 1e15) || timeout.starts_with(b"0x"))
    {
        *timeout = b"0".to_vec();
    }
    // Where a cursor stands is each server's own: iterations begin at the beginning.
    let place = if step.is("scan") { 1 } else { 2 };
    if is_scan(step)
        && let Some(cursor) = step.args.get_mut(place)
        && number(cursor).is_some_and(|n| n != 0.0)
    {
        *cursor = b"0".to_vec();
    }
    // The real server cuts an index of LSET to 32 bits, which is no good (`fixtures/oracle/lset.txt`).
    if step.is("lset")
        && let Some(index) = step.args.get_mut(2)
        && number(index).is_some_and(|n| n.abs() > 2e9)
    {
        *index = b"-100".to_vec();
    }
    let bits = step.is_any(&["setbit", "bitfield", "setrange", "bitfield_ro"]);
    let draws = step.is_any(&["srandmember", "hrandfield", "zrandmember"]);
    let counts = step.is_any(&["xautoclaim", "georadius", "srandmember"]);
    for word in step.args.iter_mut().skip(1) {
        let Some(n) = number(word) else { continue };
        let far = n > 1e5 && n < 1e12;
        let many = n < -1000.0 && n > -9e18;
        if bits && far || draws && many || counts && (far || many) {
            *word = b"7".to_vec();
        }
    }
}
