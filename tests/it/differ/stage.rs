//! One server and its connections: sends steps, and knows when all has been answered that will be.
//!
//! Nothing here waits by the clock: a client has answered, or the server says that it is blocked.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::time::{Duration, Instant};

use crate::client::{Client, Value, encode};
use crate::server::Server;

use super::plan::{CONNS, Round, Step};
use super::words::Word;

/// A server with the connections of a round.
pub struct Stage {
    pub server: Server,
    pub control: Client,
    pub conns: Vec<Conn>,
    /// What `$dump` stands for, by whom it was written: the real server, and ours.
    pub dumps: [Option<Word>; 2],
}

/// A connection of a round.
pub struct Conn {
    pub client: Client,
    pub id: i64,
    /// Sent, and not answered yet.
    waiting: VecDeque<Step>,
    /// Within MULTI.
    pub queueing: bool,
    /// What EXEC will answer for.
    queued: Vec<Step>,
    /// Channels, patterns, shard channels.
    listens: [BTreeSet<Word>; 3],
    /// Messages since the last look.
    pub messages: Vec<Value>,
    /// Read, and nobody's answer yet.
    ahead: Option<Value>,
}

/// What came back for a step.
pub struct Answer {
    pub step: Step,
    /// One, or a confirmation per channel.
    pub values: Vec<Value>,
    /// Of an EXEC: what it executed.
    pub queued: Vec<Step>,
}

/// The defaults of what rounds configure.
const DEFAULTS: &[(&str, &str)] = &[
    ("hash-max-listpack-entries", "512"),
    ("hash-max-listpack-value", "64"),
    ("set-max-intset-entries", "512"),
    ("set-max-listpack-entries", "128"),
    ("set-max-listpack-value", "64"),
    ("zset-max-listpack-entries", "128"),
    ("zset-max-listpack-value", "64"),
    ("list-max-listpack-size", "-2"),
    ("list-compress-depth", "0"),
    ("stream-node-max-entries", "100"),
    ("stream-node-max-bytes", "4096"),
    ("hll-sparse-max-bytes", "3000"),
    ("notify-keyspace-events", ""),
    ("maxmemory-policy", "noeviction"),
];

impl Stage {
    pub fn new(server: Server) -> io::Result<Stage> {
        let control = server.connect()?;
        Ok(Stage { server, control, conns: Vec::new(), dumps: [None, None] })
    }

    /// Empty databases, the round's configuration, new connections.
    pub fn begin(&mut self, round: &Round) -> io::Result<()> {
        self.conns.clear();
        self.dumps = [None, None];
        self.until_alone()?;
        self.must("SELECT 0")?;
        self.must("FLUSHALL SYNC")?;
        let mut set: Vec<&str> = vec!["CONFIG", "SET"];
        for (name, default) in DEFAULTS {
            let chosen = round.config.iter().find(|(known, _)| known == name);
            set.extend([*name, chosen.map_or(*default, |(_, value)| value.as_str())]);
        }
        let answer = self.control.call(&set)?;
        expect_ok(&answer, "CONFIG SET")?;
        // What lapses goes when it is touched, not at a moment of the server's own.
        self.must("DEBUG SET-ACTIVE-EXPIRE 0")?;
        self.must("CONFIG RESETSTAT")?;
        self.conns = (0..CONNS).map(|_| self.connect()).collect::<io::Result<_>>()?;
        Ok(())
    }

    /// Waits until the connections of the last round are gone: one might still wait for a key.
    fn until_alone(&mut self) -> io::Result<()> {
        let end = Instant::now() + Duration::from_secs(5);
        while self
            .info("clients")?
            .iter()
            .any(|line| line.starts_with("connected_clients:") && line != "connected_clients:1")
        {
            if Instant::now() > end {
                return Err(io::Error::other("connections that were closed are still there"));
            }
        }
        Ok(())
    }

    fn connect(&self) -> io::Result<Conn> {
        let mut client = self.server.connect()?;
        let Value::Int(id) = client.line("CLIENT ID")? else {
            return Err(io::Error::other("CLIENT ID gives no number"));
        };
        Ok(Conn {
            client,
            id,
            waiting: VecDeque::new(),
            queueing: false,
            queued: Vec::new(),
            listens: Default::default(),
            messages: Vec::new(),
            ahead: None,
        })
    }

    pub fn must(&mut self, line: &str) -> io::Result<()> {
        let answer = self.control.line(line)?;
        expect_ok(&answer, line)
    }

    /// The value of a setting.
    pub fn setting(&mut self, name: &str) -> io::Result<Word> {
        let answer = self.control.call(&["CONFIG", "GET", name])?;
        let value = answer.items().and_then(|items| items.get(1)).and_then(Value::bytes);
        value.ok_or_else(|| io::Error::other(format!("{name}: {answer:?}")))
    }

