//! Two servers in lockstep: the same steps, and the same must come of them.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::Value;
use crate::oracle::mask::{self, Mask};
use crate::oracle::quote;
use crate::server::Server;

use super::judge;
use super::plan::{Round, Step};
use super::stage::{Answer, Stage, expect_ok, may_wait};
use super::words::Word;

/// The real server and ours.
pub struct Pair {
    path: String,
    real: Stage,
    ours: Stage,
    /// Something was done to ours alone, to follow the real server's choice: counts are not the same any more.
    followed: bool,
    /// The real server looked keys up that it chose by chance: what it missed is not compared any more.
    misses: bool,
    /// Somebody may be told of keys that he has read.
    tracks: bool,
    /// What the round has of `notify-keyspace-events`.
    events: String,
    /// `rdb_changes_since_last_save` when the round began.
    changes: [i64; 2],
}

/// What decides how a set is kept.
const LIMITS: [&str; 2] = ["set-max-intset-entries", "set-max-listpack-entries"];

/// Where the two differ for the first time.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// How many steps were sent.
    pub at: usize,
    /// What it is about: a command's name, or what was compared beside answers.
    pub about: String,
    pub real: String,
    pub ours: String,
    /// Index of the step whose answers these are.
    pub step: Option<Step>,
}

/// A round may end early: with a difference, or because a server is gone.
pub enum End {
    Mismatch(Box<Mismatch>),
    Broken(io::Error),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        End::Broken(error)
    }
}

type Played<T> = Result<T, End>;

impl Pair {
    pub fn start(path: &Path) -> io::Result<Pair> {
        let debug = ["--enable-debug-command", "yes"];
        let real = Stage::new(Server::real(path, &debug)?)?;
        let mut ours = Stage::new(Server::ours(&debug)?)?;
        // The real server writes its own version, ours the lowest that will do.
        ours.must("CONFIG SET rdb-save-version 12")?;
        let path = path.display().to_string();
        Ok(Pair {
            path,
            real,
            ours,
            followed: false,
            misses: false,
            tracks: false,
            events: String::new(),
            changes: [0; 2],
        })
    }

    /// Plays a round; how many commands were compared, or where the difference is.
    pub fn play(&mut self, round: &Round) -> Result<usize, Mismatch> {
        match self.try_play(round) {
            Ok(count) => Ok(count),
            Err(End::Mismatch(found)) => Err(*found),
            Err(End::Broken(error)) => {
                let log = self.ours.server.log();
                let tail: Vec<&str> = log.lines().rev().take(3).collect();
                let alive = [&self.real, &self.ours].map(|stage| stage.server.connect().is_ok());
                let ours = format!("{error}; alive: {alive:?}; the log ends with: {}", tail.join(" / "));
                let path = std::mem::take(&mut self.path);
                *self = Pair::start(Path::new(&path)).expect("servers start again");
                let at = round.steps.len();
                Err(Mismatch { at, about: "connection".to_owned(), real: String::new(), ours, step: None })
            }
        }
    }

    fn try_play(&mut self, round: &Round) -> Played<usize> {
        self.real.begin(round)?;
        self.ours.begin(round)?;
        (self.followed, self.misses) = (false, false);
        self.tracks = round.steps.iter().any(|step| step.is("client tracking"));
        let events = round.config.iter().find(|(name, _)| *name == "notify-keyspace-events");
        self.events = events.map(|(_, value)| value.clone()).unwrap_or_default();
        self.changes = [changes(&mut self.real)?, changes(&mut self.ours)?];
        let mut at = 0;
        let mut looked = 0;
        let mut count = 0;
        while at < round.steps.len() {
            let len = chunk(&round.steps[at..]);
            let steps = &round.steps[at..at + len];
            at += len;
            count += self.chunk(steps, at)?;
            if at - looked >= 50 {
                looked = at;
                self.look(at)?;
            }
        }
        self.look(at)?;
        self.inspect(round, at)?;
        self.counts(round, at)?;
        Ok(count)
    }

