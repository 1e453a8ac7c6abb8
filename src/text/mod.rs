//! Text and bytes as the real server reads and prints them: numbers, patterns, checksums, quoting, time.
//!
//! Everything here is a function of its arguments. It never touches a socket, a database or a key, and never replies:
//! what an unreadable number means to a client is the caller's business. Three doors lead outside: `clock` (the time),
//! `civil` (the time zone) and `hex::random_id` (the system's randomness).
//! Source of truth: Redis 8.0.6 itself; tables in the tests were made with it.

pub mod cfloat;
pub mod civil;
pub mod clock;
pub mod crc;
pub mod glob;
pub mod hex;
pub mod log;
pub mod lzf;
pub mod num;
pub mod os;
mod tsc;
pub mod version;
pub mod words;
