//! Lists: types 1, 10, 14 and 18.

use super::{LoadOptions, Loaded, Pack, blob, corrupt_blob, says_empty};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::persist::rdb::tags::{kind, node};
use crate::value::legacy::ziplist;
use crate::value::list::{End, Quicklist};
use crate::value::{Limits, List, ListpackRef, Packed, Value};

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
pub(super) fn nodes<'r, S: Source>(
    input: &'r mut Input<S>,
    kind: u8,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'r>> {
    let count = input.count()?;
    if count == 1 {
        return node(input, kind, options).map(|node| single(node, options.limits));
    }
    let mut quick = Quicklist::new(options.limits.list_compress_depth);
    for _ in 0..count {
        push(&mut quick, node(input, kind, options)?);
    }
    Ok(loaded(List::from_quicklist(quick, options.limits)))
}

/// A node of a quicklist.
enum Node<'r> {
    /// One element that is too long for others beside it.
    Plain(&'r [u8]),
    Packed(Pack<'r>),
    /// Packed, and it says that there is nothing in it.
    Nothing,
}

fn node<'r, S: Source>(input: &'r mut Input<S>, kind: u8, options: &LoadOptions<'_>) -> Res<Node<'r>> {
    let plain = kind == kind::LIST_QUICKLIST2 && is_plain(input)?;
    let (offset, bytes) = blob(input)?;
    if bytes.is_empty() {
        return corrupt(offset, WHAT, "a node without bytes");
    }
    if plain {
        return Ok(Node::Plain(bytes));
    }
    if kind == kind::LIST_QUICKLIST2 && !options.strict && says_empty(bytes, 1) {
        return Ok(Node::Nothing);
    }
    let (what, pack) = match kind {
        kind::LIST_QUICKLIST => ("ziplist", ziplist::to_listpack(bytes).map(Pack::Own)),
        _ => ("listpack", ListpackRef::check(bytes).map(Pack::Lent)),
    };
    pack.map(Node::Packed).or_else(|flaw| corrupt_blob(offset, what, flaw))
}

fn push(quick: &mut Quicklist, node: Node<'_>) {
    match node {
        Node::Plain(bytes) => quick.push_plain(bytes.into()),
        Node::Packed(pack) => quick.push_packed(pack.into_listpack()),
        Node::Nothing => {}
    }
}

/// The list of a single node.
fn single<'r>(node: Node<'r>, limits: &Limits) -> Loaded<'r> {
    match node {
        Node::Packed(Pack::Lent(pack)) if !pack.is_empty() && List::stays_packed(pack, limits) => {
            Loaded::Packed(Packed::List(pack))
        }
        Node::Packed(pack) if !pack.lend().is_empty() => {
            loaded(List::from_listpack(pack.into_listpack(), limits))
        }
        node => {
            let mut quick = Quicklist::new(limits.list_compress_depth);
            push(&mut quick, node);
            loaded(List::from_quicklist(quick, limits))
        }
    }
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
