#![allow(unsafe_code)] // ptrace
//! What a server costs its machine: system calls per request, and what kind of pages it asks for.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::JoinHandle;
use std::time::Duration;

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

/// Bytes that the process has in huge pages.
fn in_huge_pages(server: &Server) -> u64 {
    let path = format!("/proc/{}/smaps_rollup", server.pid());
    let text = std::fs::read_to_string(path).expect("it lives");
    let line = text.lines().find_map(|line| line.strip_prefix("AnonHugePages:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) << 10
}

/// Whether the kernel gives huge pages to who asks for them.
fn has_huge_pages() -> bool {
    let enabled = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    enabled.contains("[madvise]") || enabled.contains("[always]")
}

/// What grew too fast for the flag is gathered when the growth pauses, and what writes beside a child have split when the
/// child is gone.
#[test]
fn huge_pages_are_for_servers_that_have_grown() {
    if !has_huge_pages() {
        return;
    }
    for (option, most) in [("yes", true), ("no", false)] {
        let server = ours(&["--huge-pages", option, "--enable-debug-command", "yes"]);
        let mut client = server.connect().expect("it listens");
        assert_eq!(in_huge_pages(&server), 0, "at the start");
        client.line("DEBUG POPULATE 100000 key 1000").expect("it answers");
        if !most {
            std::thread::sleep(Duration::from_secs(1));
            assert_eq!(in_huge_pages(&server), 0, "not wanted");
            continue;
        }
        wait("it is gathered", || (in_huge_pages(&server) > 16 << 20).then_some(()));
        client.line("CONFIG SET rdb-key-save-delay 100").expect("it answers");
        client.line("BGSAVE").expect("it answers");
        for key in (0..100_000).step_by(20) {
            client.line(&format!("APPEND key:{key} x")).expect("it answers");
        }
        assert!(in_huge_pages(&server) < 8 << 20, "writes beside a child split them");
        client.line("CONFIG SET rdb-key-save-delay 0").expect("it answers");
        wait("it is gathered again", || (in_huge_pages(&server) > 16 << 20).then_some(()));
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
