//! Clients that mean harm, or are broken: what they can cost, and that all of it comes back.

use super::*;

const MIB: u64 = 1 << 20;
/// The longest string, by default.
const LONGEST: u64 = 512 * MIB;

/// What a server had before a storm.
struct Before {
    used: u64,
    resident: u64,
}

fn used(client: &mut Client) -> u64 {
    info(client, "used_memory").parse().expect("a number")
}

impl Before {
    /// Once everything was used that stays in use.
    fn of(server: &Server, client: &mut Client) -> Before {
        used(client);
        Before { used: used(client), resident: resident(server.pid()) }
    }

    /// Waits until nobody else is there and the memory has come back: what is allocated nearly all, what is
    /// resident as far as an allocator returns it.
    fn comes_back(&self, server: &Server, client: &mut Client) {
        wait_until("all others are gone", || connected(client) == 1);
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            // What an allocator keeps for a while is no leak.
            ok(client, "MEMORY PURGE");
            let allocated = used(client).saturating_sub(self.used);
            let held = resident(server.pid()).saturating_sub(self.resident);
            if allocated < MIB && held < 32 * MIB {
                return;
            }
            assert!(Instant::now() < end, "{allocated} bytes stay allocated, {held} resident");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The most resident memory that a process ever had.
fn peak(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("every process has it");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

/// Sends a request whose last argument is `len` times `x`, without having it.
fn send_long(stream: &mut TcpStream, words: &[&str], len: u64) {
    let mut head = format!("*{}\r\n", words.len() + 1).into_bytes();
    words.iter().for_each(|word| head.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes()));
    head.extend_from_slice(format!("${len}\r\n").as_bytes());
    stream.write_all(&head).expect("taken");
    let block = [b'x'; 1 << 20];
    let mut left = len;
    while left > 0 {
        let n = left.min(MIB);
        stream.write_all(&block[..n as usize]).expect("taken");
        left -= n;
    }
}

/// Reads one line, for what comes without more behind it.
fn line(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n") {
        stream.read_exact(&mut byte).expect("an answer");
        text.push(byte[0]);
    }
    String::from_utf8_lossy(&text).trim_end().to_owned()
}

/// Whoever takes no replies costs as much as he is allowed to, whatever he asks for, and is closed.
#[test]
fn who_never_reads_costs_his_limit() {
    let server = ours(&["--client-output-buffer-limit", "normal 32mb 0 0"]);
    let mut client = connect(&server);
    client.call(&["SET", "big", &"v".repeat(1 << 20)]).expect("answered");
    client.call(&["SET", "small", &"v".repeat(100)]).expect("answered");
    let items: Vec<String> = (0..2000).map(|i| format!("item:{i}")).collect();
    let push: Vec<&str> = ["RPUSH", "list"].into_iter().chain(items.iter().map(String::as_str)).collect();
    client.call(&push).expect("answered");
    let before = Before::of(&server, &mut client);
    for greed in [&["GET", "big"][..], &["GET", "small"], &["LRANGE", "list", "0", "-1"], &["COMMAND"]] {
        let mut stream = open(&server);
        stream.set_write_timeout(Some(Duration::from_secs(5))).expect("settable");
        let block = request(greed).repeat(1000);
        let mut rounds = 0;
        while stream.write_all(&block).is_ok() {
            rounds += 1;
            assert!(rounds < 2000, "{greed:?}: never closed");
        }
        wait_until("it is closed", || connected(&mut client) == 1);
    }
    let grown = peak(server.pid()).saturating_sub(before.resident);
    assert!(grown < 120 * MIB, "{grown} bytes more at the worst");
    assert_eq!(info(&mut client, "client_output_buffer_limit_disconnections"), "4");
    before.comes_back(&server, &mut client);
}

/// Strings as long as they may be, one byte more, and their memory: once, and back when they go.
#[test]
fn values_and_keys_of_512_mib() {
    let server = ours(&[]);
    let mut client = connect(&server);
    let before = Before::of(&server, &mut client);
    let mut stream = open(&server);
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";

    send_long(&mut stream, &["SET", "k"], LONGEST);
    stream.write_all(b"\r\n").expect("taken");
    assert_eq!(line(&mut stream), "+OK");
    let grown = peak(server.pid()).saturating_sub(before.resident);
    assert!(grown < LONGEST + LONGEST / 4, "{grown} bytes for a value of {LONGEST}");
    for (input, answer) in [
        ("STRLEN k", ":536870912"),
        ("APPEND k y", too_long),
        ("SETRANGE k 536870912 y", too_long),
        ("SETRANGE k 536870911 y", ":536870912"),
        ("SETRANGE nosuch 9223372036854775807 y", too_long),
        ("SETBIT k 4294967295 1", ":1"),
        ("SETBIT k 4294967296 1", "-ERR bit offset is not an integer or out of range"),
        ("APPEND k \"\"", ":536870912"),
        ("GETBIT k 4294967296", "-ERR bit offset is not an integer or out of range"),
    ] {
        stream.write_all(format!("{input}\r\n").as_bytes()).expect("taken");
        assert_eq!(line(&mut stream), answer, "{input}");
    }
    stream.write_all(b"GET k\r\n").expect("taken");
    assert_eq!(line(&mut stream), "$536870912");
    let mut chunk = vec![0; 1 << 20];
    let (mut left, mut others) = (LONGEST as usize, 0);
    while left > 0 {
        let n = left.min(chunk.len());
        let n = stream.read(&mut chunk[..n]).expect("more comes");
        assert!(n > 0, "hung up, {left} bytes missing");
        others += others_than_x(&chunk[..n]);
        left -= n;
    }
    assert_eq!(others, 1, "all but the last byte are as they were sent");
    assert_eq!(line(&mut stream), "");
    let grown = peak(server.pid()).saturating_sub(before.resident);
    assert!(grown < 2 * LONGEST + LONGEST / 8, "{grown} bytes at the worst");
    ok(&mut client, "FLUSHALL");
    wait_until("the value's memory is back", || {
        ok(&mut client, "MEMORY PURGE");
        resident(server.pid()) < before.resident + LONGEST / 8
    });

    // As a key.
    send_long(&mut stream, &["INCR"], LONGEST);
    stream.write_all(b"\r\n").expect("taken");
    assert_eq!(line(&mut stream), ":1");
    assert_eq!(client.line("DBSIZE").expect("answered"), Value::Int(1));
    ok(&mut client, "FLUSHALL");

    stream.write_all(b"*2\r\n$4\r\nECHO\r\n$536870913\r\n").expect("taken");
    assert_eq!(line(&mut stream), "-ERR Protocol error: invalid bulk length");
    drop(stream);
    before.comes_back(&server, &mut client);
}

fn others_than_x(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte != b'x').count()
}

