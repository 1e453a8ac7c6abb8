//! `maxmemory-clients`: the biggest clients go when all together take too much.

use std::io::{Read, Write};
use std::time::Duration;

use super::{connect, hangs_up, on_each, open};
use crate::client::{Client, Value};
use crate::server::Server;

/// The value of a field of CLIENT LIST, of the client with this name.
fn field(client: &mut Client, name: &str, field: &str) -> Option<u64> {
    let list = client.line("CLIENT LIST").expect("a list").bytes().expect("a text");
    let list = String::from_utf8(list).expect("plain");
    let line = list.lines().find(|line| line.contains(&format!("name={name} ")))?;
    let value = line.split(' ').find_map(|word| word.strip_prefix(&format!("{field}=")))?;
    value.parse().ok()
}

/// A client that looks on and is never closed.
fn control(server: &Server) -> Client {
    let mut client = connect(server);
    assert_eq!(client.line("CLIENT NO-EVICT ON").expect("an answer"), Value::Simple(b"OK".to_vec()));
    client
}

/// A client that has sent half of a big argument, as the server has noticed.
fn half_sent(server: &Server, control: &mut Client, name: &str, bytes: usize) -> std::net::TcpStream {
    let mut stream = open(server);
    write!(stream, "CLIENT SETNAME {name}\r\n*1\r\n${}\r\n", 2 * bytes).expect("taken");
    stream.write_all(&vec![b'v'; bytes]).expect("taken");
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while field(control, name, "qbuf") != Some(bytes as u64) {
        assert!(std::time::Instant::now() < end, "{name}: {:?}", field(control, name, "qbuf"));
    }
    stream
}

#[test]
fn the_biggest_client_goes_when_the_limit_comes_down() {
    on_each(&[], |server| {
        let mut control = control(server);
        let mut streams: Vec<_> = [("small", 200_000), ("big", 1_600_000), ("middle", 600_000)]
            .map(|(name, bytes)| half_sent(server, &mut control, name, bytes))
            .into();
        control.line("CONFIG SET maxmemory-clients 2mb").expect("an answer");
        assert!(hangs_up(&mut streams[1], Duration::from_secs(5)));
        assert_eq!(field(&mut control, "big", "id"), None);
        assert!(
            field(&mut control, "small", "id").is_some() && field(&mut control, "middle", "id").is_some()
        );
        let stats = control.line("INFO stats").expect("an answer").bytes().expect("a text");
        assert!(String::from_utf8_lossy(&stats).contains("\r\nevicted_clients:1\r\n"));
        // The line is on its way when the connection is closed.
        let end = std::time::Instant::now() + Duration::from_secs(10);
        while !server.log().contains("Evicting client: id=") {
            assert!(std::time::Instant::now() < end, "{}", server.log());
        }
    });
}

#[test]
fn who_sends_and_never_reads_is_evicted() {
    on_each(&["--maxmemory-clients", "3mb"], |server| {
        let mut control = control(server);
        control.line("SETRANGE k 200000 v").expect("an answer");
        let mut stream = open(server);
        let request = b"GET k\r\n".repeat(100);
        for _ in 0..10 {
            // The server may have closed it already.
            let _ = stream.write_all(&request);
        }
        assert!(hangs_up(&mut stream, Duration::from_secs(10)));
    });
}

#[test]
fn many_watches_and_subscriptions_count() {
    on_each(&["--maxmemory-clients", "200000"], |server| {
        for verb in ["WATCH", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"] {
            let mut stream = open(server);
            let requests: Vec<u8> =
                (0..20_000).flat_map(|n| format!("{verb} {n}\r\n").into_bytes()).collect();
            let _ = stream.write_all(&requests);
            assert!(hangs_up(&mut stream, Duration::from_secs(10)), "{verb}");
        }
    });
}

