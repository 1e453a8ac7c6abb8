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
use tokio::net::TcpStream;

use super::stream::Stream;
use super::worker::Worker;
use crate::engine::SessionId;
use crate::engine::config::Config;
use crate::engine::session::Peer;
use crate::serve::Server;
use crate::{verbose, warning};

/// Sockets that are listened on. Shared by those who accept and those who close.
#[derive(Clone, Default)]
pub(super) struct Listeners {
    pub tcp: Vec<(SocketAddr, Arc<TcpListener>)>,
    pub unix: Option<(PathBuf, Arc<UnixListener>)>,
    /// The port in use, which may have been chosen by the kernel.
    pub port: u16,
}

impl Listeners {
    /// Descriptors, for a forked child to close.
    pub fn descriptors(&self) -> Vec<RawFd> {
        let unix = self.unix.iter().map(|(_, listener)| listener.as_raw_fd());
        self.tcp.iter().map(|(_, listener)| listener.as_raw_fd()).chain(unix).collect()
    }

    fn find(&self, address: SocketAddr) -> Option<&Arc<TcpListener>> {
        self.tcp.iter().find(|(known, _)| *known == address).map(|(_, listener)| listener)
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
    bind.iter().map(|text| one(text)).collect()
}

fn resolve(host: &str) -> Option<IpAddr> {
    use std::net::ToSocketAddrs;
    (host, 0).to_socket_addrs().ok()?.next().map(|address| address.ip())
}

fn backlog(config: &Config) -> i32 {
    i32::try_from(config.tcp_backlog).unwrap_or(i32::MAX)
}

fn bind_tcp(address: SocketAddr, config: &Config) -> io::Result<Arc<TcpListener>> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog(config))?;
    socket.set_nonblocking(true)?;
    Ok(Arc::new(socket.into()))
}

/// Binds everything that the configuration names. The error is for the log.
pub(super) fn bind_all(config: &Config) -> Result<Listeners, String> {
    let mut listeners = Listeners { port: config.port, ..Listeners::default() };
    if config.port != 0 || config.port_file.is_some() || config.unixsocket.is_none() {
        bind_tcp_all(config, &mut listeners, &Listeners::default())?;
    }
    if let Some(path) = config.unixsocket.as_deref() {
        listeners.unix = Some((path.to_owned(), Arc::new(bind_unix(path, config)?)));
    }
    if listeners.tcp.is_empty() && listeners.unix.is_none() {
        return Err("Configured to not listen anywhere, exiting.".into());
    }
    Ok(listeners)
}

/// Binds what `bind` and `port` name by now. Addresses that stay are not touched; on an error nothing is changed.
pub(super) fn rebind(config: &Config, old: &Listeners) -> Result<Listeners, String> {
    let port = if config.port == 0 && config.unixsocket.is_none() { old.port } else { config.port };
    let mut new = Listeners { tcp: Vec::new(), unix: old.unix.clone(), port };
    let closed = close_others(config, old, port);
    let bound = if port == 0 { Ok(()) } else { bind_tcp_all(config, &mut new, old) };
    if bound.is_err() {
        for listener in closed {
            // It is still bound, so that it can listen again.
            if let Err(error) = SockRef::from(&**listener).listen(backlog(config)) {
                warning!("Can't listen again: {}", plain(&error));
            }
        }
    }
    bound.map(|()| new)
}

/// Stops listening where it is not wanted any more: 0.0.0.0 can't be had while 127.0.0.1 is.
fn close_others<'a>(config: &Config, old: &'a Listeners, port: u16) -> Vec<&'a Arc<TcpListener>> {
    let wanted: Vec<_> =
        addresses(&config.bind).iter().filter_map(|(_, ip, _)| Some(SocketAddr::new((*ip)?, port))).collect();
    let others = old.tcp.iter().filter(|(address, _)| !wanted.contains(address));
    let closed: Vec<_> = others.map(|(_, listener)| listener).collect();
    for listener in &closed {
        // On a listening socket this frees the address at once, whatever task still holds it.
        let _ = SockRef::from(&***listener).shutdown(std::net::Shutdown::Both);
    }
    closed
}

