//! Hashes: types 4, 9, 13, 16 and 22 to 25.

use super::{LoadOptions, Loaded, Pack, blob, corrupt_blob, unique};
use crate::persist::rdb::error::Res;
use crate::persist::rdb::input::{Input, corrupt};
use crate::persist::rdb::source::Source;
use crate::persist::rdb::tags::kind;
use crate::value::legacy::{ziplist, zipmap};
use crate::value::{Hash, Listpack, ListpackRef, Packed, Value};

const WHAT: &str = "hash";
const ZIPMAP: &str = "zipmap";
const ZIPLIST: &str = "hash ziplist";
const LISTPACK: &str = "hash listpack";

/// The last expiry that Redis lets a field have, in ms: 48 bits.
const LAST_EXPIRY_MS: u64 = (1 << 48) - 1;

/// How a field's expiry is written, if it is.
#[derive(Clone, Copy)]
enum Expiry {
    None,
    /// Before the field: a length, absolute, 0 for none.
    Absolute,
    /// Before the field: a length, 0 for none, else 1 and what it is after this.
    After(u64),
    /// Behind the value: 8 bytes, -1 for none.
    Valkey,
}

/// Type 4: field by field.
pub(super) fn fields<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    each(input, options, Expiry::None)
}

/// Type 22 of Valkey.
pub(super) fn valkey<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    each(input, options, Expiry::Valkey)
}

/// Type 24, and 22 of the 7.4 release candidates.
pub(super) fn expiring<S: Source>(
    input: &mut Input<S>,
    kind: u8,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'static>> {
    if kind == kind::HASH_TTL_PRE_GA {
        return each(input, options, Expiry::Absolute);
    }
    let offset = input.offset();
    let earliest = input.ms()? as u64;
    if earliest > LAST_EXPIRY_MS + 1 {
        return corrupt(offset, WHAT, "an earliest expiry that cannot be");
    }
    each(input, options, Expiry::After(earliest))
}

fn each<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>, form: Expiry) -> Res<Loaded<'static>> {
    let start = input.offset();
    let count = input.count()?;
    let mut hash = Hash::with_hint(usize::try_from(count).unwrap_or(usize::MAX), options.limits);
    if matches!(form, Expiry::Absolute | Expiry::After(_)) {
        hash.prepare_deadlines(); // as the real server does, whether there is an expiry or not
    }
    let mut name = Vec::new();
    for _ in 0..count {
        let offset = input.offset();
        let before = expiry_before(input, form)?;
        name.clear();
        name.extend_from_slice(input.string()?);
        let added = match form {
            Expiry::Valkey => {
                let value = input.string()?.to_vec();
                let expiry = expiry_behind(input)?;
                hash.load(&name, &value, expiry, options.limits)
            }
            _ => hash.load(&name, input.string()?, before, options.limits),
        };
        if !added {
            return corrupt(offset, WHAT, "a field twice");
        }
    }
    let twice = options.strict && hash.listpack().is_some_and(|pack| !unique(pack.lend(), width(&hash)));
    if twice || hash.len() as u64 != count {
        return corrupt(start, WHAT, "a field twice");
    }
    Ok(loaded(hash))
}

/// Entries that a field takes in a packed hash.
fn width(hash: &Hash) -> usize {
    if matches!(hash, Hash::PackedEx(_)) { 3 } else { 2 }
}

fn expiry_before<S: Source>(input: &mut Input<S>, form: Expiry) -> Res<Option<u64>> {
    let expiry = match form {
        Expiry::None | Expiry::Valkey => return Ok(None),
        Expiry::Absolute => input.len()?,
        Expiry::After(earliest) => match input.len()? {
            0 => 0,
            after => after.wrapping_add(earliest).wrapping_sub(1),
        },
    };
    if expiry > LAST_EXPIRY_MS {
        return input.corrupt(WHAT, "an expiry that cannot be");
    }
    Ok((expiry != 0).then_some(expiry))
}

fn expiry_behind<S: Source>(input: &mut Input<S>) -> Res<Option<u64>> {
    match input.ms()? {
        -1 => Ok(None),
        ms => match u64::try_from(ms) {
            // Later than Redis can say is as late as it can; 0, which there is none, was long ago.
            Ok(ms) => Ok(Some(ms.clamp(1, LAST_EXPIRY_MS))),
            Err(_) => input.corrupt(WHAT, "an expiry that cannot be"),
        },
    }
}

