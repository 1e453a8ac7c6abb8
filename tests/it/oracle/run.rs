//! Runs the blocks of a transcript against a server, and says what it answered.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::client::{Client, Value};
use crate::server::Server;

use super::mask::{self, Mask, Order};
use super::quote;
use super::transcript::{Answers, Block, Step};

/// The server under test, a second connection to it, and the place where its log can be seen.
pub struct Target {
    kind: Kind,
    server: Server,
    control: Client,
    log: Log,
    /// The database that the last SELECT in the real server's log chose.
    log_db: u32,
}

#[derive(Clone)]
pub enum Kind {
    Ours,
    Real(PathBuf),
}

/// Where propagated frames come from.
enum Log {
    /// The real server's increment file, read on from where it was.
    File(File),
    /// Ours: `DEBUG RESNAP-FRAMES`, an array of frames since the last call, each an array of the database number
    /// and the arguments; MULTI and EXEC as in a log, SELECT left out.
    Hook,
    /// Ours, without the hook: not compared.
    None,
}

type Frame = (u32, Vec<Vec<u8>>);

impl Target {
    pub fn start(kind: Kind) -> io::Result<Target> {
        let server = match &kind {
            Kind::Ours => Server::ours(&["--enable-debug-command", "yes"])?,
            Kind::Real(path) => real(path)?,
        };
        let mut control = server.connect()?;
        let log = match &kind {
            Kind::Real(_) => {
                Log::File(File::open(server.dir().join("appendonlydir/appendonly.aof.1.incr.aof"))?)
            }
            Kind::Ours => match control.line("DEBUG RESNAP-FRAMES")? {
                Value::Array(_) => Log::Hook,
                _ => Log::None,
            },
        };
        Ok(Target { kind, server, control, log, log_db: 0 })
    }

    /// A server in place of one that is gone or does not answer any more.
    pub fn restart(&mut self) -> io::Result<()> {
        *self = Target::start(self.kind.clone())?;
        Ok(())
    }

    pub fn sees_frames(&self) -> bool {
        !matches!(self.log, Log::None)
    }

    /// A connection of its own, for facts that are no cases.
    pub fn connect(&self) -> io::Result<Client> {
        self.server.connect()
    }

    /// One case in one protocol: what each step answered, in that protocol's field.
    pub fn run(&mut self, block: &Block, protocol: u8) -> Result<Vec<Answers>, String> {
        let sets = |step: &Step| step.input.to_ascii_uppercase().starts_with("CONFIG SET");
        let before = match block.config.is_empty() && !block.steps.iter().any(sets) {
            true => BTreeMap::new(),
            false => self.directives().map_err(|e| e.to_string())?,
        };
        self.prepare(block)?;
        let mut run = Run { target: self, protocol, conns: HashMap::new(), saved: HashMap::new() };
        let answers: Vec<Answers> = block.steps.iter().map(|step| run.step(step)).collect();
        self.restore(&before)?;
        Ok(answers)
    }

    /// Empties the databases, sets what the block wants.
    fn prepare(&mut self, block: &Block) -> Result<(), String> {
        let emptied = self.control.line("FLUSHALL SYNC").map_err(|e| e.to_string())?;
        if emptied.is_error() {
            return Err(format!("FLUSHALL: {}", mask::reply(&emptied, &Mask::default(), 0)));
        }
        self.configure(&block.config)?;
        self.frames().map_err(|e| e.to_string())?;
        Ok(())
    }

    /// Puts back the directives that are not as they were.
    fn restore(&mut self, before: &BTreeMap<String, String>) -> Result<(), String> {
        if before.is_empty() {
            return Ok(());
        }
        let now = self.directives().map_err(|e| e.to_string())?;
        let changed = before.iter().filter(|(name, value)| now.get(*name) != Some(value));
        let changed: Vec<_> = changed.map(|(name, value)| (name.clone(), value.clone())).collect();
        self.configure(&changed)
    }

    fn directives(&mut self) -> io::Result<BTreeMap<String, String>> {
        let all = self.control.line("CONFIG GET *")?;
        let text = |v: &Value| String::from_utf8_lossy(&v.bytes().unwrap_or_default()).into_owned();
        let pairs = all.items().unwrap_or_default().chunks_exact(2);
        Ok(pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect())
    }

