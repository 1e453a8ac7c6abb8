//! What is in the databases.

use super::Text;
use crate::command::Ctx;
use crate::keyspace::entry::Entry;
use crate::keyspace::{Database, Type, View};

/// Entries looked at for the mean time to live. Their order in the table is as good as random.
const SAMPLE: usize = 2_000;

pub(super) fn keyspace(ctx: &mut Ctx<'_>, text: &mut Text) {
    let now_ms = ctx.now.ms;
    for (index, db) in ctx.db.all().databases().filter(|(_, db)| !db.is_empty()) {
        let (keys, volatile, ttl) = (db.len(), db.volatile(), mean_ttl(db, now_ms));
        let line =
            format_args!("keys={keys},expires={volatile},avg_ttl={ttl},subexpiry={}", db.with_field_ttl());
        text.put(&format!("db{index}"), line);
    }
}

/// Milliseconds that keys with an expiry still have, on average of a sample.
fn mean_ttl(db: &Database, now_ms: u64) -> u64 {
    if db.volatile() == 0 {
        return 0;
    }
    let left =
        db.entries().take(SAMPLE).filter_map(Entry::expiry).filter_map(|when| when.checked_sub(now_ms));
    let (sum, count) = left.fold((0u128, 0u128), |(sum, count), ms| (sum + u128::from(ms), count + 1));
    sum.checked_div(count).map_or(0, |mean| u64::try_from(mean).unwrap_or(u64::MAX))
}

/// The real server counts sizes as values change; we look at every key when asked, and not at all in databases with
/// more keys than this.
const MOST_KEYS: usize = 100_000;

const KINDS: [(Type, &str); 5] = [
    (Type::String, "distrib_strings_sizes"),
    (Type::List, "distrib_lists_items"),
    (Type::Set, "distrib_sets_items"),
    (Type::Zset, "distrib_zsets_items"),
    (Type::Hash, "distrib_hashes_items"),
];

pub(super) fn sizes(ctx: &mut Ctx<'_>, text: &mut Text) {
    let counted = |db: &Database| !db.is_empty() && db.len() <= MOST_KEYS;
    for (index, db) in ctx.db.all().databases().filter(|(_, db)| counted(db)) {
        let histograms = histograms(db);
        for ((_, name), histogram) in KINDS.iter().zip(histograms) {
            let bins = histogram.iter().enumerate().filter(|(_, count)| **count > 0);
            let bins: Vec<String> = bins.map(|(bin, count)| format!("{}={count}", label(bin))).collect();
            if !bins.is_empty() {
                text.put(&format!("db{index}_{name}"), bins.join(","));
            }
        }
    }
}

/// Of each kind, how many values have a size whose highest bit is this one (bin 0: empty).
fn histograms(db: &Database) -> [[u64; 65]; KINDS.len()] {
    let mut histograms = [[0; 65]; KINDS.len()];
    for entry in db.entries() {
        let kind = entry.kind().type_of();
        if let Some(which) = KINDS.iter().position(|(known, _)| *known == kind) {
            let bin = usize::BITS - size(entry).leading_zeros();
            histograms[which][bin as usize] += 1;
        }
    }
    histograms
}

fn size(entry: &Entry) -> usize {
    match entry.view() {
        View::Str(bytes) => bytes.len(),
        View::List(list) => list.len(),
        View::Set(set) => set.len(),
        View::Zset(zset) => zset.len(),
        View::Hash(hash) => hash.len(),
        _ => 0,
    }
}

/// The lower bound of a bin: 0, 1, 2, 4, ... 512, 1K, ...
fn label(bin: usize) -> String {
    const UNITS: [&str; 7] = ["", "K", "M", "G", "T", "P", "E"];
    match bin {
        0 => "0".into(),
        _ => format!("{}{}", 1u32 << ((bin - 1) % 10), UNITS[(bin - 1) / 10]),
    }
}

#[cfg(test)]
mod tests {
    use super::label;

    #[test]
    fn labels_of_bins() {
        assert_eq!([0, 1, 2, 10, 11, 21, 64].map(label), ["0", "1", "2", "512", "1K", "1M", "8E"]);
    }
}
