//! Going through a value element by element, in the memory of one packed piece of it: inspecting, comparing, JSON.
//!
//! What a value's parts contradict each other in (duplicates, a consumer's entry that is not pending) is not seen.

use super::error::{Fail, LoadErrorKind, Res};
use super::input::{Input, corrupt};
use super::load;
use super::reader::is_valkey_hash;
use super::source::Source;
use super::tags::{kind, node};
use super::version::Dialect;
use crate::value::legacy::{ziplist, zipmap};
use crate::value::stream::{Counters, Loader, StreamId};
use crate::value::{Corrupt, Entry, Intset, Listpack};

/// Who is told what a value consists of, in the order of the file. What is not of interest needs no answer.
pub trait Visit {
    /// The string that a string is, an element of a list, a member of a set.
    fn element(&mut self, _element: &[u8]) {}
    /// A member of a sorted set.
    fn member(&mut self, _member: &[u8], _score: f64) {}
    /// A field of a hash; the expiry in Unix ms.
    fn field(&mut self, _field: &[u8], _value: &[u8], _expire_at_ms: Option<u64>) {}
    /// An entry of a stream, and its fields and values.
    fn entry(&mut self, _id: StreamId, _fields: &mut dyn Iterator<Item = (Entry<'_>, Entry<'_>)>) {}
    /// The counters of a stream, after its entries.
    fn counters(&mut self, _counters: &Counters) {}
    /// A group of a stream; what was read counts all bits set as unknown.
    fn group(&mut self, _name: &[u8], _last_id: StreamId, _entries_read: Option<u64>) {}
    /// A pending entry of the group.
    fn pending(&mut self, _id: StreamId, _delivered_ms: i64, _deliveries: u64) {}
    /// A consumer of the group.
    fn consumer(&mut self, _name: &[u8], _seen_ms: i64, _active_ms: Option<i64>) {}
    /// A pending entry of the consumer.
    fn owned(&mut self, _id: StreamId) {}
    /// A module's value: the module type's id, and the bytes.
    fn module(&mut self, _id: u64, _raw: &[u8]) {}
}

/// Goes through a value of type `kind`.
pub(super) fn value<S: Source>(
    input: &mut Input<S>,
    kind: u8,
    dialect: Dialect,
    visitor: &mut dyn Visit,
) -> Res<()> {
    match kind {
        kind::STRING => {
            visitor.element(input.string()?);
            Ok(())
        }
        kind::LIST | kind::SET => each(input, |input| {
            visitor.element(input.string()?);
            Ok(())
        }),
        kind::LIST_QUICKLIST | kind::LIST_QUICKLIST2 => each(input, |input| list_node(input, kind, visitor)),
        kind::SET_INTSET | kind::SET_LISTPACK | kind::LIST_ZIPLIST => {
            packed(input, kind, &mut |[element]| {
                visitor.element(element);
            })
        }
        kind::ZSET | kind::ZSET_TEXT => each(input, |input| {
            let member = input.string()?.to_vec();
            let score = if kind == kind::ZSET { input.score()? } else { input.text_score()? };
            visitor.member(&member, score);
            Ok(())
        }),
        kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => packed(input, kind, &mut |[member, score]| {
            visitor.member(member, crate::text::num::parse_f64(score).unwrap_or(f64::NAN));
        }),
        kind::HASH_ZIPMAP => zipmap_fields(input, visitor),
        kind::HASH_ZIPLIST | kind::HASH_LISTPACK => packed(input, kind, &mut |[field, value]| {
            visitor.field(field, value, None);
        }),
        kind::HASH_TTL_LISTPACK | kind::HASH_TTL_LISTPACK_PRE_GA => {
            input.skip(if kind == kind::HASH_TTL_LISTPACK { 8 } else { 0 })?;
            packed(input, kind, &mut |[field, value, expiry]| {
                let expiry = crate::text::num::parse_u64(expiry).filter(|&ms| ms != 0);
                visitor.field(field, value, expiry);
            })
        }
        kind::HASH => each(input, |input| field(input, None, visitor)),
        kind::HASH_TTL_VALKEY if is_valkey_hash(kind, dialect) => {
            each(input, |input| valkey_field(input, visitor))
        }
        kind::HASH_TTL | kind::HASH_TTL_PRE_GA => {
            let earliest = if kind == kind::HASH_TTL { input.ms()? as u64 } else { 1 };
            each(input, |input| {
                let after = input.len()?;
                let expiry = after.wrapping_add(earliest).wrapping_sub(1);
                field(input, (after != 0).then_some(expiry), visitor)
            })
        }
        kind::STREAM | kind::STREAM2 | kind::STREAM3 => stream(input, kind, visitor),
        kind::MODULE => {
            input.src.mark();
            let id = input.len()?;
            input.skip_module_items()?;
            visitor.module(id, input.src.marked());
            Ok(())
        }
        kind::MODULE_PRE_GA => Err(Fail::at(input.offset(), LoadErrorKind::PreReleaseModule)),
        _ => Err(Fail::at(input.offset(), LoadErrorKind::UnknownType(kind))),
    }
}

fn each<S: Source>(input: &mut Input<S>, mut step: impl FnMut(&mut Input<S>) -> Res<()>) -> Res<()> {
    for _ in 0..input.count()? {
        step(input)?;
    }
    Ok(())
}