    fn configure(&mut self, settings: &[(String, String)]) -> Result<(), String> {
        let requests: Vec<_> =
            settings.iter().map(|(name, value)| vec!["CONFIG", "SET", name, value]).collect();
        let replies = self.control.pipeline(&requests).map_err(|e| e.to_string())?;
        match replies.iter().zip(settings).find(|(reply, _)| reply.is_error()) {
            Some((reply, (name, _))) => {
                Err(format!("CONFIG SET {name}: {}", mask::reply(reply, &Mask::default(), 0)))
            }
            None => Ok(()),
        }
    }

    /// The frames that came since the last call. A real server writes its log before it replies.
    fn frames(&mut self) -> io::Result<Vec<Frame>> {
        match &mut self.log {
            Log::None => Ok(Vec::new()),
            Log::Hook => {
                let found = self.control.line("DEBUG RESNAP-FRAMES")?;
                let frames = found.items().unwrap_or_default().iter().map(hook_frame);
                frames
                    .collect::<Option<_>>()
                    .ok_or_else(|| io::Error::other("DEBUG RESNAP-FRAMES: odd frames"))
            }
            Log::File(file) => {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                Ok(log_frames(&bytes, &mut self.log_db))
            }
        }
    }
}

/// Lets time go by. A key lapses unseen: there is no event to wait for.
fn elapse(ms: u64) {
    let start = Instant::now();
    while ms > 0 && start.elapsed() <= Duration::from_millis(ms) {
        std::thread::yield_now();
    }
}

/// A real server with a log to look at; `no` fsync, as it is written before the reply all the same.
fn real(path: &Path) -> io::Result<Server> {
    let options =
        "--appendonly yes --appendfsync no --auto-aof-rewrite-percentage 0 --enable-debug-command yes";
    Server::real(path, &options.split(' ').collect::<Vec<_>>())
}

struct Run<'t> {
    target: &'t mut Target,
    protocol: u8,
    conns: HashMap<usize, Client>,
    saved: HashMap<String, Vec<u8>>,
}

impl Run<'_> {
    fn step(&mut self, step: &Step) -> Answers {
        let (text, frames) = self.try_step(step).unwrap_or_else(|e| (format!("<{e}>"), Vec::new()));
        match self.protocol {
            2 => Answers { resp2: Some(text), resp3: None, frames },
            _ => Answers { resp2: None, resp3: Some(text), frames },
        }
    }

    fn try_step(&mut self, step: &Step) -> Result<(String, Vec<String>), String> {
        let args = quote::words(&step.input, &self.saved)?;
        elapse(step.elapse_ms);
        self.connect(step.conn).map_err(|e| e.to_string())?;
        let sent = now_ms();
        let text = self.exchange(step, &args, sent).map_err(|e| format!("no reply: {e}"))?;
        let frames = self.target.frames().map_err(|e| format!("{text}; then no frames: {e}"))?;
        let frames = frames.iter().map(|(db, frame)| mask::frame(*db, frame, &args, &step.mask, sent));
        Ok((text, frames.collect()))
    }

    fn exchange(&mut self, step: &Step, args: &[Vec<u8>], sent: i64) -> io::Result<String> {
        let client = self.conns.get_mut(&step.conn).expect("try_step connected it");
        if let Some(order) = step.scan {
            return Ok(mask::reply(&scan(client, args, order)?, &step.mask, sent));
        }
        if step.raw {
            client.send_raw(&args.concat())?;
        } else {
            client.send(args)?;
        }
        if step.no_reply {
            // What follows is read as a later step's reply: order shows that nothing came.
            return Ok("<nothing>".to_owned());
        }
        if step.closes {
            return Ok(until_closed(client, &step.mask, sent));
        }
        if step.raw {
            client.send(&["ECHO", END])?;
            return until_end(client, &step.mask, sent);
        }
        let value = client.reply()?;
        if let Some(name) = &step.save {
            self.saved.insert(name.clone(), value.bytes().unwrap_or_default());
        }
        let pushes = std::mem::take(&mut client.pushes);
        let shown = pushes.iter().chain([&value]).map(|v| mask::reply(v, &step.mask, sent));
        Ok(shown.collect::<Vec<_>>().join(" "))
    }

    fn connect(&mut self, conn: usize) -> io::Result<()> {
        if !self.conns.contains_key(&conn) {
            let mut client = self.target.server.connect()?;
            if self.protocol == 3 {
                client.line("HELLO 3")?;
            }
            self.conns.insert(conn, client);
        }
        Ok(())
    }
}

