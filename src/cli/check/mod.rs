//! `resnap check`, and the real servers' tools of that kind: is a file whole, and what is good in it?
//!
//! Nothing here changes a file but by `--fix` and `--until` (and their like), and that only by cutting its end off.
//! - [`ours`]: what a server here would make of a snapshot, a log's file or a directory;
//! - [`redis_aof`] and [`redis_rdb`]: redis-check-aof and redis-check-rdb with their own rules, words and exit codes.
//! - [`snapshot`]: going through a snapshot, for all of them.
//!
//! Source: `src/redis-check-aof.c` and `src/redis-check-rdb.c` of Redis 8.0.6, and its test `integration/aof.tcl`.

pub mod ours;
pub mod redis_aof;
pub mod redis_rdb;
mod snapshot;

use std::fs::File;
use std::io;
use std::path::Path;

use crate::persist::lock;

/// An error: a server is writing the log of this file.
fn is_free(path: &Path) -> io::Result<()> {
    let owner = lock::of_part(path).and_then(|lock| lock::owner(&lock));
    owner.map_or(Ok(()), |taken| Err(io::Error::other(taken.to_string())))
}

/// Cuts a file that no server is writing, durably.
fn cut(path: &Path, len: u64) -> io::Result<()> {
    is_free(path)?;
    let file = File::options().write(true).open(path)?;
    file.set_len(len)?;
    file.sync_all()
}

/// Reads a yes from standard input.
fn confirmed() -> bool {
    let mut answer = String::new();
    // No answer is no.
    let _ = io::stdin().read_line(&mut answer);
    answer.starts_with(['y', 'Y'])
}

/// Prints without a line's end, so that it is seen.
fn prompt(text: &str) {
    use std::io::Write;
    print!("{text}");
    // Whoever cannot see it cannot answer either.
    let _ = io::stdout().flush();
}
