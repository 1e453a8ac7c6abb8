//! Streams against real recordings, against naive models, and against damaged nodes.

mod damage;
mod model;
mod recorded;

use super::*;
use crate::value::Limits;

/// A short way to write an id.
fn id(ms: u64, seq: u64) -> StreamId {
    StreamId::new(ms, seq)
}

fn limits(max_bytes: usize, max_entries: usize) -> Limits {
    Limits { stream_node_max_bytes: max_bytes, stream_node_max_entries: max_entries, ..Limits::default() }
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn owned(entry: StreamEntry<'_>) -> (StreamId, Fields) {
    (entry.id, entry.fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect())
}

fn all(log: &Log, rev: bool) -> Vec<(StreamId, Fields)> {
    log.range(StreamId::MIN, StreamId::MAX, rev).map(owned).collect()
}

/// The RDB type 21 of a stream, uncompressed.
fn save(stream: &Stream) -> Vec<u8> {
    let mut out = Vec::new();
    let log = &stream.log;
    put_len(&mut out, log.nodes().len() as u64);
    for node in log.nodes() {
        put_text(&mut out, &node.key().to_bytes());
        put_text(&mut out, node.as_bytes());
    }
    put_len(&mut out, log.length);
    for id in [log.last_id, log.first_id, log.max_deleted] {
        put_id(&mut out, id);
    }
    put_len(&mut out, log.entries_added);
    put_len(&mut out, stream.groups.len() as u64);
    stream.groups.iter().for_each(|group| put_group(&mut out, group));
    out
}

fn put_group(out: &mut Vec<u8>, group: &Group) {
    put_text(out, group.name());
    put_id(out, group.last_id);
    put_len(out, group.entries_read as u64);
    put_len(out, group.pending_len() as u64);
    for nack in group.pending() {
        out.extend(nack.id.to_bytes());
        out.extend(nack.delivery_time_ms.to_le_bytes());
        put_len(out, nack.delivery_count);
    }
    put_len(out, group.consumers_len() as u64);
    for (_, consumer) in group.consumers() {
        put_text(out, consumer.name());
        out.extend(consumer.seen_ms.to_le_bytes());
        out.extend(consumer.active_ms.to_le_bytes());
        put_len(out, consumer.pending_len() as u64);
        consumer.pending().for_each(|id| out.extend(id.to_bytes()));
    }
}

fn put_id(out: &mut Vec<u8>, id: StreamId) {
    put_len(out, id.ms);
    put_len(out, id.seq);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_len(out, text.len() as u64);
    out.extend_from_slice(text);
}

fn put_len(out: &mut Vec<u8>, len: u64) {
    match len {
        0..0x40 => out.push(len as u8),
        0x40..0x4000 => out.extend((len as u16 | 0x4000).to_be_bytes()),
        0x4000..0x1_0000_0000 => {
            out.push(0x80);
            out.extend((len as u32).to_be_bytes());
        }
        _ => {
            out.push(0x81);
            out.extend(len.to_be_bytes());
        }
    }
}

/// Reads back what `save` wrote, and the other two types.
struct Reader<'a> {
    rest: &'a [u8],
    kind: u8,
}

impl<'a> Reader<'a> {
    fn load(kind: u8, bytes: &'a [u8]) -> Result<Stream, Flaw> {
        let mut reader = Reader { rest: bytes, kind };
        let mut loader = Loader::new();
        for _ in 0..reader.len() {
            let (key, pack) = (reader.text(), reader.text());
            loader.node(key, pack)?;
        }
        let (length, last_id) = (reader.len(), reader.id());
        let more = (kind > 15).then(|| (reader.id(), reader.id(), reader.len()));
        loader.counters(Counters { length, last_id, more })?;
        for _ in 0..reader.len() {
            reader.group(&mut loader)?;
        }
        loader.finish()
    }

    fn group(&mut self, loader: &mut Loader) -> Result<(), Flaw> {
        let (name, last_id) = (self.text(), self.id());
        let read = (self.kind > 15).then(|| self.len());
        loader.group(name, last_id, read)?;
        for _ in 0..self.len() {
            let (id, time, count) = (self.raw_id(), self.time(), self.len());
            loader.pending(id, time, count)?;
        }
        for _ in 0..self.len() {
            let (name, seen) = (self.text(), self.time());
            let active = (self.kind > 19).then(|| self.time());
            loader.consumer(name, seen, active)?;
            for _ in 0..self.len() {
                loader.owns(self.raw_id())?;
            }
        }
        Ok(())
    }

    fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(len);
        self.rest = rest;
        head
    }

    fn len(&mut self) -> u64 {
        let first = self.take(1)[0];
        match first {
            0..0x40 => u64::from(first),
            0x40..0x80 => u64::from(first & 0x3F) << 8 | u64::from(self.take(1)[0]),
            0x80 => u64::from(u32::from_be_bytes(self.take(4).try_into().expect("four"))),
            0x81 => u64::from_be_bytes(self.take(8).try_into().expect("eight")),
            _ => panic!("not a length: {first}"),
        }
    }

    fn text(&mut self) -> &'a [u8] {
        let len = self.len() as usize;
        self.take(len)
    }

    fn id(&mut self) -> StreamId {
        id(self.len(), self.len())
    }

    fn raw_id(&mut self) -> StreamId {
        StreamId::from_bytes(self.take(16).try_into().expect("sixteen"))
    }

    fn time(&mut self) -> i64 {
        i64::from_le_bytes(self.take(8).try_into().expect("eight"))
    }
}
