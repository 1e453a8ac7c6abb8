//! The settings that the server reads while it works, as plain fields.
//!
//! Units are in the names or the docs; defaults are in the rows.

use super::value::{Field, Value};
use crate::text::log;
use crate::value::Limits;
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

/// All settings of one server. `Default` is a server without config file.
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) fields: Fields,
    /// Values of the rows that have no field, where they are not the default.
    pub(super) aside: BTreeMap<&'static str, Value>,
}

impl Deref for Config {
    type Target = Fields;

    fn deref(&self) -> &Fields {
        &self.fields
    }
}

impl DerefMut for Config {
    fn deref_mut(&mut self) -> &mut Fields {
        &mut self.fields
    }
}

/// The settings that have a reader. By itself all zeros: the defaults come from the rows.
#[derive(Debug, Clone, Default)]
pub struct Fields {
    // Network and clients
    /// TCP port; 0: none.
    pub port: u16,
    /// Addresses to listen on: `-` in front means that a failure is no error, `*` and `::*` mean all.
    pub bind: Vec<String>,
    /// Path of the Unix socket.
    pub unixsocket: Option<PathBuf>,
    /// Its permissions; 0: what the umask leaves.
    pub unixsocketperm: u32,
    /// Length of the queue of connections not yet accepted.
    pub tcp_backlog: u32,
    /// Seconds between keepalive probes; 0: none.
    pub tcp_keepalive: u32,
    /// Seconds after which an idle client is closed; 0: never.
    pub timeout: u32,
    /// Clients at once.
    pub maxclients: u32,
    /// Connections accepted in one turn.
    pub max_new_connections_per_cycle: u32,
    /// While nothing is configured that guards the server, only local clients get in.
    pub protected_mode: bool,
    /// Password of the default user; empty: none is needed.
    pub requirepass: Vec<u8>,
    /// Worker threads.
    pub io_threads: usize,
    /// Bytes of the longest argument.
    pub proto_max_bulk_len: u64,
    /// Bytes of a client's unread input.
    pub client_query_buffer_limit: u64,
    /// Limits of a client's unsent output: normal, replica, pubsub.
    pub client_output_buffer_limit: [OutputLimit; 3],
    /// Bytes of all clients together; negative: percent of `maxmemory`; 0: no limit.
    pub maxmemory_clients: i64,
    /// Our own: the file that gets the number of the port in use.
    pub port_file: Option<PathBuf>,

    // Process
    /// Leave the terminal.
    pub daemonize: bool,
    /// Who waits for readiness.
    pub supervised: Supervised,
    /// File with the process id.
    pub pidfile: Option<PathBuf>,
    /// Log file; empty: standard output.
    pub logfile: PathBuf,
    /// The least level that is logged.
    pub loglevel: LogLevel,
    /// The logo even where standard output is no terminal.
    pub always_show_logo: bool,
    /// Show a title in the process list.
    pub set_proc_title: bool,
    /// The title, with variables in braces.
    pub proc_title_template: String,
    /// Turns of the housekeeping per second, 1 to 500.
    pub hz: u32,
    /// Seconds.
    pub repl_ping_replica_period: u32,
    /// More turns with more clients.
    pub dynamic_hz: bool,
    /// Number of databases.
    pub databases: usize,
    /// Seconds that a shutdown waits for replicas.
    pub shutdown_timeout: u32,
    /// How SIGINT shuts down.
    pub shutdown_on_sigint: ShutdownFlags,
    /// How SIGTERM shuts down.
    pub shutdown_on_sigterm: ShutdownFlags,
    /// Whether and how the kernel's out-of-memory score is adjusted.
    pub oom_score_adj: OomScoreAdj,
    /// The scores: master, replica, background child.
    pub oom_score_adj_values: [i32; 3],
    /// Report crashes in the log.
    pub crash_log_enabled: bool,
    /// Leave by exit after a panic.
    pub use_exit_on_panic: bool,
    /// Turn transparent huge pages off for this process.
    pub disable_thp: bool,
    pub huge_pages: bool,
    /// Purge freed memory in a thread.
    pub jemalloc_bg_thread: bool,
    /// Who may use DEBUG.
    pub enable_debug_command: Protected,
    /// Who may set protected directives.
    pub enable_protected_configs: Protected,

