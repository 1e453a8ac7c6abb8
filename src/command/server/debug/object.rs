//! Looking at single values: DEBUG OBJECT, LISTPACK, QUICKLIST, HTSTATS, HTSTATS-KEY.

use std::fmt::Write;

use crate::command::generic::dump::body;
use crate::command::generic::object::references;
use crate::command::*;
use crate::keyspace::entry::Entry;
use crate::keyspace::{Kind, View};
use crate::persist::rdb;
use crate::value::list::List;
use crate::value::table::Stats;

/// The entry itself: what is past its time is shown, too, and nothing counts as a use.
fn entry<'c>(ctx: &'c Ctx<'_>, key: &[u8]) -> Result<&'c Entry, CmdError> {
    ctx.db.all().database(ctx.db.index()).entry(key).ok_or(CmdError::NoSuchKey)
}

/// A value's bytes in a dump that are not the value: its type in front, version and checksum behind.
const FRAME: usize = 1 + 2 + 8;

pub(super) fn object(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Replied, CmdError> {
    let entry = entry(ctx, key)?;
    let view = entry.view();
    let length = rdb::dump(body(&view), ctx.state.config.rdbcompression).len().saturating_sub(FRAME);
    let idle = ctx.db.all().access.idle_seconds(entry.clock(), ctx.now.ms);
    let mut line = format!(
        "Value at:{:p} refcount:{} encoding:{} serializedlength:{length} lru:{} lru_seconds_idle:{idle}",
        entry.key().as_ptr(),
        references(ctx, entry.kind(), key),
        entry.kind().encoding(),
        entry.clock(),
    );
    if let (View::List(list), Kind::ListQuick) = (&view, entry.kind()) {
        describe_quicklist(ctx, list, &mut line);
    }
    Ok(ctx.reply.simple(&line))
}

fn describe_quicklist(ctx: &Ctx<'_>, list: &List, line: &mut String) {
    let limits = ctx.db.limits();
    let (nodes, bytes, compresses) = list.shape();
    write!(
        line,
        " ql_nodes:{nodes} ql_avg_node:{:.2} ql_listpack_max:{} ql_compressed:{} ql_uncompressed_size:{bytes}",
        list.len() as f64 / nodes.max(1) as f64,
        limits.list_max_listpack_size,
        u8::from(compresses),
    )
    .expect("a String takes all");
}

/// The real server prints the parts to its standard output; we say in the log how large it is.
pub(super) fn listpack(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Replied, CmdError> {
    let kind = entry(ctx, key)?.kind();
    if !matches!(kind.encoding(), "listpack" | "listpackex") {
        return Err(CmdError::text("ERR Not a listpack encoded object."));
    }
    print(ctx, key)?;
    Ok(ctx.reply.simple("Listpack structure printed on stdout"))
}

/// See [`listpack`].
pub(super) fn quicklist(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Replied, CmdError> {
    if entry(ctx, key)?.kind() != Kind::ListQuick {
        return Err(CmdError::text("ERR Not a quicklist encoded object."));
    }
    print(ctx, key)?;
    Ok(ctx.reply.simple("Quicklist structure printed on stdout"))
}

fn print(ctx: &Ctx<'_>, key: &[u8]) -> Result<(), CmdError> {
    let entry = entry(ctx, key)?;
    let bytes = rdb::dump(body(&entry.view()), false).len().saturating_sub(FRAME);
    crate::notice!("DEBUG: a {} of {bytes} bytes", entry.kind().encoding());
    Ok(())
}

/// DEBUG HTSTATS: how full a database's table is.
pub(super) fn htstats(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let index = usize::try_from(args.int()?).ok().filter(|index| *index < ctx.db.all().count());
    let index = index.ok_or(CmdError::text("ERR Out of range database"))?;
    let full = args.next().is_some_and(|word| parse::is(word, "FULL"));
    let database = ctx.db.all().database(index);
    let mut text = "[Dictionary HT]\n".to_owned();
    describe_table(&database.table_stats(), full, &mut text);
    // Expiries are in the entries; there is no table of them.
    write!(text, "[Expires HT]\nNo table: {} keys have an expiry\n", database.volatile())
        .expect("a String takes all");
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

/// DEBUG HTSTATS-KEY: how full a value's table is.
pub(super) fn htstats_key(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let entry = entry(ctx, args.arg()?)?;
    let full = args.next().is_some_and(|word| parse::is(word, "FULL"));
    let stats = match entry.view() {
        View::Hash(hash) => hash.table_stats(),
        View::Zset(zset) => zset.table_stats(),
        View::Set(set) => set.table_stats(),
        _ => None,
    };
    let stats = stats.ok_or(CmdError::text(
        "ERR The value stored at the specified key is not represented using an hash table",
    ))?;
    let mut text = String::new();
    describe_table(&stats, full, &mut text);
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

/// In the real server's manner; our buckets hold several items.
fn describe_table(stats: &Stats, full: bool, text: &mut String) {
    if stats.items == 0 {
        text.push_str("No stats available for empty dictionaries\n");
        return;
    }
    let used = stats.buckets - stats.histogram[0];
    write!(
        text,
        "Hash table 0 stats (main hash table):\n table size: {}\n number of elements: {}\n",
        stats.buckets, stats.items
    )
    .expect("a String takes all");
    if stats.resizing {
        // Ours grows and shrinks in place, bucket by bucket.
        text.push_str(
            "Hash table 1 stats (rehashing target):\n the same table, which has buckets to split or merge\n",
        );
    }
    if !full {
        return;
    }
    write!(
        text,
        " different slots: {used}\n max chain length: {}\n avg chain length (counted): {:.02}\n \
         buckets for what did not fit: {}\n Chain length distribution:\n",
        stats.longest,
        stats.items as f64 / used.max(1) as f64,
        stats.spill_buckets,
    )
    .expect("a String takes all");
    for (length, count) in stats.histogram.iter().enumerate().filter(|(_, count)| **count > 0) {
        let share = *count as f64 * 100.0 / stats.buckets as f64;
        writeln!(text, "   {length}: {count} ({share:.02}%)").expect("a String takes all");
    }
}
