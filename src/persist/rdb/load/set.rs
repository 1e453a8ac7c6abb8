//! Sets: types 2, 11 and 20.

use super::{LoadOptions, Loaded, blob, corrupt_blob};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::value::{Intset, Set, Value};

const WHAT: &str = "set";
const INTSET: &str = "intset";
const LISTPACK: &str = "set listpack";

/// Type 2: member by member.
pub(super) fn members<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let count = input.count()?;
    let mut set = Set::for_loading(count, options.limits);
    for _ in 0..count {
        let offset = input.offset();
        if !set.add(input.string()?, options.limits) {
            return corrupt(offset, WHAT, "a member twice");
        }
    }
    Ok(loaded(set))
}

/// Type 11: an intset.
pub(super) fn intset<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let (offset, bytes) = blob(input)?;
    let ints = Intset::from_bytes(bytes).or_else(|flaw| corrupt_blob(offset, INTSET, flaw))?;
    Ok(loaded(Set::from_intset(ints, options.limits)))
}

/// Type 20: a listpack. One with duplicates shows them, as in the real server, unless it becomes a table.
pub(super) fn listpack<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let Some((offset, pack)) = super::listpack(input, 1, LISTPACK, options)? else {
        return Ok(Loaded::Empty);
    };
    if pack.len() <= options.limits.set_max_listpack_entries {
        return Ok(loaded(Set::Packed(pack)));
    }
    let set =
        Set::from_listpack(pack, options.limits).or_else(|flaw| corrupt_blob(offset, LISTPACK, flaw))?;
    Ok(loaded(set))
}

fn loaded(set: Set) -> Loaded<'static> {
    if set.is_empty() { Loaded::Empty } else { Loaded::Value(Value::Set(set)) }
}