    /// Sends steps of one connection and compares what they and others waiting are answered.
    fn chunk(&mut self, steps: &[Step], at: usize) -> Played<usize> {
        let conn = steps[0].conn;
        if self.real.is_blocked(conn) || self.skipped(&steps[0]) {
            return Ok(0);
        }
        if judge::is_scan(&steps[0]) {
            return self.scan(&steps[0], at);
        }
        if by_lex(&steps[0]) && !self.scores_are_equal(&steps[0])? {
            return Ok(0);
        }
        let by_table = stores_set(&steps[0]) && self.comes_of_table(&steps[0])?;
        if steps[0].is("randomkey") {
            self.clear_lapsed(conn)?;
        }
        if sorts(&steps[0]) {
            self.clear_errno()?;
        }
        self.real.send(steps)?;
        self.ours.send(steps)?;
        let answers = self.settle(conn, at)?;
        self.follow(&answers)?;
        self.note_ties(&answers);
        let failed = answers.iter().any(|(real, _)| real.values.iter().any(Value::is_error));
        if by_table
            && !failed
            && let Some(target) = steps[0].args.get(1)
        {
            self.transfer(conn, target)?;
        }
        if steps[0].lapses {
            elapse();
        }
        Ok(steps.len())
    }

    /// SORT of 8.0.6 takes numbers for unreadable if an earlier command, whosever it was, left ERANGE behind. Reading a
    /// score begins without an error.
    fn clear_errno(&mut self) -> io::Result<()> {
        for stage in [&mut self.real, &mut self.ours] {
            stage.control.call(&[b"ZADD".as_slice(), b"k", b"no number", b"member"])?;
        }
        Ok(())
    }

    /// What is shown by chance is looked up by chance.
    fn note_ties(&mut self, answers: &[(Answer, Answer)]) {
        let shows = |(real, _): &(Answer, Answer)| {
            judge::shows_ties(&real.step) || real.queued.iter().any(judge::shows_ties)
        };
        if answers.iter().any(shows) {
            (self.followed, self.misses) = (true, true);
        }
    }

    /// What cannot be compared here and now.
    fn skipped(&self, step: &Step) -> bool {
        let someone_waits = (0..self.real.conns.len()).any(|conn| self.real.is_blocked(conn));
        // Inside a transaction the choice could not be followed before the next command sees it; confirmations of
        // subscriptions would be scattered in EXEC's answer.
        self.real.conns[step.conn].queueing && alone(step) && !step.lapses
            // Whoever waits would have seen another choice, or be served by what is put in its place.
            || someone_waits && (by_clock(step) || stored_ties(step).is_some() || step.is("debug reload"))
    }

    /// What a range by member means where scores differ is not said: in a skip list it depends on its random towers.
    fn scores_are_equal(&mut self, step: &Step) -> Played<bool> {
        let Some(key) = step.args.get(if step.is("zrangestore") { 2 } else { 1 }) else { return Ok(true) };
        let db = self.real.client_field(step.conn, "db")?;
        let mut equal = true;
        for stage in [&mut self.real, &mut self.ours] {
            stage.must(&format!("SELECT {db}"))?;
            let mut scores = ["0", "-1"].map(|at| {
                stage.control.call(&[b"ZRANGE".as_slice(), key, at.as_bytes(), at.as_bytes(), b"WITHSCORES"])
            });
            let [first, last] = scores.each_mut().map(|found| {
                let items = found.as_ref().ok().and_then(|value| value.items());
                items.and_then(|items| items.get(1)).cloned()
            });
            equal &= first == last;
        }
        Ok(equal)
    }

    /// What a set's encoding becomes hangs on the order in which its members come, which is nobody's in a hash table.
    fn comes_of_table(&mut self, step: &Step) -> Played<bool> {
        let db = self.real.client_field(step.conn, "db")?;
        self.real.must(&format!("SELECT {db}"))?;
        self.ours.must(&format!("SELECT {db}"))?;
        let mut any = false;
        for source in step.args.iter().skip(2) {
            let [real, _] = [&mut self.real, &mut self.ours]
                .map(|stage| stage.control.call(&[b"OBJECT".as_slice(), b"ENCODING", source]));
            any |= real?.bytes().is_some_and(|name| name == b"hashtable");
        }
        Ok(any)
    }

    fn settle(&mut self, conn: usize, at: usize) -> Played<Vec<(Answer, Answer)>> {
        let mut all = self.settle_one(conn, at)?;
        for other in 0..self.real.conns.len() {
            if other != conn && (self.real.is_blocked(other) || self.ours.is_blocked(other)) {
                all.extend(self.settle_one(other, at)?);
            }
        }
        Ok(all)
    }

