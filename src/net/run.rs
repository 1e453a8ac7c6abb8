//! From options to a running server, and to its exit code.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, VacantEntry};
use std::future::Future;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, LocalSet};

use super::listen::{Acceptor, Listeners, bind_all, rebind};
use super::outgoing::Links;
use super::worker;
use crate::command::{Delivery, Errand};
use crate::engine::config::Config;
use crate::serve::process::{banner, title};
use crate::serve::{self, Server, Wires};
use crate::{notice, warning};

/// What a start needs besides the configuration.
#[derive(Default)]
pub struct Options {
    /// Called when the data set is loaded and clients are served.
    pub ready: Option<Box<dyn FnOnce() + Send>>,
}

/// What other threads ask of the main loop.
enum Order {
    Listen(Listeners),
    Stop(i32),
}

/// The [`Wires`] of a process: orders to the main loop, and the descriptors that a child closes.
struct Cables {
    orders: UnboundedSender<Order>,
    rearm: Arc<Notify>,
    listening: Mutex<Listeners>,
    links: Links,
}

impl Cables {
    fn listening(&self) -> MutexGuard<'_, Listeners> {
        self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Wires for Cables {
    fn listen(&self, config: &Config) -> Result<u16, String> {
        let mut listening = self.listening();
        let new = rebind(config, &listening).inspect_err(|reason| warning!("{reason}"))?;
        let port = new.port;
        show_port(config.clone(), port);
        *listening = new.clone();
        // The main loop lives as long as the process.
        let _ = self.orders.send(Order::Listen(new));
        Ok(port)
    }

    fn descriptors(&self) -> Vec<RawFd> {
        self.listening().descriptors()
    }

    fn stop(&self, exit_code: i32) {
        std::process::exit(exit_code);
    }

    fn rearm(&self) {
        self.rearm.notify_one();
    }

    fn deliver(&self, errand: &Errand<'_>) -> Delivery {
        self.links.run(errand)
    }

    fn tidy_links(&self) -> usize {
        self.links.tidy()
    }
}

/// Runs a server until it is told to leave; the process's exit code.
pub fn run(server: Arc<Server>, options: Options) -> i32 {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            warning!("Can't build the runtime: {error}");
            return 1;
        }
    };
    LocalSet::new().block_on(&runtime, main_loop(server, options))
}

async fn main_loop(server: Arc<Server>, options: Options) -> i32 {
    let (orders, inbox) = unbounded_channel();
    let rearm = Arc::new(Notify::new());
    let config = server.lock().state.config.clone();
    let listeners = match bind_all(&config) {
        Ok(listeners) => listeners,
        Err(reason) => {
            warning!("{reason}");
            return 1;
        }
    };
    if let Err(taken) = server.claim() {
        warning!("{taken}. Exiting.");
        return 1;
    }
    let listening = Mutex::new(listeners.clone());
    let cables = Cables { orders: orders.clone(), rearm: rearm.clone(), listening, links: Links::default() };
    let _ = server.wires.set(Box::new(cables));
    server.lock().state.process.port = listeners.port;
    if listeners.port != config.port {
        notice!("Listening on port {}.", listeners.port);
        show_port(config.clone(), listeners.port);
    }
    banner::initialized();

    let mut workers = vec![worker::here(server.clone())];
    workers.extend((1..config.io_threads).map(|number| worker::start(server.clone(), number)));
    let acceptor = Arc::new(Acceptor::new(server.clone(), workers));
    tokio::task::spawn_local(timers(server.clone(), rearm));
    let mut accepting = Accepting::new();
    accept(&acceptor, listeners, &mut accepting);
    serve::begin_loading(&server);
    let loads = server.clone();
    super::signals::listen(&server, move || load(loads, orders, options));
    obey(inbox, acceptor, accepting).await
}

/// The port, perhaps chosen by the system, goes into the title.
fn show_port(mut config: Config, port: u16) {
    config.port = port;
    title::show_server(&config);
}

