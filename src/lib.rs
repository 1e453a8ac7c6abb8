//! resnap: a Redis-compatible server that keeps its state and opens any snapshot.
//!
//! Redis 8.0.6 is the specification: replies, errors, side effects, log lines, files. This page is the design, as it
//! is in the code; each room's `mod.rs` says what the room is for and what it never does.
//!
//! # Floors
//! A room imports only from floors below (`value` and `resp` may use `text`); a test walks the imports. What a lower
//! room needs from above comes in as an argument (the time, a limit, a sink); what it has to tell leaves as a return
//! value. Nouns live below, verbs above, roads on top.
//!
//! ```text
//! 6  cli/                    what a person types; main.rs is one call of it
//! 5  net/                    listeners, connections, timers, signals; the only room that awaits
//! 4  serve/                  the road of a command and of a start, saving, cron; everything with files and processes
//! 3  command/                the verbs: one file per command, with its row of the table
//! 2  engine/                 the nouns of a running server: sessions, configuration, counters, who listens and waits
//! 1  keyspace/ persist/      databases: entries, expiry, effects; bytes on disk to items and back
//! 0  value/ resp/ text/      data structures; requests and replies; numbers, patterns, checksums, clock, log
//! ```
//!
//! One door leads up: [`command::Host`], implemented in `serve` and lent to handlers, for what needs files or
//! processes and must be answered at once (BGSAVE, DEBUG RELOAD, SHUTDOWN, CONFIG SET port). `serve` itself reaches
//! the sockets by [`serve::Wires`]. Wake-ups cross floors as [`std::task::Waker`]s.
//!
//! # The road of a request
//! A worker reads into a buffer that its connections share, and [`resp`] splits it into requests that borrow from it
//! (an argument of 32 KiB or more is received into its own allocation, which SET keeps). Then, once for the whole
//! batch, the engine's lock is taken: for each request one lookup in the command table, one gate, and the handler,
//! which writes its reply straight into the output and records what it changed. The lock is released and the output
//! leaves in one write.
//!
//! - **Effects** tell what a key went through; [`command::Ctx::record`] makes of them the count of changes, watched
//!   keys, keyspace events and readiness. How a log would say it is the row's own matter ([`command::Propagate`]).
//! - **A unit** is what one command did, with all that it called; blocked clients are served when it closes.
//! - **Output never stops input**: a connection goes on reading and executing while its client takes nothing.
//!   `client-output-buffer-limit` decides how far.
//! - **Turns**: after a few full reads a connection lets the others go first, so that no pipeline is longer than the
//!   patience of the rest. A batch can end early (a request blocks, the output is over its limit).
//! - **A connection at rest** holds next to nothing: input and output buffers are the worker's, and what is cut off
//!   or waits is all that is its own.
//!
//! # Threads
//! Keyspace and state are one [`engine::Engine`], executed by one thread at a time. `io-threads` workers, each with
//! its own runtime and connections, take turns at it; the first also listens and keeps the timers. Sessions belong to
//! the engine under numbers that are never used again; whatever others send a client goes to its session's outbox
//! under the same lock, and its connection is woken. Long work (freeing big values, loading) has threads of its own,
//! which hold no reference into the keyspace. A panic ends the process: under the lock it would leave half a change.
//!
//! # Time
//! There is one clock, read once per command and handed down; timeouts run on its monotonic side.
//!
//! # Start and saving
//! The data set is loaded aside, while clients are answered -LOADING, and put in place under the lock. BGSAVE forks
//! from the thread that holds the lock; the child touches no runtime, lock or destructor, and leaves by `_exit`. Every
//! file that replaces another is written beside it, synced and renamed, and the directory is synced. A data set belongs
//! to one process: a lock says so ([`persist::lock`]), which a forked child does not keep.
//!
//! # The append log
//! Frames are rendered under the lock into the log's tail, and written once per turn of a worker, after all of its
//! ready connections ran. What leaves a connection waits until the log is written as far as the batch went, and with
//! `appendfsync always` synced; the engine waits for neither. Short syncs are the worker's, long ones a thread's; before
//! one the sockets are looked at again, as long as that brings more that it can be for. A
//! rewrite forks as BGSAVE does; the old increment is written and synced before a manifest names the next, so only the
//! last file of a log can be torn. Files are reached through [`persist::aof::Disk`], which tests replace.
//!
//! # Bytes from outside
//! Requests, snapshots and payloads are hostile: nothing is reserved by an announced length, nothing recurses by
//! depth, arithmetic is checked, and damage is an answer, never a panic.

pub mod cli;
pub mod command;
pub mod engine;
pub mod keyspace;
pub mod net;
pub mod persist;
pub mod resp;
pub mod serve;
pub mod text;
pub mod value;

/// The tests of the library run with the program's allocator.
#[cfg(test)]
#[global_allocator]
static ALLOCATOR: serve::process::allocator::Allocator = serve::process::allocator::Allocator;
