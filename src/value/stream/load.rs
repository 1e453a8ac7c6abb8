//! Building a stream out of a file, piece by piece, in the order in which the RDB types 15, 19 and 21 have them.
//!
//! Redis looks at no more than a listpack's header when it loads, and meets what is wrong with it while it
//! reads: it ends there with an assertion, or it shows odd nodes as if nothing was wrong. We look at every
//! entry while loading. A node on which the real server's forward iteration would fail is refused, so that
//! nothing can fail later. A node that it gets through is taken, and shows the same: only what going forward
//! does not look at (the number of pieces of an entry, the end of the master entry, the count of elements in
//! the header, bytes behind an early end) is set right, so that going backwards works, too. The stated
//! numbers of entries are kept.

use super::group::{ConsumerId, Nack, OwnerError};
use super::id::StreamId;
use super::node::{Node, SAME_FIELDS};
use super::{Group, Stream};
use crate::value::listpack::{Entry, Iter, Listpack, Pos};
use std::fmt;

/// Why a stream in a file was refused. `Display` is what the real server logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flaw {
    /// A node's key is not 16 bytes long.
    NodeKey,
    /// A node's entries cannot be read; what is wrong with them.
    Node(&'static str),
    /// A node has no bytes for even a master entry.
    EmptyNode,
    /// Two nodes have the same key.
    NodeTwice,
    /// A length, but no nodes.
    LengthWithoutNodes,
    /// Two groups have this name.
    GroupTwice(Vec<u8>),
    /// An entry is pending twice in a group.
    PendingTwice,
    /// Two consumers of a group have the same name.
    ConsumerTwice,
    /// A consumer has an entry that is not pending in its group.
    NotPending,
    /// A consumer has the same entry twice.
    OwnedTwice,
    /// What should belong to a group, or a consumer, came before it: an error of the caller.
    OutOfPlace,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Flaw::NodeKey => "Stream node key entry is not the size of a stream ID",
            Flaw::Node(_) => "Stream listpack integrity check failed.",
            Flaw::EmptyNode => "Empty listpack inside stream",
            Flaw::NodeTwice => "Listpack re-added with existing key",
            Flaw::LengthWithoutNodes => "Stream length inconsistent with rax entries",
            Flaw::GroupTwice(name) => {
                return write!(f, "Duplicated consumer group name {}", String::from_utf8_lossy(name));
            }
            Flaw::PendingTwice => "Duplicated global PEL entry loading stream consumer group",
            Flaw::ConsumerTwice => "Duplicate stream consumer detected.",
            Flaw::NotPending => "Consumer entry not found in group global PEL",
            Flaw::OwnedTwice => "Duplicated consumer PEL entry  loading a stream consumer group",
            Flaw::OutOfPlace => "Stream data out of place",
        })
    }
}

impl std::error::Error for Flaw {}

/// The counters that follow the nodes.
#[derive(Debug, Clone, Copy)]
pub struct Counters {
    pub length: u64,
    pub last_id: StreamId,
    /// Types 19 and 21 only: the first id, the greatest deleted id, the entries ever added.
    pub more: Option<(StreamId, StreamId, u64)>,
}

/// A stream on its way in. Calls in the order of the file: [`Loader::node`]s, [`Loader::counters`], and then for
/// each [`Loader::group`] its [`Loader::pending`] entries and each [`Loader::consumer`] with what it
/// [`Loader::owns`].
#[derive(Debug, Default)]
pub struct Loader {
    stream: Stream,
    unsorted: bool,
    strict: bool,
    salvage: bool,
    group: Option<Group>,
    consumer: Option<ConsumerId>,
}

impl Loader {
    pub fn new() -> Loader {
        Loader::default()
    }

    /// Refuses what is taken otherwise because it shows in nothing but wrong numbers: an entry with another number of
    /// pieces than it says, a node with another number of entries, a master entry without its end.
    pub fn strict(self, strict: bool) -> Loader {
        Loader { strict, ..self }
    }

    /// Takes of a damaged node the entries before the damage. It may be none.
    pub fn salvage(self, salvage: bool) -> Loader {
        Loader { salvage, ..self }
    }

    /// A node: its key (16 bytes) and its listpack.
    pub fn node(&mut self, key: &[u8], listpack: &[u8]) -> Result<(), Flaw> {
        let key = StreamId::from_bytes(key.try_into().map_err(|_| Flaw::NodeKey)?);
        let pack = match checked(listpack, self.strict) {
            Err(flaw @ Flaw::Node(_)) if self.salvage => salvaged(listpack).ok_or(flaw)?,
            checked => checked?,
        };
        let nodes = &mut self.stream.log.nodes;
        if nodes.capacity() == 0 {
            nodes.reserve_exact(1);
        }
        match nodes.back().map(|last| last.key.cmp(&key)) {
            Some(std::cmp::Ordering::Equal) => return Err(Flaw::NodeTwice),
            Some(std::cmp::Ordering::Greater) => self.unsorted = true,
            _ => {}
        }
        nodes.push_back(Node { key, pack });
        Ok(())
    }

