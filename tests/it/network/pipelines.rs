//! Whole pipelines written before anything is read: output never stops input.

use super::*;

#[test]
fn a_hundred_thousand_requests_before_the_first_reply_is_read() {
    const COUNT: usize = 100_000;
    on_each(&[], |server| {
        let mut stream = open(server);
        let mut input = Vec::new();
        for i in 0..COUNT {
            encode(&["SET", &format!("key:{i}"), &format!("value:{i}")], &mut input);
            encode(&["GET", &format!("key:{i}")], &mut input);
        }
        let expected: String =
            (0..COUNT).map(|i| format!("+OK\r\n${}\r\nvalue:{i}\r\n", format!("value:{i}").len())).collect();
        // Written as a whole by this same thread: a server that waits for its reader would hang it.
        let found = exchange(&mut stream, &input, expected.len());
        assert!(found == expected.as_bytes());
    });
}

/// 100 MB of input that make 500 MB of output: what waits is kept, and hardly more.
#[test]
fn a_hundred_megabytes_before_the_first_reply_is_read() {
    let server = ours(&[]);
    let mut client = connect(&server);
    client.call(&["SET", "k", &"v".repeat(100)]).expect("answered");
    let before = resident(server.pid());
    let one = request(&["GET", "k"]);
    let reply = format!("$100\r\n{}\r\n", "v".repeat(100));
    let count = (100 << 20) / one.len();
    let block = one.repeat(1000);

    let mut stream = open(&server);
    for _ in 0..count / 1000 {
        stream.write_all(&block).expect("taken");
    }
    let waiting = (count / 1000 * 1000 * reply.len()) as u64;
    let grown = resident(server.pid()).saturating_sub(before);
    assert!(grown < waiting + waiting / 8 + (32 << 20), "{grown} bytes for {waiting} that wait");
    // Others are served meanwhile.
    assert_eq!(client.line("STRLEN k").expect("answered"), Value::Int(100));

    let mut chunk = vec![0; 1 << 20];
    let mut at = 0;
    while at < waiting as usize {
        let n = stream.read(&mut chunk).expect("more comes");
        assert!(n > 0, "hung up after {at} bytes");
        for (i, byte) in chunk[..n].iter().enumerate() {
            assert!(*byte == reply.as_bytes()[(at + i) % reply.len()], "byte {}", at + i);
        }
        at += n;
    }
    wait_until("the memory comes back", || resident(server.pid()).saturating_sub(before) < 64 << 20);
}

/// The real server drops what the socket does not take at once when a client shuts down its half.
#[test]
fn half_closed_clients_get_all_their_replies() {
    const COUNT: usize = 20_000;
    let server = ours(&[]);
    let mut client = connect(&server);
    client.call(&["SET", "k", &"v".repeat(1000)]).expect("answered");
    let mut stream = open(&server);
    stream.write_all(&request(&["GET", "k"]).repeat(COUNT)).expect("taken");
    stream.shutdown(std::net::Shutdown::Write).expect("possible");
    std::thread::sleep(Duration::from_millis(50));
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("all of it");
    assert_eq!(answer.len(), COUNT * (1000 + 9));
    drop(stream);
    wait_until("it is gone", || connected(&mut client) == 1);
}

/// Small pipelines survive a half close on the real server as well.
#[test]
fn half_closed_after_a_small_pipeline() {
    on_each(&[], |server| {
        let mut stream = open(server);
        stream.write_all(&request(&["PING"]).repeat(100)).expect("taken");
        stream.shutdown(std::net::Shutdown::Write).expect("possible");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("all of it");
        assert!(answer == b"+PONG\r\n".repeat(100));
    });
}

/// Who says QUIT or is told a protocol error gets what came before, and nothing of what comes after.
#[test]
fn nothing_behind_the_end_is_executed() {
    on_each(&[], |server| {
        let mut stream = open(server);
        let input = [&request(&["SET", "a", "1"])[..], b"QUIT\r\nSET b 1\r\n"].concat();
        stream.write_all(&input).expect("taken");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"+OK\r\n+OK\r\n");
        let mut client = connect(server);
        assert_eq!(client.line("EXISTS a b").expect("answered"), Value::Int(1));
    });
}

/// What is pipelined behind a request that waits is kept, however much it is, and runs when the wait is over.
#[test]
fn pipelines_behind_a_wait() {
    const COUNT: usize = 20_000;
    on_each(&[], |server| {
        let mut client = connect(server);
        let mut stream = open(server);
        stream.write_all(&request(&["BLPOP", "l", "0"])).expect("taken");
        // In two parts, the second one while it waits, cut inside a request.
        let behind = request(&["INCR", "n"]).repeat(COUNT);
        stream.write_all(&behind[..1000]).expect("taken");
        std::thread::sleep(Duration::from_millis(20));
        stream.write_all(&behind[1000..]).expect("taken");
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(client.line("EXISTS n").expect("answered"), Value::Int(0));
        client.line("RPUSH l v").expect("answered");
        let mut expected = b"*2\r\n$1\r\nl\r\n$1\r\nv\r\n".to_vec();
        (1..=COUNT).for_each(|n| expected.extend_from_slice(format!(":{n}\r\n").as_bytes()));
        assert!(exchange(&mut stream, b"", expected.len()) == expected);
    });
}

