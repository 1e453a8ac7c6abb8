//! The nouns of a running server: clients' sessions, counters, what a unit of work changed, how saving goes.
//!
//! Plain state, each kind in its own file. The room never does I/O, knows no command and no socket; whoever
//! holds the engine's lock may change all of it. [`Engine`] is the keyspace and the rest, executed by one
//! thread at a time.

pub mod blocked;
mod client_memory;
pub mod clients;
pub mod config;
pub mod delays;
pub mod followers;
pub mod latency;
pub mod library;
pub mod log;
pub mod memory;
pub mod monitors;
mod notify;
pub mod pubsub;
pub mod saving;
pub mod session;
pub mod slow_log;
pub mod stats;
pub mod tracking;
pub mod unit;
pub mod watch;

pub use blocked::Blocked;
pub use clients::Clients;
pub use delays::Delays;
pub use followers::Followers;
pub use library::Libraries;
pub use log::{Log, LogState, Rewriting};
pub use monitors::Monitors;
pub use pubsub::PubSub;
pub use saving::{Child, Saving};
pub use session::{Session, SessionId};
pub use slow_log::SlowLog;
pub use stats::Stats;
pub use tracking::Tracking;
pub use unit::{Frame, Unit};
pub use watch::Watches;

use crate::engine::config::{Config, OutputLimit};
use crate::keyspace::{Keyspace, Lapsed};
use crate::text::clock::Clock;

/// The keyspace and everything else that commands may touch.
pub struct Engine {
    /// The databases.
    pub keyspace: Keyspace,
    /// Every other noun.
    pub state: State,
}

/// Every noun but the keyspace.
pub struct State {
    /// Who is connected.
    pub clients: Clients,
    /// The one clock.
    pub clock: Clock,
    /// Directives.
    pub config: Config,
    /// Counters for INFO.
    pub stats: Stats,
    /// What took long.
    pub slow_log: SlowLog,
    /// What took too long, by kind (LATENCY).
    pub delays: Delays,
    /// What the running unit changed.
    pub unit: Unit,
    /// The append log.
    pub log: Log,
    /// Who watches which keys.
    pub watches: Watches,
    /// Who waits for which keys.
    pub blocked: Blocked,
    /// Who listens to which channels.
    pub pubsub: PubSub,
    /// Who is shown every command.
    pub monitors: Monitors,
    /// Who is to hear that keys changed which it has read.
    pub tracking: Tracking,
    /// Who follows every change.
    pub followers: Followers,
    /// How saving goes.
    pub saving: Saving,
    /// Function libraries and modules' auxiliary data, kept as they were loaded.
    pub libraries: Libraries,
    /// What is true of the process for its whole life.
    pub process: Process,
    /// Source of what is random in replies (SPOP, RANDOMKEY).
    pub rng: fastrand::Rng,
    /// Keys active expiry may delete (DEBUG SET-ACTIVE-EXPIRE).
    pub active_expire: bool,
    /// Payloads of RESTORE may have any checksum (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
    pub any_checksum: bool,
    /// The timers do nothing (DEBUG PAUSE-CRON).
    pub pause_cron: bool,
    /// The data set is being loaded: nearly every command answers -LOADING.
    pub loading: Option<Loading>,
}

impl State {
    /// A connection ended: nothing of its session stays.
    pub fn forget(&mut self, id: SessionId) {
        self.clients.kill(id);
        self.watches.unwatch(id);
        self.pubsub.forget(id);
        self.blocked.forget(id);
        self.monitors.remove(id);
        self.followers.remove(id);
        self.tracking.disable(id);
    }

    /// Something took so long: kept if it is over `latency-monitor-threshold`.
    #[inline]
    pub fn note_delay(&mut self, event: &'static str, took_us: u64) {
        let limit_ms = u64::try_from(self.config.latency_monitor_threshold).unwrap_or(0);
        if limit_ms > 0 && took_us / 1000 >= limit_ms {
            let seconds = self.clock.now().ms / 1000;
            self.delays.add(event, seconds, took_us / 1000);
        }
    }

    /// Whether a session may not do anything before it has said who it is.
    #[inline]
    pub fn must_authenticate(&self, session: &Session) -> bool {
        !session.authenticated && !self.config.requirepass.is_empty()
    }

