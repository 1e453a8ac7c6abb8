//! A client that writes without end and remembers all that it asked and heard; and how to ask a server what it holds.

use std::io;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::model::{GROUP, Held, KEYS, Model, Window};
use crate::client::{Client, Value};
use crate::node::Node;

pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("small")
}

/// A connection that waits longer than tests usually do: the machine may be busy.
pub fn connect(node: &Node) -> Client {
    try_connect(node).expect("it accepts")
}

/// The same to a server that may be dead by now.
pub fn try_connect(node: &Node) -> Option<Client> {
    let client = Client::connect(("127.0.0.1", node.port())).ok()?;
    client.stream().set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    Some(client)
}

/// Something that was asked: a line, or several in a transaction.
#[derive(Clone, Debug)]
pub struct Asked {
    lines: Vec<String>,
    when: Window,
    chosen: Option<String>,
}

/// What a client asked since the server's start, and how much of it was answered.
#[derive(Default)]
pub struct Journal {
    asked: Vec<Asked>,
    pub answered: usize,
}

impl Journal {
    /// How much of what was asked is in `found`, at least `floor`. An error tells what is missing.
    pub fn settle(
        &self,
        start: &Model,
        floor: usize,
        found: &Model,
        looked: Window,
    ) -> Result<usize, String> {
        let mut model = start.clone();
        self.asked[..floor].iter().for_each(|asked| asked.apply(&mut model, found));
        let mut nearest = model.differences(found, looked);
        let mut done = floor;
        while !model.agrees(found, looked) {
            let Some(asked) = self.asked.get(done) else {
                let last = &self.asked[floor.saturating_sub(12)..];
                let answered = self.answered;
                return Err(format!(
                    "looked within {looked:?}: of {answered} answered, {floor} must be there; the nearest state has:\n{}\nthe last before, and what came \
                     after:\n{last:#?}",
                    nearest.join("\n"),
                ));
            };
            asked.apply(&mut model, found);
            done += 1;
            let differences = model.differences(found, looked);
            if differences.len() < nearest.len() {
                nearest = differences;
            }
        }
        Ok(done)
    }
}

impl Asked {
    /// The server chooses something by itself.
    fn chooses(&self) -> bool {
        self.lines[0].starts_with("SPOP") || self.lines[0].contains(" * ")
    }

    fn apply(&self, model: &mut Model, found: &Model) {
        for line in &self.lines {
            let guess = if self.when.to == u64::MAX { model.guess(line, found) } else { None };
            let when = Window { to: self.when.to.min(now_ms()), ..self.when };
            model.apply(line, when, self.chosen.as_deref().or(guess.as_deref()));
        }
    }
}

/// Writes until the connection ends. An error is what no server may answer.
pub fn write(node: &Node, db: usize, seed: u64, journal: &Mutex<Journal>) -> Result<(), String> {
    let mut writer = Writer { rng: fastrand::Rng::with_seed(seed), count: now_ms() << 16, id: now_ms() << 8 };
    let Some(mut client) = try_connect(node) else { return Ok(()) };
    if client.line(&format!("SELECT {db}")).is_err() {
        return Ok(());
    }
    loop {
        let batch = writer.batch();
        let first = {
            let mut journal = journal.lock().expect("nobody panics with it");
            let first = journal.asked.len();
            journal.asked.extend(batch.iter().cloned());
            first
        };
        if send(&mut client, &batch).is_err() {
            return Ok(());
        }
        for (n, asked) in batch.iter().enumerate() {
            let Ok(answers) = answers(&mut client, asked) else { return Ok(()) };
            let chosen = judge(asked, &answers)?;
            let mut journal = journal.lock().expect("nobody panics with it");
            journal.answered += 1;
            let noted = &mut journal.asked[first + n];
            noted.when.to = now_ms();
            noted.chosen = chosen;
        }
        if writer.rng.u8(..) < 40 {
            std::thread::sleep(Duration::from_micros(writer.rng.u64(..1500)));
        }
    }
}

fn send(client: &mut Client, batch: &[Asked]) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut add = |line: &str| crate::client::encode(&line.split(' ').collect::<Vec<_>>(), &mut bytes);
    for asked in batch {
        match asked.lines.as_slice() {
            [line] => add(line),
            lines => {
                add("MULTI");
                lines.iter().for_each(|line| add(line));
                add("EXEC");
            }
        }
    }
    client.send_raw(&bytes)
}

/// The answers to the lines.
fn answers(client: &mut Client, asked: &Asked) -> io::Result<Vec<Value>> {
    if asked.lines.len() == 1 {
        return Ok(vec![client.reply()?]);
    }
    for _ in 0..=asked.lines.len() {
        let queued = client.reply()?;
        if queued.is_error() {
            return Ok(vec![queued]);
        }
    }
    match client.reply()? {
        Value::Array(answers) => Ok(answers),
        other => Ok(vec![other]),
    }
}

