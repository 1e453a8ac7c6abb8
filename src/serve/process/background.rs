#![allow(unsafe_code)] // fork, setsid, dup2
//! Leaving the terminal, and the file that says who we are.

use crate::engine::config::Config;
use crate::warning;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Where the process id goes when the server is in the background and no file is configured.
const DEFAULT_PIDFILE: &str = "/var/run/redis.pid";

/// Becomes a process of its own, without terminal, and with `/dev/null` for input and output. The process that was
/// started ends with status 0.
///
/// Only before any thread exists: the others would not be in the new process.
/// Errors: the fork failed.
pub fn leave_terminal() -> io::Result<()> {
    fork_and_go_on()?;
    // SAFETY: no arguments. It cannot fail: a process just forked leads no group.
    unsafe { libc::setsid() };
    // A second time, so that no terminal opened later can become ours.
    fork_and_go_on()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for stream in 0..=2 {
        // SAFETY: both descriptors are plain numbers, `null` is open until the end of the function.
        unsafe { libc::dup2(null.as_raw_fd(), stream) };
    }
    Ok(())
}

/// Returns in the child; the parent ends.
fn fork_and_go_on() -> io::Result<()> {
    // SAFETY: the only thread is this one, so the child's memory is whole.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(()),
        // SAFETY: ends the process without running what the child still needs (exit handlers, buffers).
        _ => unsafe { libc::_exit(0) },
    }
}

/// Writes the file with the process id if one is configured or the server is in the background; `config.pidfile` then
/// says where it is. A failure is logged, no more.
pub fn write_pidfile(config: &mut Config, in_background: bool) {
    if in_background && config.pidfile.is_none() {
        config.pidfile = Some(DEFAULT_PIDFILE.into());
    }
    if let Some(path) = &config.pidfile
        && let Err(error) = fs::write(path, format!("{}\n", std::process::id()))
    {
        warning!("Failed to write PID file: {}", super::system::reason(&error));
    }
}

/// Removes the file with the process id; gone already is as good.
pub fn remove_pidfile(path: &Path) {
    let _ = fs::remove_file(path);
}
