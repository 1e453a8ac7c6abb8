//! Walking over entries, in both directions.
//!
//! Forwards this does what the real server's iterator does, also where the ids of an odd node do not ascend:
//! it starts in the node that could hold the start, takes what is not below it, and ends at the first id
//! beyond the end.

use super::id::StreamId;
use super::log::Log;
use super::node::{Fields, Master, Node, Slot};
use crate::value::listpack::Pos;

/// An entry, borrowed from the stream.
#[derive(Clone)]
pub struct StreamEntry<'a> {
    pub id: StreamId,
    /// Fields and values in order; knows its length.
    pub fields: Fields<'a>,
}

/// The entries within a range of ids; `Iterator`.
#[derive(Clone)]
pub struct Range<'a> {
    log: &'a Log,
    cursor: Cursor,
}

impl<'a> Range<'a> {
    pub(super) fn new(log: &'a Log, start: StreamId, end: StreamId, rev: bool) -> Range<'a> {
        Range { log, cursor: Cursor::new(log, start, end, rev, false) }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = StreamEntry<'a>;

    #[inline]
    fn next(&mut self) -> Option<StreamEntry<'a>> {
        let found = self.cursor.next(self.log)?;
        let fields = self.log.nodes[found.node].fields(found.master, &found.slot);
        Some(StreamEntry { id: found.slot.id, fields })
    }
}

/// Where a walk is, without a hold on the stream.
#[derive(Clone)]
pub(super) struct Cursor {
    start: StreamId,
    end: StreamId,
    rev: bool,
    tombstones: bool,
    /// The node to look at next, once `here` is through.
    node: Option<usize>,
    here: Option<Here>,
}

/// The place within a node: the next entry's flags, or going back its `pieces`.
#[derive(Clone, Copy)]
struct Here {
    node: usize,
    master: Master,
    at: Option<Pos>,
}

/// An entry that a walk came to.
pub(super) struct Found {
    pub node: usize,
    pub master: Master,
    pub slot: Slot,
}

impl Cursor {
    /// `tombstones`: stop at deleted entries as well.
    pub fn new(log: &Log, start: StreamId, end: StreamId, rev: bool, tombstones: bool) -> Cursor {
        let node = log.node_for(if rev { end } else { start });
        Cursor { start, end, rev, tombstones, node, here: None }
    }

    pub fn next(&mut self, log: &Log) -> Option<Found> {
        loop {
            let here = match self.here {
                Some(here) => here,
                None => self.enter(log)?,
            };
            let Some(slot) = self.step(&log.nodes[here.node], here) else {
                self.here = None;
                continue;
            };
            let wanted = self.tombstones || !slot.is_deleted();
            let (reached, beyond) = match self.rev {
                false => (slot.id >= self.start, slot.id > self.end),
                true => (slot.id <= self.end, slot.id < self.start),
            };
            if wanted && reached && beyond {
                (self.node, self.here) = (None, Some(Here { at: None, ..here }));
                return None;
            }
            if wanted && reached {
                return Some(Found { node: here.node, master: here.master, slot });
            }
        }
    }

    /// Goes to the next node.
    fn enter(&mut self, log: &Log) -> Option<Here> {
        let node = self.node.filter(|&node| node < log.nodes.len())?;
        self.node = if self.rev { node.checked_sub(1) } else { Some(node + 1) };
        let master = log.nodes[node].master();
        let at = match self.rev {
            false => log.nodes[node].first_at(master),
            true => log.nodes[node].last_at(),
        };
        let here = Here { node, master, at };
        self.here = Some(here);
        Some(here)
    }

    /// The next entry of the node; `None` at its end.
    fn step(&mut self, node: &Node, here: Here) -> Option<Slot> {
        let at = if self.rev { node.start_of(here.at?)? } else { here.at? };
        let slot = node.slot(here.master, at);
        let at = if self.rev { node.before(&slot) } else { node.after(&slot) };
        self.here = Some(Here { at, ..here });
        Some(slot)
    }
}
