#![allow(unsafe_code)] // settings of jemalloc's arenas, which have no typed access
//! jemalloc: its own thread, which gives freed memory back to the system (`jemalloc-bg-thread`), and doing so at once.

use tikv_jemalloc_ctl::stats_print::{Options, stats_print};
use tikv_jemalloc_ctl::{arenas, background_thread, raw};

/// Starts or stops the thread; whether that worked. After leaving the terminal: threads do not survive a fork.
pub fn purge_in_thread(on: bool) -> bool {
    background_thread::write(on).is_ok()
}

/// What jemalloc tells of itself, for people, without what it knows of each arena and size.
pub fn report() -> String {
    let mut options = Options::default();
    options.skip_per_arena = true;
    options.skip_bin_size_classes = true;
    options.skip_large_size_classes = true;
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = stats_print(&mut text, options);
    String::from_utf8_lossy(&text).into_owned()
}

/// Gives freed memory back to the system now.
pub fn purge() {
    let count = arenas::narenas::read().unwrap_or(0);
    (0..count).for_each(purge_arena);
}

/// An arena without patience for unused pages gives them back at once; then it gets its patience again. Arenas that
/// were never used have no such setting, which is as good.
fn purge_arena(arena: u32) {
    let name = format!("arena.{arena}.dirty_decay_ms\0");
    // SAFETY: the setting is a `ssize_t`, and the name ends with a zero.
    let Ok(patience) = (unsafe { raw::read::<isize>(name.as_bytes()) }) else { return };
    for ms in [0, patience] {
        // SAFETY: as above.
        let _ = unsafe { raw::write(name.as_bytes(), ms) };
    }
}
