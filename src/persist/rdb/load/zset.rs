//! Sorted sets: types 3, 5, 12 and 17.

use super::{LoadOptions, Loaded, Pack, blob, corrupt_blob, unique};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::persist::rdb::tags::kind;
use crate::value::legacy::ziplist;
use crate::value::zset::ZsetBuilder;
use crate::value::{Packed, Value, Zset};

const WHAT: &str = "sorted set";
const ZIPLIST: &str = "zset ziplist";
const LISTPACK: &str = "zset listpack";

/// Types 3 and 5: member by member.
pub(super) fn members<S: Source>(
    input: &mut Input<S>,
    kind: u8,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'static>> {
    let mut builder = ZsetBuilder::new();
    let mut member = Vec::new();
    for _ in 0..input.count()? {
        let offset = input.offset();
        member.clear();
        member.extend_from_slice(input.string()?);
        let score = if kind == kind::ZSET { input.score()? } else { input.text_score()? };
        if score.is_nan() {
            return corrupt(offset, WHAT, "a score that is not a number");
        }
        if !builder.push(&member, score) {
            return corrupt(offset, WHAT, "a member twice");
        }
    }
    Ok(loaded(builder.finish(options.limits)))
}

/// Type 12: a ziplist.
pub(super) fn ziplist<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let (offset, bytes) = blob(input)?;
    let pack = ziplist::to_listpack(bytes).or_else(|flaw| corrupt_blob(offset, ZIPLIST, flaw))?;
    if !unique(pack.lend(), 2) {
        return corrupt(offset, ZIPLIST, "a member twice, or without a score");
    }
    finish(offset, Pack::Own(pack), options)
}

/// Type 17: a listpack.
pub(super) fn listpack<'r, S: Source>(input: &'r mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    match super::listpack(input, 2, LISTPACK, options)? {
        Some((offset, pack)) => finish(offset, pack, options),
        None => Ok(Loaded::Empty),
    }
}

fn finish<'r>(offset: u64, pack: Pack<'r>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    if let Pack::Lent(pack) = pack
        && Zset::stays_packed(pack, options.limits)
    {
        return Ok(Loaded::Packed(Packed::Zset(pack)));
    }
    let zset = Zset::from_listpack(pack.into_listpack(), options.limits);
    Ok(loaded(zset.or_else(|flaw| corrupt_blob(offset, LISTPACK, flaw))?))
}

fn loaded(zset: Zset) -> Loaded<'static> {
    if zset.is_empty() { Loaded::Empty } else { Loaded::Value(Value::Zset(zset)) }
}
