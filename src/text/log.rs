#![allow(unsafe_code)] // localtime_r, open and write: the same calls must be safe in a forked child
//! The server's log, line by line, in the form that tools know: `PID:ROLE DD Mon YYYY HH:MM:SS.mmm LEVEL message`.
//!
//! Process-wide, because a process has one log. A line is put together on the stack and leaves in one `write`, to
//! standard output or to the log file, which is opened for each line (so that it may be moved away at any time).
//! Nothing here locks or allocates: a forked child may log, too. Lines are cut at 1 KiB, as in the real server.
//! Roles: `M` master, `S` replica, `C` a child, or a server that is not set up yet. Levels: `.` debug, `-` verbose,
//! `*` notice, `#` warning.

use std::ffi::{CString, c_int};
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicU8, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

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
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let utc_secs = now.as_secs() as i64;
    let local_secs = utc_secs + offset_secs(utc_secs, pid == server || server == 0);
    let mut line = Line::new();
    line.head(pid, role, local_secs, now.subsec_millis(), level);
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

    fn head(&mut self, pid: i32, role: u8, local_secs: i64, millis: u32, level: Level) {
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let (year, month, day) = civil(local_secs.div_euclid(86_400));
        let second = local_secs.rem_euclid(86_400);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        let (role, mark) = (role as char, b".-*#"[level as usize & 3] as char);
        let month = MONTHS[month];
        // Fits: 64 bytes are more than all of it can take.
        let _ = write!(
            self,
            "{pid}:{role} {day:02} {month} {year} {hour:02}:{minute:02}:{second:02}.{millis:03} {mark} "
        );
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

/// Year, month from 0, day of a day counted from 1970-01-01, by the rules of the Gregorian calendar: years begin in
/// March, so that the leap day is the last.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    (era * 400 + year_of_era + i64::from(month < 2), month as usize, day)
}

fn pid() -> i32 {
    std::process::id() as i32
}

/// Seconds east of Greenwich at this moment; in a child as of the parent's last line.
fn offset_secs(utc_secs: i64, may_ask: bool) -> i64 {
    if !may_ask {
        return OFFSET_SECS.load(Relaxed);
    }
    // SAFETY: `tm` is plain data for which zeros are valid, both pointers are to locals that outlive the call.
    let offset = unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        if libc::localtime_r(&utc_secs, &mut tm).is_null() { 0 } else { tm.tm_gmtoff }
    };
    OFFSET_SECS.store(offset, Relaxed);
    offset
}

/// Writes at once or not at all: a log that cannot be written has no other place to complain.
fn write(bytes: &[u8]) {
    let Some(path) = FILE.get() else { return write_to(libc::STDOUT_FILENO, bytes) };
    const FLAGS: c_int = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
    // SAFETY: `path` ends with a NUL and lives as long as the process.
    let fd = unsafe { libc::open(path.as_ptr(), FLAGS, 0o644) };
    if fd >= 0 {
        write_to(fd, bytes);
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

    fn line_of(secs: i64, message: &str) -> String {
        let mut line = Line::new();
        line.head(30_075, b'M', secs, 469, Level::Notice);
        let _ = line.write_str(message);
        line.end();
        String::from_utf8(line.bytes[..line.len].to_vec()).expect("ASCII")
    }

    #[test]
    fn lines_look_like_the_real_ones() {
        assert_eq!(
            line_of(1_795_187_319, "Server initialized"),
            "30075:M 20 Nov 2026 15:08:39.469 * Server initialized\n"
        );
        assert_eq!(line_of(951_782_399, "x"), "30075:M 28 Feb 2000 23:59:59.469 * x\n");
        assert_eq!(line_of(951_782_400, "x"), "30075:M 29 Feb 2000 00:00:00.469 * x\n");
        assert_eq!(line_of(-1, "x"), "30075:M 31 Dec 1969 23:59:59.469 * x\n");
    }

    #[test]
    fn long_messages_are_cut() {
        let line = line_of(0, &"y".repeat(5000));
        assert_eq!(line.matches('y').count(), MESSAGE_MAX);
        assert!(line.ends_with("y\n"));
    }

    #[test]
    fn the_calendar_agrees_with_counting() {
        let (mut year, mut month, mut day) = (1970, 0, 1);
        for days in 0..80_000 {
            assert_eq!(civil(days), (year, month, day), "{days}");
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month];
            day += 1;
            if day > length {
                (day, month) = (1, month + 1);
            }
            if month == 12 {
                (month, year) = (0, year + 1);
            }
        }
    }
}