/// What the server chose, if it had the choice. An error is an answer that none of the load's lines may get.
fn judge(asked: &Asked, answers: &[Value]) -> Result<Option<String>, String> {
    for answer in answers {
        match answer {
            Value::Error(text) if text == b"ERR no such key" => {}
            Value::Error(text) => return Err(format!("{asked:?}: {}", String::from_utf8_lossy(text))),
            _ => {}
        }
    }
    if answers.len() != asked.lines.len() {
        return Err(format!("{asked:?}: {answers:?}"));
    }
    let text = answers[0].bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    Ok(text.filter(|_| asked.chooses()))
}

struct Writer {
    rng: fastrand::Rng,
    /// Makes every value another.
    count: u64,
    /// The last stream id: ids go on over restarts.
    id: u64,
}

impl Writer {
    fn batch(&mut self) -> Vec<Asked> {
        let size = [1, 1, 1, 2, 4, 16][self.rng.usize(..6)];
        let mut batch: Vec<Asked> = Vec::new();
        // What the server chose can be told from what is left only if nothing comes behind it.
        while batch.len() < size && !batch.last().is_some_and(Asked::chooses) {
            batch.push(self.asked());
        }
        batch
    }

    fn asked(&mut self) -> Asked {
        let lines = match self.rng.u8(..) {
            0..2 => vec!["FLUSHDB".to_owned(), GROUP.to_owned()],
            2..40 => (0..self.rng.usize(2..6)).map(|_| self.line()).collect(),
            40..46 => vec!["SPOP t0".to_owned()],
            46..50 => vec![format!("XADD y0 * f {}", self.value())],
            _ => vec![self.line()],
        };
        Asked { lines, when: Window { from: now_ms(), to: u64::MAX }, chosen: None }
    }

    fn value(&mut self) -> String {
        self.count += 1;
        let fill = if self.rng.u8(..) < 8 { self.rng.usize(100..3000) } else { self.rng.usize(..20) };
        format!("{}{}", self.count, "x".repeat(fill))
    }

    fn line(&mut self) -> String {
        let value = self.value();
        let two = self.rng.usize(..2);
        let other = 1 - two;
        let m = self.rng.u8(..24);
        let far = now_ms() + 1_000_000 + self.rng.u64(..1_000_000);
        let soon = self.rng.u64(1..900);
        match self.rng.u8(..46) {
            0..3 => format!("SET s{two} {value}"),
            3 => format!("APPEND s{two} {m}"),
            4 => format!("GETDEL s{two}"),
            5 => format!("RENAME s{two} s{other}"),
            6 => format!("COPY s{two} s{other} REPLACE"),
            7 => format!("PEXPIREAT s{two} {far}"),
            8 => format!("PERSIST s{two}"),
            9 => format!("EXPIRE l{two} {}", 1000 + u64::from(m)),
            10..12 => format!("INCRBY n{two} {m}"),
            12..14 => format!("INCRBYFLOAT d0 {}.25", m),
            14..16 => format!("SET v{} {value} PX {soon}", m % 3),
            16..19 => format!("RPUSH l{two} {value} {m}"),
            19 => format!("LPUSH l{two} {value}"),
            20 => format!("LPOP l{two}"),
            21 => format!("RPOP l{two}"),
            22 => format!("LMOVE l{two} l{other} LEFT RIGHT"),
            23 => format!("LTRIM l{two} 0 {}", 20 + m),
            24 => format!("PEXPIREAT h0 {far}"),
            25..27 => format!("SADD t{two} {m} a{m}"),
            27 => format!("SREM t{two} {m}"),
            28 => format!("SMOVE t{two} t{other} {m}"),
            29 => format!("ZADD z0 {m} {}", m % 17),
            30 => format!("ZINCRBY z0 3 {m}"),
            31 => "ZPOPMIN z0".to_owned(),
            32 => format!("ZREM z0 {m}"),
            33 => format!("HSET h0 {m} {value}"),
            34 => format!("HINCRBY h0 n{m} 7"),
            35 => format!("HDEL h0 {m}"),
            36 => format!("HPEXPIREAT h0 {far} FIELDS 1 {m}"),
            37 => format!("HPERSIST h0 FIELDS 1 {m}"),
            38 => format!("HSETEX f0 PX {soon} FIELDS 1 {m} {value}"),
            39 => format!("HSETEX f0 PX 1000000 FIELDS 1 {m} {value}"),
            40..42 => {
                self.id += 1;
                format!("XADD x0 {}-1 f {value}", self.id)
            }
            42 => "XREADGROUP GROUP g c COUNT 1 STREAMS x0 >".to_owned(),
            43 => format!("XACK x0 g {}-1", self.id.saturating_sub(u64::from(m))),
            44 => format!("XDEL x0 {}-1", self.id.saturating_sub(u64::from(m))),
            _ => format!("XTRIM x0 MAXLEN {}", 10 + m),
        }
    }
}

