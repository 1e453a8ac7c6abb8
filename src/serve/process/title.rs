#![allow(unsafe_code)] // the memory of the arguments is written
//! The title that `ps` shows: it takes the place of the arguments in memory, and of the environment behind them.

use crate::engine::config::{Config, expand_title};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Address and length of what the kernel shows as the command line; 0: not reserved.
static START: AtomicUsize = AtomicUsize::new(0);
static LEN: AtomicUsize = AtomicUsize::new(0);
/// How the program was called, and its config file.
static NAMES: OnceLock<(String, Option<String>)> = OnceLock::new();

/// Makes room for titles: from here on the memory of arguments and environment is for them.
///
/// Once, before any thread exists, and after the arguments were read: `std::env::args` shows the title from the first
/// [`show`] on. The environment's variables move elsewhere and stay readable. `program` and `config_file` are what
/// the template's variables `title` and `config-file` stand for.
pub fn reserve(program: String, config_file: Option<String>) {
    let _ = NAMES.set((program, config_file));
    let Some([arg_start, arg_end, env_start, env_end]) = argument_area() else { return };
    let end = if env_start == arg_end { env_end } else { arg_end };
    if START.load(Relaxed) != 0 || arg_start == 0 || end <= arg_start {
        return;
    }
    for (name, value) in std::env::vars_os() {
        // SAFETY: no other thread exists that could read the environment meanwhile. The C library makes a copy.
        unsafe { std::env::set_var(name, value) };
    }
    START.store(arg_start, Relaxed);
    LEN.store(end - arg_start, Relaxed);
}

/// Where the kernel put arguments and environment: fields 48 to 51 of `/proc/self/stat`.
fn argument_area() -> Option<[usize; 4]> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses, which may contain anything.
    let fields: Vec<&str> = stat[stat.rfind(')')? + 1..].split_ascii_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse().ok();
    Some([field(48)?, field(49)?, field(50)?, field(51)?])
}

/// Shows the server's title, as `proc-title-template` wants it, if `set-proc-title` does.
pub fn show_server(config: &Config) {
    if let Some((program, config_file)) = NAMES.get().filter(|_| config.set_proc_title) {
        show(&expand_title(config, program, config_file.as_deref()));
    }
}

/// The title of a child (`redis-rdb-bgsave`), to be [shown](show) in it; put together before the fork. `None`: titles
/// are off.
pub fn of_child(config: &Config, work: &str) -> Option<String> {
    let config_file = NAMES.get().and_then(|(_, file)| file.as_deref());
    config.set_proc_title.then(|| expand_title(config, work, config_file))
}

/// Shows a title, cut to the room there is. Allocates and locks nothing: a forked child may call it.
pub fn show(title: &str) {
    let (start, len) = (START.load(Relaxed), LEN.load(Relaxed));
    if start == 0 {
        return;
    }
    let shown = title.len().min(len - 1);
    let area: *mut u8 = std::ptr::with_exposed_provenance_mut(start);
    // SAFETY: `reserve` learned from the kernel that these `len` bytes are this process's arguments and environment,
    // which lie on the first thread's stack, are writable and never unmapped; nothing reads them any more (the
    // environment was copied, the arguments were read). `shown` is less than `len`.
    unsafe {
        std::ptr::copy_nonoverlapping(title.as_ptr(), area, shown);
        std::ptr::write_bytes(area.add(shown), 0, len - shown);
    }
}
