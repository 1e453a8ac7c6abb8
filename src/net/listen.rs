//! Listening: addresses, the socket file, and what happens to a connection when it comes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket as RawSocket, TcpKeepalive, Type};

use super::worker::{Accepted, Socket, Worker};
use crate::engine::config::Config;
use crate::engine::session::Peer;
use crate::serve::Server;
use crate::{verbose, warning};

/// Sockets that are listened on.
pub(super) struct Listeners {
    pub tcp: Vec<TcpListener>,
    pub unix: Option<(UnixListener, PathBuf)>,
    /// The port in use, which may have been chosen by the kernel.
    pub port: u16,
}

impl Listeners {
    /// Descriptors, for a forked child to close.
    pub fn descriptors(&self) -> Vec<RawFd> {
        let unix = self.unix.iter().map(|(listener, _)| listener.as_raw_fd());
        self.tcp.iter().map(AsRawFd::as_raw_fd).chain(unix).collect()
    }
}

fn addresses(bind: &[String]) -> Vec<(bool, Option<IpAddr>, &str)> {
    let one = |text| {
        let (optional, host) = match str::strip_prefix(text, "-") {
            Some(host) => (true, host),
            None => (false, text),
        };
        let address = match host {
            "*" => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            "::*" => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
            other => other.parse().ok().or_else(|| resolve(other)),
        };
        (optional, address, host)
    };
    if bind.is_empty() {
        return vec![one("*"), one("-::*")];
    }
    bind.iter().map(|text| one(text)).collect()
}

fn resolve(host: &str) -> Option<IpAddr> {
    use std::net::ToSocketAddrs;
    (host, 0).to_socket_addrs().ok()?.next().map(|address| address.ip())
}

fn bind_tcp(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Binds everything that the configuration names. The error is for the log.
pub(super) fn bind_all(config: &Config, old_unix: Option<&Path>) -> Result<Listeners, String> {
    let mut listeners = Listeners { tcp: Vec::new(), unix: None, port: config.port };
    if config.port != 0 || config.port_file.is_some() || config.unixsocket.is_none() {
        bind_tcp_all(config, &mut listeners)?;
    }
    if let Some(path) = config.unixsocket.as_deref().filter(|path| Some(*path) != old_unix) {
        listeners.unix = Some((bind_unix(path, config)?, path.to_owned()));
    }
    Ok(listeners)
}

fn bind_tcp_all(config: &Config, listeners: &mut Listeners) -> Result<(), String> {
    for (optional, address, host) in addresses(&config.bind) {
        let bound = match address {
            Some(ip) => bind_tcp(SocketAddr::new(ip, listeners.port), config.tcp_backlog),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "Name or service not known")),
        };
        match bound {
            Ok(listener) => {
                if listeners.port == 0 {
                    listeners.port = listener.local_addr().map_err(|e| e.to_string())?.port();
                }
                listeners.tcp.push(listener);
            }
            Err(error) => {
                let reason = plain(&error);
                warning!(
                    "Warning: Could not create server TCP listening socket {host}:{}: bind: {reason}",
                    listeners.port
                );
                if !optional || error.kind() == io::ErrorKind::AddrInUse {
                    return Err(format!("Failed listening on port {} (tcp), aborting.", listeners.port));
                }
            }
        }
    }
    Ok(())
}

/// An error as the C library words it, without Rust's number behind it.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn bind_unix(path: &Path, config: &Config) -> Result<UnixListener, String> {
    let shown = path.display();
    let failed = |error: io::Error| {
        warning!("Failed opening Unix socket: bind: {}", plain(&error));
        format!("Failed opening Unix socket {shown}")
    };
    // A file left behind by a server that was killed; a directory or the like makes bind fail below.
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    if config.unixsocketperm != 0 {
        let mode = std::fs::Permissions::from_mode(config.unixsocketperm);
        std::fs::set_permissions(path, mode).map_err(failed)?;
    }
    Ok(listener)
}

/// Where accepted connections go, in turn.
pub(super) struct Acceptor {
    pub server: Arc<Server>,
    pub workers: Vec<Worker>,
    next: std::sync::atomic::AtomicUsize,
}

