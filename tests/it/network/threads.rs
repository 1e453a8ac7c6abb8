//! Several threads of the server at once: 200 connections that check what must hold between them, while snapshots
//! are written.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

const ROUNDS: usize = 60;
/// Connections of a role; the roles together have 200.
const COUNTERS: usize = 30;
const MOVERS: usize = 30;
const PAIRS: usize = 30;
const WATCHERS: usize = 20;
const PUBLISHERS: usize = 10;
const SUBSCRIBERS: usize = 20;
const PRODUCERS: usize = 30;
const CONSUMERS: usize = 30;
/// Elements that wander between two lists.
const ELEMENTS: usize = 500;

fn call(client: &mut Client, line: &str) -> Value {
    client.line(line).unwrap_or_else(|e| panic!("{line}: {e}"))
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(n) => *n,
        Value::NilBulk => 0,
        other => {
            let text = other.bytes().unwrap_or_else(|| panic!("{other:?}"));
            String::from_utf8_lossy(&text).parse().expect("a number")
        }
    }
}

/// Everybody counts with the same key, in pipelines.
fn count(server: &Server) {
    let mut client = connect(server);
    for _ in 0..ROUNDS {
        client.pipeline(&vec![vec!["INCR", "counter"]; 20]).expect("answered");
    }
}

/// Elements go from list to list and are neither lost nor doubled.
fn wander(server: &Server, me: usize) {
    let mut client = connect(server);
    let lists = if me.is_multiple_of(2) { "near far LEFT RIGHT" } else { "far near RIGHT LEFT" };
    for _ in 0..ROUNDS * 4 {
        call(&mut client, &format!("LMOVE {lists}"));
    }
}

/// What is written together is seen together.
fn pair(server: &Server, me: usize) {
    let mut client = connect(server);
    for _ in 0..ROUNDS {
        call(&mut client, "MULTI");
        let verb = if me.is_multiple_of(2) { "INCR" } else { "GET" };
        call(&mut client, &format!("{verb} left"));
        call(&mut client, "INCR both");
        call(&mut client, &format!("{verb} right"));
        let seen = call(&mut client, "EXEC");
        let seen = seen.items().expect("nothing is watched");
        assert_eq!(number(&seen[0]), number(&seen[2]));
    }
}

/// Adds by WATCH, again and again until it works: no addition is lost.
fn add_by_watch(server: &Server) {
    let mut client = connect(server);
    for _ in 0..ROUNDS / 6 {
        loop {
            call(&mut client, "WATCH watched");
            let old = number(&call(&mut client, "GET watched"));
            call(&mut client, "MULTI");
            call(&mut client, &format!("SET watched {}", old + 1));
            if call(&mut client, "EXEC") != Value::NilArray {
                break;
            }
        }
    }
}

fn publish(server: &Server, me: usize) {
    let mut client = connect(server);
    for n in 0..ROUNDS {
        assert_eq!(number(&call(&mut client, &format!("PUBLISH news {me}:{n}"))), SUBSCRIBERS as i64);
    }
}

/// Hears every message once, those of one publisher in their order.
fn listen(mut client: Client) {
    let mut next = [0; PUBLISHERS];
    for _ in 0..PUBLISHERS * ROUNDS {
        let message = client.value().expect("a message");
        let text = message.items().and_then(|parts| parts[2].bytes()).expect("its text");
        let text = String::from_utf8(text).expect("our own");
        let (who, n) = text.split_once(':').expect("our own");
        let who: usize = who.parse().expect("a publisher");
        assert_eq!(n.parse(), Ok(next[who]), "of {who}");
        next[who] += 1;
    }
}

fn produce(server: &Server, me: usize) {
    let mut client = connect(server);
    for n in 0..ROUNDS {
        call(&mut client, &format!("RPUSH work {me}:{n}"));
    }
}

/// Takes from the queue until all is taken.
fn consume(server: &Server, taken: &Mutex<HashSet<Vec<u8>>>, left: &AtomicUsize) {
    let mut client = connect(server);
    while left.load(Ordering::Relaxed) > 0 {
        let got = call(&mut client, "BLPOP work 0.2");
        let Some(parts) = got.items() else { continue };
        let fresh =
            taken.lock().expect("nobody panics with it").insert(parts[1].bytes().expect("an element"));
        assert!(fresh, "taken twice: {:?}", parts[1]);
        left.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes snapshots one after the other.
fn save(server: &Server, left: &AtomicUsize) -> usize {
    let mut client = connect(server);
    let mut saves = 0;
    while left.load(Ordering::Relaxed) > 0 || saves == 0 {
        assert!(!call(&mut client, "BGSAVE").is_error());
        wait_until("it is written", || info(&mut client, "rdb_bgsave_in_progress") == "0");
        assert_eq!(info(&mut client, "rdb_last_bgsave_status"), "ok");
        saves += 1;
    }
    saves
}

fn subscribed(server: &Server) -> Client {
    let mut client = connect(server);
    client.line("SUBSCRIBE news").expect("answered");
    client
}

fn length(client: &mut Client, list: &str) -> Vec<Vec<u8>> {
    let all = call(client, &format!("LRANGE {list} 0 -1"));
    all.items().expect("a list").iter().map(|item| item.bytes().expect("an element")).collect()
}

#[test]
fn two_hundred_clients_on_four_threads() {
    let server = ours(&["--io-threads", "4"]);
    let mut client = connect(&server);
    for n in 0..ELEMENTS {
        call(&mut client, &format!("RPUSH near {n}"));
    }
    let taken = Mutex::new(HashSet::new());
    let left = AtomicUsize::new(PRODUCERS * ROUNDS);
    let listeners: Vec<Client> = (0..SUBSCRIBERS).map(|_| subscribed(&server)).collect();
    std::thread::scope(|scope| {
        let (server, taken, left) = (&server, &taken, &left);
        listeners.into_iter().for_each(|client| drop(scope.spawn(|| listen(client))));
        (0..COUNTERS).for_each(|_| drop(scope.spawn(|| count(server))));
        (0..MOVERS).for_each(|me| drop(scope.spawn(move || wander(server, me))));
        (0..PAIRS).for_each(|me| drop(scope.spawn(move || pair(server, me))));
        (0..WATCHERS).for_each(|_| drop(scope.spawn(|| add_by_watch(server))));
        (0..PUBLISHERS).for_each(|me| drop(scope.spawn(move || publish(server, me))));
        (0..PRODUCERS).for_each(|me| drop(scope.spawn(move || produce(server, me))));
        (0..CONSUMERS).for_each(|_| drop(scope.spawn(|| consume(server, taken, left))));
        scope.spawn(|| println!("{} snapshots meanwhile", save(server, left)));
    });
    assert_eq!(number(&call(&mut client, "GET counter")), (COUNTERS * ROUNDS * 20) as i64);
    assert_eq!(number(&call(&mut client, "GET both")), (PAIRS * ROUNDS) as i64);
    assert_eq!(number(&call(&mut client, "GET watched")), (WATCHERS * (ROUNDS / 6)) as i64);
    assert_eq!(taken.lock().expect("nobody panics with it").len(), PRODUCERS * ROUNDS);
    let mut wandered = length(&mut client, "near");
    wandered.extend(length(&mut client, "far"));
    assert_eq!(wandered.len(), ELEMENTS);
    assert_eq!(wandered.into_iter().collect::<HashSet<_>>().len(), ELEMENTS);
}
