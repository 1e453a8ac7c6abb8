//! Where the memory is.

use super::{Human, Text};
use crate::command::Ctx;
use crate::command::scripting::scan::Library;
use crate::command::server::memory::overhead::{Overhead, excess, ratio};
use crate::text::version;

pub(super) fn memory(ctx: &mut Ctx<'_>, text: &mut Text) {
    let overhead = Overhead::read(ctx);
    amounts(&overhead, text);
    scripts(ctx, &overhead, text);
    limits(ctx, text);
    fragmentation(&overhead, text);
    parts(ctx, &overhead, text);
}

fn amounts(overhead: &Overhead, text: &mut Text) {
    let vitals = &overhead.vitals;
    text.put("used_memory", overhead.used);
    text.put("used_memory_human", Human(overhead.used));
    text.put("used_memory_rss", vitals.rss);
    text.put("used_memory_rss_human", Human(vitals.rss));
    text.put("used_memory_peak", overhead.peak);
    text.put("used_memory_peak_human", Human(overhead.peak));
    text.put("used_memory_peak_perc", format_args!("{:.2}%", overhead.peak_percent()));
    text.put("used_memory_overhead", overhead.total);
    text.put("used_memory_startup", overhead.startup);
    text.put("used_memory_dataset", overhead.dataset());
    text.put("used_memory_dataset_perc", format_args!("{:.2}%", overhead.dataset_percent()));
    text.put("allocator_allocated", vitals.allocated);
    text.put("allocator_active", vitals.active);
    text.put("allocator_resident", vitals.resident);
    text.put("allocator_muzzy", 0);
    text.put("total_system_memory", vitals.machine_memory);
    text.put("total_system_memory_human", Human(vitals.machine_memory));
}

/// There is no Lua yet; libraries are kept as text.
fn scripts(ctx: &Ctx<'_>, overhead: &Overhead, text: &mut Text) {
    text.put_zeros(&["used_memory_lua", "used_memory_vm_eval"]);
    text.put("used_memory_lua_human", Human(0));
    text.put_zeros(&["used_memory_scripts_eval", "number_of_cached_scripts"]);
    let libraries = &ctx.state.libraries.functions;
    let functions: usize = libraries.iter().map(|code| Library::read(code).functions.len()).sum();
    text.put("number_of_functions", functions);
    text.put("number_of_libraries", libraries.len());
    text.put_zeros(&["used_memory_vm_functions", "used_memory_vm_total"]);
    text.put("used_memory_vm_total_human", Human(0));
    text.put("used_memory_functions", overhead.functions);
    text.put("used_memory_scripts", overhead.functions);
    text.put("used_memory_scripts_human", Human(overhead.functions));
}

fn limits(ctx: &Ctx<'_>, text: &mut Text) {
    let config = &ctx.state.config;
    text.put("maxmemory", config.maxmemory);
    text.put("maxmemory_human", Human(usize::try_from(config.maxmemory).unwrap_or(usize::MAX)));
    text.put("maxmemory_policy", config.maxmemory_policy.name());
}

/// What is lost within the allocator's pages, between them, and to what is not the allocator's.
fn fragmentation(overhead: &Overhead, text: &mut Text) {
    let vitals = &overhead.vitals;
    let mut pair = |name: &str, unit: &str, more: usize, than: usize| {
        text.put_fraction(&format!("{name}_ratio"), ratio(more, than));
        text.put(&format!("{name}_{unit}"), excess(more, than));
    };
    pair("allocator_frag", "bytes", vitals.active, vitals.allocated);
    pair("allocator_rss", "bytes", vitals.resident, vitals.active);
    pair("rss_overhead", "bytes", vitals.rss, vitals.resident);
    pair("mem_fragmentation", "bytes", vitals.rss, overhead.used);
}

fn parts(ctx: &Ctx<'_>, overhead: &Overhead, text: &mut Text) {
    text.put("mem_not_counted_for_evict", overhead.log);
    text.put_zeros(&[
        "mem_replication_backlog",
        "mem_total_replication_buffers",
        "mem_replica_full_sync_buffer",
        "mem_clients_slaves",
    ]);
    text.put("mem_clients_normal", overhead.clients);
    text.put("mem_cluster_links", 0);
    text.put("mem_aof_buffer", overhead.log);
    text.put("mem_allocator", version::ALLOCATOR);
    text.put_zeros(&["mem_overhead_db_hashtable_rehashing", "active_defrag_running"]);
    let [pending, freed] = ctx.host.discarded();
    text.put("lazyfree_pending_objects", pending);
    text.put("lazyfreed_objects", freed);
}
