//! What was counted: commands, errors, traffic.

use super::Text;
use crate::command::Ctx;
use crate::command::table::table;
use crate::engine::latency::show_percentile;
use crate::engine::pubsub::Kind;

pub(super) fn stats(ctx: &mut Ctx<'_>, text: &mut Text) {
    connections(ctx, text);
    lapses(ctx, text);
    not_there(ctx, text);
    replies(ctx, text);
}

fn connections(ctx: &Ctx<'_>, text: &mut Text) {
    let stats = &ctx.state.stats;
    let traffic = stats.all_traffic();
    text.put("total_connections_received", stats.connections);
    text.put("total_commands_processed", stats.calls);
    text.put("instantaneous_ops_per_sec", stats.rate_commands.mean());
    text.put("total_net_input_bytes", traffic.received);
    text.put("total_net_output_bytes", traffic.sent);
    text.put_zeros(&["total_net_repl_input_bytes", "total_net_repl_output_bytes"]);
    text.put_fraction("instantaneous_input_kbps", stats.rate_in.mean() as f64 / 1024.0);
    text.put_fraction("instantaneous_output_kbps", stats.rate_out.mean() as f64 / 1024.0);
    text.put_fraction("instantaneous_input_repl_kbps", 0.0);
    text.put_fraction("instantaneous_output_repl_kbps", 0.0);
    text.put("rejected_connections", stats.refused);
    text.put_zeros(&["sync_full", "sync_partial_ok", "sync_partial_err"]);
}

fn lapses(ctx: &Ctx<'_>, text: &mut Text) {
    let keys = ctx.db.all().stats;
    text.put("expired_subkeys", keys.expired_fields);
    text.put("expired_keys", keys.expired);
    text.put_fraction("expired_stale_perc", 0.0);
    text.put_zeros(&["expired_time_cap_reached_count", "expire_cycle_cpu_milliseconds"]);
    text.put("evicted_keys", keys.evicted);
    text.put("evicted_clients", ctx.state.stats.evicted_clients);
    text.put_zeros(&["evicted_scripts", "total_eviction_exceeded_time", "current_eviction_exceeded_time"]);
    text.put("keyspace_hits", keys.hits);
    text.put("keyspace_misses", keys.misses);
}

fn not_there(ctx: &Ctx<'_>, text: &mut Text) {
    let saving = &ctx.state.saving;
    let pubsub = &ctx.state.pubsub;
    text.put("pubsub_channels", pubsub.channels(Kind::Channel).count());
    text.put("pubsub_patterns", pubsub.pattern_count());
    text.put("pubsubshard_channels", pubsub.channels(Kind::Shard).count());
    text.put("latest_fork_usec", saving.last_fork_us);
    text.put("total_forks", saving.forks);
    text.put("migrate_cached_sockets", ctx.host.open_links());
    text.put_zeros(&[
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
    ]);
    let [_, keys, items, prefixes] = ctx.state.tracking.counts();
    text.put("tracking_total_keys", keys);
    text.put("tracking_total_items", items);
    text.put("tracking_total_prefixes", prefixes);
}

fn replies(ctx: &Ctx<'_>, text: &mut Text) {
    let stats = &ctx.state.stats;
    let traffic = stats.all_traffic();
    // Those of the first thread count as not threaded.
    let first = stats.traffic.first().copied().unwrap_or_default();
    text.put("unexpected_error_replies", 0);
    text.put("total_error_replies", stats.error_replies);
    text.put("dump_payload_sanitizations", 0);
    text.put("total_reads_processed", traffic.reads);
    text.put("total_writes_processed", traffic.writes);
    text.put("io_threaded_reads_processed", traffic.reads - first.reads);
    text.put("io_threaded_writes_processed", traffic.writes - first.writes);
    text.put("client_query_buffer_limit_disconnections", stats.query_limit_closed);
    text.put("client_output_buffer_limit_disconnections", stats.output_limit_closed);
    text.put_zeros(&["reply_buffer_shrinks", "reply_buffer_expands"]);
    text.put("eventloop_cycles", stats.turns.count);
    text.put("eventloop_duration_sum", stats.turns.usec);
    text.put("eventloop_duration_cmd_sum", stats.commands.iter().map(|command| command.usec).sum::<u64>());
    text.put("instantaneous_eventloop_cycles_per_sec", stats.rate_turns.mean());
    text.put("instantaneous_eventloop_duration_usec", stats.turn_length.mean());
    text.put("acl_access_denied_auth", stats.denied_auth);
    text.put_zeros(&["acl_access_denied_cmd", "acl_access_denied_key", "acl_access_denied_channel"]);
    if ctx.state.config.cluster_compatibility_sample_ratio > 0 {
        text.put("cluster_incompatible_ops", stats.cluster_incompatible);
    }
}

pub(super) fn debug(ctx: &mut Ctx<'_>, text: &mut Text) {
    let turns = &ctx.state.stats.turns;
    text.put("eventloop_duration_aof_sum", ctx.host.log_vitals().spent_us);
    text.put("eventloop_duration_cron_sum", turns.cron_usec);
    text.put("eventloop_duration_max", turns.longest_us);
    text.put("eventloop_cmd_per_cycle_max", turns.most_commands);
    text.put_zeros(&[
        "allocator_allocated_lua",
        "allocator_active_lua",
        "allocator_resident_lua",
        "allocator_frag_bytes_lua",
    ]);
}

/// How long commands took, at the percentiles that are configured.
pub(super) fn latencies(ctx: &mut Ctx<'_>, text: &mut Text) {
    if !ctx.state.config.latency_tracking {
        return;
    }
    for row in table().rows() {
        let Some(histogram) = ctx.state.stats.latencies.of(usize::from(row.id.0)) else { continue };
        let of = |percent: &f64| {
            let usec = histogram.percentile(*percent) as f64 / 1000.0;
            format!("p{}={usec:.3}", show_percentile(*percent))
        };
        let all: Vec<String> = ctx.state.config.latency_tracking_info_percentiles.iter().map(of).collect();
        text.put(&format!("latency_percentiles_usec_{}", row.full_name), all.join(","));
    }
}

pub(super) fn commands(ctx: &mut Ctx<'_>, text: &mut Text) {
    for row in table().rows() {
        let of_row = &ctx.state.stats.commands[usize::from(row.id.0)];
        if of_row.calls == 0 && of_row.rejected == 0 && of_row.failed == 0 {
            continue;
        }
        let each = if of_row.calls == 0 { 0.0 } else { of_row.usec as f64 / of_row.calls as f64 };
        text.put(
            &format!("cmdstat_{}", row.full_name),
            format_args!(
                "calls={},usec={},usec_per_call={each:.2},rejected_calls={},failed_calls={}",
                of_row.calls, of_row.usec, of_row.rejected, of_row.failed
            ),
        );
    }
}

pub(super) fn errors(ctx: &mut Ctx<'_>, text: &mut Text) {
    for (code, count) in &ctx.state.stats.errors {
        // What would garble the lines.
        let code = code.replace(['#', ':', '\n', '\r'], "_");
        text.put(&format!("errorstat_{code}"), format_args!("count={count}"));
    }
}
