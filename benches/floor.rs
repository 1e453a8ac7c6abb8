//! What the kernel alone costs: a server that does nothing but read, count the requests and write as many replies.
//!
//!     cargo bench --bench floor -- --port 6400
//!
//! One thread, one `epoll`, a `read` and a `write` for each batch, no parsing, no data: no server that answers every
//! client by itself can take less time per request on the same machine. `perf.py --server floor=<its binary> --server
//! ...` puts it beside real ones; the difference is what a server's own work costs.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::LazyLock;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const LISTENER: Token = Token(0);

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let port = args.iter().position(|arg| arg == "--port").and_then(|at| args.get(at + 1));
    let Some(port) = port else { return println!("floor: serves nothing without --port (see its head)") };
    let address = format!("127.0.0.1:{port}").parse().expect("a port");
    serve(TcpListener::bind(address).expect("the port is free"));
}

fn serve(mut listener: TcpListener) {
    let mut poll = Poll::new().expect("there is an epoll");
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE).expect("a fresh listener");
    let (mut events, mut clients) = (Events::with_capacity(1024), HashMap::new());
    let (mut input, mut output) = (vec![0; 64 << 10], Vec::new());
    loop {
        poll.poll(&mut events, None).expect("nobody interrupts");
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut clients);
            } else if let Some(client) = clients.get_mut(&event.token())
                && !answer(client, &mut input, &mut output)
            {
                clients.remove(&event.token());
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut HashMap<Token, TcpStream>) {
    while let Ok((mut client, _)) = listener.accept() {
        let _ = client.set_nodelay(true);
        let token = (1..).map(Token).find(|token| !clients.contains_key(token)).expect("few clients");
        poll.registry().register(&mut client, token, Interest::READABLE).expect("a fresh socket");
        clients.insert(token, client);
    }
}

/// Answers what has come; `false` when the client left.
fn answer(client: &mut TcpStream, input: &mut [u8], output: &mut Vec<u8>) -> bool {
    loop {
        let read = match client.read(input) {
            Ok(0) => return false,
            Ok(read) => read,
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        };
        output.clear();
        let requests = input[..read].iter().filter(|byte| **byte == b'*').count();
        let reply = reply(&input[..read]);
        (0..requests).for_each(|_| output.extend_from_slice(reply));
        if client.write_all(output).is_err() {
            return false;
        }
        if read < input.len() {
            return true;
        }
    }
}

/// A reply as long as the real one to the first request of `input`; ranges as those that `perf.py` asks for.
fn reply(input: &[u8]) -> &'static [u8] {
    static LRANGE: LazyLock<Vec<u8>> =
        LazyLock::new(|| [&b"*100\r\n"[..], &b"$3\r\nVXK\r\n".repeat(100)].concat());
    static ZRANGE: LazyLock<Vec<u8>> =
        LazyLock::new(|| [&b"*11\r\n"[..], &b"$7\r\nm500000\r\n".repeat(11)].concat());
    let name = input.split(|byte| *byte == b'\n').nth(2).unwrap_or_default().trim_ascii();
    match name {
        b"PING" => b"+PONG\r\n",
        b"GET" => b"$3\r\nVXK\r\n",
        b"SET" | b"MSET" => b"+OK\r\n",
        b"LRANGE" => &LRANGE,
        b"ZRANGE" => &ZRANGE,
        b"XADD" => b"$15\r\n1700000000000-0\r\n",
        _ => b":1\r\n",
    }
}
