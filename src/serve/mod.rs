//! The road of a command and the road of a start: dispatch, boot, cron, fork and reap.
//!
//! The room joins the floors below: it implements `command::Host`, moves values between `persist` and the
//! keyspace, and is what `net` calls with whole batches. It awaits nothing and knows no socket but by the
//! [`Wires`] that `net` lends it.

mod append;
mod boot;
mod claim;
mod cron;
mod dispatch;
mod evict;
mod evict_clients;
mod gate;
mod host;
mod http;
mod leave;
pub mod process;
mod save;
mod slots;
mod trash;
mod unblock;

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::Waker;

pub use boot::{BootError, Examiner, Refused, begin_loading, load_at_start, prepare_beside};
pub use cron::cron;
pub use dispatch::{Batched, run_batch};
pub use evict_clients::make_room_for;
pub use leave::{Leave, leave, leave_at_once};
pub use trash::discard_value;
pub use unblock::{expire_waits, recount_copies};

use crate::command::{Delivery, Errand, table};
use crate::engine::config::Config;
use crate::engine::{
    Blocked, Clients, Delays, Engine, Followers, Libraries, Log, Monitors, Process, PubSub, Saving, SlowLog,
    State, Stats, Tracking, Unit, Watches,
};
use crate::keyspace::Keyspace;
use crate::persist::aof::{Disk, RealDisk, Tail};
use crate::text::clock::Clock;

/// What the server needs of sockets, lent by `net`.
pub trait Wires: Send + Sync {
    /// Listens on other addresses from now on; gives the port. An error leaves everything as it was.
    fn listen(&self, config: &Config) -> Result<u16, String>;
    /// The listening sockets' descriptors, for a forked child to close.
    fn descriptors(&self) -> Vec<std::os::fd::RawFd>;
    /// Ends the process with this exit code, at once if there is a process of one's own.
    fn stop(&self, exit_code: i32);
    /// Wakes the timers, as `hz` has changed.
    fn rearm(&self);
    /// Has requests answered by another server; see [`crate::command::Host::deliver`].
    fn deliver(&self, errand: &Errand<'_>) -> Delivery;
    /// Closes links to other servers that were not used for a while; how many are left.
    fn tidy_links(&self) -> usize;
}

/// The one server of a process (or of a test).
pub struct Server {
    me: Weak<Server>,
    engine: Mutex<Engine>,
    /// Set once, by `net`.
    pub wires: std::sync::OnceLock<Box<dyn Wires>>,
    /// The data set is being loaded; for those who must not wait for the lock.
    loading: AtomicBool,
    /// A shutdown was asked for and waits.
    pub leaving: AtomicBool,
    /// The append log outside the engine.
    append: append::Append,
    /// What on the disk belongs to this process.
    claims: claim::Claims,
}

/// The nouns of a server that has just begun.
fn new_state(config: Config, clock: Clock, process: Process, log: Log) -> State {
    let now = clock.now();
    State {
        clients: Clients::default(),
        clock,
        config,
        stats: Stats::new(table::table().len()),
        slow_log: SlowLog::default(),
        delays: Delays::default(),
        unit: Unit::default(),
        log,
        watches: Watches::default(),
        pubsub: PubSub::default(),
        blocked: Blocked::default(),
        monitors: Monitors::default(),
        followers: Followers::default(),
        tracking: Tracking::default(),
        saving: Saving::new(now.ms / 1000),
        libraries: Libraries::default(),
        process,
        rng: fastrand::Rng::new(),
        active_expire: true,
        any_checksum: false,
        pause_cron: false,
        loading: None,
    }
}

impl Server {
    /// A server with an empty data set.
    pub fn new(config: Config, clock: Clock, process: Process) -> Arc<Server> {
        let die = || std::process::exit(1);
        Server::on_disk(config, clock, process, Arc::new(RealDisk), die)
    }

    /// The same with the append log's files elsewhere than on this machine's disk. `die` ends the process, after an
    /// error of that disk that `appendfsync always` does not survive.
    pub fn on_disk(
        config: Config,
        clock: Clock,
        process: Process,
        disk: Arc<dyn Disk>,
        die: impl Fn() + Send + Sync + 'static,
    ) -> Arc<Server> {
        let mut keyspace = Keyspace::new(config.databases, config.limits.clone(), discard_value);
        host::apply_to_keyspace(&config, &mut keyspace);
        let append = append::Append::new(disk, die);
        let log = Log::new(append.tail.trouble().clone(), append.tail.buffered().clone());
        let state = new_state(config, clock, process, log);
        Arc::new_cyclic(|me| Server {
            me: me.clone(),
            engine: Mutex::new(Engine { keyspace, state }),
            wires: std::sync::OnceLock::new(),
            loading: AtomicBool::new(false),
            leaving: AtomicBool::new(false),
            append,
            claims: claim::Claims::default(),
        })
    }

    /// A handle that may outlive the borrow.
    pub fn handle(&self) -> Arc<Server> {
        self.me.upgrade().expect("borrowed, so somebody holds it")
    }

    /// Makes the data set on disk this process's own, until it ends.
    pub fn claim(&self) -> Result<(), crate::persist::lock::Taken> {
        self.claims.begin(&self.lock().state.config)
    }

    /// Whether the data set is being loaded. Does not wait for the engine.
    pub fn is_loading(&self) -> bool {
        self.loading.load(Ordering::Relaxed)
    }

    /// What was logged, on its way to the disk.
    #[inline]
    pub fn tail(&self) -> &Tail {
        &self.append.tail
    }

    /// Takes the engine's lock.
    #[inline]
    pub fn lock(&self) -> Locked<'_> {
        // A panic ends the process (panic = "abort"), so nobody meets half a change.
        let engine = self.engine.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Locked { engine: Some(engine), tail: &self.append.tail }
    }
}

/// The engine, locked. As it becomes free, what was logged is handed over; then those connections are woken that have
/// something to look at: they need it at once.
pub struct Locked<'a> {
    engine: Option<MutexGuard<'a, Engine>>,
    tail: &'a Tail,
}

impl Deref for Locked<'_> {
    type Target = Engine;

    #[inline]
    fn deref(&self) -> &Engine {
        self.engine.as_ref().expect("held until dropped")
    }
}

impl DerefMut for Locked<'_> {
    #[inline]
    fn deref_mut(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("held until dropped")
    }
}

impl Drop for Locked<'_> {
    #[inline]
    fn drop(&mut self) {
        let Some(mut engine) = self.engine.take() else { return };
        engine.state.send_broadcasts();
        append::hand_over(self.tail, &mut engine.state);
        let wakes = engine.state.clients.take_wakes();
        drop(engine);
        wakes.into_iter().for_each(Waker::wake);
    }
}
