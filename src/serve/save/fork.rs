#![allow(unsafe_code)] // fork and what belongs to it has no safe name
//! Forking: the child writes, syncs and leaves by `_exit`; it never touches the runtime, locks or anything's `Drop`.

use std::fs::File;
use std::io;
use std::os::fd::{FromRawFd, RawFd};

use crate::serve::process::turns;

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
///
/// Signals wait meanwhile: one that came to the child while it still has the runtime's handlers would be lost, and a
/// child that was told to end would go on. The child is [patient](turns): it has all the time that clients do not need.
pub(in crate::serve) fn fork(child: impl FnOnce() -> i32, keep: &[RawFd]) -> Result<i32, String> {
    let before = hold_signals();
    // SAFETY: the child runs only what follows: it takes no lock that another thread may have held (the allocator has
    // handlers for that), and ends by `_exit`, so that nothing of the parent's is dropped or flushed twice.
    let forked = match unsafe { libc::fork() } {
        -1 => Err(format!("fork: {}", io::Error::last_os_error())),
        0 => {
            calm_signals();
            set_signal_mask(&before);
            turns::be_patient();
            close_others(keep);
            exit(child())
        }
        pid => Ok(pid),
    };
    set_signal_mask(&before);
    forked
}

/// Lets all signals to this thread wait; gives the mask that it had.
fn hold_signals() -> libc::sigset_t {
    // SAFETY: all zeros is a valid set; the calls read and store sets of this frame.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) =
            (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

fn set_signal_mask(mask: &libc::sigset_t) {
    // SAFETY: reads a set that [`hold_signals`] gave.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    thread_local! {
        /// The signal that comes to a child of this thread right behind the fork.
        static SENT: Cell<i32> = const { Cell::new(0) };
    }

    extern "C" fn send() {
        let signal = SENT.get();
        if signal != 0 {
            // SAFETY: sends a signal to the calling thread.
            unsafe { libc::raise(signal) };
        }
    }

    extern "C" fn swallow(_: i32) {}

    /// As the runtime's handlers do, `swallow` would take what is meant to end the child.
    #[test]
    fn a_signal_right_behind_the_fork_ends_the_child() {
        let handler = swallow as extern "C" fn(i32);
        // SAFETY: the handlers are functions that live as long as the process and only do what a handler may.
        unsafe {
            libc::pthread_atfork(None, None, Some(send));
            libc::signal(libc::SIGTERM, handler as libc::sighandler_t);
        }
        SENT.set(libc::SIGTERM);
        let pid = fork(|| 0, &[]).expect("a child");
        SENT.set(0);
        assert_eq!(reap(pid), Ended::Signal(libc::SIGTERM));
        let now = hold_signals();
        set_signal_mask(&now);
        // SAFETY: asks a set of this frame; SIG_DFL is valid for the signal.
        let held = unsafe {
            libc::signal(libc::SIGTERM, libc::SIG_DFL);
            libc::sigismember(&raw const now, libc::SIGTERM)
        };
        assert_eq!(held, 0, "the parent hears of signals again");
    }
}
