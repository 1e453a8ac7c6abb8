//! How saving and loading go.

use std::sync::atomic::Ordering::Relaxed;

use super::Text;
use crate::command::Ctx;
use crate::command::server::memory::overhead::ratio;
use crate::engine::Loading;

pub(super) fn persistence(ctx: &mut Ctx<'_>, text: &mut Text) {
    text.put("loading", u8::from(ctx.state.loading.is_some()));
    text.put("async_loading", 0);
    child(ctx, text);
    snapshots(ctx, text);
    log(text);
    text.put_zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    if let Some(loading) = &ctx.state.loading {
        progress(loading, ctx.now.ms / 1000, text);
    }
}

fn child(ctx: &Ctx<'_>, text: &mut Text) {
    let saving = &ctx.state.saving;
    let (done, total) = match saving.running {
        Some(running) => (saving.child_keys_done, running.keys_total),
        None => (0, 0),
    };
    let copied = if saving.running.is_some() { saving.child_cow_bytes } else { 0 };
    text.put("current_cow_peak", copied);
    text.put("current_cow_size", copied);
    text.put("current_cow_size_age", 0);
    text.put_fraction("current_fork_perc", ratio(done as usize, total as usize) * 100.0);
    text.put("current_save_keys_processed", done);
    text.put("current_save_keys_total", total);
}

fn snapshots(ctx: &Ctx<'_>, text: &mut Text) {
    let saving = &ctx.state.saving;
    let since = |running: crate::engine::saving::Running| {
        i64::try_from((ctx.now.ms / 1000).saturating_sub(running.started)).unwrap_or(i64::MAX)
    };
    text.put("rdb_changes_since_last_save", saving.dirty);
    text.put("rdb_bgsave_in_progress", u8::from(saving.running.is_some()));
    text.put("rdb_last_save_time", saving.last_save);
    text.put("rdb_last_bgsave_status", if saving.last_ok { "ok" } else { "err" });
    text.put("rdb_last_bgsave_time_sec", saving.last_seconds);
    text.put("rdb_current_bgsave_time_sec", saving.running.map_or(-1, since));
    text.put("rdb_saves", saving.saves);
    text.put("rdb_last_cow_size", saving.last_cow_bytes);
    text.put("rdb_last_load_keys_expired", saving.loaded_expired);
    text.put("rdb_last_load_keys_loaded", saving.loaded_keys);
}

/// There is no append log yet.
fn log(text: &mut Text) {
    text.put_zeros(&["aof_enabled", "aof_rewrite_in_progress", "aof_rewrite_scheduled"]);
    text.put("aof_last_rewrite_time_sec", -1);
    text.put("aof_current_rewrite_time_sec", -1);
    text.put("aof_last_bgrewrite_status", "ok");
    text.put_zeros(&["aof_rewrites", "aof_rewrites_consecutive_failures"]);
    text.put("aof_last_write_status", "ok");
    text.put("aof_last_cow_size", 0);
}

fn progress(loading: &Loading, now_s: u64, text: &mut Text) {
    let loaded = loading.progress.loaded_bytes.load(Relaxed);
    let left = loading.total_bytes.saturating_sub(loaded);
    let elapsed = now_s.saturating_sub(loading.started);
    // In the first second there is nothing to go by.
    let eta = if elapsed == 0 { 1 } else { elapsed.saturating_mul(left) / (loaded + 1) };
    text.put("loading_start_time", loading.started);
    text.put("loading_total_bytes", loading.total_bytes);
    text.put("loading_rdb_used_mem", 0);
    text.put("loading_loaded_bytes", loaded);
    text.put_fraction("loading_loaded_perc", ratio(loaded as usize, loading.total_bytes as usize) * 100.0);
    text.put("loading_eta_seconds", eta);
}