#[test]
fn whoever_may_not_be_evicted_stays_until_it_may() {
    on_each(&["--maxmemory", "20mb"], |server| {
        let mut control = control(server);
        let mut stream = open(server);
        stream.write_all(b"CLIENT NO-EVICT ON\r\n").expect("taken");
        let mut big = half_sent(server, &mut control, "big", 1_600_000);
        control.line("CONFIG SET maxmemory-clients 5%").expect("an answer");
        assert!(hangs_up(&mut big, Duration::from_secs(5)));
        // A share of the whole: 5 % are a million bytes.
        half_sent(server, &mut control, "fits", 300_000);
        let mut spared = connect(server);
        spared
            .pipeline(&[vec!["CLIENT", "SETNAME", "spared"], vec!["CLIENT", "NO-EVICT", "ON"]])
            .expect("answers");
        spared.send_raw(&[b"*1\r\n$4000000\r\n".to_vec(), vec![b'v'; 1_600_000]].concat()).expect("taken");
        while field(&mut control, "spared", "qbuf") != Some(1_600_000) {}
        assert!(field(&mut control, "spared", "id").is_some());
    });
}

/// A number in INFO stats.
fn stat(control: &mut Client, name: &str) -> u64 {
    let stats = control.line("INFO stats").expect("an answer").bytes().expect("a text");
    let stats = String::from_utf8(stats).expect("plain");
    let value = stats.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
    value.and_then(|value| value.parse().ok()).expect("a number")
}

/// What is allocated for their output counts, not only what waits in it: else keys would have to go first. Nor does a key
/// go for what a client has asked in one breath, or for what those who were closed have left.
#[test]
fn many_who_never_read_go_before_any_key() {
    let limits = ["--maxmemory", "11mb", "--maxmemory-policy", "allkeys-lru", "--maxmemory-clients", "3mb"];
    for requests in [1, 5, 10] {
        on_each(&limits, |server| never_read(server, requests));
    }
}

fn never_read(server: &Server, requests: usize) {
    let mut control = control(server);
    for key in 0..50 {
        control.line(&format!("SETRANGE {key} 100000 x")).expect("an answer");
    }
    let mut streams: Vec<_> = (0..20).map(|_| open(server)).collect();
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while stat(&mut control, "evicted_clients") == 0 && std::time::Instant::now() < end {
        // Who was evicted is not heard any more.
        streams.retain_mut(|stream| stream.write_all(&b"MGET 1\r\n".repeat(requests)).is_ok());
    }
    assert!(stat(&mut control, "evicted_clients") > 0);
    assert_eq!(stat(&mut control, "evicted_keys"), 0, "{requests} requests at a time");
    assert_eq!(control.line("DBSIZE").expect("an answer"), Value::Int(50));
}

/// Where clients may be closed for their output, it still leaves when they read at last: also if there is no limit by then.
#[test]
fn what_waits_under_a_limit_leaves_whole() {
    for then in ["64mb", "0"] {
        on_each(&["--maxmemory", "256mb", "--maxmemory-clients", "128mb"], |server| {
            let mut control = control(server);
            control.line("SETRANGE k 999999 v").expect("an answer");
            let mut stream = open(server);
            stream.write_all(b"CLIENT SETNAME slow\r\n").expect("taken");
            stream.write_all(&b"GET k\r\n".repeat(20)).expect("taken");
            while field(&mut control, "slow", "omem").unwrap_or(0) < 1_000_000 {}
            control.line(&format!("CONFIG SET maxmemory-clients {then}")).expect("an answer");
            stream.write_all(b"PING\r\n").expect("taken");
            let reply = [b"$1000000\r\n".to_vec(), vec![0; 999_999], b"v\r\n".to_vec()].concat();
            let whole = [&b"+OK\r\n"[..], &reply.repeat(20), b"+PONG\r\n"].concat();
            let mut answer = vec![0; whole.len()];
            stream.read_exact(&mut answer).expect("all of it comes");
            assert!(answer == whole, "limit {then}");
        });
    }
}
