//! XINFO STREAM: counters of a stream, or all that belongs to it.

use super::entry;
use super::xinfo::progress;
use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{Consumer, Group as ConsumerGroup, Nack, Stream};

pub(super) const STREAM: Command = Command {
    name: "stream",
    syntax: "key [FULL [COUNT count]]",
    summary: "Tell a stream's counters and ends; with FULL its entries, groups and what is pending, too.",
    since: "5.0.0",
    group: Group::Stream,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::STREAM,
    keys: &[KeySpec::at(2, RO.or(ACCESS))],
    examples: &[("XINFO STREAM nosuch", "ERR no such key")],
    run: xinfo_stream,
    ..Command::BASE
};

/// Entries shown of everything, unless COUNT says otherwise.
const SHOWN: usize = 10;

fn xinfo_stream(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let stream = ctx.db.stream(args.arg()?)?.ok_or(CmdError::NoSuchKey)?;
    match options(args)? {
        None => Ok(brief(&mut ctx.reply, &stream)),
        Some(count) => Ok(full(&mut ctx.reply, &stream, count)),
    }
}

/// How many of everything with FULL, 0 meaning all as in the real server; `None` without FULL.
fn options(mut args: Args<'_>) -> Result<Option<usize>, CmdError> {
    let request = args.clone();
    let bad = || bad_subcommand(&request);
    if args.remaining() == 0 {
        return Ok(None);
    }
    if !matches!(args.remaining(), 1 | 3) || !parse::is(args.arg()?, "FULL") {
        return Err(bad());
    }
    let Some(word) = args.next() else {
        return Ok(Some(SHOWN));
    };
    if !parse::is(word, "COUNT") {
        return Err(bad());
    }
    let count = match usize::try_from(args.int()?) {
        Ok(0) => usize::MAX,
        Ok(count) => count,
        Err(_) => SHOWN,
    };
    Ok(Some(count))
}

/// The seven pairs that both forms begin with.
fn counters(reply: &mut Reply<'_>, stream: &Stream) {
    let log = &stream.log;
    reply.bulk(b"length");
    reply.int(log.length as i64);
    reply.bulk(b"radix-tree-keys");
    reply.count(log.nodes().len());
    reply.bulk(b"radix-tree-nodes");
    reply.count(log.radix_nodes());
    reply.bulk(b"last-generated-id");
    entry::id(reply, log.last_id);
    reply.bulk(b"max-deleted-entry-id");
    entry::id(reply, log.max_deleted);
    reply.bulk(b"entries-added");
    reply.int(log.entries_added as i64);
    reply.bulk(b"recorded-first-entry-id");
    entry::id(reply, log.first_id);
}

fn brief(reply: &mut Reply<'_>, stream: &Stream) -> Replied {
    let replied = reply.map(10);
    counters(reply, stream);
    reply.bulk(b"groups");
    reply.count(stream.groups.len());
    for (name, last) in [("first-entry", false), ("last-entry", true)] {
        reply.bulk(name.as_bytes());
        let mut entries =
            stream.log.range(crate::value::stream::StreamId::MIN, crate::value::stream::StreamId::MAX, last);
        match entries.next() {
            Some(e) => entry::one(reply, e),
            None => reply.null(),
        };
    }
    replied
}

fn full(reply: &mut Reply<'_>, stream: &Stream, count: usize) -> Replied {
    let replied = reply.map(9);
    counters(reply, stream);
    reply.bulk(b"entries");
    entry::all(reply, stream.log.iter().take(count));
    reply.bulk(b"groups");
    reply.array(stream.groups.len());
    for group in stream.groups.iter() {
        reply.map(7);
        reply.bulk(b"name");
        reply.bulk(group.name());
        progress(reply, &stream.log, group);
        pending_of_group(reply, group, count);
        reply.bulk(b"consumers");
        reply.array(group.consumers_len());
        for (_, consumer) in group.consumers() {
            consumer_in_full(reply, group, consumer, count);
        }
    }
    replied
}

fn pending_of_group(reply: &mut Reply<'_>, group: &ConsumerGroup, count: usize) {
    reply.bulk(b"pel-count");
    reply.count(group.pending_len());
    reply.bulk(b"pending");
    let array = reply.deferred_array();
    let shown = group.pending().take(count);
    let n = shown.map(|nack| pending(reply, nack, Some(group))).count();
    reply.patch(array, n);
}

/// One pending entry, with its consumer's name if the group is given.
fn pending(reply: &mut Reply<'_>, nack: &Nack, group: Option<&ConsumerGroup>) {
    reply.array(if group.is_some() { 4 } else { 3 });
    entry::id(reply, nack.id);
    if let Some(group) = group {
        reply.bulk(super::claim::owner(group, nack));
    }
    reply.int(nack.delivery_time_ms);
    reply.int(nack.delivery_count as i64);
}

fn consumer_in_full(reply: &mut Reply<'_>, group: &ConsumerGroup, consumer: &Consumer, count: usize) {
    reply.map(5);
    reply.bulk(b"name");
    reply.bulk(consumer.name());
    reply.bulk(b"seen-time");
    reply.int(consumer.seen_ms);
    reply.bulk(b"active-time");
    reply.int(consumer.active_ms);
    reply.bulk(b"pel-count");
    reply.count(consumer.pending_len());
    reply.bulk(b"pending");
    let array = reply.deferred_array();
    let shown = consumer.pending().take(count).filter_map(|id| group.nack(id));
    let n = shown.map(|nack| pending(reply, nack, None)).count();
    reply.patch(array, n);
}