/// A million requests in one write, by one thread that reads afterwards.
#[test]
fn a_million_requests_at_once() {
    const COUNT: usize = 1_000_000;
    let server = ours(&[]);
    let mut client = connect(&server);
    let before = Before::of(&server, &mut client);
    let mut stream = open(&server);
    let expected: String = (1..=COUNT).map(|n| format!(":{n}\r\n")).collect();
    let found = exchange(&mut stream, &b"*2\r\n$4\r\nINCR\r\n$1\r\nn\r\n".repeat(COUNT), expected.len());
    assert!(found == expected.as_bytes());
    let grown = peak(server.pid()).saturating_sub(before.resident);
    assert!(grown < 64 * MIB, "{grown} bytes for {COUNT} requests");
    assert_eq!(client.line("GET n").expect("answered").bytes(), Some(COUNT.to_string().into_bytes()));
    drop(stream);
    before.comes_back(&server, &mut client);
}

/// Many who send byte by byte, forever on the way: they cost little, and all are answered in the end.
#[test]
fn crowds_of_slow_senders() {
    let server = ours(&[]);
    let mut client = connect(&server);
    let before = Before::of(&server, &mut client);
    let forms: [&[u8]; 3] =
        [b"*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n", b"ECHO  'hello'          \r\n", b"*1\r\n$4\r\nPING\r\n"];
    let longest = forms.iter().map(|form| form.len()).max().unwrap_or(0);
    let mut streams: Vec<TcpStream> = (0..400).map(|_| open(&server)).collect();
    for at in 0..longest {
        for (i, stream) in streams.iter_mut().enumerate() {
            if let Some(byte) = forms[i % 3].get(at) {
                stream.write_all(&[*byte]).expect("taken");
            }
        }
        client.line("PING").expect("others are served");
    }
    for (i, stream) in streams.iter_mut().enumerate() {
        let answer: &[u8] = if i % 3 == 2 { b"+PONG\r\n" } else { b"$5\r\nhello\r\n" };
        assert_eq!(exchange(stream, b"", answer.len()), answer);
    }
    drop(streams);
    before.comes_back(&server, &mut client);
}

