//! The product, as its users meet it: a process, its socket, its files.
//!
//! - `client`: a blocking RESP2/RESP3 client that shows the whole value tree and the raw bytes.
//! - `process`: arguments, exit codes, log, title, background.
//! - `server`: starts our binary or a real server, and ends it by pid.
//! - `oracle`: what Redis 8.0.6 answered (`fixtures/oracle`), replayed against ours, and its recorder.

mod client;
mod oracle;
mod process;
mod server;
