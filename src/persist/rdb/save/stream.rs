//! Streams: types 19 and 21.

use std::io::Write;

use crate::persist::rdb::output::Output;
use crate::persist::rdb::tags::kind;
use crate::persist::rdb::version::Dialect;
use crate::value::stream::{Consumer, Group, Log, Stream, StreamId};

pub(super) fn stream<W: Write>(out: &mut Output<W>, stream: &Stream, kind: u8, dialect: Dialect) {
    let log = &stream.log;
    out.len(log.nodes().len() as u64);
    for node in log.nodes() {
        out.string(&node.key().to_bytes());
        out.string(node.as_bytes());
    }
    out.len(length(log, dialect));
    id(out, log.last_id);
    id(out, log.first_id);
    id(out, log.max_deleted);
    out.len(log.entries_added);
    out.len(stream.groups.len() as u64);
    stream.groups.iter().for_each(|value| group(out, value, kind));
}

/// The length may lie since a damaged file was loaded. Valkey takes back the true one only, nobody one without nodes.
fn length(log: &Log, dialect: Dialect) -> u64 {
    match dialect {
        Dialect::Valkey => log.iter().count() as u64,
        Dialect::Redis if log.nodes().len() == 0 => 0,
        Dialect::Redis => log.length,
    }
}

fn id<W: Write>(out: &mut Output<W>, id: StreamId) {
    out.len(id.ms);
    out.len(id.seq);
}

fn group<W: Write>(out: &mut Output<W>, group: &Group, kind: u8) {
    out.string(group.name());
    id(out, group.last_id);
    out.len(group.entries_read as u64); // "unknown" is -1, and all bits set on disk
    out.len(group.pending_len() as u64);
    for nack in group.pending() {
        out.bytes(&nack.id.to_bytes());
        out.ms(nack.delivery_time_ms);
        out.len(nack.delivery_count);
    }
    out.len(group.consumers_len() as u64);
    group.consumers().for_each(|(_, value)| consumer(out, value, kind));
}

fn consumer<W: Write>(out: &mut Output<W>, consumer: &Consumer, kind: u8) {
    out.string(consumer.name());
    out.ms(consumer.seen_ms);
    if kind == kind::STREAM3 {
        out.ms(consumer.active_ms);
    }
    out.len(consumer.pending_len() as u64);
    consumer.pending().for_each(|id| out.bytes(&id.to_bytes()));
}
