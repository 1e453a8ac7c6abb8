//! A long list: a deque of nodes, each a listpack, or one element too big for one.
//!
//! Nodes lie side by side with their counts, so that finding an index walks a compact array and touches one
//! listpack only. When nodes are opened, split and merged follows Redis 8.0's `quicklist.c`, so node counts and
//! snapshots look alike. Never compresses: `list-compress-depth` is accepted by the configuration, but an
//! inner node stays as it is (a third variant of [`Node`] is the place for compressed ones).

use super::{End, Fill};
use crate::value::listpack::{Entry, Listpack, Needle, Pos};
use std::collections::VecDeque;

/// The nodes of a long list.
#[derive(Clone, Debug, Default)]
pub struct Quicklist {
    pub(super) nodes: VecDeque<Node>,
    len: usize,
}

/// Some elements of a list.
#[derive(Clone, Debug)]
pub enum Node {
    /// Elements in a listpack, never none.
    Packed {
        /// Their number.
        count: u32,
        /// The elements.
        lp: Listpack,
    },
    /// One element that is too big for a listpack.
    Plain(Box<Big>),
}

/// An element that has a node of its own.
#[derive(Clone, Debug)]
pub struct Big(Box<[u8]>);

const _: () = assert!(size_of::<Node>() == 16);

impl Node {
    fn packed(lp: Listpack) -> Node {
        let count = u32::try_from(lp.len()).expect("entries take at least two bytes of a u32");
        Node::Packed { count, lp }
    }

    fn of(element: &[u8], fill: Fill) -> Node {
        if fill.is_large(element.len()) {
            return Node::Plain(Box::new(Big(element.into())));
        }
        let mut lp = Listpack::new();
        lp.push_back(element);
        Node::Packed { count: 1, lp }
    }

    /// Number of elements.
    #[inline]
    pub fn count(&self) -> usize {
        match self {
            Node::Packed { count, .. } => *count as usize,
            Node::Plain(_) => 1,
        }
    }

    /// The blob that a snapshot holds: a listpack, or the element itself.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Node::Packed { lp, .. } => lp.as_bytes(),
            Node::Plain(big) => &big.0,
        }
    }

    /// Whether it is an element of its own, and not a listpack.
    pub fn is_plain(&self) -> bool {
        matches!(self, Node::Plain(_))
    }

    /// Bytes of memory behind the node.
    pub(super) fn memory(&self) -> usize {
        match self {
            Node::Packed { lp, .. } => lp.allocated(),
            Node::Plain(big) => size_of::<Big>() + big.0.len(),
        }
    }

    /// Whether an element of `size` bytes may go into this node. The estimate is the real server's.
    #[inline]
    fn takes(&self, size: usize, fill: Fill) -> bool {
        match self {
            Node::Packed { count, lp } => {
                !fill.is_large(size) && !fill.exceeded(lp.bytes() + size + 8, *count as usize + 1)
            }
            Node::Plain(_) => false,
        }
    }

    fn may_merge(&self, next: &Node, fill: Fill) -> bool {
        match (self, next) {
            (Node::Packed { count: a, lp: left }, Node::Packed { count: b, lp: right }) => {
                !fill.exceeded(left.bytes() + right.bytes() - 7, (a + b) as usize)
            }
            _ => false,
        }
    }

    #[inline]
    fn push(&mut self, end: End, element: &[u8]) {
        let Node::Packed { count, lp } = self else {
            unreachable!("a plain node takes nothing");
        };
        match end {
            End::Head => lp.push_front(element),
            End::Tail => lp.push_back(element),
        }
        *count += 1;
    }

    /// The element at `offset`, which is below `count()`.
    pub(super) fn get(&self, offset: usize) -> Entry<'_> {
        match self {
            Node::Packed { lp, .. } => lp.get(seek(lp, offset)),
            Node::Plain(big) => Entry::Str(&big.0),
        }
    }

    /// Offset of the first element that is `needle`.
    fn find(&self, needle: &Needle<'_>) -> Option<usize> {
        match self {
            Node::Packed { lp, .. } => lp.iter().position(|e| needle.is(e)),
            Node::Plain(big) => needle.is(Entry::Str(&big.0)).then_some(0),
        }
    }

    /// Removes `n` elements from `offset` on, but not all of them.
    fn remove(&mut self, offset: usize, n: usize) {
        if let Node::Packed { count, lp } = self {
            let pos = seek(lp, offset);
            lp.delete_range(pos, n);
            *count -= n as u32;
        }
    }

    /// Takes the elements from `offset` on into a node of their own.
    fn split_off(&mut self, offset: usize) -> Node {
        let Node::Packed { count, lp } = self else {
            unreachable!("a plain node is never split");
        };
        let tail = lp.split_off(seek(lp, offset));
        let moved = *count - offset as u32;
        *count -= moved;
        Node::Packed { count: moved, lp: tail }
    }
}

