#![allow(unsafe_code)] // ptrace
//! What a server costs its machine: system calls per request, and what kind of pages it asks for.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::node::wait;
use crate::server::Server;

fn ours(options: &[&str]) -> Server {
    Server::ours(options).unwrap_or_else(|e| panic!("{e}"))
}

/// The calls that the main thread of a process makes while `client` runs; `None` where tracing is forbidden.
fn trace(pid: u32, client: JoinHandle<()>) -> Option<HashMap<u64, u64>> {
    let pid = i32::try_from(pid).expect("a pid");
    // SAFETY: plain numbers; the process is a child of ours.
    if unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid, 0, libc::PTRACE_O_TRACESYSGOOD) } != 0 {
        client.join().expect("the client works");
        return None;
    }
    let mut calls = HashMap::new();
    let mut stopping = false;
    // SAFETY: as above.
    unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, pid, 0, 0) };
    loop {
        let mut status = 0;
        // SAFETY: the status is a local.
        assert_eq!(unsafe { libc::waitpid(pid, &mut status, libc::__WALL) }, pid, "the server lives");
        assert!(libc::WIFSTOPPED(status), "the server lives: {status}");
        if libc::WSTOPSIG(status) == libc::SIGTRAP | 0x80 {
            count(pid, &mut calls);
        }
        stopping |= client.is_finished();
        let how = if stopping { libc::PTRACE_DETACH } else { libc::PTRACE_SYSCALL };
        // SAFETY: as above; it is stopped.
        unsafe { libc::ptrace(how, pid, 0, 0) };
        if stopping {
            client.join().expect("the client works");
            return Some(calls);
        }
    }
}

/// Counts the call that a stopped thread is about to make, if it is at the entry of one.
fn count(pid: i32, calls: &mut HashMap<u64, u64>) {
    // SAFETY: all of it is numbers.
    let mut info: libc::ptrace_syscall_info = unsafe { std::mem::zeroed() };
    let size = size_of_val(&info);
    // SAFETY: the kernel writes at most `size` bytes, and those are there.
    let got = unsafe { libc::ptrace(libc::PTRACE_GET_SYSCALL_INFO, pid, size, &raw mut info) };
    if got > 0 && info.op == libc::PTRACE_SYSCALL_INFO_ENTRY {
        // SAFETY: the op says which of the fields is there.
        *calls.entry(unsafe { info.u.entry.nr }).or_default() += 1;
    }
}

/// Sends `batches` batches of `pipeline` requests, each after the answer to the one before.
fn client(port: u16, batches: usize, pipeline: usize) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    stream.set_nodelay(true).expect("settable");
    let batch = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n".repeat(pipeline);
    let mut answer = vec![0; 5 * pipeline];
    for _ in 0..batches {
        stream.write_all(&batch).expect("it takes requests");
        stream.read_exact(&mut answer).expect("it answers");
    }
}

/// One wait, one read and one write for a batch, however many requests it holds.
#[test]
fn a_batch_costs_three_system_calls() {
    const BATCHES: usize = 2_000;
    for pipeline in [1, 16] {
        let server = ours(&["--io-threads", "1"]);
        let port = server.port;
        let Some(calls) = trace(server.pid(), std::thread::spawn(move || client(port, BATCHES, pipeline)))
        else {
            println!("tracing is not allowed here");
            return;
        };
        let of = |names: &[i64]| names.iter().filter_map(|nr| calls.get(&(*nr as u64))).sum::<u64>();
        let reads = of(&[libc::SYS_read, libc::SYS_recvfrom, libc::SYS_readv, libc::SYS_recvmsg]);
        let writes = of(&[libc::SYS_write, libc::SYS_sendto, libc::SYS_writev, libc::SYS_sendmsg]);
        let all: u64 = calls.values().sum();
        // The timers, and what comes before the first request, are the rest.
        let (batches, few) = (BATCHES as u64, BATCHES as u64 / 10);
        assert!((batches..batches + few).contains(&reads), "pipeline {pipeline}: {reads} reads in {calls:?}");
        assert!(
            (batches..batches + few).contains(&writes),
            "pipeline {pipeline}: {writes} writes in {calls:?}"
        );
        assert!(all < 3 * batches + 2 * few, "pipeline {pipeline}: {all} calls, {calls:?}");
    }
}

/// Whether the kernel may give the process huge pages; `None` where it doesn't say.
fn huge_pages_allowed(server: &Server) -> Option<bool> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).expect("it lives");
    let line = status.lines().find_map(|line| line.strip_prefix("THP_enabled:"))?;
    Some(line.trim() == "1")
}

#[test]
fn huge_pages_are_for_servers_that_have_grown() {
    for (options, at_start, grown) in [
        (&["--huge-pages", "yes"][..], false, true),
        (&["--huge-pages", "no"], false, false),
        (&["--huge-pages", "no", "--disable-thp", "no"], true, true),
    ] {
        let options = [options, &["--enable-debug-command", "yes"]].concat();
        let server = ours(&options);
        let Some(allowed) = huge_pages_allowed(&server) else { return };
        assert_eq!(allowed, at_start, "{options:?}");
        let mut client = server.connect().expect("it listens");
        client.line("DEBUG POPULATE 20 big 4000000").expect("it answers");
        let end = Instant::now() + Duration::from_secs(if grown { 10 } else { 1 });
        while huge_pages_allowed(&server) != Some(grown) || !grown && Instant::now() < end {
            assert!(Instant::now() < end || !grown, "{options:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(huge_pages_allowed(&server), Some(grown), "{options:?}");
    }
}

/// Niceness of a process's thread, by the thread's name.
fn niceness(pid: u32, name: &str) -> Option<i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    let mut stats = stats.filter(|stat| stat.contains(&format!("({name})")));
    let fields = stats.next()?.rsplit(')').next()?.to_owned();
    fields.split_ascii_whitespace().nth(16)?.parse().ok()
}

#[test]
fn who_frees_big_values_lets_those_go_first_who_serve() {
    let server = ours(&[]);
    let mut client = server.connect().expect("it listens");
    let members: Vec<String> = (0..1000).map(|i| format!("m{i}")).collect();
    client.line(&format!("SADD big {}", members.join(" "))).expect("it answers");
    client.line("UNLINK big").expect("it answers");
    wait("the thread stands back", || niceness(server.pid(), "bio_lazy_free").filter(|nice| *nice > 0));
    assert_eq!(niceness(server.pid(), "resnap"), Some(0));
}
