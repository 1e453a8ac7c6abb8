//! Addresses: ports, the socket file, who is let in, what is set on a socket.

use std::net::UdpSocket;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;

use super::*;

/// The kernel's timer of the server's side of a connection: `02` is keep-alive, `00` none.
fn timer(stream: &TcpStream) -> String {
    let (mine, theirs) =
        (stream.local_addr().expect("connected").port(), stream.peer_addr().expect("connected").port());
    let table = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let port = |field: &str| u16::from_str_radix(&field[field.len() - 4..], 16).expect("hexadecimal");
    let row = table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|f| port(f[1]) == theirs && port(f[2]) == mine);
    row.expect("the connection is there")[5][..2].to_owned()
}

#[test]
fn keep_alive_is_set() {
    on_each(&[], |server| {
        let mut client = connect(server);
        client.line("PING").expect("answered");
        wait_until("the timer runs", || timer(client.stream()) == "02");
        ok(&mut client, "CONFIG SET tcp-keepalive 0");
        let mut later = connect(server);
        later.line("PING").expect("answered");
        wait_until("no timer runs", || timer(later.stream()) == "00");
    });
}

fn unix_exchange(stream: &mut UnixStream, bytes: &[u8], answer: &[u8]) {
    stream.write_all(bytes).expect("taken");
    let mut found = vec![0; answer.len()];
    stream.read_exact(&mut found).expect("answered");
    assert_eq!(found, answer);
}

#[test]
fn the_socket_file() {
    let home = tempfile::tempdir().expect("a directory");
    let path = home.path().join("s");
    let shown = path.to_str().expect("text");
    let mut server = ours(&["--unixsocket", shown, "--unixsocketperm", "640"]);
    let meta = std::fs::symlink_metadata(&path).expect("it is there");
    assert!(meta.file_type().is_socket());
    assert_eq!(meta.permissions().mode() & 0o777, 0o640);
    let mut stream = UnixStream::connect(&path).expect("it accepts");
    unix_exchange(&mut stream, b"SET k v\r\nGET k\r\n", b"+OK\r\n$1\r\nv\r\n");
    let list = connect(&server).line("CLIENT LIST").expect("answered").bytes().expect("text");
    let list = String::from_utf8(list).expect("text");
    assert!(
        list.contains(&format!("addr={shown}:0 laddr={shown}:0")) && list.contains(" flags=U "),
        "{list}"
    );
    wait_until("it says so", || server.log().contains("Ready to accept connections unix"));
    // Another address for TCP changes nothing here.
    let old = server.port;
    let port = free_port();
    ok(&mut connect(&server), &format!("CONFIG SET port {port}"));
    server.port = port;
    assert!(TcpStream::connect(("127.0.0.1", old)).is_err(), "nobody listens there any more");
    let mut another = UnixStream::connect(&path).expect("it still accepts");
    unix_exchange(&mut another, b"GET k\r\n", b"$1\r\nv\r\n");
    unix_exchange(&mut stream, b"PING\r\n", b"+PONG\r\n");
    connect(&server).send(&["SHUTDOWN", "NOSAVE"]).expect("taken");
    assert!(server.wait().expect("it ends").success());
    assert!(!path.exists(), "removed at the end");
}

#[test]
fn a_socket_file_alone() {
    let home = tempfile::tempdir().expect("a directory");
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_resnap"))
        .args(["--port", "0", "--unixsocket", "s", "--save", ""])
        .current_dir(home.path())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the binary runs");
    let mut stream = None;
    wait_until("it accepts", || {
        stream = UnixStream::connect(home.path().join("s")).ok();
        stream.is_some()
    });
    unix_exchange(&mut stream.expect("connected"), b"PING\r\n", b"+PONG\r\n");
    child.kill().and_then(|()| child.wait()).expect("it ends");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("bound").port()
}

#[test]
fn the_port_can_be_changed() {
    on_each(&[], |server| {
        let mut client = connect(server);
        let port = free_port();
        ok(&mut client, &format!("CONFIG SET port {port}"));
        let mut other = Client::connect(("127.0.0.1", port)).expect("it listens there");
        assert_eq!(info(&mut other, "tcp_port"), port.to_string());
        assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err(), "and not here");
        // A port that somebody else has: an error, and all stays as it is.
        let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port is free");
        let number = taken.local_addr().expect("bound").port();
        let refused = client.line(&format!("CONFIG SET port {number}")).expect("answered");
        assert_eq!(
            refused,
            Value::Error(
                b"ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check \
                  server logs."
                    .to_vec()
            )
        );
        Client::connect(("127.0.0.1", port)).and_then(|mut c| c.line("PING")).expect("it still listens");
        ok(&mut client, &format!("CONFIG SET port {}", server.port));
        client.line("PING").expect("connections outlive all this");
        connect(server).line("PING").expect("it listens here again");
    });
}

#[test]
fn the_addresses_can_be_changed() {
    on_each(&["--bind", "127.0.0.1"], |server| {
        let mut client = connect(server);
        for (bind, elsewhere) in [
            ("127.0.0.1 127.0.0.2", true),
            ("127.0.0.1", false),
            ("*", true),
            ("127.0.0.1 -::1", false),
            ("* -::*", true),
        ] {
            let set = client.call(&["CONFIG", "SET", "bind", bind]).expect("answered");
            assert_eq!(set, Value::Simple(b"OK".to_vec()), "{bind}");
            connect(server).line("PING").expect("it listens");
            assert_eq!(TcpStream::connect(("127.0.0.2", server.port)).is_ok(), elsewhere, "{bind}");
        }
        let refused = client.call(&["CONFIG", "SET", "bind", "192.0.2.1"]).expect("answered");
        assert!(refused.bytes().is_some_and(|e| e.ends_with(b"Failed to bind to specified addresses.")));
        connect(server).line("PING").expect("all stays as it was");
    });
}

/// An address of this machine that others could use, if it has one. Nothing is sent.
fn outward() -> Option<std::net::IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().map(|address| address.ip()).filter(|ip| !ip.is_loopback())
}

#[test]
fn protected_mode() {
    let Some(address) = outward() else { return };
    on_each(&["--bind", "*"], |server| {
        let mut client = connect(server);
        let refused = || {
            let mut stream = TcpStream::connect((address, server.port)).expect("accepted, to be told");
            let mut told = Vec::new();
            // The end may come as an error, as the server does not wait for the request.
            let _ = stream.write_all(b"PING\r\n");
            stream.set_read_timeout(Some(Duration::from_millis(500))).expect("settable");
            let _ = stream.read_to_end(&mut told);
            told.starts_with(b"-DENIED ")
        };
        if std::env::var("RESNAP_REAL").is_err() {
            ok(&mut client, "CONFIG SET protected-mode yes");
        }
        assert!(refused());
        assert_eq!(info(&mut client, "rejected_connections"), "1");
        ok(&mut client, "CONFIG SET protected-mode no");
        assert!(!refused());
    });
}

#[test]
fn a_port_in_use_ends_the_start() {
    let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port is free");
    let port = taken.local_addr().expect("bound").port().to_string();
    let home = tempfile::tempdir().expect("a directory");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_resnap"))
        .args(["--port", &port, "--save", ""])
        .current_dir(home.path())
        .output()
        .expect("the binary runs");
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8_lossy(&output.stdout);
    assert!(
        log.contains(&format!(
            "# Warning: Could not create server TCP listening socket *:{port}: bind: Address already in use"
        )) && log.contains(&format!("# Failed listening on port {port} (tcp), aborting.")),
        "{log}"
    );
}
