//! Sessions across connections and threads: killing, ordering, atomicity.

use super::*;

fn id(client: &mut Client) -> String {
    String::from_utf8(client.line("CLIENT ID").expect("answered").bytes().expect("a number")).expect("text")
}

#[test]
fn killing_others_and_oneself() {
    for options in [&[][..], &["--io-threads", "4"]] {
        on_each(options, |server| {
            let mut client = connect(server);
            let mut victims: Vec<Client> = (0..8).map(|_| connect(server)).collect();
            for victim in &mut victims {
                let id = id(victim);
                assert_eq!(client.line(&format!("CLIENT KILL ID {id}")).expect("answered"), Value::Int(1));
                assert!(victim.line("PING").is_err(), "it is gone");
                assert_eq!(client.line(&format!("CLIENT KILL ID {id}")).expect("answered"), Value::Int(0));
            }
            let me = id(&mut client);
            // The reply still leaves, and nothing behind it is executed.
            client
                .send_raw(format!("CLIENT KILL ID {me} SKIPME no\r\nSET late 1\r\n").as_bytes())
                .expect("taken");
            assert_eq!(client.reply().expect("answered"), Value::Int(1));
            assert!(client.reply().is_err(), "closed");
            let mut client = connect(server);
            assert_eq!(client.line("EXISTS late").expect("answered"), Value::Int(0));
            wait_until("all are gone", || connected(&mut client) == 1);
        });
    }
}

/// A client that has stopped reading is killed all the same, and its output freed.
#[test]
fn killing_who_does_not_read() {
    let server = ours(&[]);
    let mut client = connect(&server);
    client.call(&["SET", "k", &"v".repeat(100_000)]).expect("answered");
    let before = resident(server.pid());
    let mut stream = open(&server);
    stream.write_all(&request(&["GET", "k"]).repeat(500)).expect("taken");
    wait_until("output waits", || {
        let list = client.line("CLIENT LIST").expect("answered").bytes().expect("text");
        String::from_utf8_lossy(&list).contains("events=rw")
    });
    assert_eq!(client.line("CLIENT KILL TYPE normal").expect("answered"), Value::Int(1));
    assert!(hangs_up(&mut stream, Duration::from_secs(5)));
    assert_eq!(connected(&mut client), 1);
    wait_until("the memory comes back", || resident(server.pid()).saturating_sub(before) < 32 << 20);
}

/// 50 connections on several threads count together; every connection's replies come in its own order.
#[test]
fn counters_on_several_threads() {
    const CLIENTS: usize = 50;
    const ROUNDS: usize = 40;
    const DEPTH: usize = 25;
    for threads in ["1", "2", "4"] {
        let server = ours(&["--io-threads", threads]);
        std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let server = &server;
                scope.spawn(move || count(server, number, ROUNDS, DEPTH));
            }
        });
        let mut client = connect(&server);
        let total = (CLIENTS * ROUNDS * DEPTH).to_string();
        assert_eq!(client.line("GET shared").expect("answered"), Value::Bulk(total.clone().into_bytes()));
        let sum: i64 = (0..5)
            .map(|i| match client.line(&format!("GET shared:{i}")).expect("answered") {
                Value::Bulk(number) => String::from_utf8_lossy(&number).parse::<i64>().expect("a number"),
                other => panic!("{other:?}"),
            })
            .sum();
        assert_eq!(sum.to_string(), total);
        if threads == "4" {
            let list = server.connect().and_then(|mut c| c.line("CLIENT LIST")).expect("answered");
            assert!(list.bytes().is_some_and(|text| String::from_utf8_lossy(&text).contains("io-thread=")));
        }
    }
}

fn count(server: &Server, number: usize, rounds: usize, depth: usize) {
    let mut client = connect(server);
    let mut last = 0;
    for round in 0..rounds {
        let mut requests = Vec::new();
        for i in 0..depth {
            requests.push(vec!["INCR".to_owned(), "shared".to_owned()]);
            requests.push(vec!["INCR".to_owned(), format!("shared:{}", (number + i) % 5)]);
            requests.push(vec!["ECHO".to_owned(), format!("{number}:{round}:{i}")]);
        }
        let replies = client.pipeline(&requests).expect("answered");
        for (i, three) in replies.chunks(3).enumerate() {
            let Value::Int(now) = three[0] else { panic!("{:?}", three[0]) };
            assert!(now > last, "a counter never goes back: {last}, then {now}");
            last = now;
            assert_eq!(three[2], Value::Bulk(format!("{number}:{round}:{i}").into_bytes()));
        }
    }
}
