//! SYNC: a snapshot and the stream of changes, as `redis-cli --replica` and the official suite read them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{Client, Value};
use crate::node::{Home, Node, wait};

/// A connection that follows, behind its snapshot.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Asks for the stream; gives the snapshot, too.
    fn open(node: &Node) -> (Stream, Vec<u8>) {
        Stream::open_after(node, "")
    }

    /// The same after a command that is answered with OK.
    fn open_after(node: &Node, command: &str) -> (Stream, Vec<u8>) {
        let mut socket = TcpStream::connect(("127.0.0.1", node.port())).expect("it accepts");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
        socket.write_all(format!("{command}SYNC\r\n").as_bytes()).expect("sent");
        let mut stream = Stream(BufReader::new(socket));
        if !command.is_empty() {
            assert_eq!(stream.line(), "+OK");
        }
        let len = stream.line();
        let len: usize = len.strip_prefix('$').and_then(|n| n.parse().ok()).expect("a length");
        let mut snapshot = vec![0; len];
        stream.0.read_exact(&mut snapshot).expect("the snapshot");
        (stream, snapshot)
    }

    fn say(&mut self, line: &str) {
        self.0.get_mut().write_all(line.as_bytes()).expect("sent");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The next frame, its words separated by spaces.
    fn frame(&mut self) -> String {
        let words: usize = self.line().strip_prefix('*').and_then(|n| n.parse().ok()).expect("a frame");
        let word = |_| {
            let len: usize = self.line().strip_prefix('$').and_then(|n| n.parse().ok()).expect("a length");
            let mut word = vec![0; len + 2];
            self.0.read_exact(&mut word).expect("a word");
            String::from_utf8_lossy(&word[..len]).into_owned()
        };
        (0..words).map(word).collect::<Vec<_>>().join(" ")
    }

    fn frames(&mut self, wanted: &[&str]) {
        for wanted in wanted {
            assert_eq!(self.frame(), *wanted);
        }
    }
}

#[test]
fn who_follows_gets_a_snapshot_and_every_change_after_it() {
    let home = Home::new();
    let node = home.start(&[]);
    node.ok("SET before 1");
    let (mut stream, snapshot) = Stream::open(&node);
    assert!(snapshot.starts_with(b"REDIS") && snapshot.windows(6).any(|part| part == b"before"));
    let mut client = node.client();
    for line in ["SET k v", "INCRBYFLOAT f 1.5", "GET k", "SPOP nosuch", "SELECT 3", "LPUSH l a", "MULTI"] {
        client.line(line).expect("answered");
    }
    for line in ["LPOP l", "SET k w", "EXEC"] {
        client.line(line).expect("answered");
    }
    stream.frames(&["SELECT 0", "SET k v", "SET f 1.5 KEEPTTL", "SELECT 3", "LPUSH l a"]);
    stream.frames(&["MULTI", "LPOP l", "SET k w", "EXEC"]);

    // A second one comes at another point; both go on.
    let (mut second, _) = Stream::open(&node);
    client.line("SET late 1").expect("answered");
    second.frames(&["SELECT 3", "SET late 1"]);
    assert_eq!(stream.frame(), "SELECT 3");
    assert_eq!(stream.frame(), "SET late 1");
    let info = |what: &str| {
        let text = node.ask("INFO replication").bytes().expect("text");
        String::from_utf8_lossy(&text).contains(what)
    };
    assert!(info("connected_slaves:2") && info("slave1:ip=127.0.0.1,port=0,state=online"));
    drop(second);
    wait("the follower's end", || info("connected_slaves:1").then_some(()));
    assert!(home.strays().is_empty() && home.bytes().is_empty(), "no file is left");
}

#[test]
fn changes_while_the_snapshot_is_written_follow_it() {
    let home = Home::new();
    let node = home.start(&["--rdb-key-save-delay", "1000"]);
    node.ok("DEBUG POPULATE 500 key 300");
    let reader = std::thread::scope(|scope| {
        let reader = scope.spawn(|| Stream::open(&node));
        node.wait_for("rdb_bgsave_in_progress", "1");
        node.ok("SET during 1");
        // It begins again when the child is told to stop.
        node.ok("FLUSHALL");
        node.ok("SET after 1");
        reader.join().expect("it reads")
    });
    let (mut stream, snapshot) = reader;
    assert!(!snapshot.windows(7).any(|part| part == b"key:499"));
    node.ok("SET last 1");
    let mut frames = vec![stream.frame()];
    while frames.last().is_some_and(|frame| frame != "SET last 1") {
        frames.push(stream.frame());
    }
    assert!(!frames.contains(&"SET during 1".to_owned()), "{frames:?}");
    let in_snapshot = snapshot.windows(5).any(|part| part == b"after");
    assert_ne!(in_snapshot, frames.contains(&"SET after 1".to_owned()), "once, {frames:?}");
}

