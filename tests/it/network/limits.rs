//! Limits: output, input, how many, how long idle.

use super::*;

/// Lets a client with unread replies pile up, until it is closed or said all of it.
fn pile_up(server: &Server, blocks: usize) -> TcpStream {
    let mut client = connect(server);
    client.call(&["SET", "k", &"v".repeat(10_000)]).expect("answered");
    let mut stream = open(server);
    stream.set_write_timeout(Some(Duration::from_secs(5))).expect("settable");
    let block = request(&["GET", "k"]).repeat(100);
    for _ in 0..blocks {
        if stream.write_all(&block).is_err() {
            break;
        }
    }
    stream
}

#[test]
fn the_hard_output_limit_closes_at_once() {
    on_each(&["--client-output-buffer-limit", "normal 2mb 0 0"], |server| {
        let mut stream = pile_up(server, 100);
        let mut client = connect(server);
        wait_until("it is closed", || connected(&mut client) == 1);
        assert!(hangs_up(&mut stream, Duration::from_secs(5)));
        assert_eq!(info(&mut client, "client_output_buffer_limit_disconnections"), "1");
        // The log comes by another road.
        wait_until("it is logged", || server.log().contains("output buffer limits.\n"));
        let log = server.log();
        let line =
            log.lines().find(|line| line.contains("output buffer limits")).unwrap_or_else(|| panic!("{log}"));
        assert!(
            line.contains(" # Client id=")
                && line.contains(" addr=127.0.0.1:")
                && line.ends_with("scheduled to be closed ASAP for overcoming of output buffer limits."),
            "{line}"
        );
    });
}

#[test]
fn the_soft_output_limit_closes_after_its_time() {
    on_each(&["--client-output-buffer-limit", "normal 0 1mb 1"], |server| {
        let began = Instant::now();
        // More than what the kernel takes for the two of them.
        let mut stream = pile_up(server, 20);
        let mut client = connect(server);
        assert_eq!(connected(&mut client), 2);
        wait_until("it is closed", || connected(&mut client) == 1);
        assert!(began.elapsed() > Duration::from_secs(1));
        assert!(hangs_up(&mut stream, Duration::from_secs(5)));
        assert_eq!(info(&mut client, "client_output_buffer_limit_disconnections"), "1");
        assert!(server.log().contains("closed for overcoming of output buffer limits."));
    });
}

/// Subscribers have limits of their own; what others publish counts, too.
#[test]
fn subscribers_that_do_not_read_are_closed() {
    on_each(&["--client-output-buffer-limit", "pubsub 2mb 0 0"], |server| {
        let mut subscriber = open(server);
        exchange(&mut subscriber, &request(&["SUBSCRIBE", "news"]), 1);
        let mut client = connect(server);
        let message = "m".repeat(100_000);
        wait_until("it is closed", || {
            client.call(&["PUBLISH", "news", &message]).expect("answered") == Value::Int(0)
        });
        assert!(hangs_up(&mut subscriber, Duration::from_secs(5)));
        assert_eq!(info(&mut client, "client_output_buffer_limit_disconnections"), "1");
    });
}

/// Who got much and took it is not held to account for it later.
#[test]
fn output_that_was_taken_counts_for_nothing() {
    let server = ours(&["--client-output-buffer-limit", "normal 0 1mb 1"]);
    let mut client = connect(&server);
    client.call(&["SET", "k", &"v".repeat(5 << 20)]).expect("answered");
    let mut reader = connect(&server);
    reader.line("GET k").expect("all of it");
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(reader.line("STRLEN k").expect("still there"), Value::Int(5 << 20));
    let list = client.line("CLIENT LIST").expect("answered").bytes().expect("text");
    assert!(!String::from_utf8_lossy(&list).contains("events=rw"), "nothing waits");
}

#[test]
fn the_query_buffer_limit() {
    on_each(&["--client-query-buffer-limit", "1mb"], |server| {
        let mut stream = open(server);
        stream.set_write_timeout(Some(Duration::from_secs(5))).expect("settable");
        let head = b"*2\r\n$4\r\nECHO\r\n$3000000\r\n";
        let _ = stream.write_all(head).and_then(|()| stream.write_all(&vec![b'x'; 2 << 20]));
        assert!(hangs_up(&mut stream, Duration::from_secs(5)));
        let mut client = connect(server);
        assert_eq!(info(&mut client, "client_query_buffer_limit_disconnections"), "1");
        let log = server.log();
        assert!(log.contains(" # Closing client that reached max query buffer length: id="), "{log}");
    });
}

/// What waits for EXEC is input that waits.
#[test]
fn the_query_buffer_limit_counts_a_transaction() {
    on_each(&["--client-query-buffer-limit", "1mb"], |server| {
        let mut stream = open(server);
        stream.set_write_timeout(Some(Duration::from_secs(5))).expect("settable");
        let queued = request(&["SET", "k", &"v".repeat(1000)]).repeat(2000);
        let _ = stream.write_all(b"MULTI\r\n").and_then(|()| stream.write_all(&queued));
        assert!(hangs_up(&mut stream, Duration::from_secs(5)));
        let mut client = connect(server);
        assert_eq!(info(&mut client, "client_query_buffer_limit_disconnections"), "1");
        // As much, and less at a time.
        let mut patient = open(server);
        let part =
            [&b"MULTI\r\n"[..], &request(&["SET", "k", &"v".repeat(1000)]).repeat(900), b"EXEC\r\n"].concat();
        let answer = 5 + 900 * 9 + 6 + 900 * 5;
        (0..3).for_each(|_| assert_eq!(exchange(&mut patient, &part, answer).len(), answer));
    });
}

#[test]
fn maxclients() {
    on_each(&["--maxclients", "10"], |server| {
        let mut clients: Vec<Client> = (0..10).map(|_| connect(server)).collect();
        for client in &mut clients {
            client.line("PING").expect("answered");
        }
        let mut refused = open(server);
        let mut answer = String::new();
        refused.read_to_string(&mut answer).expect("it is told");
        assert_eq!(answer, "-ERR max number of clients reached\r\n");
        assert_eq!(info(&mut clients[0], "rejected_connections"), "1");
        assert_eq!(info(&mut clients[0], "maxclients"), "10");
        clients.pop();
        wait_until("there is room again", || connect(server).line("PING").is_ok_and(|r| !r.is_error()));
        ok(&mut clients[0], "CONFIG SET maxclients 12");
        assert_eq!(info(&mut clients[0], "maxclients"), "12");
    });
}

#[test]
fn idle_clients_are_closed() {
    on_each(&["--timeout", "1", "--loglevel", "verbose"], |server| {
        let mut idle = open(server);
        idle.write_all(b"PING\r\n*1\r\n").expect("taken");
        let mut busy = connect(server);
        let began = Instant::now();
        // Half a request now and then is life.
        let mut slow = open(server);
        slow.write_all(b"*2\r\n$4\r\nECHO\r\n$100\r\n").expect("taken");
        while began.elapsed() < Duration::from_millis(3500) {
            busy.line("PING").expect("busy clients stay");
            slow.write_all(b"xx").expect("taken");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(hangs_up(&mut idle, Duration::from_millis(100)), "closed");
        assert!(!hangs_up(&mut slow, Duration::from_millis(100)), "slow is not idle");
        assert!(server.log().contains("Closing idle client"));
        ok(&mut busy, "CONFIG SET timeout 0");
        std::thread::sleep(Duration::from_millis(2500));
        busy.line("PING").expect("nobody is closed any more");
    });
}