    fn settle_one(&mut self, conn: usize, at: usize) -> Played<Vec<(Answer, Answer)>> {
        let real = self.real.settle(conn)?;
        let ours = self.ours.settle(conn)?;
        if real.len() != ours.len() {
            let next = real.get(ours.len()).or(ours.get(real.len())).expect("one has more");
            let shown = |answers: &[Answer], other: usize| match answers.get(other) {
                Some(answer) => show(&answer.values),
                None => "<blocks>".to_owned(),
            };
            let (a, b) = (shown(&real, ours.len()), shown(&ours, real.len()));
            return Err(mismatch(at, &next.step.name(), a, b, Some(next.step.clone())));
        }
        for (real, ours) in real.iter().zip(&ours) {
            if !judge::same(real, ours) {
                let about = real.step.name();
                let (a, b) = (show(&real.values), show(&ours.values));
                return Err(mismatch(at, &about, a, b, Some(real.step.clone())));
            }
        }
        Ok(real.into_iter().zip(ours).collect())
    }

    fn scan(&mut self, step: &Step, at: usize) -> Played<usize> {
        let (mut found, mut calls) = (Vec::new(), Vec::new());
        for stage in [&mut self.real, &mut self.ours] {
            stage.send(std::slice::from_ref(step))?;
            let (value, n) = stage.scan(step)?;
            calls.push(n);
            stage.forget(step.conn);
            found.push(Answer { step: step.clone(), values: vec![value], queued: Vec::new() });
        }
        self.followed |= calls[0] != calls[1]; // each call is a lookup
        if !judge::same(&found[0], &found[1]) {
            let (a, b) = (show(&found[0].values), show(&found[1].values));
            return Err(mismatch(at, &step.name(), a, b, Some(step.clone())));
        }
        Ok(1)
    }

    /// Where the real server chose, ours gets its choice; what DUMP said is kept.
    fn follow(&mut self, answers: &[(Answer, Answer)]) -> io::Result<()> {
        for (real, ours) in answers {
            let step = &real.step;
            let dumped = [&real.values[0], &ours.values[0]].map(|value| match value {
                Value::Bulk(bytes) if step.is("dump") => Some(bytes.clone()),
                _ => None,
            });
            if dumped[0].is_some() {
                self.real.dumps.clone_from(&dumped);
                self.ours.dumps = dumped;
            }
            let drawn = step.is("spop") || by_clock(step);
            if drawn && step.args.len() > 1 && real.values != ours.values {
                self.transfer(step.conn, &step.args[1])?;
            }
            if let Some(target) = stored_ties(step).filter(|_| !real.values[0].is_error()) {
                self.transfer(step.conn, target)?;
            }
        }
        Ok(())
    }

    /// Gives ours the value that the real server has, unseen by those who listen to events.
    fn transfer(&mut self, conn: usize, key: &Word) -> io::Result<()> {
        self.followed = true;
        let db = self.real.client_field(conn, "db")?;
        for stage in [&mut self.real, &mut self.ours] {
            stage.must(&format!("SELECT {db}"))?;
            stage.control.call(&["CONFIG", "SET", "notify-keyspace-events", ""])?;
        }
        let encoding = self.real.control.call(&[b"OBJECT".as_slice(), b"ENCODING", key])?.bytes();
        // Nothing is packed or unpacked on the way.
        let limit = if encoding.is_some_and(|name| name == b"hashtable") { "0" } else { "1000000" };
        let before: Vec<Word> =
            LIMITS.iter().map(|name| self.real.setting(name)).collect::<io::Result<_>>()?;
        for name in LIMITS {
            self.ours.control.call(&["CONFIG", "SET", name, limit])?;
        }
        self.exchange(key, limit == "0")?;
        for (name, value) in LIMITS.iter().zip(&before) {
            self.ours.control.call(&[b"CONFIG".as_slice(), b"SET", name.as_bytes(), value])?;
        }
        let events = self.events.clone();
        for stage in [&mut self.real, &mut self.ours] {
            stage.control.call(&["CONFIG", "SET", "notify-keyspace-events", &events])?;
        }
        Ok(())
    }

