//! The process, its clients, threads and processor time.

use super::Text;
use crate::command::Ctx;
use crate::engine::config;
use crate::text::version;

pub(super) fn server(ctx: &mut Ctx<'_>, text: &mut Text) {
    let vitals = ctx.host.vitals();
    let (state, now) = (&*ctx.state, ctx.now);
    let (config, process) = (&state.config, &state.process);
    let uptime = (now.us / 1_000_000).saturating_sub(process.started);
    text.put("redis_version", version::REDIS);
    text.put("resnap_version", version::RESNAP);
    text.put("redis_git_sha1", version::COMMIT);
    text.put("redis_git_dirty", 0);
    text.put("redis_build_id", format_args!("{:x}", version::build_id()));
    text.put("redis_mode", "standalone");
    text.put("os", vitals.os);
    text.put("arch_bits", usize::BITS);
    text.put("monotonic_clock", "POSIX clock_gettime");
    text.put("multiplexing_api", "epoll");
    text.put("atomicvar_api", "c11-builtin");
    // What a server says that another compiler built.
    text.put("gcc_version", "0.0.0");
    text.put("process_id", vitals.pid);
    text.put("process_supervised", &process.supervised);
    text.put("run_id", &process.run_id);
    text.put("tcp_port", process.port);
    text.put("server_time_usec", now.us);
    text.put("uptime_in_seconds", uptime);
    text.put("uptime_in_days", uptime / 86_400);
    text.put("hz", config.hz);
    text.put("configured_hz", config.hz);
    text.put("lru_clock", (now.ms / 1000) & 0xff_ffff);
    text.put("executable", &process.executable);
    text.put("config_file", &process.config_file);
    text.put("io_threads_active", u8::from(config.io_threads > 1));
    listeners(ctx, text);
}

fn listeners(ctx: &Ctx<'_>, text: &mut Text) {
    let (config, port) = (&ctx.state.config, ctx.state.process.port);
    let mut number = 0;
    if port != 0 {
        let everywhere = ["*".to_owned(), "-::*".to_owned()];
        let bind = if config.bind.is_empty() { &everywhere[..] } else { &config.bind[..] };
        let addresses: String = bind.iter().map(|address| format!(",bind={address}")).collect();
        text.put("listener0", format_args!("name=tcp{addresses},port={port}"));
        number = 1;
    }
    if let Some(path) = &config.unixsocket {
        text.put(&format!("listener{number}"), format_args!("name=unix,bind={}", path.display()));
    }
}

pub(super) fn clients(ctx: &mut Ctx<'_>, text: &mut Text) {
    let clients = &ctx.state.clients;
    let mirrors = || clients.resting().map(|session| session.mirror).chain([ctx.session.mirror]);
    let (input, output) = (mirrors().map(|m| m.query_capacity).max(), mirrors().map(|m| m.output).max());
    text.put("connected_clients", clients.len());
    text.put("cluster_connections", 0);
    text.put("maxclients", ctx.state.config.maxclients);
    text.put("client_recent_max_input_buffer", input.unwrap_or(0));
    text.put("client_recent_max_output_buffer", output.unwrap_or(0));
    let (watched, watching) = ctx.state.watches.counts();
    let blocked = ctx.state.blocked.counts();
    text.put("blocked_clients", blocked.clients);
    text.put("tracking_clients", ctx.state.tracking.counts()[0]);
    text.put("pubsub_clients", ctx.state.pubsub.session_count());
    text.put("watching_clients", watching);
    text.put("clients_in_timeout_table", blocked.with_deadline);
    text.put("total_watched_keys", watched);
    text.put("total_blocking_keys", blocked.keys);
    text.put("total_blocking_keys_on_nokey", blocked.keys_on_change);
}

pub(super) fn threads(ctx: &mut Ctx<'_>, text: &mut Text) {
    for thread in 0..ctx.state.config.io_threads.max(1) {
        let resting = ctx.state.clients.resting().filter(|session| session.worker == thread).count();
        let clients = resting + usize::from(ctx.session.worker == thread);
        let traffic = ctx.state.stats.traffic.get(thread).copied().unwrap_or_default();
        let line = format_args!("clients={clients},reads={},writes={}", traffic.reads, traffic.writes);
        text.put(&format!("io_thread_{thread}"), line);
    }
}

pub(super) fn replication(ctx: &mut Ctx<'_>, text: &mut Text) {
    let backlog = config::lookup(b"repl-backlog-size").map(|(row, _)| ctx.state.config.show(row));
    text.put("role", "master");
    let followers = &ctx.state.followers;
    text.put("connected_slaves", followers.iter().count());
    for (n, follower) in followers.iter().enumerate() {
        let ip = ctx.state.clients.get(follower.id).map_or_else(String::new, |session| session.peer.addr());
        let ip = ip.rsplit_once(':').map_or("", |(ip, _)| ip);
        let stage = follower.stage.name();
        let line = format_args!("ip={ip},port=0,state={stage},offset=0,lag=0,type=replica");
        text.put(&format!("slave{n}"), line);
    }
    text.put("master_failover_state", "no-failover");
    text.put("master_replid", &ctx.state.process.replication_id);
    text.put("master_replid2", "0".repeat(40));
    text.put("master_repl_offset", ctx.state.log.offset.max(ctx.state.followers.offset));
    text.put("second_repl_offset", -1);
    text.put("repl_backlog_active", 0);
    text.put("repl_backlog_size", String::from_utf8_lossy(&backlog.unwrap_or_default()));
    text.put_zeros(&["repl_backlog_first_byte_offset", "repl_backlog_histlen"]);
}

pub(super) fn cpu(ctx: &mut Ctx<'_>, text: &mut Text) {
    let whose = ["", "_children", "_main_thread"];
    for (seconds, whose) in ctx.host.vitals().cpu.iter().zip(whose) {
        for (kind, value) in ["sys", "user"].iter().zip(seconds) {
            text.put(&format!("used_cpu_{kind}{whose}"), format_args!("{value:.6}"));
        }
    }
}
