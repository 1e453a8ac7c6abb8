//! What a request costs: allocations on its road, counted by an allocator around the system's one, and system calls.
//!
//! The server runs in this process for the first, and as a process of its own, traced, for the second.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;

use resnap::engine::Process;
use resnap::engine::config::Config;
use resnap::serve::Server;
use resnap::text::clock::Clock;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: all is left to the system's allocator.
#[allow(unsafe_code)] // an allocator is unsafe by nature
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Requests in one measurement.
const REQUESTS: usize = 40_000;

/// A server on a thread of this process; its port.
fn serve() -> u16 {
    let (tell, told) = channel();
    let mut config = Config::default();
    config.port = 0;
    // It keeps nothing, so nothing is locked where it runs.
    config.save.clear();
    // A slow machine has more of the timers' turns to a request.
    config.hz = 1;
    let clock = Clock::real();
    let server = Server::new(config, clock, Process::default());
    let seen = server.clone();
    let ready = move || tell.send(seen.lock().state.process.port).expect("somebody waits");
    let options = resnap::net::Options { ready: Some(Box::new(ready)) };
    std::thread::spawn(move || resnap::net::run(server, options));
    told.recv().expect("the server starts")
}

/// Sends the batches one after the other and reads replies of `reply` bytes each; how many allocations a request made.
///
/// The first quarter warms up. Of each other one the least counts: what a request allocates it allocates in all of them,
/// what a busy machine's timers and threads do beside falls into some.
fn cost(stream: &mut TcpStream, batches: &[Vec<u8>], pipeline: usize, reply: usize) -> f64 {
    let mut answer = vec![0; reply * pipeline];
    let mut quarter = |batches: &[Vec<u8>]| {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        for batch in batches {
            stream.write_all(batch).expect("it takes requests");
            stream.read_exact(&mut answer).expect("it answers");
        }
        (ALLOCATIONS.load(Ordering::Relaxed) - before) as f64 / (batches.len() * pipeline) as f64
    };
    let costs: Vec<f64> = batches.chunks(batches.len() / 4).map(&mut quarter).collect();
    costs[1..4].iter().copied().fold(f64::INFINITY, f64::min)
}

/// Batches of `pipeline` requests, the `n`th of them made by `request(n)`.
fn batches(pipeline: usize, request: impl Fn(usize) -> String) -> Vec<Vec<u8>> {
    let one = |n: usize| {
        let text = request(n);
        let words: Vec<&str> = text.split(' ').collect();
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
        bytes
    };
    let numbers: Vec<usize> = (0..REQUESTS).collect();
    numbers.chunks(pipeline).map(|chunk| chunk.iter().flat_map(|n| one(*n)).collect()).collect()
}

#[test]
fn what_the_road_of_a_request_allocates() {
    let mut stream = TcpStream::connect(("127.0.0.1", serve())).expect("it listens");
    stream.set_nodelay(true).expect("settable");
    // The timers, once a second, and what grows now and then are the rest.
    let few = 0.02;
    for pipeline in [1, 16] {
        let new = batches(pipeline, |n| format!("SET key:{pipeline:03}:{n:08} {:032}", n));
        let set_new = cost(&mut stream, &new, pipeline, 5);
        assert!(set_new < 1.0 + few, "SET of a new key, pipeline {pipeline}: {set_new}");
        let again = batches(pipeline, |n| format!("SET key:{pipeline:03}:{n:08} {:032}", n + 1));
        let set_again = cost(&mut stream, &again, pipeline, 5);
        assert!(set_again < few, "SET of a key that is there, pipeline {pipeline}: {set_again}");
        let get = cost(
            &mut stream,
            &batches(pipeline, |n| format!("GET key:{pipeline:03}:{n:08}")),
            pipeline,
            5 + 34,
        );
        assert!(get < few, "GET, pipeline {pipeline}: {get}");
        let missing = cost(&mut stream, &batches(pipeline, |n| format!("GET no:{n}")), pipeline, 5);
        assert!(missing < few, "GET of nothing, pipeline {pipeline}: {missing}");
    }
}