    /// Puts the real server's value at a key of ours. A hash table is made of its members: RESTORE would pack it.
    fn exchange(&mut self, key: &Word, table: bool) -> io::Result<()> {
        let when = self.real.control.call(&[b"PEXPIRETIME".as_slice(), key])?.bytes().unwrap_or_default();
        let dump = self.real.control.call(&[b"DUMP".as_slice(), key])?.bytes().unwrap_or_default();
        self.ours.control.call(&[b"DEL".as_slice(), key])?;
        if table {
            let members = self.real.control.call(&[b"SMEMBERS".as_slice(), key])?;
            let mut add = vec![b"SADD".to_vec(), key.clone()];
            add.extend(members.items().unwrap_or_default().iter().filter_map(Value::bytes));
            self.ours.control.call(&add)?;
        } else if !dump.is_empty() {
            let answer = self.ours.control.call(&[b"RESTORE".as_slice(), key, b"0", &dump])?;
            expect_ok(&answer, "RESTORE of the real server's value")?;
        }
        if when.first().is_some_and(u8::is_ascii_digit) {
            self.ours.control.call(&[b"PEXPIREAT".as_slice(), key, &when])?;
        }
        Ok(())
    }

    /// RANDOMKEY removes what has lapsed as far as it happens to meet it.
    fn clear_lapsed(&mut self, conn: usize) -> io::Result<()> {
        let db = self.real.client_field(conn, "db")?;
        let keys = "sltzhxbpgk".chars().flat_map(|letter| (0..3).map(move |n| format!("{letter}{n}")));
        let mut exists: Vec<Vec<u8>> = vec![b"EXISTS".to_vec()];
        exists.extend(keys.map(String::into_bytes));
        exists.extend([b"".as_slice(), b"\x00\xffk", b"no such", b"{s}1"].map(<[u8]>::to_vec));
        for stage in [&mut self.real, &mut self.ours] {
            stage.must(&format!("SELECT {db}"))?;
            stage.control.call(&exists)?;
            // Names made of chance come last, as there is hardly more than one: tables have no order.
            stage.control.call(&[b"SCAN".as_slice(), b"0", b"COUNT", b"1000000"])?;
        }
        Ok(())
    }

    /// The content as a whole, and what those who listen have heard.
    fn look(&mut self, at: usize) -> Played<()> {
        self.compare(at, "digest of all", &[b"DEBUG", b"DIGEST"], |value| show(std::slice::from_ref(value)))?;
        for conn in 0..self.real.conns.len() {
            if (self.tracks || self.real.conns[conn].listens()) && !self.real.is_blocked(conn) {
                self.hear(conn, at)?;
            }
        }
        Ok(())
    }

    fn hear(&mut self, conn: usize, at: usize) -> Played<()> {
        let ping = Step { conn, args: vec![b"PING".to_vec()], lapses: false };
        self.real.send(std::slice::from_ref(&ping))?;
        self.ours.send(std::slice::from_ref(&ping))?;
        self.settle_one(conn, at)?;
        let misses = self.misses;
        let [real, ours] = [&mut self.real, &mut self.ours].map(|stage| {
            let mut messages = std::mem::take(&mut stage.conns[conn].messages);
            messages.retain(|message| !(misses && judge::is_miss(message)));
            judge::by_publisher(messages)
        });
        let same = real.iter().zip(&ours).take_while(|(a, b)| judge::same_message(a, b)).count();
        if same == real.len() && same == ours.len() {
            return Ok(());
        }
        let from = same.saturating_sub(2);
        let clip = |all: &[Value]| show(&all[from.min(all.len())..(same + 2).min(all.len())]);
        Err(mismatch(at, "messages", clip(&real), clip(&ours), None))
    }

    fn compare(
        &mut self,
        at: usize,
        about: &str,
        request: &[&[u8]],
        shown: fn(&Value) -> String,
    ) -> Played<Value> {
        let real = self.real.control.call(request)?;
        let ours = self.ours.control.call(request)?;
        let [a, b] = [&real, &ours].map(shown);
        if a != b {
            let words: Vec<String> = request.iter().map(|word| quote::word(word)).collect();
            return Err(mismatch(at, &format!("{about}: {}", words.join(" ")), a, b, None));
        }
        Ok(real)
    }

