//! From options to a running server, and to its exit code.

use std::os::fd::RawFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinHandle, LocalSet};

use super::listen::{Acceptor, Listeners, bind_all};
use super::worker;
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
    listening: Mutex<(Vec<RawFd>, Option<PathBuf>)>,
}

impl Cables {
    fn remember(&self, listeners: &Listeners, config: &Config) {
        let mut listening = self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *listening = (listeners.descriptors(), config.unixsocket.clone());
    }
}

impl Wires for Cables {
    fn listen(&self, config: &Config) -> Result<(), String> {
        let old = self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner).1.clone();
        let listeners = bind_all(config, old.as_deref())?;
        self.remember(&listeners, config);
        // The main loop lives as long as the process.
        let _ = self.orders.send(Order::Listen(listeners));
        Ok(())
    }

    fn descriptors(&self) -> Vec<RawFd> {
        self.listening.lock().unwrap_or_else(std::sync::PoisonError::into_inner).0.clone()
    }

    fn stop(&self, exit_code: i32) {
        std::process::exit(exit_code);
    }

    fn rearm(&self) {
        self.rearm.notify_one();
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
    let listeners = match bind_all(&config, None) {
        Ok(listeners) => listeners,
        Err(reason) => {
            warning!("{reason}");
            return 1;
        }
    };
    let cables = Cables { orders: orders.clone(), rearm: rearm.clone(), listening: Mutex::default() };
    cables.remember(&listeners, &config);
    let _ = server.wires.set(Box::new(cables));
    server.lock().state.process.port = listeners.port;
    show_port(config.clone(), listeners.port);
    banner::initialized();

    let mut workers = vec![worker::here(server.clone())];
    workers.extend((1..config.io_threads).map(|number| worker::start(server.clone(), number)));
    let acceptor = Arc::new(Acceptor::new(server.clone(), workers));
    super::signals::listen(&server);
    tokio::task::spawn_local(timers(server.clone(), rearm));
    let accepting = accept(&acceptor, listeners, Vec::new());
    load(server.clone(), orders, options);
    obey(inbox, acceptor, accepting).await
}

/// A port that the system chose goes into the log and the title.
fn show_port(mut config: Config, port: u16) {
    if port != config.port {
        notice!("Listening on port {port}.");
        config.port = port;
        title::show_server(&config);
    }
}

/// Loads the data set on a thread of its own, while clients are answered -LOADING.
fn load(server: Arc<Server>, orders: UnboundedSender<Order>, options: Options) {
    serve::begin_loading(&server);
    let work = move || match serve::load_at_start(&server) {
        Ok(()) => announce(&server, options),
        Err(error) => {
            warning!("{error}");
            let _ = orders.send(Order::Stop(1));
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

/// Starts to accept on new sockets, then ends what accepted before.
fn accept(acceptor: &Arc<Acceptor>, listeners: Listeners, old: Vec<JoinHandle<()>>) -> Vec<JoinHandle<()>> {
    old.iter().for_each(JoinHandle::abort);
    let mut tasks = Vec::new();
    for listener in listeners.tcp {
        match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => tasks.push(tokio::task::spawn_local(acceptor.clone().tcp(listener))),
            Err(error) => warning!("Can't listen: {error}"),
        }
    }
    if let Some((listener, path)) = listeners.unix {
        match tokio::net::UnixListener::from_std(listener) {
            Ok(listener) => tasks.push(tokio::task::spawn_local(acceptor.clone().unix(listener, path))),
            Err(error) => warning!("Can't listen: {error}"),
        }
    }
    tasks
}

async fn obey(
    mut inbox: UnboundedReceiver<Order>,
    acceptor: Arc<Acceptor>,
    mut accepting: Vec<JoinHandle<()>>,
) -> i32 {
    while let Some(order) = inbox.recv().await {
        match order {
            Order::Listen(listeners) => {
                acceptor.server.lock().state.process.port = listeners.port;
                accepting = accept(&acceptor, listeners, accepting);
            }
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
            () = rearm.notified() => continue,
        }
        if next_wait <= next_cron {
            serve::expire_waits(&server);
        } else {
            last = Instant::now();
            serve::cron(&server);
        }
    }
}
