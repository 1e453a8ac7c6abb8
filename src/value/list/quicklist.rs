//! A long list: a deque of nodes.
//!
//! Nodes lie side by side with their counts, so that finding an index walks a compact array and touches one
//! listpack only. When nodes are opened, split and merged follows Redis 8.0's `quicklist.c`, so node counts and
//! snapshots look alike.
//!
//! With a depth, as many nodes at each end are as they are, and those between them compressed where that is worth it.
//! As in the real server a list keeps the depth that it was made with. It is judged when nodes come and go; a change
//! within a node at an end has nothing to ask.

use super::{End, Fill, Node};
use crate::value::listpack::{Entry, Listpack, Needle};
use std::collections::VecDeque;
use std::ops::Range;

/// The nodes of a long list.
#[derive(Clone, Debug)]
pub struct Quicklist {
    pub(super) nodes: VecDeque<Node>,
    len: usize,
    /// Nodes at each end that stay uncompressed; 0: none is compressed.
    depth: u32,
}

impl Quicklist {
    /// A list without nodes, which will have `depth` uncompressed ones at each end; 0: none is compressed.
    pub fn new(depth: u32) -> Quicklist {
        Quicklist { nodes: VecDeque::new(), len: 0, depth }
    }

    /// Nodes at each end that stay uncompressed; 0: none is compressed.
    pub(super) fn depth(&self) -> u32 {
        self.depth
    }

