//! Hashes: types 4, 16, 24, 25, and Valkey's 22.

use std::io::Write;

use super::entry;
use crate::persist::rdb::output::Output;
use crate::persist::rdb::tags::kind;
use crate::persist::rdb::version::{Dialect, Version};
use crate::value::{Hash, hash::Item};

pub(super) fn kind(hash: &Hash, version: Version) -> Result<u8, &'static str> {
    let fits = version.dialect == Dialect::Redis && version.number >= 12;
    Ok(match hash {
        Hash::Packed(_) => kind::HASH_LISTPACK,
        Hash::PackedEx(_) if fits => kind::HASH_TTL_LISTPACK,
        _ if !hash.has_deadlines() => kind::HASH,
        _ if fits => kind::HASH_TTL,
        _ if version.dialect == Dialect::Valkey => kind::HASH_TTL_VALKEY,
        _ => return Err("hash fields with an expiry"),
    })
}

pub(super) fn hash<W: Write>(out: &mut Output<W>, hash: &Hash, kind: u8) {
    match (kind, hash.listpack()) {
        (kind::HASH_LISTPACK, Some(pairs)) => out.string(pairs.as_bytes()),
        (kind::HASH_TTL_LISTPACK, Some(triples)) => {
            out.bytes(&hash.next_deadline().unwrap_or(0).to_le_bytes());
            out.string(triples.as_bytes());
        }
        (kind::HASH_TTL, _) => {
            let earliest = hash.earliest_deadline().unwrap_or(0);
            out.bytes(&earliest.to_le_bytes());
            fields(out, hash, |out, item| {
                out.len(item.deadline.map_or(0, |deadline| deadline - earliest + 1));
                pair(out, item);
            });
        }
        (kind::HASH_TTL_VALKEY, _) => fields(out, hash, |out, item| {
            pair(out, item);
            out.ms(item.deadline.map_or(-1, |deadline| deadline as i64)); // at most i64::MAX
        }),
        _ => fields(out, hash, pair),
    }
}

fn fields<W: Write>(out: &mut Output<W>, hash: &Hash, mut write: impl FnMut(&mut Output<W>, Item<'_>)) {
    out.len(hash.len() as u64);
    hash.iter().for_each(|item| write(out, item));
}

#[inline]
fn pair<W: Write>(out: &mut Output<W>, item: Item<'_>) {
    entry(out, item.field);
    entry(out, item.value);
}