    /// Every key: type, encoding, digest, whether it expires; the order of elements where the encoding has one.
    fn inspect(&mut self, round: &Round, at: usize) -> Played<()> {
        // What was made of a hash table keeps its order, which is nobody's.
        let loads =
            round.steps.iter().any(|step| step.is_any(&["restore", "restore-asking", "debug reload"]));
        let tables = round.steps.iter().any(|step| {
            step.is("spop")
                || step.is("config set")
                || step.args.iter().any(|arg| arg.len() > 8)
                || step.args.len() > 100
        });
        let roomy = |(name, value): &(&str, String)| *name != "set-max-listpack-entries" || value == "128";
        let (sets, hashes) = (!loads && !tables && round.config.iter().all(roomy), !loads);
        fn plain(value: &Value) -> String {
            show(std::slice::from_ref(value))
        }
        fn kind(value: &Value) -> String {
            let Value::Int(n) = value else { return plain(value) };
            (*n).min(0).to_string()
        }
        fn bag(value: &Value) -> String {
            let mut items: Vec<String> = value.items().unwrap_or_default().iter().map(plain).collect();
            items.sort();
            items.join(" ")
        }
        for db in ["0", "1", "2", "15"] {
            self.compare(at, "check", &[b"SELECT", db.as_bytes()], plain)?;
            let keys = self.compare(at, &format!("keys of {db}"), &[b"KEYS", b"*"], bag)?;
            for key in keys.items().unwrap_or_default().iter().filter_map(Value::bytes) {
                let typed = self.compare(at, "type", &[b"TYPE", &key], plain)?.bytes().unwrap_or_default();
                let encoding = self.compare(at, "encoding", &[b"OBJECT", b"ENCODING", &key], plain)?;
                self.compare(at, "digest", &[b"DEBUG", b"DIGEST-VALUE", &key], plain)?;
                self.compare(at, "expiry", &[b"PTTL", &key], kind)?;
                let ordered = encoding.bytes().is_some_and(|name| name != b"hashtable");
                match typed.as_slice() {
                    b"set" if ordered && sets => {
                        drop(self.compare(at, "order", &[b"SMEMBERS", &key], plain)?)
                    }
                    b"hash" if ordered && hashes => {
                        drop(self.compare(at, "order", &[b"HGETALL", &key], plain)?)
                    }
                    _ => {}
                }
            }
        }
        self.compare(at, "check", &[b"SELECT", b"0"], plain)?;
        Ok(())
    }

    /// What INFO counts.
    fn counts(&mut self, round: &Round, at: usize) -> Played<()> {
        if self.followed {
            return Ok(());
        }
        let [real, ours] = [counted(&mut self.real)?, counted(&mut self.ours)?];
        if real != ours {
            let only = |all: &[String], others: &[String]| {
                all.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>().join(" ")
            };
            return Err(mismatch(at, "INFO", only(&real, &ours), only(&ours, &real), None));
        }
        let changed =
            [changes(&mut self.real)? - self.changes[0], changes(&mut self.ours)? - self.changes[1]];
        let reset = round.steps.iter().any(|step| step.is("debug reload")); // which saves
        if changed[0] != changed[1] && !reset {
            let [a, b] = changed.map(|n| n.to_string());
            return Err(mismatch(at, "rdb_changes_since_last_save", a, b, None));
        }
        Ok(())
    }
}

/// How many steps go in one write: those of one connection, but what must be seen alone is alone.
fn chunk(steps: &[Step]) -> usize {
    let apart = |step: &Step| step.lapses || alone(step);
    if apart(&steps[0]) {
        return 1;
    }
    let more = steps.iter().skip(1).take_while(|step| step.conn == steps[0].conn && !apart(step));
    let mut len = 1;
    for step in more {
        len += 1;
        // What comes behind one that waits is sent, too, but no more than that.
        if may_wait(step).is_some() {
            break;
        }
    }
    len
}

/// Steps that are followed by something of the tester's own.
fn alone(step: &Step) -> bool {
    let names = [
        "spop",
        "randomkey",
        "dump",
        "restore",
        "restore-asking",
        "client unblock",
        "debug reload",
        "flushdb",
        "flushall",
        "hello",
        "reset",
    ];
    let listens = ["subscribe", "unsubscribe", "psubscribe", "punsubscribe", "ssubscribe", "sunsubscribe"];
    step.is_any(&names)
        || step.is_any(&listens)
        || judge::is_scan(step)
        || by_clock(step)
        || by_lex(step)
        || sorts(step)
        || stored_ties(step).is_some()
        || stores_set(step)
}

