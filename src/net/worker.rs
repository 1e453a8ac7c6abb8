//! A worker: a thread with a runtime of its own and the connections that it was given.

use std::rc::Rc;
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::LocalSet;

use super::conn::{self, Common};
use super::held;
use super::stream::Stream;
use crate::engine::SessionId;
use crate::serve::Server;
use crate::serve::process::crash;

/// A connection on its way to the worker that will serve it.
struct Accepted {
    socket: Socket,
    id: SessionId,
}

enum Socket {
    /// Belongs to the worker's runtime already.
    Here(Stream),
    /// Not registered with any runtime.
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
}

/// Where to send connections for one worker.
#[derive(Clone)]
pub(super) struct Worker {
    sender: UnboundedSender<Accepted>,
    here: bool,
}

impl Worker {
    /// Hands a connection, accepted on the main thread, to the worker.
    pub fn give(&self, stream: Stream, id: SessionId) {
        let moved = match stream {
            stream if self.here => Ok(Socket::Here(stream)),
            Stream::Tcp(stream) => stream.into_std().map(Socket::Tcp),
            Stream::Unix(stream) => stream.into_std().map(Socket::Unix),
        };
        let socket = moved.expect("a socket can be taken back from its runtime");
        // The receiver lives as long as the process; at its end nobody needs the connection.
        let _ = self.sender.send(Accepted { socket, id });
    }
}

/// Starts a worker on a thread of its own.
pub(super) fn start(server: Arc<Server>, number: usize) -> Worker {
    let (sender, receiver) = unbounded_channel();
    std::thread::Builder::new()
        .name(format!("io_thd_{number}"))
        .spawn(move || {
            crash::prepare_thread();
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime can be built");
            LocalSet::new().block_on(&runtime, serve(server, receiver));
        })
        .expect("a thread can be started");
    Worker { sender, here: false }
}

/// The first worker's part, run inside the main runtime.
pub(super) fn here(server: Arc<Server>) -> Worker {
    let (sender, receiver) = unbounded_channel();
    tokio::task::spawn_local(serve(server, receiver));
    Worker { sender, here: true }
}

async fn serve(server: Arc<Server>, mut receiver: UnboundedReceiver<Accepted>) {
    let common = Rc::new(Common::new(server));
    tokio::task::spawn_local(held::serve(common.clone()));
    while let Some(accepted) = receiver.recv().await {
        match register(accepted.socket) {
            Ok(stream) => {
                tokio::task::spawn_local(conn::serve(common.clone(), stream, accepted.id));
            }
            Err(_) => {
                common.server.lock().state.clients.kill(accepted.id);
            }
        }
    }
}

fn register(socket: Socket) -> std::io::Result<Stream> {
    Ok(match socket {
        Socket::Here(stream) => stream,
        Socket::Tcp(socket) => Stream::Tcp(tokio::net::TcpStream::from_std(socket)?),
        Socket::Unix(socket) => Stream::Unix(tokio::net::UnixStream::from_std(socket)?),
    })
}
