#![allow(unsafe_code)] // settings of jemalloc's arenas, which have no typed access
//! jemalloc: its own thread, which gives freed memory back to the system (`jemalloc-bg-thread`), and doing so at once.

use tikv_jemalloc_ctl::{arenas, background_thread, epoch, raw, stats, version};

/// Starts or stops the thread; whether that worked. After leaving the terminal: threads do not survive a fork.
pub fn purge_in_thread(on: bool) -> bool {
    background_thread::write(on).is_ok()
}

/// What jemalloc tells of itself, for people: its version, and bytes in use, of its pages, of what it maps.
pub fn report() -> String {
    // The figures are of an epoch; where one is missing it is 0.
    let _ = epoch::advance();
    let figures = [
        ("Allocated", stats::allocated::read()),
        ("active", stats::active::read()),
        ("metadata", stats::metadata::read()),
        ("resident", stats::resident::read()),
        ("mapped", stats::mapped::read()),
        ("retained", stats::retained::read()),
    ];
    let figures = figures.map(|(name, bytes)| format!("{name}: {}", bytes.unwrap_or(0)));
    let (known, arenas) =
        (version::read().unwrap_or("of unknown version"), arenas::narenas::read().unwrap_or(0));
    format!("jemalloc {known}\n{}\nArenas: {arenas}\n", figures.join(", "))
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
