//! Stepping over a value without making it.

use super::error::{Fail, LoadErrorKind, Res};
use super::input::Input;
use super::reader::is_valkey_hash;
use super::source::Source;
use super::tags::{kind, node};
use super::version::Dialect;

/// Whether values of this type can be read, or refused for what they are.
pub(super) fn is_known(kind: u8, dialect: Dialect) -> bool {
    match dialect {
        Dialect::Redis => kind <= kind::HASH_TTL_LISTPACK && kind != 8,
        Dialect::Valkey => kind <= kind::HASH_TTL_VALKEY && kind != 8,
    }
}

/// Steps over a value of type `kind`. Its structure is checked as far as it takes to find its end.
pub(super) fn value<S: Source>(input: &mut Input<S>, kind: u8, dialect: Dialect) -> Res<()> {
    match kind {
        kind::STRING
        | kind::HASH_ZIPMAP
        | kind::LIST_ZIPLIST
        | kind::SET_INTSET
        | kind::ZSET_ZIPLIST
        | kind::HASH_ZIPLIST
        | kind::HASH_LISTPACK
        | kind::ZSET_LISTPACK
        | kind::SET_LISTPACK
        | kind::HASH_TTL_LISTPACK_PRE_GA => input.skip_string(),
        kind::HASH_TTL_LISTPACK => {
            input.skip(8)?;
            input.skip_string()
        }
        kind::LIST | kind::SET | kind::LIST_QUICKLIST => each(input, Input::skip_string),
        kind::ZSET_TEXT => each(input, |input| {
            input.skip_string()?;
            input.skip_text_score()
        }),
        kind::ZSET => each(input, |input| {
            input.skip_string()?;
            input.skip(8)
        }),
        kind::HASH => each(input, pair),
        kind::LIST_QUICKLIST2 => each(input, |input| match input.len()? {
            node::PLAIN | node::PACKED => input.skip_string(),
            _ => input.corrupt("list", "a node of a kind that does not exist"),
        }),
        kind::STREAM | kind::STREAM2 | kind::STREAM3 => stream(input, kind),
        kind::MODULE => {
            input.len()?;
            input.skip_module_items()
        }
        kind::HASH_TTL_VALKEY if is_valkey_hash(kind, dialect) => each(input, |input| {
            pair(input)?;
            input.skip(8)
        }),
        kind::HASH_TTL_PRE_GA => each(input, expiring),
        kind::HASH_TTL => {
            input.skip(8)?;
            each(input, expiring)
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

fn pair<S: Source>(input: &mut Input<S>) -> Res<()> {
    input.skip_string()?;
    input.skip_string()
}

fn expiring<S: Source>(input: &mut Input<S>) -> Res<()> {
    input.len()?;
    pair(input)
}

fn stream<S: Source>(input: &mut Input<S>, kind: u8) -> Res<()> {
    each(input, pair)?;
    let lengths = if kind == kind::STREAM { 3 } else { 8 };
    for _ in 0..lengths {
        input.len()?;
    }
    each(input, |input| group(input, kind))
}

fn group<S: Source>(input: &mut Input<S>, kind: u8) -> Res<()> {
    input.skip_string()?;
    let lengths = if kind == kind::STREAM { 2 } else { 3 };
    for _ in 0..lengths {
        input.len()?;
    }
    each(input, |input| {
        input.skip(16 + 8)?;
        input.len().map(drop)
    })?;
    each(input, |input| {
        input.skip_string()?;
        input.skip(if kind == kind::STREAM3 { 16 } else { 8 })?;
        each(input, |input| input.skip(16))
    })
}
