//! The one door that leads up: what commands need of processes, files and sockets.

use super::Ctx;
use super::error::CmdError;
use crate::engine::{SessionId, State};
use crate::resp::Args;

/// Why a save did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SaveError {
    /// A child is saving already.
    Running,
    /// Another kind of child is at work.
    Busy,
    /// It failed, for this reason.
    Failed(String),
    /// What there is cannot be written in the version that is configured: this key.
    Refused(String),
}

/// What became of BGREWRITEAOF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rewriting {
    /// A child is at it.
    Started,
    /// It starts when it can.
    Scheduled,
}

/// Why a rewrite of the append log did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteError {
    /// There is one already.
    Running,
    /// Something failed, as the log says.
    Failed,
}

/// What SHUTDOWN was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shutdown {
    /// Save although no save point is configured.
    pub save: bool,
    /// Don't save although save points are configured.
    pub nosave: bool,
    /// Don't wait for replicas.
    pub now: bool,
    /// Leave even if saving fails.
    pub force: bool,
}

/// What DEBUG RELOAD was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reload {
    /// Save first.
    pub save: bool,
    /// Empty all databases before the load.
    pub flush: bool,
    /// Keys that are there already are no error.
    pub merge: bool,
}

/// What the operating system and the allocator know of the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Vitals {
    /// Kernel, its release, the machine.
    pub os: String,
    /// The process's number.
    pub pid: u32,
    /// Resident bytes.
    pub rss: usize,
    /// Bytes of memory that the machine has.
    pub machine_memory: usize,
    /// Seconds in the kernel and outside of it: this process, its ended children, this thread.
    pub cpu: [[f64; 2]; 3],
    /// Bytes that the allocator has given out, the pages they lie on, and what of its pages is resident.
    pub allocated: usize,
    /// See above.
    pub active: usize,
    /// See above.
    pub resident: usize,
}

/// How the append log is on the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogVitals {
    /// The LSN up to which it is written.
    pub written: u64,
    /// The LSN up to which it is durable.
    pub synced: u64,
    /// Whether a sync is under way beside the work.
    pub is_syncing: bool,
    /// Writes that did not wait for one any longer.
    pub delayed: u64,
    /// Microseconds that writing and syncing took, as far as a worker waited for it.
    pub spent_us: u64,
}

/// Requests for another server.
#[derive(Debug, Clone)]
pub struct Errand<'a> {
    /// Its name or address.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// For the connection, and then for each write and each answer.
    pub timeout: std::time::Duration,
    /// An encoded AUTH, or nothing.
    pub auth: Vec<u8>,
    /// The database that is meant.
    pub db: i64,
    /// Encoded requests, each of which is answered with one line.
    pub requests: Vec<Vec<u8>>,
}

/// Where an errand ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// There was no connection.
    Connecting,
    /// Not everything could be sent.
    Writing,
    /// An answer did not come.
    Reading,
}

/// What became of an errand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// The error to AUTH or SELECT.
    pub refused: Option<Vec<u8>>,
    /// The lines that answered requests, without their ends, as far as they came.
    pub answers: Vec<Vec<u8>>,
    /// Why there are no more of them.
    pub broken: Option<Break>,
    /// It broke because time was up.
    pub timed_out: bool,
}

/// What handlers ask of the upper floors; implemented in `serve`.
pub trait Host {
    /// A wait with a deadline began: the timers look again.
    fn rearm(&self);
    /// Has requests answered by another server, while everything else waits (MIGRATE).
    fn deliver(&self, errand: &Errand<'_>) -> Delivery;
    /// Links to other servers that are kept open.
    fn open_links(&self) -> usize;
    /// Ends another client's wait as if its time were up, or with -UNBLOCKED. False if it does not wait.
    fn unblock(&self, ctx: &mut Ctx<'_>, id: SessionId, with_error: bool) -> bool;
    /// Runs a request inside another (EXEC, a script): its reply is one element of the other's.
    fn run(&self, ctx: &mut Ctx<'_>, args: Args<'_>);
    /// Saves in the foreground (SAVE).
    fn save(&self, ctx: &mut Ctx<'_>) -> Result<(), SaveError>;
    /// Forks a child that saves (BGSAVE). With `schedule`, a busy child only delays it: true then.
    fn bgsave(&self, ctx: &mut Ctx<'_>, schedule: bool) -> Result<bool, SaveError>;
    /// Begins a snapshot for those who follow from now on (SYNC), or does so when it can.
    fn send_snapshots(&self, ctx: &mut Ctx<'_>);
    /// Forks a child that rewrites the append log (BGREWRITEAOF).
    fn rewrite_log(&self, ctx: &mut Ctx<'_>) -> Result<Rewriting, RewriteError>;
    /// Lets writes of the append log take so long (DEBUG AOF-FLUSH-SLEEP).
    fn slow_log_writes(&self, micros: u64);
    /// Runs requests again that wait for copies when the append log is durable up to `lsn`.
    fn tell_when_synced(&self, lsn: u64);
    /// How the append log is on the disk.
    fn log_vitals(&self) -> LogVitals;
    /// Tells the latency monitor what the append log has met since the last time.
    fn note_log_delays(&self, state: &mut State);
    /// Saves, empties and loads again (DEBUG RELOAD).
    fn reload(&self, ctx: &mut Ctx<'_>, how: Reload) -> Result<(), CmdError>;
    /// Empties everything and loads the append log again (DEBUG LOADAOF).
    fn load_log(&self, ctx: &mut Ctx<'_>) -> Result<(), CmdError>;
    /// Prepares to leave; on success the process ends soon and no reply is sent.
    fn shutdown(&self, ctx: &mut Ctx<'_>, how: Shutdown) -> Result<(), CmdError>;
    /// Takes back a SHUTDOWN that is waiting. False if there is none.
    fn abort_shutdown(&self) -> bool;
    /// Changes directives (CONFIG SET) and does what that asks of sockets and files.
    fn config_set(&self, ctx: &mut Ctx<'_>, pairs: &[(&[u8], &[u8])]) -> Result<(), CmdError>;
    /// Writes the configuration file anew (CONFIG REWRITE); with `all`, defaults too.
    fn config_rewrite(&self, ctx: &mut Ctx<'_>, all: bool) -> Result<(), CmdError>;
    /// Lets the whole server stand still (DEBUG SLEEP).
    fn sleep(&self, seconds: f64);
    /// Crashes the process by a signal (DEBUG SEGFAULT).
    fn fault(&self);
    /// What is known of the process.
    fn vitals(&self) -> Vitals;
    /// What the allocator tells of itself (MEMORY MALLOC-STATS).
    fn allocator_report(&self) -> String;
    /// Gives freed memory back to the system (MEMORY PURGE).
    fn purge_memory(&self);
    /// FLUSHALL has emptied all databases: a save that is running is worthless, and the file is to follow.
    fn flushed_all(&self, ctx: &mut Ctx<'_>);
    /// Drops databases on another thread.
    fn discard(&self, databases: Vec<crate::keyspace::Database>);
    /// Answers the running request with OK when everything is free that was discarded up to now.
    fn answer_when_free(&self, ctx: &mut Ctx<'_>, request: &Args<'_>);
    /// Keys that wait to be freed on another thread, and that were.
    fn discarded(&self) -> [usize; 2];
    /// Begins to count anew what was freed on another thread (CONFIG RESETSTAT).
    fn forget_discarded(&self);
}