    /// The counters, after the last node.
    pub fn counters(&mut self, counters: Counters) -> Result<(), Flaw> {
        self.sort_nodes()?;
        let log = &mut self.stream.log;
        if counters.length > 0 && log.nodes.is_empty() {
            return Err(Flaw::LengthWithoutNodes);
        }
        (log.length, log.last_id) = (counters.length, counters.last_id);
        (log.first_id, log.max_deleted, log.entries_added) = match counters.more {
            Some(more) => more,
            None => (log.edge(false, false).unwrap_or(StreamId::MAX), StreamId::MIN, counters.length),
        };
        Ok(())
    }

    fn sort_nodes(&mut self) -> Result<(), Flaw> {
        let nodes = self.stream.log.nodes.make_contiguous();
        if self.unsorted {
            nodes.sort_by_key(Node::key);
        }
        let twice = self.unsorted && nodes.windows(2).any(|pair| pair[0].key == pair[1].key);
        if twice { Err(Flaw::NodeTwice) } else { Ok(()) }
    }

    /// Begins a group. `entries_read`: types 19 and 21 only, there as in the file.
    pub fn group(&mut self, name: &[u8], last_id: StreamId, entries_read: Option<u64>) -> Result<(), Flaw> {
        self.end_group()?;
        if self.stream.groups.get(name).is_some() {
            return Err(Flaw::GroupTwice(name.to_vec()));
        }
        let log = &self.stream.log;
        let entries_read =
            entries_read.map_or_else(|| log.estimate_entries_read(last_id), |read| read as i64);
        self.group = Some(Group::new(name, last_id, entries_read));
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), Flaw> {
        self.consumer = None;
        let Some(group) = self.group.take() else { return Ok(()) };
        let name = group.name().to_vec();
        if self.stream.groups.add(group) { Ok(()) } else { Err(Flaw::GroupTwice(name)) }
    }

    /// An entry that is pending in the group.
    pub fn pending(&mut self, id: StreamId, delivery_time_ms: i64, delivery_count: u64) -> Result<(), Flaw> {
        let group = self.group.as_mut().ok_or(Flaw::OutOfPlace)?;
        let nack = Nack { id, delivery_time_ms, delivery_count, consumer: None };
        if group.load_nack(nack) { Ok(()) } else { Err(Flaw::PendingTwice) }
    }

    /// Begins a consumer of the group. `active_ms`: type 21 only; before, it is taken to be `seen_ms`.
    pub fn consumer(&mut self, name: &[u8], seen_ms: i64, active_ms: Option<i64>) -> Result<(), Flaw> {
        let group = self.group.as_mut().ok_or(Flaw::OutOfPlace)?;
        let (id, new) = group.create_consumer(name, seen_ms);
        if !new {
            return Err(Flaw::ConsumerTwice);
        }
        if let Some(consumer) = group.consumer_mut(id) {
            consumer.active_ms = active_ms.unwrap_or(seen_ms);
        }
        self.consumer = Some(id);
        Ok(())
    }

    /// An entry that is pending for the consumer.
    pub fn owns(&mut self, id: StreamId) -> Result<(), Flaw> {
        let (Some(group), Some(consumer)) = (&mut self.group, self.consumer) else {
            return Err(Flaw::OutOfPlace);
        };
        group.load_owner(id, consumer).map_err(|error| match error {
            OwnerError::NotPending => Flaw::NotPending,
            OwnerError::Twice => Flaw::OwnedTwice,
        })
    }

    /// The stream.
    pub fn finish(mut self) -> Result<Stream, Flaw> {
        self.end_group()?;
        Ok(self.stream)
    }
}

/// A node's listpack: such that nothing that reads it can fail. See [`Loader::strict`].
fn checked(bytes: &[u8], strict: bool) -> Result<Listpack, Flaw> {
    let pack = match Listpack::from_bytes(bytes) {
        Ok(pack) => pack,
        Err(_) => reframed(bytes)?,
    };
    if pack.is_empty() {
        return Err(Flaw::EmptyNode);
    }
    let mut exact = true;
    let counted = walk(&pack, |_, right| exact &= right);
    let counted = counted.map_err(|_| Flaw::Node("an entry ends too early, or is not one"))?;
    if strict && !(exact && counted) {
        return Err(Flaw::Node("a number that is not true"));
    }
    if exact {
        return Ok(pack);
    }
    let mut elements = Vec::new();
    walk(&pack, |element, _| elements.push(element)).map_err(|_| Flaw::Node("unreadable"))?;
    let mut mended = Listpack::new();
    mended.append_many(elements.into_iter());
    Ok(mended)
}