    /// The lines of an INFO section.
    pub fn info(&mut self, section: &str) -> io::Result<Vec<String>> {
        let text = self.control.call(&["INFO", section])?.bytes().unwrap_or_default();
        Ok(String::from_utf8_lossy(&text).lines().map(|line| line.trim_end().to_owned()).collect())
    }

    /// Sends these, all of one connection, in one write.
    pub fn send(&mut self, steps: &[Step]) -> io::Result<()> {
        let mut out = Vec::new();
        for step in steps {
            let args: Vec<Word> = step.args.iter().map(|arg| self.resolve(arg)).collect();
            encode(&args, &mut out);
        }
        let conn = &mut self.conns[steps[0].conn];
        conn.waiting.extend(steps.iter().cloned());
        conn.client.send_raw(&out)
    }

    /// `$id4` is the number of connection 4, `$dump` what DUMP said last.
    fn resolve(&self, arg: &Word) -> Word {
        let Some(name) = arg.strip_prefix(b"$") else { return arg.clone() };
        if name == b"dump" {
            // By turns what the one and the other server wrote, the same for both.
            let [real, ours] = &self.dumps;
            let length = real.as_ref().map_or(0, Vec::len);
            return [real, ours][length % 2].clone().unwrap_or_default();
        }
        let number =
            name.strip_prefix(b"id").and_then(|n| std::str::from_utf8(n).ok()?.parse::<usize>().ok());
        match number.and_then(|n| self.conns.get(n)) {
            Some(conn) => conn.id.to_string().into_bytes(),
            None => arg.clone(),
        }
    }

    pub fn is_blocked(&self, conn: usize) -> bool {
        !self.conns[conn].waiting.is_empty()
    }

    /// Reads what has been answered: all, or what comes before a command that waits.
    pub fn settle(&mut self, conn: usize) -> io::Result<Vec<Answer>> {
        let mut answers = Vec::new();
        while let Some(step) = self.conns[conn].waiting.front().cloned() {
            if let Some(patience) = may_wait(&step)
                && !self.answered(conn, patience)?
            {
                break;
            }
            answers.push(self.conns[conn].answer(&step)?);
            self.conns[conn].waiting.pop_front();
        }
        Ok(answers)
    }

    /// Whether something came, or the server says that the client waits (for ever, or for a moment: then it is
    /// waited for).
    fn answered(&mut self, conn: usize, patience: Patience) -> io::Result<bool> {
        let end = Instant::now() + Duration::from_secs(5);
        while Instant::now() < end {
            if self.conns[conn].looks_ahead()? {
                return Ok(true);
            }
            if patience == Patience::Endless && self.client_field(conn, "flags")?.contains('b') {
                // It may have answered and blocked again meanwhile; what it answered is sent by the end of the turn.
                self.client_field(conn, "flags")?;
                return self.conns[conn].looks_ahead();
            }
        }
        Err(io::Error::other("neither answered nor blocked"))
    }

    /// What CLIENT LIST says of a connection.
    pub fn client_field(&mut self, conn: usize, name: &str) -> io::Result<String> {
        let id = self.conns[conn].id.to_string();
        let list = self.control.call(&["CLIENT", "LIST", "ID", &id])?.bytes().unwrap_or_default();
        let list = String::from_utf8_lossy(&list).into_owned();
        let prefix = format!("{name}=");
        let field = list.split(' ').find_map(|field| field.strip_prefix(prefix.as_str()));
        field.map(str::to_owned).ok_or_else(|| io::Error::other(format!("no {name} in {list:?}")))
    }

    /// The elements of a whole iteration, each with its value if it has one.
    ///
    /// Also in how many calls.
    pub fn scan(&mut self, step: &Step) -> io::Result<(Value, usize)> {
        let place = if step.is("scan") { 1 } else { 2 };
        let pairs = step.is("zscan") || step.is("hscan") && !step.has("novalues");
        let conn = &mut self.conns[step.conn];
        let mut args = step.args.clone();
        let mut found: Vec<Value> = Vec::new();
        for calls in 1..10_000 {
            let reply = conn.value()?;
            let Some([cursor, Value::Array(items)]) = reply.items() else { return Ok((reply, calls)) };
            found.extend(items.chunks(if pairs { 2 } else { 1 }).map(|chunk| Value::Array(chunk.to_vec())));
            args[place] = cursor.bytes().unwrap_or_default();
            if args[place] == b"0" {
                found.sort_by_key(|value| format!("{value:?}"));
                found.dedup();
                return Ok((Value::Array(found), calls));
            }
            conn.client.send(&args)?;
        }
        Err(io::Error::other("a scan that does not end"))
    }

