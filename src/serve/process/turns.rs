#![allow(unsafe_code)] // the scheduler's settings have no safe name
//! Whose turn it is on a processor, where there are more threads than processors.

use std::time::Duration;

/// So long a stretch of a processor is asked for by those who are in no hurry: the longest that the kernel takes.
const LONG_STRETCH_NS: u64 = 100_000_000;

/// So long a parent takes from a fork to the answer.
const PARENT_FIRST: Duration = Duration::from_millis(1);

/// This thread lets those go first that serve, where there are more of them than cores: it still gets a tenth of a core
/// beside one that never rests.
pub fn stand_back() {
    const NICE: libc::c_int = 10;
    // SAFETY: plain numbers; 0 means the calling thread. Should it fail, the thread is one like the others.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICE) };
}

/// For a child that was just forked: lets its parent answer first, and from now on has its share of the processors in few
/// long stretches, so that whoever wakes up is let before it at once.
///
/// It would else begin on its parent's processor, before the parent goes on, and keep for 3 to 4 ms any processor on which
/// a client or the server wakes up. When it has slept it is put where nobody is. Kernels before 6.12 know no stretches.
/// Nothing but the sleep is for who was set apart already (`chrt`).
pub fn be_patient() {
    if let Some(before) = settings().filter(|before| before.sched_policy == libc::SCHED_OTHER as u32) {
        set(&libc::sched_attr {
            sched_policy: libc::SCHED_BATCH as u32,
            sched_runtime: LONG_STRETCH_NS,
            ..before
        });
    }
    std::thread::sleep(PARENT_FIRST);
}

fn settings() -> Option<libc::sched_attr> {
    const SIZE: u32 = size_of::<libc::sched_attr>() as u32;
    // SAFETY: all fields are numbers, for which zero is a value; the call stores no more than `SIZE` bytes.
    unsafe {
        let mut attr: libc::sched_attr = std::mem::zeroed();
        (libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, SIZE, 0) == 0).then_some(attr)
    }
}

/// Where it fails, the thread is scheduled as before.
fn set(attr: &libc::sched_attr) {
    // SAFETY: reads a struct that says how big it is; 0 means the calling thread.
    unsafe { libc::syscall(libc::SYS_sched_setattr, 0, std::ptr::from_ref(attr), 0) };
}