    // Snapshots
    /// The working directory, absolute once the server runs.
    pub dir: PathBuf,
    /// Name of the snapshot in `dir`.
    pub dbfilename: PathBuf,
    /// When to save by itself.
    pub save: Vec<SavePoint>,
    /// Compress strings in snapshots.
    pub rdbcompression: bool,
    /// End snapshots with a checksum, and check it.
    pub rdbchecksum: bool,
    /// Sync a snapshot every few megabytes while it is written.
    pub rdb_save_incremental_fsync: bool,
    /// Remove snapshots that only replication needed.
    pub rdb_del_sync_files: bool,
    /// After a failed background save, refuse writes.
    pub stop_writes_on_bgsave_error: bool,
    /// Microseconds to sleep per saved key (negative: per that many keys), for tests.
    pub rdb_key_save_delay: i32,
    /// The same for loading.
    pub key_load_delay: i32,
    /// Bytes between two looks at the clients while loading.
    pub loading_process_events_interval_bytes: u64,
    /// How much of a payload is checked before it is believed. (We check all of it.)
    pub sanitize_dump_payload: Sanitize,
    /// Our own: the moment of the append log whose state is served, see [`crate::persist::aof::Until`]. Empty: now.
    pub aof_until: String,
    /// Our own: version of the snapshots that are written.
    pub rdb_save_version: SaveVersion,

    // The append log
    /// Log every write.
    pub appendonly: bool,
    /// Base name of the log's files.
    pub appendfilename: PathBuf,
    /// Directory of the log's files, in `dir`.
    pub appenddirname: PathBuf,
    /// When the log is synced.
    pub appendfsync: Fsync,
    /// Do not sync the log while a child writes.
    pub no_appendfsync_on_rewrite: bool,
    /// Growth in percent at which the log is rewritten; 0: never.
    pub auto_aof_rewrite_percentage: u32,
    /// Bytes below which it is not.
    pub auto_aof_rewrite_min_size: u64,
    /// Load a log whose end is torn.
    pub aof_load_truncated: bool,
    /// The base of a rewritten log is a snapshot.
    pub aof_use_rdb_preamble: bool,
    /// Write the time into the log, once a second.
    pub aof_timestamp_enabled: bool,
    /// Sync a new base every few megabytes while it is written.
    pub aof_rewrite_incremental_fsync: bool,
    /// Keep files that a rewrite made useless.
    pub aof_disable_auto_gc: bool,

    // Keyspace and memory
    /// Thresholds of the packed encodings.
    pub limits: Limits,
    /// Bytes up to which a HyperLogLog stays sparse.
    pub hll_sparse_max_bytes: usize,
    /// Bytes of memory; 0: no limit.
    pub maxmemory: u64,
    /// What goes when memory is full.
    pub maxmemory_policy: MaxmemoryPolicy,
    /// Keys looked at to evict one.
    pub maxmemory_samples: u32,
    /// How long evicting may hold up a command, 0 to 100.
    pub maxmemory_eviction_tenacity: u32,
    /// How fast the access counter saturates.
    pub lfu_log_factor: u32,
    /// Minutes after which the access counter drops by one.
    pub lfu_decay_time: u32,
    /// Percent of commands checked for use in a cluster.
    pub cluster_compatibility_sample_ratio: i64,
    /// Free evicted values in a thread.
    pub lazyfree_lazy_eviction: bool,
    /// Free expired values in a thread.
    pub lazyfree_lazy_expire: bool,
    /// Free overwritten values in a thread.
    pub lazyfree_lazy_server_del: bool,
    /// DEL works like UNLINK.
    pub lazyfree_lazy_user_del: bool,
    /// FLUSHALL and FLUSHDB work in a thread unless told otherwise.
    pub lazyfree_lazy_user_flush: bool,
    /// 1 to 10: how much time goes into finding expired keys.
    pub active_expire_effort: u32,
    /// Spend idle time on growing tables.
    pub activerehashing: bool,