/// What an ECHO behind raw bytes says.
const END: &str = "the end of it";

/// All replies before that of the ECHO.
fn until_end(client: &mut Client, mask: &Mask, sent: i64) -> io::Result<String> {
    let mut shown = Vec::new();
    loop {
        match client.value()? {
            Value::Bulk(text) if text == END.as_bytes() => return Ok(shown.join(" ")),
            value => shown.push(mask::reply(&value, mask, sent)),
        }
    }
}

/// All replies until the end of the connection.
fn until_closed(client: &mut Client, mask: &Mask, sent: i64) -> String {
    let mut shown = Vec::new();
    let end = loop {
        match client.value() {
            Ok(value) => shown.push(mask::reply(&value, mask, sent)),
            Err(error) => break error.kind(),
        }
    };
    shown.push(match end {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => "<closed>".to_owned(),
        other => format!("<not closed: {other}>"),
    });
    shown.join(" ")
}

/// A whole iteration: the cursor is the second word of SCAN and the third of its relatives.
fn scan(client: &mut Client, args: &[Vec<u8>], order: Order) -> io::Result<Value> {
    let place = if args[0].eq_ignore_ascii_case(b"SCAN") { 1 } else { 2 };
    let mut args = args.to_vec();
    let mut found = Vec::new();
    for _ in 0..100_000 {
        let reply = client.call(&args)?;
        let Some([cursor, Value::Array(items)]) = reply.items() else { return Ok(reply) };
        let width = if order.pairs { 2 } else { 1 };
        found.extend(items.chunks(width).map(|chunk| Value::Array(chunk.to_vec())));
        args[place] = cursor.bytes().unwrap_or_default();
        if args[place] == b"0" {
            found.sort_by_cached_key(|chunk| mask::reply(chunk, &Mask::default(), 0));
            found.dedup(); // an element may come twice
            let flat = found.iter().flat_map(|chunk| chunk.items().unwrap_or_default().to_vec());
            return Ok(Value::Array(flat.collect()));
        }
    }
    Err(io::Error::other("a scan that does not end"))
}

fn hook_frame(value: &Value) -> Option<Frame> {
    let mut words = value.items()?.iter().map(Value::bytes);
    let db = String::from_utf8(words.next()??).ok()?.parse().ok()?;
    Some((db, words.collect::<Option<_>>()?))
}

/// The requests in a piece of a log; SELECT moves `db`, timestamps are comments.
fn log_frames(bytes: &[u8], db: &mut u32) -> Vec<Frame> {
    let mut frames = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let count = header(bytes, &mut at);
        let args: Vec<Vec<u8>> = (0..count).map(|_| bulk(bytes, &mut at)).collect();
        if args.len() == 2 && args[0].eq_ignore_ascii_case(b"SELECT") {
            let text = String::from_utf8_lossy(&args[1]);
            *db = text.parse().expect("a real server's log selects a database by number");
        } else if matches!(args[..], [ref word] if word == b"MULTI" || word == b"EXEC") {
            frames.push((0, args));
        } else {
            frames.push((*db, args));
        }
    }
    frames
}

fn header(bytes: &[u8], at: &mut usize) -> usize {
    let end = *at + bytes[*at..].iter().position(|b| *b == b'\r').expect("a log line ends");
    let text = std::str::from_utf8(&bytes[*at + 1..end]).expect("a log header is text");
    *at = end + 2;
    text.parse().expect("a log header is a number")
}

fn bulk(bytes: &[u8], at: &mut usize) -> Vec<u8> {
    let len = header(bytes, at);
    let word = bytes[*at..*at + len].to_vec();
    *at += len + 2;
    word
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from(since.as_millis()).expect("the clock is before the year 292 million")
}
