//! Values in the form in which the real server writes them, as far as the version has it.

mod hash;
mod stream;

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::io::Write;

use foldhash::fast::FixedState;

use super::output::Output;
use super::tags::{kind, node};
use super::version::{Dialect, Version};
use super::writer::Body;
use crate::value::{Entry, List, Set, Zset};

/// The type that a value is written as, or what about it the version cannot hold.
pub(super) fn kind(body: Body<'_>, version: Version) -> Result<u8, &'static str> {
    Ok(match body {
        Body::Str(_) | Body::Int(_) => kind::STRING,
        Body::List(_) => kind::LIST_QUICKLIST2,
        Body::Set(Set::Ints(_)) => kind::SET_INTSET,
        Body::Set(Set::Packed(_)) if version.number >= 11 => kind::SET_LISTPACK,
        Body::Set(_) => kind::SET,
        Body::Zset(Zset::Packed(_)) => kind::ZSET_LISTPACK,
        Body::Zset(Zset::Tree(_)) => kind::ZSET,
        Body::Hash(hash) => return hash::kind(hash, version),
        Body::Stream(_) if version.number >= 11 => kind::STREAM3,
        Body::Stream(_) => kind::STREAM2,
        Body::Module(_) => kind::MODULE,
        Body::Raw(kind, _) => kind,
    })
}

/// Writes a value as the type that [`kind`] picked.
pub(super) fn body<W: Write>(out: &mut Output<W>, body: Body<'_>, kind: u8, dialect: Dialect) {
    match body {
        Body::Str(text) => out.string(text),
        Body::Int(number) => out.int_string(number),
        Body::List(value) => list(out, value),
        Body::Set(value) => set(out, value, kind),
        Body::Zset(value) => zset(out, value),
        Body::Hash(value) => hash::hash(out, value, kind),
        Body::Stream(value) => stream::stream(out, value, kind, dialect),
        Body::Module(value) => out.bytes(value.raw()),
        Body::Raw(_, bytes) => out.bytes(bytes),
    }
}

/// Writes an element of a packed value, or of a table, as a string.
#[inline]
fn entry<W: Write>(out: &mut Output<W>, entry: Entry<'_>) {
    match entry {
        Entry::Int(number) => out.int_string(number),
        Entry::Str(text) => out.string(text),
    }
}

fn list<W: Write>(out: &mut Output<W>, list: &List) {
    match list {
        List::Packed(pack) => {
            out.len(1);
            list_node(out, node::PACKED, pack.as_bytes());
        }
        List::Quick(quick) => {
            out.len(quick.nodes().len() as u64);
            for node in quick.nodes() {
                let kind = if node.is_plain() { node::PLAIN } else { node::PACKED };
                list_node(out, kind, &node.bytes());
            }
        }
    }
}

fn list_node<W: Write>(out: &mut Output<W>, kind: u64, bytes: &[u8]) {
    out.len(kind);
    out.string(bytes);
}

fn set<W: Write>(out: &mut Output<W>, set: &Set, kind: u8) {
    match set {
        Set::Ints(ints) => out.string(ints.as_bytes()),
        Set::Packed(pack) if kind == kind::SET_LISTPACK => out.string(pack.as_bytes()),
        Set::Packed(_) if has_twice(set) => {
            let distinct: BTreeSet<Vec<u8>> = set.iter().map(|member| member.to_vec()).collect();
            out.len(distinct.len() as u64);
            distinct.iter().for_each(|member| out.string(member));
        }
        _ => {
            out.len(set.len() as u64);
            set.iter().for_each(|member| entry(out, member));
        }
    }
}

/// Whether a member may be there twice: a damaged listpack is loaded so, but one by one nobody would take them back.
/// True now and then without reason: one bit of 2048 stands for a member.
fn has_twice(set: &Set) -> bool {
    let mut seen = [0u64; 32];
    let mut buffer = itoa::Buffer::new();
    set.iter().any(|member| {
        let hash = FixedState::default().hash_one(member.text(&mut buffer));
        let (word, bit) = ((hash >> 6) as usize % seen.len(), 1 << (hash & 63));
        let before = seen[word];
        seen[word] |= bit;
        before & bit != 0
    })
}

/// The highest score first, as the real server does: then every insertion of its loader is at the head.
fn zset<W: Write>(out: &mut Output<W>, zset: &Zset) {
    if let Zset::Packed(pack) = zset {
        return out.string(pack.as_bytes());
    }
    out.len(zset.len() as u64);
    for (member, score) in zset.range(0..zset.len(), true) {
        entry(out, member);
        out.score(score);
    }
}