fn seek(lp: &Listpack, offset: usize) -> Pos {
    lp.seek(offset as i64).expect("an offset below the node's count")
}

impl Quicklist {
    /// A list without nodes.
    pub fn new() -> Quicklist {
        Quicklist::default()
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
            self.nodes.push_back(node);
        }
    }

    /// Adds an element as the last node, whatever its size.
    pub fn push_plain(&mut self, element: Box<[u8]>) {
        self.nodes.push_back(Node::Plain(Box::new(Big(element))));
        self.len += 1;
    }

    /// The listpack, if that is all there is.
    pub(super) fn single(&self) -> Option<&Listpack> {
        match self.nodes.front() {
            Some(Node::Packed { lp, .. }) if self.nodes.len() == 1 => Some(lp),
            _ => None,
        }
    }

    pub(super) fn take_single(&mut self) -> Option<Listpack> {
        match self.nodes.pop_front() {
            Some(Node::Packed { lp, .. }) => Some(lp),
            _ => None,
        }
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
            End::Head => self.nodes.push_front(node),
            End::Tail => self.nodes.push_back(node),
        }
    }

    pub(super) fn pop<R>(&mut self, end: End, f: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        let at = match end {
            End::Head => 0,
            End::Tail => self.nodes.len().checked_sub(1)?,
        };
        let node = self.nodes.get_mut(at)?;
        self.len -= 1;
        let result = match node {
            Node::Packed { count, lp } => {
                let pos = if end == End::Head { lp.first() } else { lp.last() };
                let pos = pos.expect("a node is never empty");
                let result = f(lp.get(pos));
                if *count > 1 {
                    lp.delete(pos);
                    *count -= 1;
                    return Some(result);
                }
                result
            }
            Node::Plain(big) => f(Entry::Str(&big.0)),
        };
        self.nodes.remove(at);
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
    }

    /// Removes up to `max` elements that are `needle`, from one end on; answers how many.
    pub(super) fn remove_matching(&mut self, needle: &Needle<'_>, from: End, max: usize) -> usize {
        let mut removed = 0;
        for i in 0..self.nodes.len() {
            let at = if from == End::Head { i } else { self.nodes.len() - 1 - i };
            removed += self.nodes[at].remove_matching(needle, from, max - removed);
            if removed == max {
                break;
            }
        }
        self.nodes.retain(|node| node.count() > 0);
        self.len -= removed;
        removed
    }

    /// Puts `element` right before or behind the one at `offset` of node `at`.
    pub(super) fn insert(&mut self, at: usize, offset: usize, after: bool, element: &[u8], fill: Fill) {
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
        let large = fill.is_large(element.len());
        match &mut self.nodes[at] {
            Node::Packed { lp, .. } if !large => lp.replace(seek(lp, offset), element),
            Node::Plain(big) if large => big.0 = element.into(),
            Node::Plain(_) => {
                self.insert_at_edge(at, true, element, fill);
                self.nodes.remove(at);
            }
            Node::Packed { .. } => self.replace_by_large(at, offset, element, fill),
        }
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
        let second = self.nodes.remove(at + 1);
        let first = &mut self.nodes[at];
        if let (Node::Packed { count, lp }, Some(Node::Packed { count: more, lp: tail })) = (first, second) {
            *lp = Listpack::merge(std::mem::take(lp), tail);
            *count += more;
        }
        true
    }
}

impl Node {
    /// Puts `element` behind the first `gap` elements.
    fn insert(&mut self, gap: usize, element: &[u8]) {
        let Node::Packed { count, lp } = self else {
            unreachable!("a plain node takes nothing");
        };
        match lp.seek(gap as i64) {
            Some(pos) => drop(lp.insert_before(pos, element)),
            None => lp.push_back(element),
        }
        *count += 1;
    }

    /// Removes up to `max` elements that are `needle`; answers how many. May leave the node without any, for
    /// the caller to drop.
    fn remove_matching(&mut self, needle: &Needle<'_>, from: End, max: usize) -> usize {
        match self {
            Node::Packed { count, lp } => {
                let gone = super::remove_in_listpack(lp, needle, from, max);
                *count -= gone as u32;
                gone
            }
            Node::Plain(big) if max > 0 && needle.is(Entry::Str(&big.0)) => {
                *self = Node::Packed { count: 0, lp: Listpack::new() };
                1
            }
            Node::Plain(_) => 0,
        }
    }
}