    // Watching
    /// Which keyspace events are published.
    pub notify_keyspace_events: Notify,
    /// Microseconds from which a command is logged as slow; 0: all, negative: none.
    pub slowlog_log_slower_than: i64,
    /// Entries of the slow log.
    pub slowlog_max_len: u64,
    /// Milliseconds from which a delay is recorded; 0: off.
    pub latency_monitor_threshold: i64,
    /// Keep latency histograms per command.
    pub latency_tracking: bool,
    /// Percentiles that INFO shows.
    pub latency_tracking_info_percentiles: Vec<f64>,
    /// Entries of the ACL log.
    pub acllog_max_len: u64,
    /// Keys remembered for client tracking.
    pub tracking_table_max_keys: usize,
    /// Milliseconds after which a script makes others wait with -BUSY.
    pub busy_reply_threshold: i64,
    /// No keys, values or client names in the log.
    pub hide_user_data_from_log: bool,
}

/// `save <seconds> <changes>`: save after so many seconds if so much changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SavePoint {
    /// At least one.
    pub seconds: u64,
    /// Changes since the last save.
    pub changes: u64,
}

/// How much output a client may leave unread. 0 means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutputLimit {
    /// Bytes at which it is closed at once.
    pub hard: u64,
    /// Bytes at which it is closed after `soft_seconds`.
    pub soft: u64,
    /// Seconds above the soft limit.
    pub soft_seconds: u64,
}

impl OutputLimit {
    /// Whether anything may wait for ever.
    pub fn is_none(self) -> bool {
        self.hard == 0 && self.soft == 0
    }
}

/// A set of keyspace events, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notify(pub u32);

impl Notify {
    /// `K`: publish to `__keyspace@<db>__` channels.
    pub const KEYSPACE: u32 = 1;
    /// `E`: publish to `__keyevent@<db>__` channels.
    pub const KEYEVENT: u32 = 1 << 1;
    /// `g`: DEL, EXPIRE, RENAME, ...
    pub const GENERIC: u32 = 1 << 2;
    /// `$`: strings.
    pub const STRING: u32 = 1 << 3;
    /// `l`: lists.
    pub const LIST: u32 = 1 << 4;
    /// `s`: sets.
    pub const SET: u32 = 1 << 5;
    /// `h`: hashes.
    pub const HASH: u32 = 1 << 6;
    /// `z`: sorted sets.
    pub const ZSET: u32 = 1 << 7;
    /// `x`: a key expired.
    pub const EXPIRED: u32 = 1 << 8;
    /// `e`: a key was evicted.
    pub const EVICTED: u32 = 1 << 9;
    /// `t`: streams.
    pub const STREAM: u32 = 1 << 10;
    /// `m`: a lookup missed; not part of `A`.
    pub const KEY_MISS: u32 = 1 << 11;
    /// `d`: modules.
    pub const MODULE: u32 = 1 << 13;
    /// `n`: a new key; not part of `A`.
    pub const NEW: u32 = 1 << 14;
    /// `A`: all of the above but `K`, `E`, `m`, `n`.
    pub const ALL: u32 = 0b10_0111_1111_1100;

    /// Whether any of these events is published.
    pub fn has(self, events: u32) -> bool {
        self.0 & events != 0
    }
}

/// What a shutdown by signal does beyond the usual, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShutdownFlags(pub u32);

impl ShutdownFlags {
    /// Save even without save points.
    pub const SAVE: u32 = 1;
    /// Do not save.
    pub const NOSAVE: u32 = 2;
    /// Do not wait for replicas.
    pub const NOW: u32 = 4;
    /// Leave even if saving fails.
    pub const FORCE: u32 = 8;

    /// Whether this flag is set.
    pub fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }
}

impl Field for ShutdownFlags {
    fn to_value(&self) -> Value {
        Value::Code(self.0)
    }
    fn from_value(value: Value) -> Self {
        ShutdownFlags(if let Value::Code(code) = value { code } else { 0 })
    }
}

/// Declares an enum whose names in the config are part of it: `NAMES` is the list that a row refers to.
macro_rules! named {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        $vis enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            pub(super) const NAMES: &'static [(&'static str, u32)] = &[$(($text, $code),)+];

            /// The name as the config spells it.
            pub fn name(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from_value(Value::Code(Self::NAMES[0].1))
            }
        }

        impl Field for $name {
            fn to_value(&self) -> Value {
                Value::Code(*self as u32)
            }
            fn from_value(value: Value) -> Self {
                match value {
                    $(Value::Code($code) => $name::$variant,)+
                    _ => unreachable!("a row only takes the codes of its own names"),
                }
            }
        }
    };
}

