//! What a server costs that has nothing to do.

use super::*;

/// Processor time in so many seconds of doing nothing, with so many clients connected; and resident bytes.
fn idleness(server: &Server, clients: usize, seconds: u64) -> (Duration, u64) {
    let streams: Vec<TcpStream> = (0..clients).map(|_| open(server)).collect();
    let mut client = connect(server);
    wait_until("all are there", || connected(&mut client) == clients + 1);
    for mut stream in &streams {
        stream.write_all(b"PING\r\n").expect("taken");
        let mut answer = [0; 7];
        stream.read_exact(&mut answer).expect("answered");
    }
    let before = cpu(server.pid());
    std::thread::sleep(Duration::from_secs(seconds));
    (cpu(server.pid()).saturating_sub(before), resident(server.pid()))
}

/// The figures of the real server stand beside ours in the output where there is one.
#[test]
fn an_idle_server_rests() {
    const SECONDS: u64 = 4;
    on_each(&[], |server| {
        let bare = idleness(server, 0, SECONDS);
        let full = idleness(server, 1000, SECONDS);
        let each = full.1.saturating_sub(bare.1) / 1000;
        println!(
            "pid {}: {:?} in {SECONDS} s alone, {:?} with 1000 clients, {each} bytes a client",
            server.pid(),
            bare.0,
            full.0
        );
        assert!(full.0 < Duration::from_millis(50 * SECONDS), "5 % of a core: {:?}", full.0);
        assert!(each < 24 << 10, "{each} bytes for an idle client");
    });
}