/// Who hangs up, or just says no more, while waiting takes nothing with it.
#[test]
fn who_leaves_while_waiting_takes_nothing() {
    on_each(&[], |server| {
        let mut client = connect(server);
        let waiting = || {
            let mut stream = open(server);
            stream.write_all(&request(&["BLPOP", "l", "0"])).expect("taken");
            stream
        };
        let (left, mut silent) = (waiting(), waiting());
        wait_until("both wait", || info(&mut client, "blocked_clients") == "2");
        drop(left);
        silent.shutdown(std::net::Shutdown::Write).expect("possible");
        wait_until("nobody waits", || info(&mut client, "blocked_clients") == "0");
        assert!(hangs_up(&mut silent, Duration::from_secs(5)));
        client.line("RPUSH l v").expect("answered");
        assert_eq!(client.line("LLEN l").expect("answered"), Value::Int(1));
    });
}

/// What a request changes for those behind it holds for those of the same read, too.
#[test]
fn what_a_request_turns_on_holds_for_the_rest_of_its_batch() {
    const SAID: &[(&str, &str)] = &[
        ("SET k 1", "+OK\r\n"),
        ("CLIENT REPLY SKIP", ""),
        ("SET k 2", ""),
        ("GET k", "$1\r\n2\r\n"),
        ("MULTI", "+OK\r\n"),
        ("SET k 3", "+QUEUED\r\n"),
        ("GET k", "+QUEUED\r\n"),
        ("EXEC", "*2\r\n+OK\r\n$1\r\n3\r\n"),
        ("GET k", "$1\r\n3\r\n"),
        ("CONFIG SET maxmemory 1", "+OK\r\n"),
        ("SET k 4", "-OOM command not allowed when used memory > 'maxmemory'.\r\n"),
        ("GET k", "$1\r\n3\r\n"),
        ("CONFIG SET maxmemory 0", "+OK\r\n"),
        ("SET k 5", "+OK\r\n"),
        ("SUBSCRIBE c", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"),
        (
            "GET k",
            "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in \
             this context\r\n",
        ),
        ("UNSUBSCRIBE c", "*3\r\n$11\r\nunsubscribe\r\n$1\r\nc\r\n:0\r\n"),
        ("GET k", "$1\r\n5\r\n"),
        ("GET k k", "-ERR wrong number of arguments for 'get' command\r\n"),
        ("LPUSH k x", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n"),
        ("CONFIG SET requirepass secret", "+OK\r\n"),
        ("GET k", "$1\r\n5\r\n"),
        ("RESET", "+RESET\r\n"),
        ("GET k", "-NOAUTH Authentication required.\r\n"),
        ("AUTH secret", "+OK\r\n"),
        ("CONFIG SET requirepass \"\"", "+OK\r\n"),
        ("CLIENT REPLY OFF", ""),
        ("SET k 6", ""),
        ("GET k", ""),
        ("CLIENT REPLY ON", "+OK\r\n"),
        ("GET k", "$1\r\n6\r\n"),
    ];
    on_each(&[], |server| {
        let mut stream = open(server);
        let mut input = Vec::new();
        for (line, _) in SAID {
            let words: Vec<_> = line.split(' ').map(|word| word.trim_matches('"')).collect();
            encode(&words, &mut input);
        }
        let expected: String = SAID.iter().map(|(_, answer)| *answer).collect();
        let found = exchange(&mut stream, &input, expected.len());
        assert_eq!(String::from_utf8_lossy(&found), expected);
    });
}

/// The same for what is pushed between replies.
#[test]
fn tracking_begins_and_ends_within_a_batch() {
    on_each(&[], |server| {
        let mut client = connect(server);
        client.line("HELLO 3").expect("answered");
        let input =
            ["SET k 1", "CLIENT TRACKING ON", "GET k", "SET k 2", "CLIENT TRACKING OFF", "GET k", "SET k 3"];
        let mut bytes = Vec::new();
        input.iter().for_each(|line| encode(&line.split(' ').collect::<Vec<_>>(), &mut bytes));
        client.send_raw(&bytes).expect("taken");
        let ok = || Value::Simple(b"OK".into());
        let bulk = |text: &str| Value::Bulk(text.into());
        let invalidated = Value::Push(vec![bulk("invalidate"), Value::Array(vec![bulk("k")])]);
        let expected = [ok(), ok(), bulk("1"), ok(), invalidated, ok(), bulk("2"), ok()];
        assert_eq!(expected.clone().map(|_| client.value().expect("answered")), expected);
    });
}