/// What can be read of a node: its master entry and the whole entries behind it.
fn salvaged(bytes: &[u8]) -> Option<Listpack> {
    let pack = Listpack::readable(bytes)?;
    let damage = match walk(&pack, |_, _| ()) {
        Ok(_) => None,
        Err(Stumble::Entry(at)) => Some(at),
        Err(Stumble::Master) => return None,
    };
    let mut rest = pack.iter();
    let mut kept = Vec::new();
    while rest.pos() != damage {
        kept.extend(rest.next());
    }
    let mut whole = Listpack::new();
    whole.append_many(kept.into_iter());
    checked(whole.as_bytes(), false).ok()
}

/// A listpack whose header states its length, and which has an end, but whose count of elements is wrong, or
/// which has another end before: the real server stops at the first.
fn reframed(bytes: &[u8]) -> Result<Listpack, Flaw> {
    const UNCOUNTED: [u8; 2] = [0xFF; 2];
    const END: u8 = 0xFF;
    let total = bytes.first_chunk().map(|total| u32::from_le_bytes(*total) as usize);
    if bytes.len() < 7 || total != Some(bytes.len()) || bytes.last() != Some(&END) {
        return Err(Flaw::Node("the header states another length, or there is no end"));
    }
    let mut bytes = bytes.to_vec();
    bytes[4..6].copy_from_slice(&UNCOUNTED);
    let corrupt = match Listpack::from_bytes(&bytes) {
        Ok(pack) => return Ok(pack),
        Err(corrupt) => corrupt,
    };
    if corrupt.offset < 6 || bytes.get(corrupt.offset) != Some(&END) {
        return Err(Flaw::Node(corrupt.reason));
    }
    bytes.truncate(corrupt.offset + 1);
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_le_bytes());
    Listpack::from_bytes(&bytes).map_err(|corrupt| Flaw::Node(corrupt.reason))
}

/// Goes through a node as the real server's iterator does. Each element goes to `take` as it should be, with
/// whether it is so. Returns whether there are as many as the master entry says.
fn walk<'a>(pack: &'a Listpack, mut take: impl FnMut(Entry<'a>, bool)) -> Result<bool, Stumble> {
    let mut rest = pack.iter();
    let (stated, names) = master(&mut rest, &mut take).ok_or(Stumble::Master)?;
    let mut entries = 0;
    while let Some(at) = rest.pos() {
        entries += 1;
        entry(&mut rest, names, &mut take).ok_or(Stumble::Entry(at))?;
    }
    Ok(stated == Some(entries))
}

/// Where the real server would have stumbled.
enum Stumble {
    Master,
    /// In the entry that begins there.
    Entry(Pos),
}

/// The entries that the master entry states, deleted ones included, and how many names it has.
fn master<'a>(rest: &mut Iter<'a>, take: &mut impl FnMut(Entry<'a>, bool)) -> Option<(Option<i64>, usize)> {
    let (count, deleted) = (int(rest, take)?, int(rest, take)?);
    let names = usize::try_from(int(rest, take)?).ok()?;
    copy(rest, names, take)?;
    take(Entry::Int(0), rest.next()? == Entry::Int(0));
    Some((count.checked_add(deleted), names))
}

fn entry<'a>(rest: &mut Iter<'a>, names: usize, take: &mut impl FnMut(Entry<'a>, bool)) -> Option<()> {
    let flags = int(rest, take)?;
    let (_ms, _seq) = (int(rest, take)?, int(rest, take)?);
    let (data, head) = match flags & SAME_FIELDS {
        0 => (usize::try_from(int(rest, take)?).ok()?.checked_mul(2)?, 4),
        _ => (names, 3),
    };
    copy(rest, data, take)?;
    let pieces = Entry::Int((data + head) as i64);
    take(pieces, rest.next() == Some(pieces));
    Some(())
}

fn int<'a>(rest: &mut Iter<'a>, take: &mut impl FnMut(Entry<'a>, bool)) -> Option<i64> {
    let element = rest.next()?;
    let int = element.as_int()?;
    take(element, true);
    Some(int)
}

fn copy<'a>(rest: &mut Iter<'a>, count: usize, take: &mut impl FnMut(Entry<'a>, bool)) -> Option<()> {
    for _ in 0..count {
        take(rest.next()?, true);
    }
    Some(())
}