/// Commands that take the order of members for granted.
fn by_lex(step: &Step) -> bool {
    step.is_any(&["zrangebylex", "zrevrangebylex", "zlexcount", "zremrangebylex"])
        || step.is_any(&["zrange", "zrangestore", "zrevrange"]) && step.has("bylex")
}

/// Commands that sort, now or in a transaction that ends.
fn sorts(step: &Step) -> bool {
    step.is_any(&["sort", "sort_ro", "exec"])
}

/// Commands that make a set of others.
fn stores_set(step: &Step) -> bool {
    step.is_any(&["sunionstore", "sdiffstore", "sinterstore"])
}

/// Where SORT stores elements that may be equal for it: they stay as they came, which is as they lie in a hash table.
fn stored_ties(step: &Step) -> Option<&Word> {
    let store = step.args.iter().position(|arg| arg.eq_ignore_ascii_case(b"store"))?;
    (step.is("sort") && step.has("by") && step.has("alpha")).then(|| step.args.get(store + 1)).flatten()
}

/// An XADD whose id the server makes of its clock.
fn by_clock(step: &Step) -> bool {
    step.is("xadd") && step.args.iter().skip(2).any(|arg| arg == b"*")
}

/// Lets a millisecond lapse on both servers. There is no event to wait for.
fn elapse() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(3) {
        std::thread::yield_now();
    }
}

fn changes(stage: &mut Stage) -> io::Result<i64> {
    let lines = stage.info("persistence")?;
    let line = lines.iter().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
    line.and_then(|n| n.parse().ok()).ok_or_else(|| io::Error::other("no changes in INFO"))
}

/// The lines of INFO that count what was done, without times, sizes, and what the tester itself asks by turns.
fn counted(stage: &mut Stage) -> io::Result<Vec<String>> {
    let wanted = [
        "keyspace_hits",
        "keyspace_misses",
        "expired_keys",
        "expired_subkeys",
        "pubsub_channels",
        "pubsub_patterns",
        "pubsubshard_channels",
        "total_error_replies",
        "unexpected_error_replies",
        "blocked_clients",
        "tracking_",
        "watching_clients",
        "total_watched_keys",
        "total_blocking_keys",
        "total_blocking_keys_on_nokey",
        "errorstat_",
    ];
    let mut found = Vec::new();
    // Not `keysizes`: 8.0.6 counts what APPEND, SETRANGE, BRPOPLPUSH or BZMPOP touch twice or not at all.
    for section in ["stats", "clients", "errorstats"] {
        let lines = stage.info(section)?;
        found.extend(lines.into_iter().filter(|line| wanted.iter().any(|name| line.starts_with(name))));
    }
    for line in stage.info("keyspace")? {
        // A hash whose last field with an expiry was overwritten still counts until its time comes.
        let average = |part: &&str| !part.starts_with("avg_ttl=") && !part.starts_with("subexpiry=");
        found.push(line.split(',').filter(average).collect::<Vec<_>>().join(","));
    }
    for line in stage.info("commandstats")? {
        // CLIENT UNBLOCK ... ERROR: the error that another client gets counts as its own.
        let polls = ["client|list:", "client|unblock:", "info:", "scan:", "sscan:", "hscan:", "zscan:"];
        if !polls.iter().any(|name| line.starts_with(&format!("cmdstat_{name}"))) {
            found
                .push(line.split(',').filter(|part| !part.starts_with("usec")).collect::<Vec<_>>().join(","));
        }
    }
    found.sort(); // commands lie in a hash table
    Ok(found)
}

fn mismatch(at: usize, about: &str, real: String, ours: String, step: Option<Step>) -> End {
    End::Mismatch(Box::new(Mismatch { at, about: about.to_owned(), real, ours, step }))
}

/// Values as a transcript shows them.
pub fn show(values: &[Value]) -> String {
    let mask = Mask::default();
    values.iter().map(|value| mask::reply(value, &mask, 0)).collect::<Vec<_>>().join(" ")
}
