//! jemalloc's own thread, which gives freed memory back to the system: `jemalloc-bg-thread`.

/// Starts or stops the thread; whether that worked. After leaving the terminal: threads do not survive a fork.
pub fn purge_in_thread(on: bool) -> bool {
    tikv_jemalloc_ctl::background_thread::write(on).is_ok()
}