const FULL: &[u8] = b"-ERR max number of clients reached\r\n";
const PROTECTED: &[u8] =
    b"-DENIED resnap is running in protected mode: no address to listen on was chosen and no \
password is set, so only connections from this machine are accepted. To let others in, set 'bind' to the \
addresses that are meant, or start with '--protected-mode no' if the network is trusted.\r\n";

impl Acceptor {
    pub fn new(server: Arc<Server>, workers: Vec<Worker>) -> Acceptor {
        Acceptor { server, workers, next: 0.into() }
    }

    /// Accepts for ever.
    pub async fn tcp(self: Arc<Self>, listener: tokio::net::TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.accept_tcp(stream, peer),
                Err(error) => self.failed(&error).await,
            }
        }
    }

    /// Accepts for ever.
    pub async fn unix(self: Arc<Self>, listener: tokio::net::UnixListener, path: PathBuf) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let peer = Peer::Unix { path: path.display().to_string() };
                    if let Ok(socket) = stream.into_std() {
                        self.admit(Socket::Unix(socket), peer, true);
                    }
                }
                Err(error) => self.failed(&error).await,
            }
        }
    }

    /// Out of descriptors, most likely: wait for some to come free.
    async fn failed(&self, error: &io::Error) {
        warning!("Error accepting a client connection: {}", plain(error));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    fn accept_tcp(&self, stream: tokio::net::TcpStream, peer: SocketAddr) {
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        // Fails only if the client is gone already, which the first read will tell.
        let _ = stream.set_nodelay(true);
        if let Ok(socket) = stream.into_std() {
            let names = Peer::Tcp { peer: peer.to_string(), local };
            self.admit(Socket::Tcp(socket), names, peer.ip().to_canonical().is_loopback());
        }
    }

    fn admit(&self, socket: Socket, peer: Peer, is_local: bool) {
        let mut engine = self.server.lock();
        let state = &mut engine.state;
        if state.clients.len() >= state.config.maxclients as usize {
            state.stats.refused += 1;
            return turn_away(&socket, FULL);
        }
        let open = state.config.protected_mode && is_default_bind(&state.config);
        if open && !is_local {
            state.stats.refused += 1;
            return turn_away(&socket, PROTECTED);
        }
        keep_alive(&socket, state.config.tcp_keepalive);
        let (shown, now_us) = (peer.addr(), state.clock.mono_us());
        let id = state.clients.open(peer, now_us);
        state.stats.connections += 1;
        let worker = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % self.workers.len();
        if let Some(session) = state.clients.get_mut(id) {
            session.fd = descriptor(&socket);
            session.worker = worker;
        }
        drop(engine);
        verbose!("Accepted {shown}");
        self.workers[worker].give(Accepted { socket, id });
    }
}

/// Nothing says which addresses are meant, so strangers must not get in.
fn is_default_bind(config: &Config) -> bool {
    config.bind.is_empty() || config.bind == ["*", "-::*"]
}

fn descriptor(socket: &Socket) -> RawFd {
    match socket {
        Socket::Tcp(socket) => socket.as_raw_fd(),
        Socket::Unix(socket) => socket.as_raw_fd(),
    }
}

/// Says why, as far as the socket takes it at once, and hangs up.
fn turn_away(socket: &Socket, why: &[u8]) {
    use std::io::Write;
    let _ = match socket {
        Socket::Tcp(socket) => (&mut &*socket).write(why),
        Socket::Unix(socket) => (&mut &*socket).write(why),
    };
}

fn keep_alive(socket: &Socket, seconds: u32) {
    let Socket::Tcp(socket) = socket else { return };
    if seconds == 0 {
        return;
    }
    let interval = Duration::from_secs(u64::from(seconds / 3).max(1));
    let probes = TcpKeepalive::new()
        .with_time(Duration::from_secs(u64::from(seconds)))
        .with_interval(interval)
        .with_retries(3);
    // A client that is gone already shows at the first read.
    let _ = SockRef::from(socket).set_tcp_keepalive(&probes);
}