named! {
    /// Levels of the log.
    pub enum LogLevel {
        /// Everything.
        Debug = 0 "debug",
        /// Much that is rarely useful.
        Verbose = 1 "verbose",
        /// What one wants to know in production.
        Notice = 2 "notice",
        /// Only what matters much.
        Warning = 3 "warning",
        /// Silence.
        Nothing = 4 "nothing",
    }
}

impl From<LogLevel> for log::Level {
    fn from(level: LogLevel) -> log::Level {
        match level {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Verbose => log::Level::Verbose,
            LogLevel::Notice => log::Level::Notice,
            LogLevel::Warning => log::Level::Warning,
            LogLevel::Nothing => log::Level::Nothing,
        }
    }
}

named! {
    /// What is evicted when memory is full.
    pub enum MaxmemoryPolicy {
        /// Least recently used among keys that expire.
        VolatileLru = 0 "volatile-lru",
        /// Least often used among keys that expire.
        VolatileLfu = 1 "volatile-lfu",
        /// Any key that expires.
        VolatileRandom = 2 "volatile-random",
        /// The key that expires next.
        VolatileTtl = 3 "volatile-ttl",
        /// Least recently used of all keys.
        AllkeysLru = 4 "allkeys-lru",
        /// Least often used of all keys.
        AllkeysLfu = 5 "allkeys-lfu",
        /// Any key.
        AllkeysRandom = 6 "allkeys-random",
        /// Nothing: writes that need memory fail.
        NoEviction = 7 "noeviction",
    }
}

impl MaxmemoryPolicy {
    /// Whether access frequency is counted instead of access time.
    pub fn is_lfu(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllkeysLfu)
    }

    /// Whether access time decides.
    pub fn is_lru(self) -> bool {
        matches!(self, Self::VolatileLru | Self::AllkeysLru)
    }
}

named! {
    /// When the log is synced.
    pub enum Fsync {
        /// Once a second, beside the work.
        EverySecond = 0 "everysec",
        /// Before anybody hears of a write.
        Always = 1 "always",
        /// When the system likes.
        Never = 2 "no",
    }
}

named! {
    /// Who supervises the process.
    pub enum Supervised {
        /// Stop by SIGSTOP when ready.
        Upstart = 0 "upstart",
        /// Datagrams to `NOTIFY_SOCKET`.
        Systemd = 1 "systemd",
        /// Whichever the environment shows.
        Auto = 2 "auto",
        /// Nobody.
        No = 3 "no",
    }
}

named! {
    /// Who may do what is dangerous.
    pub enum Protected {
        /// Nobody.
        No = 0 "no",
        /// Everybody.
        Yes = 1 "yes",
        /// Clients of the same machine.
        Local = 2 "local",
    }
}

impl Protected {
    /// Whether a client may, which is local or not.
    pub fn allows(self, local: bool) -> bool {
        self == Protected::Yes || (self == Protected::Local && local)
    }
}

named! {
    /// When payloads are checked in depth.
    pub enum Sanitize {
        /// Never.
        No = 0 "no",
        /// Always.
        Yes = 1 "yes",
        /// Those that clients send.
        Clients = 2 "clients",
    }
}

named! {
    /// Whether the out-of-memory score is adjusted.
    pub enum OomScoreAdj {
        /// Left alone.
        No = 0 "no",
        /// Relative to what it was at start.
        Relative = 1 "yes",
        /// As given.
        Absolute = 2 "absolute",
    }
}

named! {
    /// Which version of the format snapshots are written in.
    pub enum SaveVersion {
        /// The lowest, from 10 on, that holds the content.
        Lowest = 0 "",
        /// Redis 7.0.
        V10 = 10 "10",
        /// Redis 7.2.
        V11 = 11 "11",
        /// Redis 7.4 and 8.
        V12 = 12 "12",
        /// Valkey 9.
        Valkey80 = 80 "valkey",
    }
}
