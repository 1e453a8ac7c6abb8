#![allow(unsafe_code)] // open, write, close: without the standard library's locks, for forked children
//! The server's log, line by line, in the form that tools know: `PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL message`.
//!
//! Process-wide, because a process has one log. A line is put together on the stack and leaves in one `write`, to
//! standard output or to the log file, which is opened for each line (so that it may be moved away at any time).
//! Nothing here locks or allocates: a forked child may log, too. Lines are cut at 1 KiB, as in the real server.
//! Roles: `M` master, `S` replica, `C` a child, or a server that is not set up yet. Levels: `.` debug, `-` verbose,
//! `*` notice, `#` warning.

use super::civil::{self, Civil};
use super::clock;
use std::ffi::{CString, c_int};
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, Ordering::Relaxed};

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// For those who work on the server.
    Debug,
    /// Rarely useful.
    Verbose,
    /// What one wants to know.
    Notice,
    /// What one must know.
    Warning,
    /// As a threshold: no line at all.
    Nothing,
}

/// Logs at debug level, like `format!`.
#[macro_export]
macro_rules! debug {
    ($($arg:tt)*) => { $crate::text::log::line($crate::text::log::Level::Debug, format_args!($($arg)*)) };
}

/// Logs at verbose level, like `format!`.
#[macro_export]
macro_rules! verbose {
    ($($arg:tt)*) => { $crate::text::log::line($crate::text::log::Level::Verbose, format_args!($($arg)*)) };
}

/// Logs at notice level, like `format!`.
#[macro_export]
macro_rules! notice {
    ($($arg:tt)*) => { $crate::text::log::line($crate::text::log::Level::Notice, format_args!($($arg)*)) };
}

/// Logs at warning level, like `format!`.
#[macro_export]
macro_rules! warning {
    ($($arg:tt)*) => { $crate::text::log::line($crate::text::log::Level::Warning, format_args!($($arg)*)) };
}

pub use crate::{debug, notice, verbose, warning};

/// Longest message in bytes.
const MESSAGE_MAX: usize = 1023;
/// Everything before the message fits: two numbers, a date, marks.
const LINE_MAX: usize = MESSAGE_MAX + 64;

static LEVEL: AtomicU8 = AtomicU8::new(Level::Notice as u8);
static ROLE: AtomicU8 = AtomicU8::new(b'M');
/// The server's process; 0: not set up yet.
static SERVER: AtomicI32 = AtomicI32::new(0);
/// Seconds east of Greenwich, for children, which must not ask the C library.
static OFFSET_SECS: AtomicI64 = AtomicI64::new(0);
static FILE: OnceLock<CString> = OnceLock::new();

/// Logs to this file from here on; an empty path is standard output. Once per process: later calls change nothing.
pub fn to_file(path: &Path) {
    if let Ok(path) = CString::new(path.as_os_str().as_bytes())
        && !path.is_empty()
    {
        let _ = FILE.set(path);
    }
}

/// Logs this level and above.
pub fn set_level(level: Level) {
    LEVEL.store(level as u8, Relaxed);
}

/// Whether lines of this level are logged.
pub fn enabled(level: Level) -> bool {
    level as u8 >= LEVEL.load(Relaxed)
}

/// Shows the server as a replica (`S`) or a master (`M`).
pub fn set_replica(replica: bool) {
    ROLE.store(if replica { b'S' } else { b'M' }, Relaxed);
}

/// From here on this process is the server, and what it forks is a child. Call it after leaving the terminal.
pub fn server_is_this_process() {
    SERVER.store(pid(), Relaxed);
}

/// Logs one line. See the macros.
pub fn line(level: Level, message: fmt::Arguments<'_>) {
    if !enabled(level) || level == Level::Nothing {
        return;
    }
    let pid = pid();
    let server = SERVER.load(Relaxed);
    let role = if pid == server { ROLE.load(Relaxed) } else { b'C' };
    let moment = moment(clock::system_us(), pid == server || server == 0);
    let mut line = Line::new();
    line.head(pid, role, &moment, level);
    // A message that does not fit is cut: `Line` says so by an error.
    let _ = line.write_fmt(message);
    line.end();
    write(&line.bytes[..line.len]);
}

/// Logs text as it is, without head and end. For banners.
pub fn raw(level: Level, text: &str) {
    if enabled(level) {
        write(text.as_bytes());
    }
}

/// A line on the stack.
struct Line {
    bytes: [u8; LINE_MAX],
    len: usize,
    limit: usize,
}

impl Line {
    fn new() -> Line {
        Line { bytes: [0; LINE_MAX], len: 0, limit: LINE_MAX }
    }

    fn head(&mut self, pid: i32, role: u8, moment: &Civil, level: Level) {
        let (role, mark) = (role as char, b".-*#"[level as usize & 3] as char);
        // Fits: 64 bytes are more than all of it can take.
        let _ = write!(self, "{pid}:{role} {moment} {mark} ");
        self.limit = (self.len + MESSAGE_MAX).min(LINE_MAX - 1);
    }

    fn end(&mut self) {
        self.bytes[self.len] = b'\n';
        self.len += 1;
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.limit - self.len;
        let fits = &text.as_bytes()[..text.len().min(room)];
        self.bytes[self.len..self.len + fits.len()].copy_from_slice(fits);
        self.len += fits.len();
        if fits.len() < text.len() { Err(fmt::Error) } else { Ok(()) }
    }
}

fn pid() -> i32 {
    std::process::id() as i32
}

/// The moment as this zone counts; a child uses the parent's last answer, as it must not ask the C library.
fn moment(us: u64, may_ask: bool) -> Civil {
    if !may_ask {
        return civil::at_offset(us, OFFSET_SECS.load(Relaxed));
    }
    let moment = civil::local(us);
    OFFSET_SECS.store(moment.utc_offset, Relaxed);
    moment
}

/// Writes at once or not at all: a log that cannot be written has no other place to complain.
fn write(bytes: &[u8]) {
    with_descriptor(|fd| write_to(fd, bytes));
}

/// Lends the log's descriptor, open for as long as that takes, to what writes by itself.
pub fn with_descriptor(write: impl FnOnce(c_int)) {
    let Some(path) = FILE.get() else { return write(libc::STDOUT_FILENO) };
    const FLAGS: c_int = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
    // SAFETY: `path` ends with a NUL and lives as long as the process.
    let fd = unsafe { libc::open(path.as_ptr(), FLAGS, 0o644) };
    if fd >= 0 {
        write(fd);
        // SAFETY: `fd` was opened above and nobody else knows it.
        unsafe { libc::close(fd) };
    }
}

fn write_to(fd: c_int, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: pointer and length are those of a live slice.
        let written = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => bytes = &bytes[written..],
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(us: u64, message: &str) -> String {
        let mut line = Line::new();
        line.head(30_075, b'M', &civil::at_offset(us, 0), Level::Notice);
        let _ = line.write_str(message);
        line.end();
        String::from_utf8(line.bytes[..line.len].to_vec()).expect("ASCII")
    }

    #[test]
    fn lines_look_like_the_real_ones() {
        assert_eq!(
            line_of(1_795_187_319_469_000, "Server initialized"),
            "30075:M 20 Nov 2026 15:08:39.469 * Server initialized\n"
        );
    }

    #[test]
    fn long_messages_are_cut() {
        let line = line_of(0, &"y".repeat(5000));
        assert_eq!(line.matches('y').count(), MESSAGE_MAX);
        assert!(line.ends_with("y\n"));
    }
}
