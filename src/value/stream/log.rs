//! The entries of a stream, and what it remembers about those it no longer has.

use super::group::{ENTRIES_READ_UNKNOWN, Group};
use super::id::StreamId;
use super::node::{Master, Node};
use super::range::{Cursor, Range, StreamEntry};
use crate::value::Limits;
use std::collections::VecDeque;

/// Bytes above which no node grows, and which the fields and values of one entry may have at most.
const MAX_NODE_BYTES: usize = 1 << 30;

/// The entries of a stream with its counters.
///
/// The counters come from files as they are: `length` need not be the number of entries that a range yields.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// Entries, not counting deleted ones.
    pub length: u64,
    /// The greatest id ever given; the next must be greater.
    pub last_id: StreamId,
    /// The first entry's id; 0-0 when there is none.
    pub first_id: StreamId,
    /// The greatest id deleted with XDEL; 0-0 if none was.
    pub max_deleted: StreamId,
    /// Entries ever added.
    pub entries_added: u64,
    pub(super) nodes: VecDeque<Node>, // keys ascend
}

/// Why an entry was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendError {
    /// The id is not greater than the last one.
    NotGreater,
    /// More than 1 GiB of fields and values.
    TooBig,
}

/// Why XSETID was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetIdError {
    /// Smaller than the greatest deleted id.
    BelowMaxDeleted,
    /// Smaller than the greatest id in the stream.
    BelowTop,
    /// Fewer entries ever added than there are.
    AddedBelowLength,
}

/// What to keep when trimming.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// This many of the newest entries.
    MaxLen(u64),
    /// The entries from this id on.
    MinId(StreamId),
}

impl Keep {
    fn is_enough(self, length: u64) -> bool {
        matches!(self, Keep::MaxLen(max) if length <= max)
    }
}

impl Log {
    // ---- reading

