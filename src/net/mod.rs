//! Sockets, timers and signals: the only room that awaits.
//!
//! `io-threads` workers, each with its own runtime and its own connections; the first also listens, keeps the
//! timers and hears the signals. A worker reads, parses without the lock, takes the engine's lock for the batch,
//! and writes once. The room knows no command (but
//! how CLIENT LIST shows a client: so does the log).

mod conn;
mod held;
mod listen;
mod outgoing;
mod run;
mod signals;
mod stream;
mod worker;

pub use run::{Options, run};
