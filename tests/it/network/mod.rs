//! Sockets, as clients of every temper use them. What does not depend on us alone is asked of the real server, too,
//! where `RESNAP_REAL` names one.

mod evicted;
mod hostile;
mod idle;
mod limits;
mod listening;
mod others;
mod pipelines;
mod renamed;
mod requests;
mod sessions;
mod storms;
mod threads;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::client::{Client, Value, encode};
use crate::server::Server;

/// Our server with these options.
fn ours(options: &[&str]) -> Server {
    Server::ours(options).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs a test on our server, and on the real one where there is one.
fn on_each(options: &[&str], test: impl Fn(&Server)) {
    test(&ours(options));
    if let Some(path) = std::env::var_os("RESNAP_REAL") {
        test(&Server::real(&PathBuf::from(path), options).unwrap_or_else(|e| panic!("{e}")));
    }
}

fn connect(server: &Server) -> Client {
    server.connect().expect("the server accepts")
}

fn open(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", server.port)).expect("the server accepts");
    stream.set_nodelay(true).expect("settable");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("settable");
    stream
}

/// A request as bytes.
fn request(words: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(words, &mut bytes);
    bytes
}

/// Writes, and reads until so many bytes have come or the server hangs up.
fn exchange(stream: &mut TcpStream, bytes: &[u8], expected: usize) -> Vec<u8> {
    stream.write_all(bytes).expect("the server takes it");
    let mut answer = Vec::new();
    let mut chunk = [0; 65536];
    while answer.len() < expected {
        match stream.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => answer.extend_from_slice(&chunk[..n]),
            Err(error) => panic!("after {} bytes of {expected}: {error}", answer.len()),
        }
    }
    answer
}

/// Whether the server has hung up (in whatever way), or does within the given time.
fn hangs_up(stream: &mut TcpStream, patience: Duration) -> bool {
    stream.set_read_timeout(Some(patience)).expect("settable");
    let mut chunk = [0; 65536];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return false;
            }
            Err(_) => return true,
        }
    }
}

/// Waits until something holds.
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A field of INFO.
fn info(client: &mut Client, field: &str) -> String {
    let text = client.line("INFO").expect("answered").bytes().expect("text");
    let text = String::from_utf8(text).expect("text");
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    value.unwrap_or_else(|| panic!("INFO has no {field}")).to_owned()
}

/// How many clients there are.
fn connected(client: &mut Client) -> usize {
    let list = client.line("CLIENT LIST").expect("answered").bytes().expect("text");
    list.iter().filter(|byte| **byte == b'\n').count()
}

fn ok(client: &mut Client, line: &str) {
    assert_eq!(client.line(line).expect("answered"), Value::Simple(b"OK".to_vec()), "{line}");
}

/// Resident bytes of a process.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has it");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number") * 1024
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("it runs").count()
}

/// Processor time of a process so far, all threads together.
fn cpu(pid: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).expect("it runs");
    let of_thread = |path: PathBuf| -> u64 {
        let stat = std::fs::read_to_string(path.join("schedstat")).unwrap_or_default();
        stat.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
    };
    Duration::from_nanos(threads.map(|thread| of_thread(thread.expect("readable").path())).sum())
}
