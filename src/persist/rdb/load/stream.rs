//! Streams: types 15, 19 and 21.

use super::{LoadOptions, Loaded};
use crate::persist::rdb::error::{Fail, LoadErrorKind, Res};
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::persist::rdb::tags::kind;
use crate::persist::rdb::version::Dialect;
use crate::value::Value;
use crate::value::stream::{Counters, Flaw, Loader, StreamId};

const WHAT: &str = "stream";

pub(super) fn stream<S: Source>(
    input: &mut Input<S>,
    kind: u8,
    dialect: Dialect,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'static>> {
    let mut loader = Loader::new().strict(options.strict).salvage(options.salvage);
    for _ in 0..input.count()? {
        let offset = input.offset();
        let key = node_key(input)?;
        let node = input.string()?;
        loader.node(&key, node).map_err(|flaw| flawed(offset, flaw))?;
    }
    let offset = input.offset();
    let counters = counters(input, kind)?;
    loader.counters(counters).map_err(|flaw| flawed(offset, flaw))?;
    for _ in 0..input.count()? {
        group(input, &mut loader, kind)?;
    }
    let offset = input.offset();
    let stream = loader.finish().map_err(|flaw| flawed(offset, flaw))?;
    if dialect == Dialect::Valkey && stream.log.iter().count() as u64 != stream.log.length {
        return corrupt(offset, WHAT, "a length that is not the number of its entries"); // Redis lets it pass
    }
    if options.strict && stream.groups.iter().any(|group| group.pending().any(|nack| nack.consumer.is_none()))
    {
        return corrupt(offset, WHAT, "a pending entry that no consumer has");
    }
    Ok(Loaded::Value(Value::Stream(Box::new(stream))))
}

/// The key of a node, as far as it has the right length; else something that the loader refuses.
fn node_key<S: Source>(input: &mut Input<S>) -> Res<Vec<u8>> {
    input.string().map(<[u8]>::to_vec)
}

/// Reads the counters behind the nodes.
pub(in crate::persist::rdb) fn counters<S: Source>(input: &mut Input<S>, kind: u8) -> Res<Counters> {
    let (length, last_id) = (input.len()?, id(input)?);
    let more = match kind {
        kind::STREAM => None,
        _ => Some((id(input)?, id(input)?, input.len()?)),
    };
    Ok(Counters { length, last_id, more })
}

fn id<S: Source>(input: &mut Input<S>) -> Res<StreamId> {
    let (ms, seq) = (input.len()?, input.len()?);
    Ok(StreamId::new(ms, seq))
}

fn raw_id<S: Source>(input: &mut Input<S>) -> Res<StreamId> {
    Ok(StreamId::from_bytes(input.array()?))
}

fn group<S: Source>(input: &mut Input<S>, loader: &mut Loader, kind: u8) -> Res<()> {
    let offset = input.offset();
    let name = input.string()?.to_vec();
    let last_id = id(input)?;
    let entries_read = if kind == kind::STREAM { None } else { Some(input.len()?) };
    loader.group(&name, last_id, entries_read).map_err(|flaw| flawed(offset, flaw))?;
    for _ in 0..input.count()? {
        let offset = input.offset();
        let (id, delivered_ms, deliveries) = (raw_id(input)?, input.ms()?, input.len()?);
        loader.pending(id, delivered_ms, deliveries).map_err(|flaw| flawed(offset, flaw))?;
    }
    for _ in 0..input.count()? {
        consumer(input, loader, kind)?;
    }
    Ok(())
}

fn consumer<S: Source>(input: &mut Input<S>, loader: &mut Loader, kind: u8) -> Res<()> {
    let offset = input.offset();
    let name = input.string()?.to_vec();
    let seen_ms = input.ms()?;
    let active_ms = if kind == kind::STREAM3 { Some(input.ms()?) } else { None };
    loader.consumer(&name, seen_ms, active_ms).map_err(|flaw| flawed(offset, flaw))?;
    for _ in 0..input.count()? {
        let offset = input.offset();
        let id = raw_id(input)?;
        loader.owns(id).map_err(|flaw| flawed(offset, flaw))?;
    }
    Ok(())
}

#[cold]
fn flawed(offset: u64, flaw: Flaw) -> Fail {
    Fail::at(offset, LoadErrorKind::Stream(flaw))
}