/// What the server holds in a database, and within which time it was asked.
pub fn look(client: &mut Client, db: usize) -> io::Result<(Model, Window)> {
    let from = now_ms();
    client.line(&format!("SELECT {db}"))?;
    let mut found = Model::default();
    for key in KEYS {
        if let Some(held) = held(client, key)? {
            let until = client.line(&format!("PEXPIRETIME {key}"))?;
            let Value::Int(until) = until else { panic!("{until:?}") };
            if until != -2 {
                found.0.insert(key.to_owned(), (held, u64::try_from(until).ok().map(Window::at)));
            }
        }
    }
    Ok((found, Window { from, to: now_ms() }))
}

fn text(value: &Value) -> String {
    let bytes = value.bytes().unwrap_or_else(|| panic!("{value:?} is no text"));
    String::from_utf8(bytes).expect("the load writes ASCII")
}

fn texts(value: &Value) -> Vec<String> {
    value.items().unwrap_or_else(|| panic!("{value:?} is no array")).iter().map(text).collect()
}

fn pairs(value: &Value) -> Vec<(String, String)> {
    texts(value).chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
}

fn held(client: &mut Client, key: &str) -> io::Result<Option<Held>> {
    let mut ask = |line: String| client.line(&line);
    Ok(match key.as_bytes()[0] {
        b'l' => {
            let items = texts(&ask(format!("LRANGE {key} 0 -1"))?);
            (!items.is_empty()).then(|| Held::List(items.into()))
        }
        b't' => {
            let members = texts(&ask(format!("SMEMBERS {key}"))?);
            (!members.is_empty()).then(|| Held::Set(members.into_iter().collect()))
        }
        b'z' => {
            let pairs = pairs(&ask(format!("ZRANGE {key} 0 -1 WITHSCORES"))?);
            let scored = pairs.into_iter().map(|(member, score)| (member, score.parse().expect("whole")));
            let scored: std::collections::BTreeMap<_, _> = scored.collect();
            (!scored.is_empty()).then_some(Held::Zset(scored))
        }
        b'h' | b'f' => hash(client, key)?,
        b'x' | b'y' => stream(client, key)?,
        _ => match ask(format!("GET {key}"))? {
            Value::NilBulk => None,
            value => Some(Held::Text(text(&value))),
        },
    })
}

fn hash(client: &mut Client, key: &str) -> io::Result<Option<Held>> {
    let fields = pairs(&client.line(&format!("HGETALL {key}"))?);
    if fields.is_empty() {
        return Ok(None);
    }
    let names: Vec<&str> = fields.iter().map(|(field, _)| field.as_str()).collect();
    let line = format!("HPEXPIRETIME {key} FIELDS {} {}", names.len(), names.join(" "));
    let times = client.line(&line)?;
    let mut hash = std::collections::BTreeMap::new();
    // No array: the last field lapsed between the two requests.
    for ((field, value), time) in fields.into_iter().zip(times.items().unwrap_or_default()) {
        let Value::Int(time) = time else { panic!("{time:?}") };
        if *time != -2 {
            hash.insert(field, (value, u64::try_from(*time).ok().map(Window::at)));
        }
    }
    Ok((!hash.is_empty()).then_some(Held::Hash(hash)))
}

fn stream(client: &mut Client, key: &str) -> io::Result<Option<Held>> {
    let info = client.line(&format!("XINFO STREAM {key}"))?;
    if info.is_error() {
        return Ok(None);
    }
    let field = |fields: &Value, name: &str| {
        let items = fields.items().expect("pairs");
        let at = items.iter().position(|item| item.bytes().as_deref() == Some(name.as_bytes()));
        text(&items[at.expect("the field is there") + 1])
    };
    let mut model = Model::default();
    let stream = model.stream(key);
    stream.last = field(&info, "last-generated-id");
    let entries = client.line(&format!("XRANGE {key} - +"))?;
    for entry in entries.items().expect("an array") {
        let [id, fields] = entry.items().expect("a pair") else { panic!("{entry:?}") };
        stream.entries.push((text(id), texts(fields)[1].clone()));
    }
    if key.starts_with('x') {
        let groups = client.line(&format!("XINFO GROUPS {key}"))?;
        stream.delivered = field(&groups.items().expect("an array")[0], "last-delivered-id");
        let pending = client.line(&format!("XPENDING {key} g - + 100000"))?;
        for entry in pending.items().expect("an array") {
            stream.pending.insert(text(&entry.items().expect("four")[0]));
        }
    }
    Ok(model.0.remove(key).map(|(held, _)| held))
}