/// Counts and lines that are too long, and those just not: an answer or a wait, never memory by announcement.
#[test]
fn announcements_beyond_measure() {
    let server = ours(&[]);
    let mut client = connect(&server);
    let before = Before::of(&server, &mut client);
    let endless = "9".repeat(70_000);
    let refused = [
        ("*2147483648\r\n".to_owned(), "invalid multibulk length"),
        ("*99999999999999999999\r\n".to_owned(), "invalid multibulk length"),
        (format!("*{endless}"), "too big mbulk count string"),
        (format!("*1\r\n${endless}"), "too big bulk count string"),
        (endless.clone(), "too big inline request"),
        ("*1\r\n$-1\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n$9223372036854775808\r\n".to_owned(), "invalid bulk length"),
        ("*1\r\n*1\r\n".to_owned(), "expected '$', got '*'"),
        ("SET k \"open\r\n".to_owned(), "unbalanced quotes in request"),
    ];
    for (input, why) in &refused {
        for _ in 0..20 {
            let mut stream = open(&server);
            stream.write_all(input.as_bytes()).expect("taken");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer); // the end may be a reset
            assert_eq!(String::from_utf8_lossy(&answer), format!("-ERR Protocol error: {why}\r\n"));
        }
    }
    let waiting: Vec<TcpStream> = (0..300)
        .map(|i| {
            let mut stream = open(&server);
            let input = match i % 3 {
                0 => "*2147483647\r\n$3\r\nDEL\r\n".to_owned(),
                1 => "*3\r\n$3\r\nSET\r\n$536870912\r\n".to_owned(),
                _ => "y".repeat(60_000),
            };
            stream.write_all(input.as_bytes()).expect("taken");
            stream
        })
        .collect();
    wait_until("all wait", || connected(&mut client) == 301);
    client.line("PING").expect("answered");
    let grown = peak(server.pid()).saturating_sub(before.resident);
    assert!(grown < 64 * MIB, "{grown} bytes for nothing but announcements");
    drop(waiting);
    before.comes_back(&server, &mut client);
}

/// What a client can pile up inside the server goes with him: subscriptions, watched keys, a queue of requests,
/// places in the line for a key.
#[test]
fn what_belongs_to_a_client_goes_with_him() {
    let server = ours(&[]);
    let names: Vec<String> = (0..10_000).map(|i| format!("name:{i}")).collect();
    let with = |head: &[&str], tail: &[&str]| -> Vec<u8> {
        let words = head.iter().copied().chain(names.iter().map(String::as_str)).chain(tail.iter().copied());
        request(&words.collect::<Vec<_>>())
    };
    let all = [
        with(&["SUBSCRIBE"], &[]),
        with(&["PSUBSCRIBE"], &[]),
        with(&["SSUBSCRIBE"], &[]),
        with(&["WATCH"], &[]),
        with(&["BLPOP"], &["0"]),
        with(&["XREAD", "BLOCK", "0", "STREAMS"], &names.iter().map(|_| "$").collect::<Vec<_>>()),
        [request(&["MULTI"]), request(&["SET", "k", &"v".repeat(1000)]).repeat(10_000)].concat(),
        request(&["CLIENT", "SETNAME", &"n".repeat(500_000)]),
    ];
    let round = |client: &mut Client| {
        let streams: Vec<TcpStream> = all
            .iter()
            .map(|input| {
                let mut stream = open(&server);
                stream.write_all(input).expect("taken");
                stream
            })
            .collect();
        wait_until("all of it arrived", || {
            info(client, "blocked_clients") == "2" && info(client, "total_watched_keys") == "10000"
        });
        drop(streams);
        wait_until("all are gone", || connected(client) == 1);
    };
    let mut client = connect(&server);
    round(&mut client);
    let before = Before::of(&server, &mut client);
    (0..3).for_each(|_| round(&mut client));
    before.comes_back(&server, &mut client);
}
