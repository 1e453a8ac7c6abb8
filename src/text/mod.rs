//! Text and bytes as the real server reads and prints them: numbers, patterns, checksums, quoting, time.
//!
//! Everything here is a function of its arguments. It never touches a socket, a file or a key, and never replies:
//! what an unreadable number means to a client is the caller's business. (`clock` reads the clock, `id` the
//! system's randomness: they are the doors through which both come in.)
//! Source of truth: Redis 8.0.6 itself; tables in the tests were made with it.

pub mod cfloat;
pub mod clock;
pub mod crc;
pub mod glob;
pub mod hex;
pub mod log;
pub mod lzf;
pub mod num;
pub mod words;