/// Does the rest of the start on a thread of its own: what the first client need not wait for, and loading the data
/// set, while clients are answered -LOADING.
fn load(server: Arc<Server>, orders: UnboundedSender<Order>, options: Options) {
    let work = move || {
        serve::prepare_beside(&server);
        match serve::load_at_start(&server) {
            Ok(()) => announce(&server, options),
            Err(error) => {
                error.report();
                let _ = orders.send(Order::Stop(1));
            }
        }
    };
    std::thread::Builder::new().name("load".into()).spawn(work).expect("a thread can be started");
}

fn announce(server: &Server, options: Options) {
    let engine = server.lock();
    let (config, port) = (&engine.state.config, engine.state.process.port);
    if let Some(path) = &config.port_file
        && let Err(error) = write_whole(path, &format!("{port}\n"))
    {
        warning!("Can't write the port file {}: {error}", path.display());
    }
    if port != 0 {
        banner::ready("tcp");
    }
    if config.unixsocket.is_some() {
        banner::ready("unix");
    }
    drop(engine);
    if let Some(ready) = options.ready {
        ready();
    }
}

/// Puts a small file in place at once, so that nobody reads half of it.
fn write_whole(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(text.as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Who accepts, by what is listened on.
type Accepting = HashMap<Option<SocketAddr>, JoinHandle<()>>;

/// Starts to accept on new sockets, and ends what accepted on those that are gone.
fn accept(acceptor: &Arc<Acceptor>, listeners: Listeners, accepting: &mut Accepting) {
    accepting.retain(|address, task| {
        let stays = address.is_none_or(|address| listeners.tcp.iter().any(|(other, _)| *other == address));
        if !stays {
            task.abort();
        }
        stays
    });
    for (address, listener) in listeners.tcp {
        if let Entry::Vacant(place) = accepting.entry(Some(address)) {
            let listener = listener.try_clone().and_then(tokio::net::TcpListener::from_std);
            start(place, listener, |listener| acceptor.clone().tcp(listener));
        }
    }
    if let Some((path, listener)) = listeners.unix
        && let Entry::Vacant(place) = accepting.entry(None)
    {
        let listener = listener.try_clone().and_then(tokio::net::UnixListener::from_std);
        start(place, listener, |listener| acceptor.clone().unix(listener, path));
    }
}

fn start<L, F: Future<Output = ()> + 'static>(
    place: VacantEntry<'_, Option<SocketAddr>, JoinHandle<()>>,
    listener: std::io::Result<L>,
    task: impl FnOnce(L) -> F,
) {
    match listener {
        Ok(listener) => {
            place.insert(tokio::task::spawn_local(task(listener)));
        }
        Err(error) => warning!("Can't listen: {error}"),
    }
}

async fn obey(mut inbox: UnboundedReceiver<Order>, acceptor: Arc<Acceptor>, mut accepting: Accepting) -> i32 {
    while let Some(order) = inbox.recv().await {
        match order {
            Order::Listen(listeners) => accept(&acceptor, listeners, &mut accepting),
            Order::Stop(exit_code) => return exit_code,
        }
    }
    0
}

/// How long until the timers' next turn, and until the next wait of a blocked client ends.
fn pauses(server: &Server, last: Instant) -> (Duration, Duration) {
    let engine = server.lock();
    let hz = engine.state.config.hz.clamp(1, 500);
    let turn = Duration::from_micros(1_000_000 / u64::from(hz));
    let wait =
        engine.state.blocked.next_deadline_us().map_or(Duration::MAX, |at| {
            Duration::from_micros(at.saturating_sub(engine.state.clock.mono_us()))
        });
    (turn.saturating_sub(last.elapsed()), wait)
}

/// The timers: `hz` times a second.
async fn timers(server: Arc<Server>, rearm: Arc<Notify>) {
    let mut last = Instant::now();
    loop {
        let (next_cron, next_wait) = pauses(&server, last);
        tokio::select! {
            () = tokio::time::sleep(next_cron.min(next_wait)) => {}
            () = rearm.notified() => {
                serve::recount_copies(&server);
                continue;
            }
        }
        if next_wait <= next_cron {
            serve::expire_waits(&server);
        } else {
            last = Instant::now();
            serve::cron(&server);
        }
    }
}
