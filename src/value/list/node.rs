//! A node of a long list: a listpack with its count, or one big element.
//!
//! Pushing and popping at the head would move the whole listpack each time. So a node may carry a gap of dead
//! bytes before its first element, into which elements are pushed and popped; every other change closes it
//! first, and so does whoever wants the bytes. It never changes what is in which node.

use super::{End, Fill};
use crate::value::listpack::{self, Entry, Listpack, Needle, Pos};
use std::borrow::Cow;

/// Some elements of a list.
#[derive(Clone, Debug)]
pub struct Node(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Packed(Packed),
    Plain(Box<Big>),
}

/// Elements in a listpack.
#[derive(Clone, Debug)]
struct Packed {
    lp: Listpack,
    count: u32,
    /// Dead bytes before the first element.
    gap: u16,
}

/// An element that has a node of its own.
#[derive(Clone, Debug)]
struct Big(Box<[u8]>);

const _: () = assert!(size_of::<Node>() == 16);

/// Bytes of elements from which a gap is worth its trouble.
const WORTH_A_GAP: usize = 512;
/// Bytes a gap is opened by, and twice that is as long as it gets.
const GAP: usize = 512;

impl Packed {
    /// Bytes of the listpack without the gap.
    #[inline]
    fn bytes(&self) -> usize {
        self.lp.bytes() - usize::from(self.gap)
    }

    /// The listpack, whole.
    #[inline]
    fn whole(&mut self) -> &mut Listpack {
        if self.gap > 0 {
            self.lp.close_gap(usize::from(self.gap));
            self.gap = 0;
        }
        &mut self.lp
    }

    fn push_front(&mut self, element: &[u8]) {
        let needed = element.len() + 16;
        if usize::from(self.gap) < needed {
            if self.bytes() < WORTH_A_GAP || needed > GAP {
                return self.whole().push_front(element);
            }
            self.lp.open_gap(GAP);
            self.gap += GAP as u16;
        }
        let left = self.lp.push_into_gap(usize::from(self.gap), Entry::Str(element));
        self.gap = left.expect("the gap has room for any encoding") as u16;
    }

    /// Removes the first element.
    fn drop_front(&mut self) {
        let gap = usize::from(self.gap) + self.lp.pop_into_gap(usize::from(self.gap));
        if gap > 2 * GAP || self.lp.bytes() - gap < WORTH_A_GAP {
            self.lp.close_gap(gap);
            self.gap = 0;
        } else {
            self.gap = gap as u16;
        }
    }

    fn iter(&self) -> listpack::Iter<'_> {
        self.lp.iter_behind(usize::from(self.gap))
    }

    /// The elements from `offset` on, or up to and with it.
    fn iter_at(&self, offset: usize, backward: bool) -> listpack::Iter<'_> {
        if self.gap == 0 {
            let pos = seek(&self.lp, offset);
            return if backward { self.lp.iter_upto(pos) } else { self.lp.iter_from(pos) };
        }
        let mut iter = self.iter();
        let skip = if backward { self.count as usize - 1 - offset } else { offset };
        for _ in 0..skip {
            let _ = if backward { iter.next_back() } else { iter.next() };
        }
        iter
    }
}

fn seek(lp: &Listpack, offset: usize) -> Pos {
    lp.seek(offset as i64).expect("an offset below the node's count")
}

impl Node {
    /// A node of a whole listpack.
    pub(super) fn packed(lp: Listpack) -> Node {
        let count = u32::try_from(lp.len()).expect("entries take at least two bytes of a u32");
        Node(Kind::Packed(Packed { lp, count, gap: 0 }))
    }

    /// A node for one element, whatever its size.
    pub(super) fn plain(element: Box<[u8]>) -> Node {
        Node(Kind::Plain(Box::new(Big(element))))
    }

    /// A node for one element.
    pub(super) fn of(element: &[u8], fill: Fill) -> Node {
        if fill.is_large(element.len()) {
            return Node::plain(element.into());
        }
        let mut lp = Listpack::new();
        lp.push_back(element);
        Node(Kind::Packed(Packed { lp, count: 1, gap: 0 }))
    }