#[test]
fn who_wants_no_keys_gets_the_stream_at_once() {
    let home = Home::new();
    let node = home.start(&[]);
    node.ok("SET before 1");
    let (mut stream, snapshot) = Stream::open_after(&node, "REPLCONF rdb-filter-only \"\"\r\n");
    assert!(snapshot.starts_with(b"REDIS") && !snapshot.windows(6).any(|part| part == b"before"));
    node.ok("SET k v");
    stream.frames(&["SELECT 0", "SET k v"]);
    assert_eq!(node.ask("CLIENT KILL TYPE replica"), Value::Int(1));
    assert_eq!(stream.line(), "", "it ends");
}

#[test]
fn what_is_announced_before_is_taken() {
    let home = Home::new();
    let node = home.start(&[]);
    node.ok("REPLCONF listening-port 7000 capa eof ip-address 127.0.0.1");
    assert_eq!(
        node.ask("REPLCONF colour red"),
        Value::Error(b"ERR Unrecognized REPLCONF option: colour".to_vec())
    );
    assert_eq!(
        node.ask("REPLCONF rdb-filter-only keys"),
        Value::Error(b"ERR Unsupported rdb-filter-only option: keys".to_vec())
    );
    assert_eq!(node.ask("REPLCONF capa"), Value::Error(b"ERR syntax error".to_vec()));
}

/// Replicas say how far they are; clients may wait for that.
#[test]
fn who_waits_for_followers_hears_of_what_they_acknowledge() {
    let home = Home::new();
    let node = home.start(&[]);
    let (mut stream, _) = Stream::open(&node);
    let mut client = node.client();
    client.line("SET k v").expect("answered");
    assert_eq!(client.line("WAIT 1 20").expect("answered"), Value::Int(0));
    // Asked for the first time, and now again.
    stream.frames(&["SELECT 0", "SET k v", "REPLCONF GETACK *"]);
    client.send(&["WAIT", "1", "0"]).expect("sent");
    stream.frames(&["REPLCONF GETACK *"]);
    let offset = node.info("replication")["master_repl_offset"].clone();
    stream.say("REPLCONF ACK 1\r\n");
    stream.say(&format!("REPLCONF ACK {offset}\r\n"));
    assert_eq!(client.value().expect("answered"), Value::Int(1));
    let durable = |client: &mut Client| client.line("WAITAOF 0 1 20").expect("answered");
    let counts = |replicas| Value::Array(vec![Value::Int(0), Value::Int(replicas)]);
    assert_eq!(durable(&mut client), counts(0));
    // Every question is a part of the stream, so this is far ahead.
    stream.say("REPLCONF ACK 100000 FACK 100000\r\n");
    wait("the acknowledgement", || (durable(&mut client) == counts(1)).then_some(()));
    // What is written later is not acknowledged.
    client.line(&format!("SET k {}", "w".repeat(100_000))).expect("answered");
    assert_eq!(client.line("WAIT 1 20").expect("answered"), Value::Int(0));
}

/// Messages go to who follows, whose own listeners wait for them, and to no log.
#[test]
fn messages_are_passed_on() {
    let home = Home::new();
    let node = home.start(&["--appendonly", "yes"]);
    let (mut stream, _) = Stream::open(&node);
    let mut client = node.client();
    for line in ["PUBLISH c m", "MULTI", "SPUBLISH s m", "EXEC", "MULTI", "SET k v", "PUBLISH c n", "EXEC"] {
        client.line(line).expect("answered");
    }
    stream.frames(&["SELECT 0", "PUBLISH c m", "SPUBLISH s m", "MULTI", "SET k v", "PUBLISH c n", "EXEC"]);
    client.line("CONFIG SET appendfsync always").expect("answered");
    client.line("SET last 1").expect("answered");
    let log = std::fs::read(home.data().join("appendonlydir/appendonly.aof.1.incr.aof")).expect("a log");
    let holds = |word: &[u8]| log.windows(word.len()).any(|part| part == word);
    assert!(holds(b"last") && !holds(b"PUBLISH"), "{}", log.escape_ascii());
}
