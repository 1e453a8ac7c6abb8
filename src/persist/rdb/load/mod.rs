//! Making values of what a file says, in today's encodings.
//!
//! Strings and packed values are lent by the source's buffer and copied once, to where they stay. What is read follows
//! the real server's loader, its leniency included, except where the real server would end: then the value is refused.

mod hash;
mod list;
mod set;
mod stream;
mod zset;

pub(super) use stream::counters as stream_counters;

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::error::{Fail, LoadErrorKind, Res};
use super::input::{Input, corrupt};
use super::reader::is_valkey_hash;
use super::source::Source;
use super::tags::kind;
use super::version::Dialect;
use crate::value::module::ModuleValue;
use crate::value::{Corrupt, Entry, Limits, Listpack, ListpackRef, Packed, Value};

/// How values are made.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions<'a> {
    /// When an encoding becomes another one.
    pub limits: &'a Limits,
    /// Whether what real servers let in unless told to look closer (`sanitize-dump-payload`) is refused, too:
    /// duplicates inside packed hashes, sets and sorted sets, pending entries without a consumer, streams with
    /// wrong counts, values of modules.
    pub strict: bool,
    /// Whether of a damaged listpack the elements before the damage are taken, where the real server takes it
    /// unseen and ends when it reads it. Not for files.
    pub salvage: bool,
}

/// What became of a value.
pub enum Loaded<'r> {
    /// A string, still in the source's buffer.
    Bytes(&'r [u8]),
    /// A packed value, still in the source's buffer.
    Packed(Packed<'r>),
    /// Anything else.
    Value(Value),
    /// An aggregate without elements: a bug of old servers, skipped with a note in the log.
    Empty,
}

/// Reads a value of type `kind`.
pub(super) fn value<'r, S: Source>(
    input: &'r mut Input<S>,
    kind: u8,
    dialect: Dialect,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'r>> {
    match kind {
        kind::STRING => input.string().map(Loaded::Bytes),
        kind::LIST => list::elements(input, options),
        kind::LIST_ZIPLIST => list::ziplist(input, options),
        kind::LIST_QUICKLIST | kind::LIST_QUICKLIST2 => list::nodes(input, kind, options),
        kind::SET => set::members(input, options),
        kind::SET_INTSET => set::intset(input, options),
        kind::SET_LISTPACK => set::listpack(input, options),
        kind::ZSET_TEXT | kind::ZSET => zset::members(input, kind, options),
        kind::ZSET_ZIPLIST => zset::ziplist(input, options),
        kind::ZSET_LISTPACK => zset::listpack(input, options),
        kind::HASH => hash::fields(input, options),
        kind::HASH_ZIPMAP => hash::zipmap(input, options),
        kind::HASH_ZIPLIST => hash::ziplist(input, options),
        kind::HASH_LISTPACK | kind::HASH_TTL_LISTPACK | kind::HASH_TTL_LISTPACK_PRE_GA => {
            hash::listpack(input, kind, options)
        }
        kind::HASH_TTL_VALKEY if is_valkey_hash(kind, dialect) => hash::valkey(input, options),
        kind::HASH_TTL | kind::HASH_TTL_PRE_GA => hash::expiring(input, kind, options),
        kind::STREAM | kind::STREAM2 | kind::STREAM3 => stream::stream(input, kind, dialect, options),
        kind::MODULE => module(input, options),
        kind::MODULE_PRE_GA => Err(Fail::at(input.offset(), LoadErrorKind::PreReleaseModule)),
        _ => Err(Fail::at(input.offset(), LoadErrorKind::UnknownType(kind))),
    }
}

/// Kept as it is; nobody here can look closer.
fn module<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    if options.strict {
        return input.corrupt("module value", "no module is there to check it");
    }
    input.src.mark();
    let id = input.len()?;
    input.skip_module_items()?;
    let value = ModuleValue::new(id, input.src.marked().into());
    Ok(Loaded::Value(Value::Module(Box::new(value))))
}

/// A string that is a packed value, and where it begins.
fn blob<S: Source>(input: &mut Input<S>) -> Res<(u64, &[u8])> {
    let offset = input.offset();
    Ok((offset, input.string()?))
}

/// A checked listpack: in the source's buffer, or of our own making.
enum Pack<'r> {
    Lent(ListpackRef<'r>),
    Own(Listpack),
}

impl Pack<'_> {
    fn lend(&self) -> ListpackRef<'_> {
        match self {
            Pack::Lent(pack) => *pack,
            Pack::Own(pack) => pack.lend(),
        }
    }

    fn into_listpack(self) -> Listpack {
        match self {
            Pack::Lent(pack) => pack.to_listpack(),
            Pack::Own(pack) => pack,
        }
    }
}

/// Reads a string that is a listpack, whose elements come in groups of `size`, the first ones different from each
/// other. Real servers ask the header how many there are, look no further if none, and see duplicates only when
/// told to look closer; so do we. `None`: no elements.
fn listpack<'r, S: Source>(
    input: &'r mut Input<S>,
    size: usize,
    what: &'static str,
    options: &LoadOptions<'_>,
) -> Res<Option<(u64, Pack<'r>)>> {
    let (offset, bytes) = blob(input)?;
    if !options.strict && says_empty(bytes, size) {
        return Ok(None);
    }
    let pack = match (ListpackRef::check(bytes), options.salvage) {
        (Ok(pack), _) => Pack::Lent(pack),
        (Err(flaw), true) => match salvaged(bytes, size) {
            Some(pack) => Pack::Own(pack),
            None => return corrupt_blob(offset, what, flaw),
        },
        (Err(flaw), false) => return corrupt_blob(offset, what, flaw),
    };
    let seen = pack.lend();
    if !seen.len().is_multiple_of(size) {
        return corrupt(offset, what, "a part of an element");
    }
    if options.strict && !unique(seen, size) {
        return corrupt(offset, what, "an element twice");
    }
    Ok((!seen.is_empty()).then_some((offset, pack)))
}

/// The whole groups of `size` that can be read of a damaged listpack.
fn salvaged(bytes: &[u8], size: usize) -> Option<Listpack> {
    let readable = Listpack::readable(bytes)?;
    let whole = readable.len() / size * size;
    let mut pack = Listpack::new();
    pack.append_many(readable.iter().take(whole).collect::<Vec<_>>().into_iter());
    Some(pack)
}

/// Whether a listpack's header has the right length and a number of entries that makes no group of `size`.
pub(super) fn says_empty(bytes: &[u8], size: usize) -> bool {
    let Some((head, _)) = bytes.split_first_chunk::<6>() else { return false };
    let [a, b, c, d, count @ ..] = *head;
    usize::from(u16::from_le_bytes(count)) < size
        && u32::from_le_bytes([a, b, c, d]) as usize == bytes.len()
        && bytes.last() == Some(&0xff)
}

#[cold]
fn corrupt_blob<T>(offset: u64, what: &'static str, flaw: Corrupt) -> Res<T> {
    corrupt(offset, what, flaw.reason)
}

/// Whether the first elements of all groups of `size` differ, and every group is whole.
fn unique(pack: ListpackRef<'_>, size: usize) -> bool {
    let mut seen = HashSet::with_capacity_and_hasher(pack.len() / size, RandomState::default());
    let mut firsts = pack.iter().step_by(size);
    pack.len().is_multiple_of(size)
        && firsts.all(|first| seen.insert(first.as_int().map_or(first, Entry::Int)))
}
