//! The process around the server: background, title, limits, signals, supervisors, first lines of the log.
//!
//! What service managers, tools and test harnesses expect of a Redis process. Never here: the keyspace, clients.
//! The order at start matters (`cli` keeps it): [`title::reserve`] and [`background::leave_terminal`] come before any
//! thread exists, [`limits::raise_open_files`] before sockets are opened.
//! Source: `src/server.c` of Redis 8.0.6 for order, log lines, exit codes.

pub mod allocator;
pub mod background;
pub mod banner;
pub mod crash;
pub mod huge_pages;
pub mod limits;
pub mod notify;
pub mod oom;
pub mod running;
pub mod signals;
pub mod system;
pub mod title;
pub mod turns;
pub mod vitals;