fn bind_tcp_all(config: &Config, listeners: &mut Listeners, old: &Listeners) -> Result<(), String> {
    for (optional, ip, host) in addresses(&config.bind) {
        let address = ip.map(|ip| SocketAddr::new(ip, listeners.port));
        let bound = match address {
            Some(address) => old.find(address).cloned().map_or_else(|| bind_tcp(address, config), Ok),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "Name or service not known")),
        };
        match bound.and_then(|listener| Ok((listener.local_addr()?, listener))) {
            Ok((address, listener)) => {
                listeners.port = address.port();
                listeners.tcp.push((address, listener));
            }
            Err(error) => {
                let (port, reason) = (listeners.port, plain(&error));
                warning!(
                    "Warning: Could not create server TCP listening socket {host}:{port}: bind: {reason}"
                );
                if !optional || error.kind() == io::ErrorKind::AddrInUse {
                    return Err(format!("Failed listening on port {port} (tcp), aborting."));
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
    b"-DENIED resnap is running in protected mode, and the default user has no password: only \
connections from this machine are accepted. If the network can be trusted, let others in with 'CONFIG SET \
protected-mode no' from this machine, or start with '--protected-mode no'.\r\n";

impl Acceptor {
    pub fn new(server: Arc<Server>, workers: Vec<Worker>) -> Acceptor {
        Acceptor { server, workers, next: 0.into() }
    }

    /// Accepts for ever.
    pub async fn tcp(self: Arc<Self>, listener: tokio::net::TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => self.meet(stream, peer),
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
                    self.admit(Stream::Unix(stream), peer, true);
                }
                Err(error) => self.failed(&error).await,
            }
        }
    }

    /// Out of descriptors, most likely: wait for some to come free.
    async fn failed(&self, error: &io::Error) {
        // What a socket says that was shut down because other addresses are wanted.
        if error.raw_os_error() != Some(libc::EINVAL) {
            warning!("Error accepting a client connection: {}", plain(error));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    fn meet(&self, stream: TcpStream, peer: SocketAddr) {
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        let names = Peer::Tcp { peer: peer.to_string(), local };
        self.admit(Stream::Tcp(stream), names, peer.ip().to_canonical().is_loopback());
    }

    fn admit(&self, stream: Stream, peer: Peer, is_local: bool) {
        match &peer {
            Peer::Unix { path } => verbose!("Accepted connection to {path}"),
            other => verbose!("Accepted {}", other.addr()),
        }
        match self.open_session(descriptor(&stream), peer, is_local) {
            Ok((id, worker, keep_alive)) => {
                prepare(&stream, keep_alive);
                self.workers[worker].give(stream, id);
            }
            Err(why) => turn_away(&stream, why),
        }
    }

    /// Opens a session if there is room: its number, its worker, and `tcp-keepalive`; or says why not.
    fn open_session(
        &self,
        fd: RawFd,
        peer: Peer,
        is_local: bool,
    ) -> Result<(SessionId, usize, u32), &'static [u8]> {
        let mut engine = self.server.lock();
        let state = &mut engine.state;
        let refusal = match () {
            () if state.clients.len() >= state.config.maxclients as usize => Some(FULL),
            () if state.config.protected_mode && state.config.requirepass.is_empty() && !is_local => {
                Some(PROTECTED)
            }
            () => None,
        };
        if let Some(why) = refusal {
            state.stats.refused += 1;
            return Err(why);
        }
        let id = state.clients.open(peer, state.clock.mono_us());
        state.stats.connections += 1;
        let open = state.config.requirepass.is_empty();
        let worker = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % self.workers.len();
        if let Some(session) = state.clients.get_mut(id) {
            (session.fd, session.worker) = (fd, worker);
            session.authenticated = open;
        }
        Ok((id, worker, state.config.tcp_keepalive))
    }
}

fn descriptor(stream: &Stream) -> RawFd {
    match stream {
        Stream::Tcp(stream) => stream.as_raw_fd(),
        Stream::Unix(stream) => stream.as_raw_fd(),
    }
}

/// Says why, as far as the socket takes it at once, and hangs up.
fn turn_away(stream: &Stream, why: &[u8]) {
    // A connection that just came takes it all.
    let _ = match stream {
        Stream::Tcp(stream) => SockRef::from(stream).send(why),
        Stream::Unix(stream) => SockRef::from(stream).send(why),
    };
}

/// Sets what a client's socket needs. What fails shows that the client is gone, which the first read will tell.
fn prepare(stream: &Stream, keep_alive_seconds: u32) {
    let Stream::Tcp(stream) = stream else { return };
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_nodelay(true);
    if keep_alive_seconds > 0 {
        let interval = Duration::from_secs(u64::from(keep_alive_seconds / 3).max(1));
        let probes = TcpKeepalive::new()
            .with_time(Duration::from_secs(u64::from(keep_alive_seconds)))
            .with_interval(interval)
            .with_retries(3);
        let _ = socket.set_tcp_keepalive(&probes);
    }
}
