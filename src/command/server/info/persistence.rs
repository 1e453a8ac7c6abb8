//! How saving and loading go.

use std::sync::atomic::Ordering::Relaxed;

use super::Text;
use crate::command::Ctx;
use crate::command::server::memory::overhead::ratio;
use crate::engine::saving::Running;
use crate::engine::{Child, Loading, LogState};

pub(super) fn persistence(ctx: &mut Ctx<'_>, text: &mut Text) {
    text.put("loading", u8::from(ctx.state.loading.is_some()));
    text.put("async_loading", 0);
    child(ctx, text);
    snapshots(ctx, text);
    log(ctx, text);
    text.put_zeros(&["module_fork_in_progress", "module_fork_last_cow_size"]);
    if ctx.state.config.appendonly {
        log_files(ctx, text);
    }
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
    let since = |running: Running| seconds_since(ctx, running);
    text.put("rdb_changes_since_last_save", saving.dirty);
    let running = saving.running_child(Child::Save);
    text.put("rdb_bgsave_in_progress", u8::from(running.is_some()));
    text.put("rdb_last_save_time", saving.last_save);
    text.put("rdb_last_bgsave_status", if saving.last_ok { "ok" } else { "err" });
    text.put("rdb_last_bgsave_time_sec", saving.last_seconds);
    text.put("rdb_current_bgsave_time_sec", running.map_or(-1, since));
    text.put("rdb_saves", saving.saves);
    text.put("rdb_last_cow_size", saving.last_cow_bytes);
    text.put("rdb_last_load_keys_expired", saving.loaded_expired);
    text.put("rdb_last_load_keys_loaded", saving.loaded_keys);
}

fn seconds_since(ctx: &Ctx<'_>, running: Running) -> i64 {
    i64::try_from((ctx.now.ms / 1000).saturating_sub(running.started)).unwrap_or(i64::MAX)
}

fn log(ctx: &Ctx<'_>, text: &mut Text) {
    let log = &ctx.state.log;
    let status = |ok| if ok { "ok" } else { "err" };
    let running = ctx.state.saving.running_child(Child::Rewrite);
    text.put("aof_enabled", u8::from(log.state != LogState::Off));
    text.put("aof_rewrite_in_progress", u8::from(running.is_some()));
    text.put("aof_rewrite_scheduled", u8::from(log.rewriting.scheduled));
    text.put("aof_last_rewrite_time_sec", log.rewriting.last_seconds);
    text.put("aof_current_rewrite_time_sec", running.map_or(-1, |running| seconds_since(ctx, running)));
    text.put("aof_last_bgrewrite_status", status(log.rewriting.last_ok));
    text.put("aof_rewrites", log.rewriting.begun);
    text.put("aof_rewrites_consecutive_failures", log.rewriting.failures);
    text.put("aof_last_write_status", status(log.trouble.error().is_none()));
    text.put("aof_last_cow_size", log.rewriting.last_cow_bytes);
}

/// More of the log, at the end, if it is turned on.
fn log_files(ctx: &Ctx<'_>, text: &mut Text) {
    let (log, vitals) = (&ctx.state.log, ctx.host.log_vitals());
    text.put("aof_current_size", log.size_at(vitals.written));
    text.put("aof_base_size", log.base_size);
    text.put("aof_pending_rewrite", u8::from(log.rewriting.scheduled));
    text.put("aof_buffer_length", log.lsn().saturating_sub(vitals.written));
    text.put("aof_pending_bio_fsync", u8::from(vitals.is_syncing));
    text.put("aof_delayed_fsync", vitals.delayed);
}

fn progress(loading: &Loading, now_s: u64, text: &mut Text) {
    let loaded = loading.progress.loaded_bytes.load(Relaxed);
    let total = loading.progress.total_bytes.load(Relaxed);
    let left = total.saturating_sub(loaded);
    let elapsed = now_s.saturating_sub(loading.started);
    // In the first second there is nothing to go by.
    let eta = if elapsed == 0 { 1 } else { elapsed.saturating_mul(left) / (loaded + 1) };
    text.put("loading_start_time", loading.started);
    text.put("loading_total_bytes", total);
    text.put("loading_rdb_used_mem", 0);
    text.put("loading_loaded_bytes", loaded);
    text.put_fraction("loading_loaded_perc", ratio(loaded as usize, total as usize) * 100.0);
    text.put("loading_eta_seconds", eta);
}