/// Type 9: a zipmap.
pub(super) fn zipmap<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let (offset, bytes) = blob(input)?;
    let mut pack = Listpack::new();
    let mut longest = 0;
    for (field, value) in zipmap::pairs(bytes).or_else(|flaw| corrupt_blob(offset, ZIPMAP, flaw))? {
        longest = longest.max(field.len()).max(value.len());
        pack.push_back(field);
        pack.push_back(value);
    }
    if !unique(pack.lend(), 2) {
        return corrupt(offset, ZIPMAP, "a field twice");
    }
    if longest <= options.limits.hash_max_listpack_value {
        return pairs(offset, Pack::Own(pack), options);
    }
    let mut hash = Hash::new();
    for (field, value) in zipmap::pairs(bytes).or_else(|flaw| corrupt_blob(offset, ZIPMAP, flaw))? {
        hash.load(field, value, None, options.limits);
    }
    Ok(loaded(hash))
}

/// Type 13: a ziplist.
pub(super) fn ziplist<S: Source>(input: &mut Input<S>, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let (offset, bytes) = blob(input)?;
    let pack = ziplist::to_listpack(bytes).or_else(|flaw| corrupt_blob(offset, ZIPLIST, flaw))?;
    if !unique(pack.lend(), 2) {
        return corrupt(offset, ZIPLIST, "a field twice, or without a value");
    }
    pairs(offset, Pack::Own(pack), options)
}

/// Types 16, 23 and 25: a listpack.
pub(super) fn listpack<'r, S: Source>(
    input: &'r mut Input<S>,
    kind: u8,
    options: &LoadOptions<'_>,
) -> Res<Loaded<'r>> {
    if kind == kind::HASH_TTL_LISTPACK {
        input.skip(8)?; // the earliest expiry, which comes first in the listpack, too
    }
    let width = if kind == kind::HASH_LISTPACK { 2 } else { 3 };
    match super::listpack(input, width, LISTPACK, options)? {
        None => Ok(Loaded::Empty),
        Some((offset, pack)) if width == 2 => pairs(offset, pack, options),
        Some((offset, pack)) if options.strict && !in_order(pack.lend()) => {
            corrupt(offset, LISTPACK, "expiries out of order, or one that cannot be")
        }
        Some((offset, pack)) => triples(offset, pack.into_listpack(), options),
    }
}

/// Whether the expiries of a listpack of triples rise, and fields without one come last.
fn in_order(pack: ListpackRef<'_>) -> bool {
    let expiries = pack.iter().skip(2).step_by(3).map(|expiry| expiry.as_int());
    let keys = expiries.map(|ms| match ms.and_then(|ms| u64::try_from(ms).ok()) {
        Some(0) => Some(u64::MAX),
        ms => ms.filter(|ms| *ms <= LAST_EXPIRY_MS),
    });
    let mut last = 0;
    keys.into_iter().all(|key| key.is_some_and(|key| std::mem::replace(&mut last, key) <= key))
}

fn pairs<'r>(offset: u64, pack: Pack<'r>, options: &LoadOptions<'_>) -> Res<Loaded<'r>> {
    let count = pack.lend().len() / 2;
    if let Pack::Lent(pack) = pack
        && Hash::stays_packed(pack, options.limits)
    {
        return Ok(Loaded::Packed(Packed::Hash(pack)));
    }
    let hash = Hash::from_listpack(pack.into_listpack(), options.limits);
    whole(offset, hash.or_else(|flaw| corrupt_blob(offset, LISTPACK, flaw))?, count)
}

fn triples(offset: u64, pack: Listpack, options: &LoadOptions<'_>) -> Res<Loaded<'static>> {
    let count = pack.len() / 3;
    let hash =
        Hash::from_listpack_ex(pack, options.limits).or_else(|flaw| corrupt_blob(offset, LISTPACK, flaw))?;
    whole(offset, hash, count)
}

/// Sees to it that no field got lost on the way into a table, for being there twice: real servers end there.
fn whole(offset: u64, hash: Hash, count: usize) -> Res<Loaded<'static>> {
    if hash.len() != count {
        return corrupt(offset, LISTPACK, "listpack with dup elements");
    }
    Ok(loaded(hash))
}

fn loaded(hash: Hash) -> Loaded<'static> {
    if hash.is_empty() { Loaded::Empty } else { Loaded::Value(Value::Hash(hash)) }
}
