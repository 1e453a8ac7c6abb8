//! Lists: types 1, 10, 14 and 18.

use super::{LoadOptions, Loaded, blob, corrupt_blob, says_empty};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::persist::rdb::tags::{kind, node};
use crate::value::legacy::ziplist;
use crate::value::list::{End, Quicklist};
use crate::value::{List, Listpack, Value};

const WHAT: &str = "quicklist";
const ZIPLIST: &str = "list ziplist";

/// Type 1: element by element.
pub(super) fn elements<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let mut list = List::new();
    for _ in 0..input.count()? {
        list.push(End::Tail, input.string()?, options.limits);
    }
    Ok(loaded(list))
}

/// Type 10: one ziplist.
pub(super) fn ziplist<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let (offset, bytes) = blob(input)?;
    let mut list = List::new();
    let mut text = itoa::Buffer::new();
    for element in ziplist::entries(bytes).or_else(|flaw| corrupt_blob(offset, ZIPLIST, flaw))? {
        list.push(End::Tail, element.text(&mut text), options.limits);
    }
    Ok(loaded(list))
}

/// Types 14 and 18: nodes.
pub(super) fn nodes<S: Source>(
    input: &mut Input<S>,
    kind: u8,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'static>> {
    let count = input.count()?;
    let mut quick = Quicklist::new(options.limits.list_compress_depth);
    for _ in 0..count {
        let plain = kind == kind::LIST_QUICKLIST2 && is_plain(input)?;
        let (offset, bytes) = blob(input)?;
        if bytes.is_empty() {
            return corrupt(offset, WHAT, "a node without bytes");
        }
        if plain {
            quick.push_plain(bytes.into());
            continue;
        }
        if kind == kind::LIST_QUICKLIST2 && !options.strict && says_empty(bytes, 1) {
            continue;
        }
        let (what, pack) = match kind {
            kind::LIST_QUICKLIST => ("ziplist", ziplist::to_listpack(bytes)),
            _ => ("listpack", Listpack::from_bytes(bytes)),
        };
        let pack = pack.or_else(|flaw| corrupt_blob(offset, what, flaw))?;
        if count == 1 && !pack.is_empty() {
            return Ok(loaded(List::from_listpack(pack, options.limits)));
        }
        quick.push_packed(pack);
    }
    Ok(loaded(List::from_quicklist(quick, options.limits)))
}

fn is_plain<S: Source>(input: &mut Input<S>) -> Res<bool> {
    match input.len()? {
        node::PLAIN => Ok(true),
        node::PACKED => Ok(false),
        _ => input.corrupt(WHAT, "a node of a kind that does not exist"),
    }
}

fn loaded(list: List) -> Loaded<'static> {
    if list.is_empty() { Loaded::Empty } else { Loaded::Value(Value::List(list)) }
}
