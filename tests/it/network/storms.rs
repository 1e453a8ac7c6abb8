//! Clients that come in crowds and leave without a word.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

/// 10,000 connections that open, say half a request (of every kind of half) and vanish.
#[test]
fn half_sent_and_dropped() {
    let halves: [&[u8]; 6] = [
        b"",
        b"*2\r\n$3\r\nGE",
        b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$400000\r\nxxxx",
        b"PING",
        b"*1\r\n$4\r\nPING\r\n*1\r\n",
        b"*100\r\n$1\r\na\r\n$5000\r\nyyy",
    ];
    let server = ours(&[]);
    let mut client = connect(&server);
    let wave = || {
        let streams: Vec<TcpStream> = (0..500)
            .map(|i| {
                let mut stream = open(&server);
                stream.write_all(halves[i % halves.len()]).expect("taken");
                stream
            })
            .collect();
        drop(streams);
    };
    let mut all_gone = |waves: usize| {
        let total = (waves * 500 + 1).to_string();
        wait_until("all have come and gone", || {
            info(&mut client, "total_connections_received") == total && connected(&mut client) == 1
        });
    };
    wave();
    all_gone(1);
    let (memory, files) = (resident(server.pid()), descriptors(server.pid()));
    (0..20).for_each(|_| wave());
    all_gone(21);
    wait_until("no descriptor is left", || descriptors(server.pid()) <= files);
    let grown = resident(server.pid()).saturating_sub(memory);
    assert!(grown < 8 << 20, "{grown} bytes more than after the first 500");
}

/// Connections opened and closed as fast as can be: whoever is served already goes on being served.
#[test]
fn accepting_starves_nobody() {
    let server = ours(&[]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let streams: Vec<TcpStream> = (0..50).map(|_| open(&server)).collect();
                    drop(streams);
                }
            });
        }
        let mut client = connect(&server);
        let (began, mut pings, mut worst) = (Instant::now(), 0, Duration::ZERO);
        while began.elapsed() < Duration::from_secs(2) {
            let at = Instant::now();
            client.line("PING").expect("answered");
            worst = worst.max(at.elapsed());
            pings += 1;
        }
        over.store(true, Ordering::Relaxed);
        let accepted = info(&mut client, "total_connections_received");
        println!("{pings} pings, the slowest {worst:?}, beside {accepted} connections");
        assert!(pings > 200 && worst < Duration::from_secs(1), "{pings} pings, the slowest took {worst:?}");
    });
}

/// Somebody with an endless pipeline leaves others their turn.
#[test]
fn a_long_pipeline_starves_nobody() {
    let server = ours(&[]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut stream = open(&server);
            let block = request(&["INCR", "k"]).repeat(10_000);
            let mut reader = stream.try_clone().expect("possible");
            scope.spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
            while !over.load(Ordering::Relaxed) {
                stream.write_all(&block).expect("taken");
            }
            // Lets the reader end, too.
            stream.shutdown(std::net::Shutdown::Both).expect("possible");
        });
        let mut client = connect(&server);
        let (began, mut pings, mut worst) = (Instant::now(), 0, Duration::ZERO);
        while began.elapsed() < Duration::from_secs(2) {
            let at = Instant::now();
            client.line("PING").expect("answered");
            worst = worst.max(at.elapsed());
            pings += 1;
        }
        over.store(true, Ordering::Relaxed);
        println!("{pings} pings, the slowest {worst:?}, beside an endless pipeline");
        assert!(pings > 20 && worst < Duration::from_secs(1), "{pings} pings, the slowest took {worst:?}");
    });
}

/// Clients that do anything at any time, on several threads: the server neither hangs nor loses anything of its own.
#[test]
fn anything_at_once_on_several_threads() {
    let server = ours(&["--io-threads", "4"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for seed in 0..8 {
            let (server, over) = (&server, &over);
            scope.spawn(move || {
                let mut rng = fastrand::Rng::with_seed(seed);
                while !over.load(Ordering::Relaxed) {
                    // Errors are part of it: clients kill each other.
                    let _ = one_whim(server, &mut rng);
                }
            });
        }
        std::thread::sleep(Duration::from_secs(2));
        over.store(true, Ordering::Relaxed);
        // Nobody waits for ever: what blocks has a time limit of its own.
    });
    let mut client = connect(&server);
    client.line("PING").expect("it lives");
    wait_until("all are gone", || connected(&mut client) == 1);
    assert_eq!(info(&mut client, "blocked_clients"), "0");
    assert_eq!(info(&mut client, "pubsub_clients"), "0");
    let increments = client.line("GET n").expect("answered");
    println!("{increments:?} increments, {} connections", info(&mut client, "total_connections_received"));
}

fn one_whim(server: &Server, rng: &mut fastrand::Rng) -> std::io::Result<()> {
    let mut client = server.connect()?;
    match rng.u8(..8) {
        0 => client.send_raw(&request(&["INCR", "n"]).repeat(rng.usize(1..2000))),
        1 => client.send_raw(&request(&["INCR", "n"])[..rng.usize(1..10)]),
        2 => {
            client.line("SUBSCRIBE news other")?;
            client.value()?;
            client.value().map(drop)
        }
        3 => client.pipeline(&vec![vec!["PUBLISH", "news", "hello"]; 50]).map(drop),
        4 => client.line("BLPOP l 0.05").map(drop),
        5 => client
            .pipeline(&[vec!["RPUSH", "l", "v"], vec!["MULTI"], vec!["RPUSH", "l", "w"], vec!["EXEC"]])
            .map(drop),
        6 => {
            let id = client.line("CLIENT ID")?.bytes().unwrap_or_default();
            let id: u64 = String::from_utf8_lossy(&id).parse().unwrap_or(1);
            let victim = id.saturating_sub(rng.u64(0..6)).to_string();
            client.call(&["CLIENT", "KILL", "ID", &victim, "SKIPME", "no"]).map(drop)
        }
        _ => {
            client.send_raw(&request(&["INCR", "n"]).repeat(100))?;
            client.stream().shutdown(std::net::Shutdown::Write)?;
            (0..100).try_for_each(|_| client.reply().map(drop))
        }
    }
}