    /// Number of elements.
    #[inline]
    pub fn count(&self) -> usize {
        match &self.0 {
            Kind::Packed(packed) => packed.count as usize,
            Kind::Plain(_) => 1,
        }
    }

    /// The blob that a snapshot holds: a listpack, or the element itself.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Kind::Packed(Packed { lp, gap: 0, .. }) => Cow::Borrowed(lp.as_bytes()),
            Kind::Packed(packed) => Cow::Owned(packed.lp.bytes_without(usize::from(packed.gap))),
            Kind::Plain(big) => Cow::Borrowed(&big.0),
        }
    }

    /// Whether it is an element of its own, and not a listpack.
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Kind::Plain(_))
    }

    /// Bytes of memory behind the node.
    pub(super) fn memory(&self) -> usize {
        match &self.0 {
            Kind::Packed(packed) => packed.lp.allocated(),
            Kind::Plain(big) => size_of::<Big>() + big.0.len(),
        }
    }

    /// Length of the listpack, if it is one.
    pub(super) fn packed_bytes(&self) -> Option<usize> {
        match &self.0 {
            Kind::Packed(packed) => Some(packed.bytes()),
            Kind::Plain(_) => None,
        }
    }

    /// The listpack, if it is one.
    pub(super) fn into_packed(self) -> Option<Listpack> {
        match self.0 {
            Kind::Packed(mut packed) => Some(std::mem::take(packed.whole())),
            Kind::Plain(_) => None,
        }
    }

    /// Whether an element of `size` bytes may go into this node. The estimate is the real server's.
    #[inline]
    pub(super) fn takes(&self, size: usize, fill: Fill) -> bool {
        match &self.0 {
            Kind::Packed(packed) => {
                !fill.is_large(size) && !fill.exceeded(packed.bytes() + size + 8, packed.count as usize + 1)
            }
            Kind::Plain(_) => false,
        }
    }

    pub(super) fn may_merge(&self, next: &Node, fill: Fill) -> bool {
        match (&self.0, &next.0) {
            (Kind::Packed(a), Kind::Packed(b)) => {
                !fill.exceeded(a.bytes() + b.bytes() - 7, (a.count + b.count) as usize)
            }
            _ => false,
        }
    }

    /// Adds all elements of `next`; both are listpacks.
    pub(super) fn merge(&mut self, next: Node) {
        if let (Kind::Packed(a), Kind::Packed(mut b)) = (&mut self.0, next.0) {
            a.lp = Listpack::merge(std::mem::take(a.whole()), std::mem::take(b.whole()));
            a.count += b.count;
        }
    }

    /// Closes the gap of a node that is the head no more.
    pub(super) fn settle(&mut self) {
        if let Kind::Packed(packed) = &mut self.0 {
            packed.whole();
        }
    }

    /// Adds an element that the node [takes](Node::takes) at an end.
    #[inline]
    pub(super) fn push(&mut self, end: End, element: &[u8]) {
        let packed = self.expect_packed();
        match end {
            End::Head => packed.push_front(element),
            // Does not see the gap.
            End::Tail => packed.lp.push_back(element),
        }
        packed.count += 1;
    }

    /// Shows the element at an end to `f` and removes it. May leave the node without any, for the caller to drop.
    #[inline]
    pub(super) fn pop<R>(&mut self, end: End, f: impl FnOnce(Entry<'_>) -> R) -> R {
        let packed = match &mut self.0 {
            Kind::Packed(packed) => packed,
            Kind::Plain(big) => {
                let result = f(Entry::Str(&big.0));
                *self = Node::packed(Listpack::new());
                return result;
            }
        };
        packed.count -= 1;
        if end == End::Head {
            let result = f(packed.iter().next().expect("a node is never empty"));
            packed.drop_front();
            return result;
        }
        let pos = packed.lp.last().expect("a node is never empty");
        let result = f(packed.lp.get(pos));
        packed.lp.delete(pos);
        result
    }

    /// The element at `offset`, which is below `count()`.
    pub(super) fn get(&self, offset: usize) -> Entry<'_> {
        match &self.0 {
            Kind::Packed(packed) => packed.iter_at(offset, false).next().expect("an offset below the count"),
            Kind::Plain(big) => Entry::Str(&big.0),
        }
    }

    /// All elements, if they are in a listpack, or the one that is not.
    pub(super) fn elements(&self) -> Result<listpack::Iter<'_>, &[u8]> {
        match &self.0 {
            Kind::Packed(packed) => Ok(packed.iter()),
            Kind::Plain(big) => Err(&big.0),
        }
    }

    /// The same from `offset` on, or up to and with it.
    pub(super) fn elements_at(&self, offset: usize, backward: bool) -> Result<listpack::Iter<'_>, &[u8]> {
        match &self.0 {
            Kind::Packed(packed) => Ok(packed.iter_at(offset, backward)),
            Kind::Plain(big) => Err(&big.0),
        }
    }

    /// Offset of the first element that is `needle`.
    pub(super) fn find(&self, needle: &Needle<'_>) -> Option<usize> {
        match &self.0 {
            Kind::Packed(packed) => packed.iter().position(|e| needle.is(e)),
            Kind::Plain(big) => needle.is(Entry::Str(&big.0)).then_some(0),
        }
    }

    /// Puts `element` behind the first `offset` elements of a node that [takes](Node::takes) it.
    pub(super) fn insert(&mut self, offset: usize, element: &[u8]) {
        let packed = self.expect_packed();
        packed.count += 1;
        let lp = packed.whole();
        match lp.seek(offset as i64) {
            Some(pos) => drop(lp.insert_before(pos, element)),
            None => lp.push_back(element),
        }
    }

    /// Puts `element` in the place of the one at `offset`, if it fits the kind of node; whether it did.
    pub(super) fn replace(&mut self, offset: usize, element: &[u8], fill: Fill) -> bool {
        let large = fill.is_large(element.len());
        match &mut self.0 {
            Kind::Packed(packed) if !large => {
                let lp = packed.whole();
                lp.replace(seek(lp, offset), element);
                true
            }
            Kind::Plain(big) if large => {
                big.0 = element.into();
                true
            }
            _ => false,
        }
    }

    /// Removes `n` elements from `offset` on, but not all of them.
    pub(super) fn remove(&mut self, offset: usize, n: usize) {
        if let Kind::Packed(packed) = &mut self.0 {
            let lp = packed.whole();
            lp.delete_range(seek(lp, offset), n);
            packed.count -= n as u32;
        }
    }

    /// Removes up to `max` elements that are `needle`; answers how many. May leave the node without any, for
    /// the caller to drop.
    pub(super) fn remove_matching(&mut self, needle: &Needle<'_>, from: End, max: usize) -> usize {
        match &mut self.0 {
            Kind::Packed(packed) => {
                let gone = super::remove_in_listpack(packed.whole(), needle, from, max);
                packed.count -= gone as u32;
                gone
            }
            Kind::Plain(big) if max > 0 && needle.is(Entry::Str(&big.0)) => {
                *self = Node::packed(Listpack::new());
                1
            }
            Kind::Plain(_) => 0,
        }
    }

    /// Takes the elements from `offset` on into a node of their own.
    pub(super) fn split_off(&mut self, offset: usize) -> Node {
        let packed = self.expect_packed();
        let lp = packed.whole();
        let tail = lp.split_off(seek(lp, offset));
        let count = packed.count - offset as u32;
        packed.count -= count;
        Node(Kind::Packed(Packed { lp: tail, count, gap: 0 }))
    }

    #[inline]
    fn expect_packed(&mut self) -> &mut Packed {
        match &mut self.0 {
            Kind::Packed(packed) => packed,
            Kind::Plain(_) => unreachable!("a plain node takes nothing and is never split"),
        }
    }
}