    /// How much output may wait for a client (`client-output-buffer-limit`, by what kind of client it is).
    #[inline]
    pub fn output_limit(&self, id: SessionId) -> OutputLimit {
        let [normal, replica, pubsub] = self.config.client_output_buffer_limit;
        if !self.followers.is_empty() && self.followers.has(id) {
            return replica;
        }
        if self.pubsub.session_count() > 0 && self.pubsub.is_subscribed(id) { pubsub } else { normal }
    }

    /// Tells everyone what was deleted because its time had passed. That does not count as a change since the last
    /// save.
    pub fn record_lapsed(&mut self, lapsed: &[Lapsed]) {
        lapsed.iter().for_each(|lapsed| self.tell_lapsed(lapsed));
        if !self.listens() {
            return;
        }
        for Lapsed { db, key, fields, .. } in lapsed.iter().filter(|lapsed| !lapsed.missed) {
            if fields.is_empty() {
                let words: [&[u8]; 2] = [self.expiry_verb(), key];
                self.add_frame(*db, words.into_iter());
            }
            for field in fields {
                let words: [&[u8]; 3] = [b"HDEL", key, field];
                self.add_frame(*db, words.into_iter());
            }
        }
    }

    /// Whether frames are wanted at all.
    #[inline]
    pub fn listens(&self) -> bool {
        self.log.is_taking() || self.unit.is_tapped() || self.followers.is_taking()
    }

    /// Adds a frame to the running unit: what the log is to say, meaning database `db`.
    pub fn add_frame<'w>(&mut self, db: usize, words: impl ExactSizeIterator<Item = &'w [u8]>) {
        let now_s = self.config.aof_timestamp_enabled.then(|| self.clock.now().ms / 1000);
        if !self.unit.is_tapped() && !self.followers.is_taking() {
            return self.log.add(db, words, now_s);
        }
        let frame = unit::render(words);
        if self.log.is_taking() {
            self.log.add_rendered(db, &frame, now_s);
        }
        if self.followers.is_taking() {
            self.followers.add_frame(db, &frame);
        }
        if self.unit.is_tapped() {
            self.unit.push(db, frame);
        }
    }

    /// Adds a frame that who follows is to have, and no log: a message is of the moment.
    pub fn tell_followers(&mut self, db: usize, words: &[&[u8]]) {
        if self.followers.is_taking() {
            self.followers.add_frame(db, &unit::render(words.iter().copied()));
        }
    }

    /// The unit ends. `whole`: its frames belong together, and are a transaction if there are several.
    #[inline]
    pub fn close_unit(&mut self, whole: bool) {
        self.log.close_unit(whole);
        self.followers.close_unit(whole, &mut self.clients);
        if whole {
            self.unit.close();
        } else {
            self.unit.close_loose();
        }
    }

    /// What the log calls the deletion of a key whose time has passed (`lazyfree-lazy-expire`).
    pub fn expiry_verb(&self) -> &'static [u8] {
        if self.config.lazyfree_lazy_expire { b"UNLINK" } else { b"DEL" }
    }
}

/// What is true of the process for its whole life.
#[derive(Debug, Clone, Default)]
pub struct Process {
    /// 40 hexadecimal digits, new at every start.
    pub run_id: String,
    /// 40 hexadecimal digits: the history of the data set, as replicas would know it.
    pub replication_id: String,
    /// Who supervises the process, as INFO says it: `no`, `systemd`, `upstart`.
    pub supervised: String,
    /// Bytes that were allocated before there was any data.
    pub startup_memory: usize,
    /// Unix seconds.
    pub started: u64,
    /// Monotonic microseconds at the start.
    pub started_mono_us: u64,
    /// The binary's path.
    pub executable: String,
    /// The configuration file's path; empty if there is none.
    pub config_file: String,
    /// The port that is listened on.
    pub port: u16,
    /// systemd wants to hear how it goes.
    pub under_systemd: bool,
}

/// How far the loading of the data set is; shared with the thread that loads.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes read.
    pub loaded_bytes: std::sync::atomic::AtomicU64,
    /// Bytes that there are to read.
    pub total_bytes: std::sync::atomic::AtomicU64,
}

/// The data set is being loaded.
#[derive(Debug, Clone)]
pub struct Loading {
    /// Unix seconds.
    pub started: u64,
    /// How far it is.
    pub progress: std::sync::Arc<Progress>,
}
