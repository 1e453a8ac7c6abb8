//! What the server knows of one client.

use std::task::Waker;

use crate::engine::config::OutputLimit;
use crate::resp::{OwnedArgs, Proto};

/// Output up to here counts for no limit: the real server has that much room in every client.
pub const OWN_OUTPUT: usize = 16 << 10;

/// Further output counts in blocks of so many bytes, each of which costs a little more: what the real server allocates.
const BLOCK: usize = 20_464;
const BLOCK_COST: usize = BLOCK + 40;

/// How much output may wait for it to cost less than `limit` bytes.
pub fn most_output(limit: u64) -> usize {
    let blocks = limit.saturating_sub(1) / BLOCK_COST as u64;
    usize::try_from(blocks)
        .map_or(usize::MAX, |blocks| blocks.saturating_mul(BLOCK).saturating_add(OWN_OUTPUT))
}

/// Names a session for ever: numbers are never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// What becomes of the replies to coming commands (CLIENT REPLY).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReplyMode {
    #[default]
    On,
    Off,
    /// Not the next one.
    SkipNext,
    /// Not this one.
    Skip,
}

/// What a follower's snapshot is to hold (REPLCONF rdb-filter-only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wanted {
    #[default]
    All,
    /// Function libraries, no keys.
    Functions,
    Nothing,
}

/// How a client came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peer {
    /// Address and port, ours too.
    Tcp { peer: String, local: String },
    /// Our socket's path.
    Unix { path: String },
    /// None: a replay, a test.
    Internal,
}

impl Peer {
    /// The `addr` of CLIENT LIST.
    pub fn addr(&self) -> String {
        match self {
            Peer::Tcp { peer, .. } => peer.clone(),
            Peer::Unix { path } => format!("{path}:0"),
            Peer::Internal => "?:0".into(),
        }
    }

    /// The `laddr` of CLIENT LIST.
    pub fn laddr(&self) -> String {
        match self {
            Peer::Tcp { local, .. } => local.clone(),
            Peer::Unix { path } => format!("{path}:0"),
            Peer::Internal => "?:0".into(),
        }
    }
}

/// What only the connection knows of its buffers, copied here whenever it has the lock. All in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mirror {
    /// Input that is not a whole request yet.
    pub query: usize,
    /// Capacity of the buffer for it.
    pub query_capacity: usize,
    /// Arguments of an unfinished request that are whole already.
    pub arguments: usize,
    /// Output that the client has not taken.
    pub output: usize,
    /// What is allocated for it.
    pub output_memory: usize,
    /// Received and sent since the beginning.
    pub received: u64,
    /// See `received`.
    pub sent: u64,
}

/// How far the append log and the stream to followers had come at the end of a client's last command. Both in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wrote {
    /// The log's LSN.
    pub log: u64,
    /// The stream's offset.
    pub stream: u64,
}

/// What the server knows of one client.
#[derive(Debug)]
pub struct Session {
    /// Its name for ever.
    pub id: SessionId,
    /// The selected database.
    pub db: usize,
    /// HELLO.
    pub protocol: Proto,
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// CLIENT SETINFO.
    pub lib_name: Vec<u8>,
    /// CLIENT SETINFO.
    pub lib_ver: Vec<u8>,
    /// The ACL user.
    pub user: String,
    /// Has the right to send commands.
    pub authenticated: bool,
    /// How it came.
    pub peer: Peer,
    /// The socket's descriptor, for CLIENT LIST.
    pub fd: i32,
    /// The number of the worker thread that serves it.
    pub worker: usize,
    /// Monotonic microseconds.
    pub created_us: u64,
    /// Monotonic microseconds of the last request, or of the last byte that went either way.
    pub active_us: u64,
    /// The row of the last command, in the command table.
    pub last_command: Option<u16>,
    /// Requests that ran.
    pub commands: u64,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// What it wants of a snapshot, should it follow.
    pub wanted: Wanted,
    /// The connection ends when its output is sent.
    pub closing: bool,
    /// The connection ends now, and nothing more of its input runs.
    pub cut_off: bool,
    /// Between MULTI and EXEC: the requests so far.
    pub queued: Option<Vec<OwnedArgs>>,
    /// Bytes of their arguments, while there are some: input that still waits, for `client-query-buffer-limit`.
    pub queued_bytes: usize,
    /// A request could not be queued: EXEC will refuse.
    pub queue_failed: bool,
    /// EXEC is running its requests: nothing may block.
    pub executing: bool,
    /// Waits for a key: what is pipelined behind stays unexecuted.
    pub blocked: bool,
    /// Its request runs again: if it blocks, it keeps this place (with its deadline, both in monotonic us).
    pub keeps_place: Option<((u64, Option<u64>), u64)>,
    /// What WAIT and WAITAOF wait for.
    pub wrote: Wrote,
    /// What others pushed: leaves before the next reply.
    pub outbox: Vec<u8>,
    /// The connection's buffers.
    pub mirror: Mirror,
    /// Since when the output is above the soft limit, in monotonic microseconds.
    pub soft_since_us: Option<u64>,
    /// Wakes the connection's task.
    pub waker: Option<Waker>,
    /// That is to be done, or done and not followed yet.
    pub woken: bool,
}

impl Session {
    /// A client that just came.
    pub fn new(id: SessionId, peer: Peer, now_mono_us: u64) -> Session {
        Session {
            id,
            db: 0,
            protocol: Proto::Resp2,
            name: Vec::new(),
            lib_name: Vec::new(),
            lib_ver: Vec::new(),
            user: "default".into(),
            authenticated: true,
            peer,
            fd: -1,
            worker: 0,
            created_us: now_mono_us,
            active_us: now_mono_us,
            last_command: None,
            commands: 0,
            no_touch: false,
            no_evict: false,
            reply_mode: ReplyMode::On,
            wanted: Wanted::All,
            closing: false,
            cut_off: false,
            queued: None,
            queued_bytes: 0,
            queue_failed: false,
            executing: false,
            blocked: false,
            keeps_place: None,
            wrote: Wrote::default(),
            outbox: Vec::new(),
            mirror: Mirror::default(),
            soft_since_us: None,
            waker: None,
            woken: false,
        }
    }

    /// Blocks of output that wait for the client beyond what every client has room for.
    pub fn output_blocks(&self) -> usize {
        (self.mirror.output + self.outbox.len()).saturating_sub(OWN_OUTPUT).div_ceil(BLOCK)
    }

    /// What they cost, in bytes.
    pub fn listed_output(&self) -> usize {
        self.output_blocks() * BLOCK_COST
    }

    /// Whether so much output waits, or so long, that the client is to be closed.
    pub fn overflows(&mut self, limit: OutputLimit, now_mono_us: u64) -> bool {
        let waiting = self.listed_output() as u64;
        if waiting > 0 && limit.hard > 0 && waiting >= limit.hard {
            return true;
        }
        if waiting == 0 || limit.soft == 0 || waiting < limit.soft {
            self.soft_since_us = None;
            return false;
        }
        let since = *self.soft_since_us.get_or_insert(now_mono_us);
        now_mono_us.saturating_sub(since) > limit.soft_seconds * 1_000_000
    }
}
