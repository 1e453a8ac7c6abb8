#![allow(unsafe_code)] // fork and what belongs to it has no safe name
//! Forking: the child writes, syncs and leaves by `_exit`; it never touches the runtime, locks or anything's `Drop`.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

/// A pipe: the end to write to, the end to read from.
pub(in crate::serve) fn pipe() -> Result<(File, File), String> {
    let mut ends: [RawFd; 2] = [0; 2];
    // SAFETY: `ends` has room for the two descriptors that the call stores.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return Err(format!("pipe: {}", io::Error::last_os_error()));
    }
    // SAFETY: both descriptors are fresh, and nobody else owns them.
    Ok(unsafe { (File::from_raw_fd(ends[1]), File::from_raw_fd(ends[0])) })
}

/// Forks. The child closes all descriptors but the standard ones and `keep`, runs `child`, and exits with what it
/// gives. Gives the child's process id.
pub(in crate::serve) fn fork(child: impl FnOnce() -> i32, keep: &[RawFd]) -> Result<i32, String> {
    // SAFETY: the child runs only what follows: it takes no lock that another thread may have held (the allocator has
    // handlers for that), and ends by `_exit`, so that nothing of the parent's is dropped or flushed twice.
    match unsafe { libc::fork() } {
        -1 => Err(format!("fork: {}", io::Error::last_os_error())),
        0 => {
            calm_signals();
            close_others(keep);
            exit(child())
        }
        pid => Ok(pid),
    }
}

/// The runtime's signal handlers would write into the parent's pipes: back to defaults. SIGINT from a terminal is
/// for the parent.
fn calm_signals() {
    // SAFETY: SIG_DFL and SIG_IGN are valid for these signals.
    unsafe {
        libc::signal(libc::SIGTERM, libc::SIG_DFL);
        libc::signal(libc::SIGUSR1, libc::SIG_DFL);
        libc::signal(libc::SIGINT, libc::SIG_IGN);
    }
}

/// Clients must see the end of their connection when the parent dies, whatever the child does.
fn close_others(keep: &[RawFd]) {
    let mut kept: [RawFd; 8] = [-1; 8];
    let count = keep.len().min(kept.len());
    kept[..count].copy_from_slice(&keep[..count]);
    kept[..count].sort_unstable();
    let mut from = 3;
    for fd in &kept[..count] {
        close_range(from, fd - 1);
        from = fd + 1;
    }
    close_range(from, i32::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    if first <= last {
        // SAFETY: closes descriptors of the child alone, which uses none of them.
        unsafe { libc::syscall(libc::SYS_close_range, first as u32, last as u32, 0u32) };
    }
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::serve) enum Ended {
    Code(i32),
    Signal(i32),
}

/// Waits until a child of ours has ended. It stays a zombie, so that its number belongs to nobody else yet.
pub(super) fn wait_for_end(pid: i32) {
    let Ok(id) = libc::id_t::try_from(pid) else { return };
    loop {
        // SAFETY: all zeros is a valid `siginfo_t`; the call stores into it.
        let failed = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PID, id, &raw mut info, libc::WEXITED | libc::WNOWAIT) != 0
        };
        if !failed || io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Takes leave of a child that has ended (or waits until it has).
pub(super) fn reap(pid: i32) -> Ended {
    let mut status = 0;
    loop {
        // SAFETY: `status` has room for the result.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        if waited == pid {
            break;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return Ended::Code(1);
        }
    }
    if libc::WIFSIGNALED(status) {
        Ended::Signal(libc::WTERMSIG(status))
    } else {
        Ended::Code(libc::WEXITSTATUS(status))
    }
}

/// Ends this process, a child, at once.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: nothing of the parent's is dropped or flushed by this.
    unsafe { libc::_exit(code) }
}

/// Kills a child of ours that was not reaped; whoever waits for it learns so.
pub(super) fn kill(pid: i32) {
    if pid <= 0 {
        return; // there is no such process, but several meant by it
    }
    // SAFETY: `pid` is a child that has not been reaped, so the number is not another process's.
    unsafe { libc::kill(pid, libc::SIGUSR1) };
}

/// Asks the kernel to begin writing a part of a file to the disk.
pub(in crate::serve) fn start_writeback(fd: RawFd, from: u64, len: u64) {
    let (Ok(from), Ok(len)) = (i64::try_from(from), i64::try_from(len)) else { return };
    // SAFETY: takes numbers only; a failure means that the sync at the end has more to do.
    unsafe { libc::sync_file_range(fd, from, len, libc::SYNC_FILE_RANGE_WRITE) };
}

/// The process's file mode mask.
pub(super) fn umask() -> u32 {
    static MASK: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *MASK.get_or_init(|| {
        // SAFETY: the only way to read the mask is to set it; it is set back at once.
        unsafe {
            let mask = libc::umask(0o022);
            libc::umask(mask);
            mask
        }
    })
}
