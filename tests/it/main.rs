//! The product, as its users meet it: a process, its socket, its files.
//!
//! - `examples`: what the rows of the command table say of themselves.
//! - `client`: a blocking RESP2/RESP3 client that shows the whole value tree and the raw bytes.
//! - `network`: sockets: input cut anywhere, endless pipelines, limits, listening, threads, idleness.
//! - `clients`: redis-cli, redis-benchmark, redis-py, node-redis and ioredis, unmodified.
//! - `economy`: system calls per request, pages of memory.
//! - `follow`: SYNC: a snapshot and the stream of changes.
//! - `floors`: which room may import which.
//! - `process`: arguments, exit codes, log, title, background.
//! - `server`: starts our binary or a real server, and ends it by pid.
//! - `node`, `canon`: a server whose directory outlives it, and its content in the canonical form.
//! - `snapshots`: every file of `fixtures/rdb` as the dump file; `saving`: every way a save can go, and to leave;
//!   `neighbours`: files to and from real servers, where there are any.
//! - `append`: the append log, read and checked: every directory of `fixtures/aof`, and earlier moments.
//! - `differ`: random commands to a real server and to ours in lockstep, where there is a real one.
//! - `crash`: kill -9 under load: whatever was answered is there.
//! - `blocking`: clients that wait for keys, several at once, in the order in which things happen.
//! - `oracle`: what Redis 8.0.6 answered (`fixtures/oracle`), replayed against ours, and its recorder.

mod append;
mod blocking;
mod canon;
mod client;
mod clients;
mod crash;
mod crashing;
mod differ;
mod economy;
mod examples;
mod floors;
mod follow;
mod neighbours;
mod network;
mod node;
mod oracle;
mod process;
mod saving;
mod server;
mod snapshots;
