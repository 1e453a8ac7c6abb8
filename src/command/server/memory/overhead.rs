//! Where the memory goes: what INFO memory, MEMORY STATS and MEMORY DOCTOR tell.

use crate::command::{Ctx, Vitals};
use crate::engine::stats::used_memory;
use crate::keyspace::Database;

/// Memory of the server, in bytes.
pub(in crate::command::server) struct Overhead {
    /// What the program has allocated.
    pub used: usize,
    /// The most it ever had.
    pub peak: usize,
    /// What it had before there was any data.
    pub startup: usize,
    /// Sessions, their buffers and queued requests.
    pub clients: usize,
    /// What waits to be written to the append log.
    pub log: usize,
    /// Function libraries, as text.
    pub functions: usize,
    /// Of each database that has keys: its number, keys, bytes of its table.
    pub databases: Vec<(usize, usize, usize)>,
    /// Everything that is not the data set.
    pub total: usize,
    /// What system and allocator say.
    pub vitals: Vitals,
}

impl Overhead {
    /// Looks at everything now, and keeps the peak up to date.
    pub fn read(ctx: &mut Ctx<'_>) -> Overhead {
        let used = used_memory();
        let stats = &mut ctx.state.stats;
        stats.peak_memory = stats.peak_memory.max(used);
        let startup = ctx.state.process.startup_memory;
        let all_clients = ctx.state.clients.resting().chain([&*ctx.session]);
        let clients = all_clients.map(|session| ctx.state.client_memory(session)).sum();
        let log = ctx.state.log.buffer_bytes();
        let functions = ctx.state.libraries.functions.iter().map(Vec::len).sum();
        let databases = ctx.db.all().databases().filter(|(_, db)| !db.is_empty());
        let databases: Vec<_> = databases.map(|(index, db)| of_database(index, db)).collect();
        let tables: usize = databases.iter().map(|(_, _, bytes)| bytes).sum();
        Overhead {
            used,
            peak: ctx.state.stats.peak_memory,
            startup,
            clients,
            log,
            functions,
            total: startup + clients + log + functions + tables,
            databases,
            vitals: ctx.host.vitals(),
        }
    }

    /// The data set.
    pub fn dataset(&self) -> usize {
        self.used.saturating_sub(self.total)
    }

    /// The data set as a share of what is not needed without any data, in percent.
    pub fn dataset_percent(&self) -> f64 {
        percent(self.dataset(), self.used.saturating_sub(self.startup).max(1))
    }

    /// What is used as a share of the most that ever was, in percent.
    pub fn peak_percent(&self) -> f64 {
        percent(self.used, self.peak)
    }

    /// Keys of all databases.
    pub fn keys(&self) -> usize {
        self.databases.iter().map(|(_, keys, _)| keys).sum()
    }
}

fn of_database(index: usize, db: &Database) -> (usize, usize, usize) {
    (index, db.len(), db.table_bytes())
}

fn percent(part: usize, whole: usize) -> f64 {
    ratio(part, whole) * 100.0
}

/// A part of a whole; 0 of nothing.
pub(in crate::command::server) fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How much more one is than the other; negative if it is less.
pub(in crate::command::server) fn excess(more: usize, than: usize) -> i64 {
    let bytes = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    bytes(more) - bytes(than)
}
