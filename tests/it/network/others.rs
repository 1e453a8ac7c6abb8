//! What one client's requests mean for others: invalidations, moved keys, passwords, keys that make room.

use super::*;

fn text(client: &mut Client, line: &str) -> String {
    let value = client.line(line).expect("answered");
    String::from_utf8_lossy(&value.bytes().unwrap_or_default()).into_owned()
}

fn pushed(client: &mut Client) -> Vec<Value> {
    match client.value().expect("something comes") {
        Value::Push(items) => items,
        other => panic!("no push: {other:?}"),
    }
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

/// CLIENT TRACKING across connections: by change, by expiry, redirected, to one that is gone, and by prefix.
#[test]
fn readers_hear_of_changes() {
    on_each(&[], |server| {
        let (mut reader, mut writer, mut other) = (connect(server), connect(server), connect(server));
        reader.line("HELLO 3").expect("answered");
        ok(&mut reader, "CLIENT TRACKING ON");
        reader.line("GET k").expect("answered");
        ok(&mut writer, "SET k 1 PX 30");
        assert_eq!(pushed(&mut reader), [bulk("invalidate"), Value::Array(vec![bulk("k")])]);
        reader.line("GET k").expect("answered");
        assert_eq!(pushed(&mut reader), [bulk("invalidate"), Value::Array(vec![bulk("k")])], "it expires");

        let id = text(&mut other, "CLIENT ID");
        other.line("SUBSCRIBE __redis__:invalidate").expect("answered");
        ok(&mut reader, &format!("CLIENT TRACKING ON REDIRECT {id}"));
        reader.line("MGET a b").expect("answered");
        ok(&mut writer, "MSET a 1 b 2");
        for key in ["a", "b"] {
            let message = [bulk("message"), bulk("__redis__:invalidate"), Value::Array(vec![bulk(key)])];
            assert_eq!(other.value().expect("a message"), Value::Array(message.to_vec()));
        }
        drop(other);
        reader.line("GET a").expect("answered");
        wait_until("the other is gone", || connected(&mut writer) == 2);
        ok(&mut writer, "SET a 2");
        let number = id.parse().expect("a number");
        assert_eq!(pushed(&mut reader), [bulk("tracking-redir-broken"), Value::Int(number)]);

        ok(&mut reader, "CLIENT TRACKING OFF");
        ok(&mut reader, "CLIENT TRACKING ON BCAST PREFIX x: PREFIX y:");
        ok(&mut writer, "MSET x:2 1 z 1 x:1 1 y:1 1");
        let keys = |keys: &[&str]| Value::Array(keys.iter().map(|key| bulk(key)).collect());
        assert_eq!(pushed(&mut reader), [bulk("invalidate"), keys(&["x:1", "x:2"])]);
        assert_eq!(pushed(&mut reader), [bulk("invalidate"), keys(&["y:1"])]);
    });
}

/// FLUSHALL answers when everything is free; what is pipelined behind waits for that.
#[test]
fn a_flush_keeps_its_place_in_the_pipeline() {
    on_each(&[], |server| {
        let mut client = connect(server);
        let requests = ["SET k 1", "FLUSHALL", "EXISTS k", "FLUSHDB SYNC", "PING", "FLUSHALL ASYNC"];
        let requests: Vec<Vec<&str>> = requests.iter().map(|line| line.split(' ').collect()).collect();
        let ok = Value::Simple(b"OK".to_vec());
        let pong = Value::Simple(b"PONG".to_vec());
        let expected = [ok.clone(), ok.clone(), Value::Int(0), ok.clone(), pong, ok];
        for _ in 0..100 {
            assert_eq!(client.pipeline(&requests).expect("answered"), expected);
        }
        assert_eq!(info(&mut client, "blocked_clients"), "0");
        assert_eq!(info(&mut client, "lazyfree_pending_objects"), "0");
        wait_until("all are counted", || info(&mut client, "lazyfreed_objects") == "100");
        assert!(text(&mut client, "INFO commandstats").contains("cmdstat_flushall:calls=200,"));
    });
}

/// What a command that waits ends with counts once, under its own name.
#[test]
fn a_wait_counts_when_it_ends() {
    on_each(&[], |server| {
        let (mut waiter, mut client) = (connect(server), connect(server));
        let id = text(&mut waiter, "CLIENT ID");
        waiter.send(&["BLPOP", "l", "0"]).expect("taken");
        wait_until("it waits", || info(&mut client, "blocked_clients") == "1");
        assert!(!text(&mut client, "INFO commandstats").contains("cmdstat_blpop"));
        client.line(&format!("CLIENT UNBLOCK {id} ERROR")).expect("answered");
        assert!(waiter.reply().expect("answered").is_error());
        let stats = text(&mut client, "INFO commandstats");
        let line = stats.lines().find(|line| line.starts_with("cmdstat_blpop:")).expect("it is there");
        assert!(line.contains("calls=1,") && line.contains("failed_calls=1"), "{line}");
        assert!(text(&mut client, "INFO errorstats").contains("errorstat_UNBLOCKED:count=1"));
    });
}

/// MIGRATE: what arrives is gone here, what is refused stays, and nobody is no server.
#[test]
fn keys_move_to_another_server() {
    let there = ours(&[]);
    on_each(&[], |server| {
        let (mut here, mut target) = (connect(server), connect(&there));
        let port = there.port;
        let mut migrate = |rest: &str| text(&mut here, &format!("MIGRATE 127.0.0.1 {port} {rest}"));
        assert_eq!(migrate("nosuch 0 1000"), "NOKEY");
        assert_eq!(
            migrate("k 0 1000 KEYS a b"),
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
        );
        let mut here = connect(server);
        for line in ["FLUSHALL", "MSET a 1 b 2 c 3", "SET t 1 PX 100000"] {
            ok(&mut here, line);
        }
        here.line("RPUSH l x y z").expect("answered");
        target.line("FLUSHALL").expect("answered");
        ok(&mut target, "SELECT 9");
        target.line("SET b taken").expect("answered");
        let words = |keys: &str, more: &[&str]| -> Vec<String> {
            let port = port.to_string();
            let words =
                ["MIGRATE", "127.0.0.1", &port, "", "9", "1000"].into_iter().chain(more.iter().copied());
            words.chain(["KEYS"]).chain(keys.split(' ')).map(str::to_owned).collect()
        };
        let refused = here.call(&words("a nosuch b l t", &[])).expect("answered").bytes().expect("an error");
        assert!(refused.starts_with(b"ERR Target instance replied with error: BUSYKEY"));
        assert_eq!(here.line("EXISTS a b l t").expect("answered"), Value::Int(1), "b alone stays");
        assert_eq!(
            here.call(&words("b", &["COPY", "REPLACE"])).expect("answered").bytes().expect("OK"),
            b"OK"
        );
        assert_eq!(text(&mut here, "GET b"), "2");
        assert_eq!(text(&mut target, "GET b"), "2");
        assert_eq!(target.line("LLEN l").expect("answered"), Value::Int(3));
        let ttl: i64 = text(&mut target, "PTTL t").parse().expect("a number");
        assert!((90_000..=100_000).contains(&ttl), "{ttl}");
        assert_eq!(info(&mut here, "migrate_cached_sockets"), "1");
        let gone = text(&mut here, "MIGRATE 127.0.0.1 1 b 0 1000");
        // Whether the kernel says so at once or at the first write is a matter of its timing, for the real server, too.
        let (connecting, writing) = ("connecting to the client", "writing to target instance");
        assert!(
            [connecting, writing].map(|what| format!("IOERR error or timeout {what}")).contains(&gone),
            "{gone}"
        );
    });
}

/// `requirepass`: who comes must say it, who is there already stays; taken back, all may.
#[test]
fn a_password_is_asked_for() {
    on_each(&["--requirepass", "secret"], |server| {
        let mut client = connect(server);
        assert_eq!(text(&mut client, "SET k 1"), "NOAUTH Authentication required.");
        assert!(text(&mut client, "AUTH wrong").starts_with("WRONGPASS"));
        assert!(text(&mut client, "AUTH default secretx").starts_with("WRONGPASS"));
        ok(&mut client, "AUTH secret");
        ok(&mut client, "SET k 1");
        ok(&mut client, "CONFIG SET requirepass other");
        ok(&mut client, "SET k 2");
        let mut late = connect(server);
        assert!(text(&mut late, "AUTH secret").starts_with("WRONGPASS"));
        assert!(late.line("HELLO 3 AUTH default other").is_ok_and(|reply| !reply.is_error()));
        assert_eq!(text(&mut late, "RESET"), "RESET");
        assert_eq!(text(&mut late, "GET k"), "NOAUTH Authentication required.");
        client.call(&["CONFIG", "SET", "requirepass", ""]).expect("answered");
        assert_eq!(text(&mut late, "GET k"), "2");
    });
}

/// A request that would be refused for several reasons hears the first of them.
#[test]
fn refusals_come_in_the_order_of_the_real_server() {
    on_each(&["--requirepass", "secret", "--enable-debug-command", "no"], |server| {
        let mut client = connect(server);
        let mut refused = |line: &str, why: &str| {
            let said = text(&mut client, line);
            assert!(said.starts_with(why), "{line}: {said}");
        };
        let (arity, protected) = ("ERR wrong number of arguments", "ERR DEBUG command not allowed");
        refused("GET", arity);
        refused("DEBUG JMAP", protected);
        refused("GET k", "NOAUTH");
        refused("AUTH secret", "OK");
        refused("MULTI", "OK");
        refused("GET", arity);
        refused("DEBUG JMAP", protected);
        refused("SAVE", "ERR Command not allowed inside a transaction");
        refused("EXEC", "EXECABORT");
        refused("CONFIG SET maxmemory 1", "OK");
        refused("MULTI", "OK");
        refused("SAVE", "ERR Command not allowed inside a transaction");
        refused("SET k v", "OOM");
        refused("DISCARD", "OK");
        refused("CONFIG SET maxmemory 0", "OK");
        refused("MONITOR", "OK");
        refused("GET", arity);
        refused("DEBUG JMAP", protected);
        refused("GET k", "ERR Replica can't interact with the keyspace");
    });
}

/// `maxmemory`: keys go as the policy says, and reads are answered all the same.
#[test]
fn keys_make_room() {
    on_each(&[], |server| {
        let mut client = connect(server);
        let value = "v".repeat(10_000);
        for n in 0..500 {
            client.call(&["SET", &format!("k{n}"), &value]).expect("answered");
        }
        let used: u64 = info(&mut client, "used_memory").parse().expect("a number");
        for (name, value) in
            [("maxmemory-policy", "allkeys-random".to_owned()), ("maxmemory", (used - 1_000_000).to_string())]
        {
            assert!(!client.call(&["CONFIG", "SET", name, &value]).expect("answered").is_error());
        }
        client.line("PING").expect("answered");
        wait_until("there is room", || {
            let used_now: u64 = info(&mut client, "used_memory").parse().expect("a number");
            used_now <= used - 1_000_000
        });
        let left: u64 = text(&mut client, "DBSIZE").parse().expect("a number");
        assert!((250..=420).contains(&left), "{left}");
        wait_until("as many were evicted as are gone", || {
            let evicted: u64 = info(&mut client, "evicted_keys").parse().expect("a number");
            let left: u64 = text(&mut client, "DBSIZE").parse().expect("a number");
            evicted == 500 - left
        });
        client
            .call(&["CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", "1"])
            .expect("answered");
        assert!(text(&mut client, "SET k 1").starts_with("OOM "));
        assert_eq!(text(&mut client, "EXISTS nosuch"), "0");
    });
}
