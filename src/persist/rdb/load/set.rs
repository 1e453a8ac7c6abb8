//! Sets: types 2, 11 and 20.

use super::{LoadOptions, Loaded, Pack, blob, corrupt_blob};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::value::set::Put;
use crate::value::{IntsetRef, Packed, Set, Value};

const WHAT: &str = "set";
const INTSET: &str = "intset";
const LISTPACK: &str = "set listpack";

/// Type 2: member by member.
pub(super) fn members<'r, S: Source>(input: &'r mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    let count = input.count()?;
    let mut few = std::mem::take(&mut input.members);
    let mut set = (!few.begin(count, options.limits)).then(|| Set::for_loading(count, options.limits));
    for _ in 0..count {
        let offset = input.offset();
        let member = input.string()?;
        let put = if set.is_none() { few.put(member) } else { Put::Elsewhere };
        let added = match put {
            Put::In => true,
            Put::Twice => false,
            Put::Elsewhere => {
                let set = set.get_or_insert_with(|| few.to_set(count, options.limits));
                set.add(member, options.limits)
            }
        };
        if !added {
            return corrupt(offset, WHAT, "a member twice");
        }
    }
    input.members = few;
    match set {
        Some(set) => Ok(loaded(set)),
        None if count == 0 => Ok(Loaded::Empty),
        None => Ok(Loaded::Packed(Packed::Set(input.members.finish()))),
    }
}

/// Type 11: an intset.
pub(super) fn intset<'r, S: Source>(input: &'r mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    let (offset, bytes) = blob(input)?;
    let ints = IntsetRef::check(bytes).or_else(|flaw| corrupt_blob(offset, INTSET, flaw))?;
    if ints.len() <= options.limits.set_max_intset_entries {
        return Ok(Loaded::Packed(Packed::Ints(ints)));
    }
    Ok(loaded(Set::from_intset(ints.to_intset(), options.limits)))
}

/// Type 20: a listpack. One with duplicates shows them, as in the real server, unless it becomes a table.
pub(super) fn listpack<'r, S: Source>(input: &'r mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    let Some((offset, pack)) = super::listpack(input, 1, LISTPACK, options)? else {
        return Ok(Loaded::Empty);
    };
    let stays_packed = pack.lend().len() <= options.limits.set_max_listpack_entries;
    match pack {
        Pack::Lent(pack) if stays_packed => Ok(Loaded::Packed(Packed::Set(pack))),
        Pack::Own(pack) if stays_packed => Ok(loaded(Set::Packed(pack))),
        pack => {
            let set = Set::from_listpack(pack.into_listpack(), options.limits);
            Ok(loaded(set.or_else(|flaw| corrupt_blob(offset, LISTPACK, flaw))?))
        }
    }
}

fn loaded(set: Set) -> Loaded<'static> {
    if set.is_empty() { Loaded::Empty } else { Loaded::Value(Value::Set(set)) }
}
