//! MEMORY STATS: INFO's section on memory, as a map.

use super::overhead::{Overhead, excess, ratio};
use super::{EACH_SHARD, SUB};
use crate::command::*;
use crate::resp::Reply;

pub(super) const STATS: Command =
    Command { name: "stats", summary: "Tell where the memory goes.", tips: EACH_SHARD, run: stats, ..SUB };

/// Fields besides those of the databases.
const FIELDS: usize = 33;

fn stats(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let overhead = Overhead::read(ctx);
    let replied = ctx.reply.map(FIELDS + overhead.databases.len());
    let mut fields = Fields(&mut ctx.reply);
    parts(&mut fields, &overhead);
    databases(&mut fields, &overhead);
    totals(&mut fields, &overhead);
    allocator(&mut fields, &overhead);
    Ok(replied)
}

struct Fields<'r, 'o>(&'r mut Reply<'o>);

impl Fields<'_, '_> {
    fn bytes(&mut self, name: &str, value: usize) {
        self.number(name, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn number(&mut self, name: &str, value: i64) {
        self.0.bulk(name.as_bytes());
        self.0.int(value);
    }

    fn ratio(&mut self, name: &str, value: f64) {
        self.0.bulk(name.as_bytes());
        self.0.double(value);
    }
}

fn parts(fields: &mut Fields<'_, '_>, overhead: &Overhead) {
    fields.bytes("peak.allocated", overhead.peak);
    fields.bytes("total.allocated", overhead.used);
    fields.bytes("startup.allocated", overhead.startup);
    for name in ["replication.backlog", "replica.fullsync.buffer", "clients.slaves"] {
        fields.bytes(name, 0);
    }
    fields.bytes("clients.normal", overhead.clients);
    fields.bytes("cluster.links", 0);
    fields.bytes("aof.buffer", overhead.log);
    fields.bytes("lua.caches", 0);
    fields.bytes("functions.caches", overhead.functions);
    fields.bytes("script.VMs", 0);
}

/// Expiries are kept with the keys, without a table of their own.
fn databases(fields: &mut Fields<'_, '_>, overhead: &Overhead) {
    for (index, _, bytes) in &overhead.databases {
        fields.0.bulk(format!("db.{index}").as_bytes());
        fields.0.map(2);
        fields.bytes("overhead.hashtable.main", *bytes);
        fields.bytes("overhead.hashtable.expires", 0);
    }
    let tables = overhead.databases.iter().map(|(_, _, bytes)| bytes).sum();
    fields.bytes("overhead.db.hashtable.lut", tables);
    fields.bytes("overhead.db.hashtable.rehashing", 0);
}

fn totals(fields: &mut Fields<'_, '_>, overhead: &Overhead) {
    let keys = overhead.keys();
    fields.bytes("overhead.total", overhead.total);
    fields.bytes("db.dict.rehashing.count", 0);
    fields.bytes("keys.count", keys);
    fields.bytes("keys.bytes-per-key", overhead.dataset().checked_div(keys).unwrap_or(0));
    fields.bytes("dataset.bytes", overhead.dataset());
    fields.ratio("dataset.percentage", overhead.dataset_percent());
    fields.ratio("peak.percentage", overhead.peak_percent());
}

fn allocator(fields: &mut Fields<'_, '_>, overhead: &Overhead) {
    let vitals = &overhead.vitals;
    fields.bytes("allocator.allocated", vitals.allocated);
    fields.bytes("allocator.active", vitals.active);
    fields.bytes("allocator.resident", vitals.resident);
    fields.bytes("allocator.muzzy", 0);
    let pairs = [
        ("allocator-fragmentation.ratio", "allocator-fragmentation.bytes", vitals.active, vitals.allocated),
        ("allocator-rss.ratio", "allocator-rss.bytes", vitals.resident, vitals.active),
        ("rss-overhead.ratio", "rss-overhead.bytes", vitals.rss, vitals.resident),
        ("fragmentation", "fragmentation.bytes", vitals.rss, overhead.used),
    ];
    for (share, bytes, more, than) in pairs {
        fields.ratio(share, ratio(more, than));
        fields.number(bytes, excess(more, than));
    }
}