    pub fn forget(&mut self, conn: usize) {
        self.conns[conn].waiting.clear();
    }
}

impl Conn {
    pub fn listens(&self) -> bool {
        self.listens.iter().any(|names| !names.is_empty())
    }

    /// Whether an answer has come; messages are put aside.
    fn looks_ahead(&mut self) -> io::Result<bool> {
        while self.ahead.is_none() && self.client.has_input()? {
            match self.client.value()? {
                message if is_message(&message) => self.messages.push(message),
                value => self.ahead = Some(value),
            }
        }
        Ok(self.ahead.is_some())
    }

    fn value(&mut self) -> io::Result<Value> {
        if let Some(value) = self.ahead.take() {
            return Ok(value);
        }
        loop {
            match self.client.value()? {
                message if is_message(&message) => self.messages.push(message),
                value => return Ok(value),
            }
        }
    }

    fn answer(&mut self, step: &Step) -> io::Result<Answer> {
        let values = match listening(step) {
            Some(kind) => self.confirmations(step, kind)?,
            None => vec![self.value()?],
        };
        let queued = self.follow(step, &values[0]);
        Ok(Answer { step: step.clone(), values, queued })
    }

    /// Keeps track of MULTI.
    fn follow(&mut self, step: &Step, value: &Value) -> Vec<Step> {
        match value {
            Value::Simple(text) if text == b"QUEUED" => self.queued.push(step.clone()),
            Value::Simple(text) if text == b"OK" && step.is("multi") => self.queueing = true,
            Value::Simple(text) if text == b"RESET" => {
                self.queueing = false;
                self.queued.clear();
                self.listens = Default::default();
            }
            _ if step.args.len() == 1 && step.is_any(&["exec", "discard"]) => {
                self.queueing = false;
                return std::mem::take(&mut self.queued);
            }
            _ => {}
        }
        Vec::new()
    }

    /// One per channel; one for all that are left when none is named.
    fn confirmations(&mut self, step: &Step, kind: usize) -> io::Result<Vec<Value>> {
        let wanted = match step.args.len() - 1 {
            0 => self.listens[kind].len().max(1),
            named => named,
        };
        let mut found = Vec::new();
        while found.len() < wanted {
            let value = self.value()?;
            let Some([what, channel, _]) = value.items() else { return Ok(vec![value]) };
            let channel = channel.bytes().unwrap_or_default();
            match what.bytes().unwrap_or_default().windows(3).any(|part| part == b"uns") {
                true => self.listens[kind].remove(&channel),
                false => self.listens[kind].insert(channel),
            };
            found.push(value);
        }
        Ok(found)
    }
}

/// Which kind of channels a command is about.
fn listening(step: &Step) -> Option<usize> {
    let names =
        [["subscribe", "unsubscribe"], ["psubscribe", "punsubscribe"], ["ssubscribe", "sunsubscribe"]];
    names.iter().position(|names| step.is_any(names))
}

/// A message, not the answer to anything.
fn is_message(value: &Value) -> bool {
    let (Value::Push(items) | Value::Array(items)) = value else { return false };
    let kind = items.first().and_then(Value::bytes).unwrap_or_default();
    if kind == b"invalidate" && matches!(value, Value::Push(_)) {
        return true;
    }
    items.len() >= 3 && [b"message".as_slice(), b"pmessage", b"smessage"].contains(&kind.as_slice())
}

#[derive(Clone, Copy, PartialEq)]
pub enum Patience {
    Endless,
    Short,
}

/// How long a command may wait, if it may; see `harmless` for what lies between.
pub fn may_wait(step: &Step) -> Option<Patience> {
    let timeout = step.args.get(timeout_at(step)?)?;
    let timeout: f64 = std::str::from_utf8(timeout).ok()?.parse().ok()?;
    Some(if timeout == 0.0 { Patience::Endless } else { Patience::Short })
}

/// Where a command says how long it waits.
pub fn timeout_at(step: &Step) -> Option<usize> {
    if step.is_any(&["blpop", "brpop", "blmove", "brpoplpush", "bzpopmin", "bzpopmax"]) {
        return Some(step.args.len() - 1);
    }
    if step.is_any(&["blmpop", "bzmpop"]) {
        return Some(1);
    }
    let block = |arg: &Word| arg.eq_ignore_ascii_case(b"BLOCK");
    step.is_any(&["xread", "xreadgroup"]).then(|| step.args.iter().position(block)).flatten().map(|at| at + 1)
}

pub fn expect_ok(answer: &Value, what: &str) -> io::Result<()> {
    match answer {
        Value::Simple(_) => Ok(()),
        other => Err(io::Error::other(format!("{what}: {other:?}"))),
    }
}