    /// The entries with ids from `start` to `end`, both included; `rev`: the last one first.
    pub fn range(&self, start: StreamId, end: StreamId, rev: bool) -> Range<'_> {
        Range::new(self, start, end, rev)
    }

    /// All entries in order.
    pub fn iter(&self) -> Range<'_> {
        self.range(StreamId::MIN, StreamId::MAX, false)
    }

    /// The entry of an id.
    pub fn get(&self, id: StreamId) -> Option<StreamEntry<'_>> {
        self.range(id, id, false).next()
    }

    /// Whether there is an entry of this id.
    pub fn contains(&self, id: StreamId) -> bool {
        self.get(id).is_some()
    }

    /// The first entry's id, or the last one's; with `tombstones` deleted ones count that still take room.
    pub fn edge(&self, last: bool, tombstones: bool) -> Option<StreamId> {
        let mut cursor = Cursor::new(self, StreamId::MIN, StreamId::MAX, last, tombstones);
        cursor.next(self).map(|found| found.slot.id)
    }

    /// The nodes, for the writer of a file.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// The last node whose key is not greater than `id`; the first if all are.
    pub(super) fn node_for(&self, id: StreamId) -> Option<usize> {
        if self.nodes.is_empty() {
            return None;
        }
        Some(self.nodes.partition_point(|node| node.key <= id).saturating_sub(1))
    }

    /// Bytes allocated for it.
    pub fn heap_bytes(&self) -> usize {
        let packs: usize = self.nodes.iter().map(|node| node.pack.allocated()).sum();
        packs + self.nodes.capacity() * size_of::<Node>()
    }

    // ---- adding

    /// The id for XADD `*`: of this moment, or right after the last. `None`: there is none left.
    pub fn next_id(&self, now_ms: u64) -> Option<StreamId> {
        if now_ms > self.last_id.ms {
            return Some(StreamId::new(now_ms, 0));
        }
        self.last_id.next()
    }

    /// The id for XADD `ms-*`. `None`: that millisecond is full. May be smaller than the last id, which
    /// [`Log::append`] refuses.
    pub fn auto_seq(&self, ms: u64) -> Option<StreamId> {
        if ms != self.last_id.ms {
            return Some(StreamId::new(ms, 0));
        }
        Some(StreamId::new(ms, self.last_id.seq.checked_add(1)?))
    }

    /// Adds an entry; `fields` yields fields and values in turn.
    pub fn append<'a, I>(&mut self, id: StreamId, fields: I, limits: &Limits) -> Result<(), AppendError>
    where
        I: IntoIterator<Item = &'a [u8]>,
        I::IntoIter: Clone,
    {
        if id <= self.last_id {
            return Err(AppendError::NotGreater);
        }
        let fields = fields.into_iter();
        let (bytes, pieces) = fields.clone().fold((0, 0), |(bytes, n), piece| (bytes + piece.len(), n + 1));
        if bytes > MAX_NODE_BYTES {
            return Err(AppendError::TooBig);
        }
        let last = self.nodes.back_mut().map(|node| (node.master(), node));
        match last.filter(|(master, node)| !is_full(node, *master, bytes, limits)) {
            Some((master, node)) => node.push(id, fields, pieces / 2, master),
            None => self.push_node(Node::new(id, fields, pieces / 2)),
        }
        self.length = self.length.wrapping_add(1);
        self.entries_added = self.entries_added.wrapping_add(1);
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
        Ok(())
    }

    pub(super) fn push_node(&mut self, node: Node) {
        if self.nodes.capacity() == 0 {
            self.nodes.reserve_exact(1); // most streams are short
        }
        // An odd file may have nodes with keys beyond the last id: keys ascend nevertheless, and none is there
        // twice (the real server's tree then drops the old one).
        let at = self.nodes.partition_point(|have| have.key < node.key);
        match self.nodes.get_mut(at).filter(|have| have.key == node.key) {
            Some(have) => *have = node,
            None => self.nodes.insert(at, node),
        }
    }

    // ---- removing

    /// Removes an entry; whether it was there.
    pub fn delete(&mut self, id: StreamId) -> bool {
        let Some(found) = Cursor::new(self, id, id, false, false).next(self) else { return false };
        if found.master.count == 1 {
            self.nodes.remove(found.node);
        } else {
            let node = &mut self.nodes[found.node];
            node.mark_deleted(&found.slot);
            node.set_count(found.master.count.wrapping_sub(1));
            node.set_deleted(found.master.deleted.wrapping_add(1));
        }
        self.length = self.length.saturating_sub(1);
        self.max_deleted = self.max_deleted.max(id);
        if self.length == 0 || id == self.first_id {
            self.find_first_id();
        }
        true
    }

    /// Removes old entries; how many. `approx`: only whole nodes. `limit`: not more than so many; 0: no limit.
    pub fn trim(&mut self, keep: Keep, approx: bool, limit: u64) -> u64 {
        let mut removed = 0u64;
        while let Some(node) = self.nodes.front() {
            let entries = node.master().count.max(0) as u64; // odd nodes state negative numbers
            let too_much = limit != 0 && removed.saturating_add(entries) > limit;
            if keep.is_enough(self.length) || too_much {
                break;
            }
            if self.whole_node_goes(node, entries, keep) {
                self.nodes.pop_front();
                self.length = self.length.saturating_sub(entries);
                removed = removed.saturating_add(entries);
                continue;
            }
            if !approx {
                removed += self.trim_first_node(keep);
            }
            break;
        }
        if removed > 0 || self.length == 0 {
            self.find_first_id();
        }
        self.give_back();
        removed
    }

    fn whole_node_goes(&self, node: &Node, entries: u64, keep: Keep) -> bool {
        match keep {
            Keep::MaxLen(max) => self.length.checked_sub(entries).is_none_or(|length| length >= max),
            Keep::MinId(min) => node.last_slot().map_or(StreamId::MIN, |slot| slot.id) < min,
        }
    }

    /// Marks entries of the first node as deleted; how many.
    fn trim_first_node(&mut self, keep: Keep) -> u64 {
        let Some(node) = self.nodes.front_mut() else { return 0 };
        let master = node.master();
        let (mut at, mut removed) = (node.first_at(master), 0);
        while let Some(here) = at {
            let slot = node.slot(master, here);
            let stop = match keep {
                Keep::MaxLen(_) => keep.is_enough(self.length),
                Keep::MinId(min) => slot.id >= min,
            };
            if stop {
                break;
            }
            if !slot.is_deleted() {
                node.mark_deleted(&slot);
                self.length = self.length.saturating_sub(1);
                removed += 1;
            }
            at = node.after(&node.slot(master, here)); // anew: marking may have moved what follows
        }
        node.set_count(master.count.wrapping_sub(removed));
        node.set_deleted(master.deleted.wrapping_add(removed));
        removed as u64
    }

    /// Sets `first_id` to the first entry's.
    pub fn find_first_id(&mut self) {
        self.first_id = match self.length {
            0 => StreamId::MIN,
            _ => self.edge(false, false).unwrap_or(StreamId::MAX), // what Redis says when the length lies
        };
    }

    /// Gives memory back after much was removed.
    fn give_back(&mut self) {
        if self.nodes.len() < self.nodes.capacity() / 4 {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }

    // ---- counters

    /// XSETID: the last id, and perhaps the number of entries ever added and the greatest deleted id.
    pub fn set_id(
        &mut self,
        id: StreamId,
        entries_added: Option<u64>,
        max_deleted: Option<StreamId>,
    ) -> Result<(), SetIdError> {
        if id < self.max_deleted {
            return Err(SetIdError::BelowMaxDeleted);
        }
        if self.length > 0 {
            if self.edge(true, false).is_some_and(|top| id < top) {
                return Err(SetIdError::BelowTop);
            }
            if entries_added.is_some_and(|added| added < self.length) {
                return Err(SetIdError::AddedBelowLength);
            }
        }
        self.last_id = id;
        self.entries_added = entries_added.unwrap_or(self.entries_added);
        self.max_deleted = max_deleted.filter(|id| !id.is_zero()).unwrap_or(self.max_deleted);
        Ok(())
    }

    /// Whether something was deleted at `start` or behind it, as far as the greatest deleted id tells.
    pub fn has_tombstones_from(&self, start: StreamId) -> bool {
        self.length > 0 && !self.max_deleted.is_zero() && start <= self.max_deleted
    }

    /// How many entries were added up to `id`, itself included; [`ENTRIES_READ_UNKNOWN`] if deletions or an
    /// id somewhere in the middle make that unknowable.
    pub fn estimate_entries_read(&self, id: StreamId) -> i64 {
        let added = self.entries_added as i64;
        if self.entries_added == 0 || (self.length == 0 && id <= self.last_id) {
            return added;
        }
        if (!id.is_zero() && id < self.max_deleted) || id > self.last_id {
            return ENTRIES_READ_UNKNOWN;
        }
        if id == self.last_id {
            return added;
        }
        let unbroken = self.max_deleted.is_zero() || self.max_deleted < self.first_id;
        let before_first = added.wrapping_sub(self.length as i64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less if unbroken => before_first,
            std::cmp::Ordering::Equal if unbroken => before_first.wrapping_add(1),
            _ => ENTRIES_READ_UNKNOWN,
        }
    }

    /// How many entries the group has yet to read; `None`: not known.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        if self.entries_added == 0 || self.length == 0 {
            return Some(0);
        }
        if group.last_id < self.first_id && self.max_deleted < self.first_id {
            return Some(self.length as i64);
        }
        let counted = group.entries_read != ENTRIES_READ_UNKNOWN && !self.has_tombstones_from(group.last_id);
        let read = match counted {
            true => group.entries_read,
            false => self.estimate_entries_read(group.last_id),
        };
        let known = counted || read != ENTRIES_READ_UNKNOWN;
        known.then(|| (self.entries_added as i64).wrapping_sub(read))
    }
}

/// Whether an entry of so many bytes belongs into a new node.
fn is_full(node: &Node, master: Master, bytes: usize, limits: &Limits) -> bool {
    let max_bytes = match limits.stream_node_max_bytes {
        0 => MAX_NODE_BYTES,
        max => max.min(MAX_NODE_BYTES),
    };
    if node.pack.bytes() + bytes >= max_bytes {
        return true;
    }
    let entries = master.count.wrapping_add(master.deleted);
    limits.stream_node_max_entries != 0
        && entries >= i64::try_from(limits.stream_node_max_entries).unwrap_or(i64::MAX)
}