    /// Whether inner nodes are compressed.
    pub(super) fn compresses(&self) -> bool {
        self.depth > 0
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds a whole listpack as the last node; an empty one is dropped.
    pub fn push_packed(&mut self, lp: Listpack) {
        if !lp.is_empty() {
            let node = Node::packed(lp);
            self.len += node.count();
            self.open_node(End::Tail, node);
        }
    }

    /// Adds an element as the last node, whatever its size.
    pub fn push_plain(&mut self, element: Box<[u8]>) {
        self.open_node(End::Tail, Node::plain(element));
        self.len += 1;
    }

    /// The nodes in order, for the writer of a snapshot.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Length of the listpack, if that is all there is.
    pub(super) fn single_bytes(&self) -> Option<usize> {
        let node = self.nodes.front().filter(|_| self.nodes.len() == 1)?;
        node.packed_bytes()
    }

    pub(super) fn take_single(&mut self) -> Option<Listpack> {
        self.nodes.pop_front()?.into_packed()
    }

    #[inline]
    pub(super) fn push(&mut self, end: End, element: &[u8], fill: Fill) {
        let node = match end {
            End::Head => self.nodes.front_mut(),
            End::Tail => self.nodes.back_mut(),
        };
        match node {
            Some(node) if node.takes(element.len(), fill) => node.push(end, element),
            _ => self.open_node(end, Node::of(element, fill)),
        }
        self.len += 1;
    }

    #[cold]
    fn open_node(&mut self, end: End, node: Node) {
        match end {
            End::Head => {
                self.nodes.front_mut().into_iter().for_each(Node::settle);
                self.nodes.push_front(node);
            }
            End::Tail => self.nodes.push_back(node),
        }
        self.squeeze_border(end);
    }

    /// Compresses the node that one more at `end` made an inner one.
    fn squeeze_border(&mut self, end: End) {
        let inner = self.inner();
        let at = if end == End::Head { inner.start } else { inner.end.wrapping_sub(1) };
        if self.compresses() && inner.contains(&at) {
            self.nodes[at].squeeze();
        }
    }

    /// Unpacks the node that one less at `end` made an outer one.
    fn unpack_border(&mut self, end: End) {
        let depth = self.depth as usize;
        let at = if end == End::Head { depth.checked_sub(1) } else { self.nodes.len().checked_sub(depth) };
        if let Some(node) = at.and_then(|at| self.nodes.get_mut(at)) {
            node.unpack();
        }
    }

    /// The nodes that are to be compressed.
    fn inner(&self) -> Range<usize> {
        let depth = self.depth as usize;
        depth..self.nodes.len().saturating_sub(depth)
    }

    /// After nodes between the ends came, went, or were changed: compresses those of `changed` that are inner ones, and
    /// those that may have become so, and unpacks the outer ones.
    fn settle(&mut self, changed: Range<usize>) {
        if !self.compresses() {
            return;
        }
        let (len, inner) = (self.nodes.len(), self.inner());
        // Not more than two nodes come at a time.
        let borders = [inner.start, inner.start + 1, inner.end.wrapping_sub(1), inner.end.wrapping_sub(2)];
        for at in changed.chain(borders).filter(|at| inner.contains(at)) {
            self.nodes[at].squeeze();
        }
        let outer = (0..inner.start.min(len)).chain(inner.end.min(len)..len);
        outer.for_each(|at| self.nodes[at].unpack());
    }

    pub(super) fn pop<R>(&mut self, end: End, f: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        let at = match end {
            End::Head => 0,
            End::Tail => self.nodes.len().checked_sub(1)?,
        };
        let node = self.nodes.get_mut(at)?;
        let result = node.pop(end, f);
        self.len -= 1;
        if node.count() == 0 {
            self.nodes.remove(at);
            self.unpack_border(end);
        }
        Some(result)
    }

    /// The node that holds element `index` and the element's offset in it, counted from the nearer end.
    pub(super) fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut left = index;
            for (i, node) in self.nodes.iter().enumerate() {
                match left.checked_sub(node.count()) {
                    Some(rest) => left = rest,
                    None => return Some((i, left)),
                }
            }
        } else {
            let mut left = self.len - 1 - index;
            for (i, node) in self.nodes.iter().enumerate().rev() {
                match left.checked_sub(node.count()) {
                    Some(rest) => left = rest,
                    None => return Some((i, node.count() - 1 - left)),
                }
            }
        }
        None
    }

    /// Node and offset of the first element that is `needle`.
    pub(super) fn find(&self, needle: &Needle<'_>) -> Option<(usize, usize)> {
        self.nodes.iter().enumerate().find_map(|(i, node)| Some((i, node.find(needle)?)))
    }

    /// Removes the `n` elements from `start` on, all of which are there.
    pub(super) fn remove_range(&mut self, start: usize, n: usize) {
        let Some((mut node, offset)) = self.locate(start) else {
            return;
        };
        let mut left = n;
        self.len -= n;
        if offset > 0 {
            let here = left.min(self.nodes[node].count() - offset);
            self.nodes[node].remove(offset, here);
            left -= here;
            node += 1;
        }
        let first_whole = node;
        while left > 0 && self.nodes[node].count() <= left {
            left -= self.nodes[node].count();
            node += 1;
        }
        if left > 0 {
            self.nodes[node].remove(0, left);
        }
        self.nodes.drain(first_whole..node);
        self.settle(first_whole.saturating_sub(1)..first_whole + 1);
    }

    /// Removes up to `max` elements that are `needle`, from one end on; answers how many.
    pub(super) fn remove_matching(&mut self, needle: &Needle<'_>, from: End, max: usize) -> usize {
        let (mut removed, inner) = (0, self.inner());
        for i in 0..self.nodes.len() {
            let at = if from == End::Head { i } else { self.nodes.len() - 1 - i };
            let gone = self.nodes[at].remove_matching(needle, from, max - removed);
            if gone > 0 && self.compresses() && inner.contains(&at) {
                self.nodes[at].squeeze();
            }
            removed += gone;
            if removed == max {
                break;
            }
        }
        self.nodes.retain(|node| node.count() > 0);
        self.settle(0..0);
        self.len -= removed;
        removed
    }

    /// Puts `element` right before or behind the one at `offset` of node `at`.
    pub(super) fn insert(&mut self, at: usize, offset: usize, after: bool, element: &[u8], fill: Fill) {
        self.insert_unsettled(at, offset, after, element, fill);
        self.settle(around(at));
    }

    fn insert_unsettled(&mut self, at: usize, offset: usize, after: bool, element: &[u8], fill: Fill) {
        let count = self.nodes[at].count();
        let size = element.len();
        self.len += 1;
        // The place as a gap: `gap` elements of the node stand before it.
        let gap = offset + usize::from(after);
        let at_edge = if after { gap == count } else { gap == 0 };
        if self.nodes[at].takes(size, fill) {
            return self.nodes[at].insert(gap, element);
        }
        if self.nodes[at].is_plain() || at_edge {
            return self.insert_at_edge(at, after, element, fill);
        }
        let right = self.nodes[at].split_off(gap);
        self.nodes.insert(at + 1, right);
        if fill.is_large(size) {
            self.nodes.insert(at + 1, Node::of(element, fill));
        } else if after {
            self.nodes[at + 1].push(End::Head, element);
            self.merge_around(at, fill);
        } else {
            self.nodes[at].push(End::Tail, element);
            self.merge_around(at + 1, fill);
        }
    }

    /// Puts `element` next to node `at`, which takes it not: into the neighbour if that has room.
    fn insert_at_edge(&mut self, at: usize, after: bool, element: &[u8], fill: Fill) {
        let neighbour = if after { Some(at + 1) } else { at.checked_sub(1) };
        let room = neighbour.and_then(|i| self.nodes.get_mut(i)).filter(|n| n.takes(element.len(), fill));
        match room {
            Some(node) => node.push(if after { End::Head } else { End::Tail }, element),
            None => self.nodes.insert(at + usize::from(after), Node::of(element, fill)),
        }
    }

    /// Puts `element` in the place of the one at `offset` of node `at`.
    pub(super) fn replace(&mut self, at: usize, offset: usize, element: &[u8], fill: Fill) {
        self.replace_unsettled(at, offset, element, fill);
        self.settle(around(at));
    }

    fn replace_unsettled(&mut self, at: usize, offset: usize, element: &[u8], fill: Fill) {
        if self.nodes[at].replace(offset, element, fill) {
            return;
        }
        if !self.nodes[at].is_plain() {
            return self.replace_by_large(at, offset, element, fill);
        }
        self.insert_at_edge(at, true, element, fill);
        self.nodes.remove(at);
    }

    fn replace_by_large(&mut self, at: usize, offset: usize, element: &[u8], fill: Fill) {
        let count = self.nodes[at].count();
        if offset + 1 < count {
            let right = self.nodes[at].split_off(offset + 1);
            self.nodes.insert(at + 1, right);
        }
        self.nodes.insert(at + 1, Node::of(element, fill));
        if offset == 0 {
            self.nodes.remove(at);
        } else {
            self.nodes[at].remove(offset, 1);
            self.merge_around(at + 1, fill);
        }
    }

    /// Merges the neighbours of node `at` with theirs and with it, where the limits allow.
    fn merge_around(&mut self, at: usize, fill: Fill) {
        let mut at = at;
        if at >= 2 && self.merge(at - 2, fill) {
            at -= 1;
        }
        self.merge(at + 1, fill);
        if at >= 1 && self.merge(at - 1, fill) {
            at -= 1;
        }
        self.merge(at, fill);
    }

    /// Merges node `at` with the one behind it, if there is one and both fit into one.
    fn merge(&mut self, at: usize, fill: Fill) -> bool {
        let (Some(a), Some(b)) = (self.nodes.get(at), self.nodes.get(at + 1)) else {
            return false;
        };
        if !a.may_merge(b, fill) {
            return false;
        }
        if let Some(second) = self.nodes.remove(at + 1) {
            self.nodes[at].merge(second);
        }
        true
    }
}

/// The nodes that a change at node `at` may split, merge or put an element into.
fn around(at: usize) -> Range<usize> {
    at.saturating_sub(3)..at + 4
}
