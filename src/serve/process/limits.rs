#![allow(unsafe_code)] // getrlimit, setrlimit, setpriority
//! What the system allows: enough open files for all clients; and how much of the processor who may take.

use super::system::reason;
use crate::{notice, warning};
use std::io;

/// Files that are no clients: log, snapshots, listening sockets, pipes.
pub const RESERVED_FILES: u64 = 32;

/// Raises the limit of open files so that `maxclients` clients fit, and returns how many do. What it did, and what it
/// could not do, is in the log.
///
/// `None`: the limit leaves no room for a single client; the server must not start.
pub fn raise_open_files(maxclients: u32) -> Option<u32> {
    let wanted = u64::from(maxclients) + RESERVED_FILES;
    let Some(limit) = open_files() else {
        let error = io::Error::last_os_error();
        warning!(
            "Unable to obtain the current NOFILE limit ({}), assuming 1024 and setting the max clients configuration accordingly.",
            reason(&error)
        );
        return Some(1024 - RESERVED_FILES as u32);
    };
    if limit.rlim_cur >= wanted {
        return Some(maxclients);
    }
    match raise(limit.rlim_cur, wanted) {
        Ok(()) => {
            let before = limit.rlim_cur;
            notice!(
                "Increased maximum number of open files to {wanted} (it was originally set to {before})."
            );
            Some(maxclients)
        }
        Err((best, error)) => make_do(maxclients, limit.rlim_cur, best, wanted, &error),
    }
}

/// Tries the limit that is wanted, then ever smaller ones; otherwise says what it came to and why.
fn raise(before: u64, wanted: u64) -> Result<(), (u64, io::Error)> {
    const STEP: u64 = 16;
    let mut best = wanted;
    let mut error = io::Error::from_raw_os_error(libc::EPERM);
    while best > before {
        match set_open_files(best) {
            Ok(()) if best == wanted => return Ok(()),
            Ok(()) => break,
            Err(why) => error = why,
        }
        best = best.saturating_sub(STEP);
    }
    Err((best.max(before), error))
}

fn make_do(maxclients: u32, before: u64, best: u64, wanted: u64, error: &io::Error) -> Option<u32> {
    if best <= RESERVED_FILES {
        warning!(
            "Your current 'ulimit -n' of {before} is not enough for the server to start. Please increase your open file limit to at least {wanted}. Exiting."
        );
        return None;
    }
    let fits = (best - RESERVED_FILES) as u32;
    warning!("You requested maxclients of {maxclients} requiring at least {wanted} max file descriptors.");
    warning!("Server can't set maximum open files to {wanted} because of OS error: {}.", reason(error));
    warning!(
        "Current maximum open files is {best}. maxclients has been reduced to {fits} to compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
    );
    Some(fits)
}

fn open_files() -> Option<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a local that outlives the call.
    (unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0).then_some(limit)
}

fn set_open_files(files: u64) -> io::Result<()> {
    let limit = libc::rlimit { rlim_cur: files, rlim_max: files };
    // SAFETY: the pointer is to a local that outlives the call.
    match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
