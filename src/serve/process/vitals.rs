#![allow(unsafe_code)] // uname, getrusage
//! What the operating system and the allocator know of this process.

use std::ffi::{CStr, c_char, c_int};
use std::fs;
use std::sync::OnceLock;

use tikv_jemalloc_ctl::{epoch, stats};

use crate::command::Vitals;

/// Looks at everything now.
pub fn read() -> Vitals {
    // The allocator's figures are of an epoch; without them they stay zero.
    let _ = epoch::advance();
    Vitals {
        os: os().to_owned(),
        pid: std::process::id(),
        rss: resident_pages().unwrap_or(0) * PAGE,
        machine_memory: machine_memory(),
        cpu: [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN, libc::RUSAGE_THREAD].map(cpu_seconds),
        allocated: stats::allocated::read().unwrap_or(0),
        active: stats::active::read().unwrap_or(0),
        resident: stats::resident::read().unwrap_or(0),
    }
}

const PAGE: usize = 4096;

fn resident_pages() -> Option<usize> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse().ok()
}

/// Never changes, so it is asked for once.
fn machine_memory() -> usize {
    static BYTES: OnceLock<usize> = OnceLock::new();
    *BYTES.get_or_init(|| kilobytes_of_memory().unwrap_or(0) * 1024)
}

fn kilobytes_of_memory() -> Option<usize> {
    let info = fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

fn cpu_seconds(who: c_int) -> [f64; 2] {
    // SAFETY: all fields of the struct are numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a local that outlives the call. It fails only for a `who` that is not known.
    unsafe { libc::getrusage(who, &mut usage) };
    [usage.ru_stime, usage.ru_utime].map(|time| time.tv_sec as f64 + time.tv_usec as f64 / 1e6)
}

fn os() -> &'static str {
    static OS: OnceLock<String> = OnceLock::new();
    OS.get_or_init(|| {
        // SAFETY: all fields are arrays of characters, for which zero is a value.
        let mut names: libc::utsname = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is to a local that outlives the call.
        if unsafe { libc::uname(&mut names) } != 0 {
            return std::env::consts::OS.to_owned();
        }
        [&names.sysname[..], &names.release[..], &names.machine[..]].map(text).join(" ")
    })
}

fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|c| *c as u8).collect();
    CStr::from_bytes_until_nul(&bytes).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
}
