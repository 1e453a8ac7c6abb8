//! Servers that run beside each other, ours first, and a client for them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server program, and its name in tables.
pub struct Program {
    pub name: &'static str,
    pub path: PathBuf,
}

/// Ours, and the real ones that `RESNAP_REAL` and `RESNAP_VALKEY9` name.
pub fn programs() -> Vec<Program> {
    let ours = Program { name: "resnap", path: env!("CARGO_BIN_EXE_resnap").into() };
    let others = [("Redis", "RESNAP_REAL"), ("Valkey", "RESNAP_VALKEY9")];
    let others =
        others.map(|(name, var)| std::env::var_os(var).map(|path| Program { name, path: path.into() }));
    std::iter::once(ours).chain(others.into_iter().flatten()).collect()
}

/// Keeps this process on the second core; servers have the first.
pub fn keep_to_second_core() {
    let own = std::process::id().to_string();
    let pinned = Command::new("taskset").args(["-p", "-c", "1", &own]).stdout(Stdio::null()).status();
    assert!(pinned.is_ok_and(|status| status.success()), "taskset has to pin the client to the second core");
}

/// Names on the command line; all are wanted if there are none.
pub fn is_wanted(name: &str) -> bool {
    let mut names = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).peekable();
    names.peek().is_none() || names.any(|wanted| wanted == name)
}

/// A number from the environment.
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a number"))
}

/// A running server with all its threads on the first core; dropped, it is killed.
pub struct Server {
    /// `taskset`, which has become the server.
    pub child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl Server {
    /// Starts an empty server that saves nothing.
    pub fn start(program: &Program, options: &[&str]) -> Server {
        let dir = tempfile::tempdir().expect("a directory");
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.expect("a port is free").port();
        let child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(&program.path)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"])
            .arg(dir.path())
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .expect("taskset runs");
        let server = Server { child, port, _dir: dir };
        let end = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "{} does not listen", program.name);
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub fn client(&self) -> Client {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_nodelay(true).expect("settable");
        Client { stream }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes()));
    bytes
}

/// A client that waits for its answers.
pub struct Client {
    pub stream: TcpStream,
}

impl Client {
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("it takes requests");
    }

    /// Sends the requests `from` to `until`, whose answers are one line each, and waits for them.
    pub fn batch(&mut self, from: u64, until: u64, nth: impl Fn(u64) -> Vec<u8>) {
        self.send(&(from..until).flat_map(nth).collect::<Vec<u8>>());
        let (mut left, mut bytes) = (until - from, [0; 4096]);
        while left > 0 {
            let got = self.stream.read(&mut bytes).expect("it answers");
            assert!(got > 0 && bytes[0] != b'-', "{}", String::from_utf8_lossy(&bytes[..got]));
            left -= bytes[..got].iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
}