fn list_node<S: Source>(input: &mut Input<S>, kind: u8, visitor: &mut dyn Visit) -> Res<()> {
    if kind == kind::LIST_QUICKLIST {
        return packed(input, kind::LIST_ZIPLIST, &mut |[element]| visitor.element(element));
    }
    match input.len()? {
        node::PACKED => packed(input, kind::SET_LISTPACK, &mut |[element]| visitor.element(element)),
        node::PLAIN => {
            visitor.element(input.string()?);
            Ok(())
        }
        _ => input.corrupt("list", "a node of a kind that does not exist"),
    }
}

/// Goes through a packed value in groups of `N` elements.
fn packed<S: Source, const N: usize>(
    input: &mut Input<S>,
    kind: u8,
    tell: &mut dyn FnMut([&[u8]; N]),
) -> Res<()> {
    let offset = input.offset();
    let bytes = input.string()?;
    let flawed = |flaw: Corrupt| Fail::at(offset, LoadErrorKind::Corrupt("packed value", flaw.reason));
    match kind {
        kind::SET_INTSET => {
            let ints = Intset::from_bytes(bytes).map_err(flawed)?;
            groups(offset, ints.iter().map(Entry::Int), tell)
        }
        kind::LIST_ZIPLIST | kind::ZSET_ZIPLIST | kind::HASH_ZIPLIST => {
            groups(offset, ziplist::entries(bytes).map_err(flawed)?, tell)
        }
        _ if load::says_empty(bytes, N) => Ok(()),
        _ => {
            let pack = Listpack::from_bytes(bytes).map_err(flawed)?;
            groups(offset, pack.iter(), tell)
        }
    }
}

fn groups<'a, const N: usize>(
    offset: u64,
    mut elements: impl Iterator<Item = Entry<'a>>,
    tell: &mut dyn FnMut([&[u8]; N]),
) -> Res<()> {
    while let Some(first) = elements.next() {
        let mut group = [first; N];
        for slot in &mut group[1..] {
            let Some(element) = elements.next() else {
                return corrupt(offset, "packed value", "a part of an element");
            };
            *slot = element;
        }
        let mut texts = [(); N].map(|()| itoa::Buffer::new());
        let mut texts = texts.iter_mut();
        tell(group.each_ref().map(|element| element.text(texts.next().expect("one for each"))));
    }
    Ok(())
}

fn zipmap_fields<S: Source>(input: &mut Input<S>, visitor: &mut dyn Visit) -> Res<()> {
    let offset = input.offset();
    let pairs = zipmap::pairs(input.string()?).or_else(|flaw| corrupt(offset, "hash", flaw.reason))?;
    pairs.for_each(|(field, value)| visitor.field(field, value, None));
    Ok(())
}

fn field<S: Source>(input: &mut Input<S>, expiry: Option<u64>, visitor: &mut dyn Visit) -> Res<()> {
    let name = input.string()?.to_vec();
    visitor.field(&name, input.string()?, expiry);
    Ok(())
}

fn valkey_field<S: Source>(input: &mut Input<S>, visitor: &mut dyn Visit) -> Res<()> {
    let (name, value) = (input.string()?.to_vec(), input.string()?.to_vec());
    let expiry = u64::try_from(input.ms()?).ok();
    visitor.field(&name, &value, expiry);
    Ok(())
}

fn stream<S: Source>(input: &mut Input<S>, kind: u8, visitor: &mut dyn Visit) -> Res<()> {
    each(input, |input| stream_node(input, visitor))?;
    visitor.counters(&load::stream_counters(input, kind)?);
    each(input, |input| group(input, kind, visitor))
}

/// A node is a stream of its own.
fn stream_node<S: Source>(input: &mut Input<S>, visitor: &mut dyn Visit) -> Res<()> {
    let offset = input.offset();
    let key = input.string()?.to_vec();
    let mut loader = Loader::new();
    let loaded = loader.node(&key, input.string()?);
    let node = loaded.and_then(|()| loader.finish());
    let node = node.map_err(|flaw| Fail::at(offset, LoadErrorKind::Stream(flaw)))?;
    node.log.iter().for_each(|mut entry| visitor.entry(entry.id, &mut entry.fields));
    Ok(())
}

fn id<S: Source>(input: &mut Input<S>) -> Res<StreamId> {
    Ok(StreamId::new(input.len()?, input.len()?))
}

fn group<S: Source>(input: &mut Input<S>, kind: u8, visitor: &mut dyn Visit) -> Res<()> {
    let name = input.string()?.to_vec();
    let last_id = id(input)?;
    let entries_read = if kind == kind::STREAM { None } else { Some(input.len()?) };
    visitor.group(&name, last_id, entries_read);
    each(input, |input| {
        visitor.pending(StreamId::from_bytes(input.array()?), input.ms()?, input.len()?);
        Ok(())
    })?;
    each(input, |input| {
        let name = input.string()?.to_vec();
        let (seen_ms, active_ms) =
            (input.ms()?, if kind == kind::STREAM3 { Some(input.ms()?) } else { None });
        visitor.consumer(&name, seen_ms, active_ms);
        each(input, |input| {
            visitor.owned(StreamId::from_bytes(input.array()?));
            Ok(())
        })
    })
}
