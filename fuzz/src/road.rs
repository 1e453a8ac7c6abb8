//! The road of a command without a socket: the same parser, gate and handlers that a connection drives.

use std::sync::Arc;

use resnap::engine::config::Config;
use resnap::engine::session::Peer;
use resnap::engine::{Process, SessionId};
use resnap::resp::{Batch, Out, Parser, ParserLimits};
use resnap::serve::{Server, run_batch};
use resnap::text::clock::Clock;
use resnap::text::log::{self, Level};

/// A server and its one client. Its clock stands still.
pub struct Road {
    server: Arc<Server>,
    client: SessionId,
    out: Out,
}

/// Replies beyond this end a batch, as they do on a connection.
const MOST_OUTPUT: usize = 16 << 20;

impl Road {
    /// A server whose config is the default, but for these lines and small limits.
    pub fn new(lines: &[&str]) -> Road {
        if std::env::var_os("RESNAP_FUZZ_LOG").is_none() {
            log::set_level(Level::Nothing);
        }
        let mut loader = resnap::engine::config::Loader::default();
        for line in [r#"save """#, "proto-max-bulk-len 1mb", "enable-debug-command yes"].iter().chain(lines) {
            loader.line(line.as_bytes()).expect("a directive");
        }
        loader.finish();
        let config: Config = loader.config;
        let server = Server::new(config, Clock::frozen(1_750_000_000_000), Process::default());
        let client = server.lock().state.clients.open(Peer::Internal, 0);
        Road { server, client, out: Out::new() }
    }

    /// Empties the databases, and comes as a new client.
    pub fn begin(&mut self) {
        let mut engine = self.server.lock();
        engine.state.forget(self.client);
        engine.state.rng = fastrand::Rng::with_seed(7);
        self.client = engine.state.clients.open(Peer::Internal, 0);
        drop(engine);
        self.out.take();
        self.call(&[b"FLUSHALL", b"SYNC"]);
    }

    /// Runs one request; what it is answered.
    pub fn call(&mut self, words: &[&[u8]]) -> Vec<u8> {
        self.feed(&encode(words))
    }

    /// `call` for the words of a line.
    pub fn line(&mut self, line: &str) -> Vec<u8> {
        let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
        self.call(&words)
    }

    /// Runs what requests there are in `bytes`, as long as the client is served; what all are answered.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut parser, mut batch) = (Parser::new(), Batch::new());
        let limits = ParserLimits { max_bulk: 1 << 20, authenticated: true };
        let parsed = parser.parse(bytes, &limits, &mut batch);
        assert!(parsed.consumed <= bytes.len());
        let mut engine = self.server.lock();
        let engine = &mut *engine;
        let Some(mut session) = engine.state.clients.take(self.client) else { return Vec::new() };
        run_batch(&self.server, engine, &mut session, &batch, bytes, &mut self.out, MOST_OUTPUT);
        engine.state.clients.put_back(session);
        self.out.take()
    }
}

/// A request as a client sends it.
fn encode(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// The bulk strings of a reply in order, at most `most`.
pub fn bulks(mut reply: &[u8], most: usize) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    while found.len() < most && !reply.is_empty() {
        let line = reply.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = std::str::from_utf8(&line[1.min(line.len())..]).unwrap_or("").trim_end();
        let is_bulk = line.first() == Some(&b'$');
        reply = reply.get(line.len() + 1..).unwrap_or_default();
        if let (true, Ok(len)) = (is_bulk, text.parse::<usize>()) {
            found.push(reply[..len].to_vec());
            reply = &reply[len + 2..];
        }
    }
    found
}
