//! A node of a long list: a listpack with its count, one big element, or either of them compressed.
//!
//! Pushing and popping at the head would move the whole listpack each time. So a node may carry a gap of dead
//! bytes before its first element, into which elements are pushed and popped; every other change closes it
//! first, and so does whoever wants the bytes. It never changes what is in which node.
//!
//! A compressed node is unpacked by whatever changes it, and stays so until the list compresses it again; reading
//! leaves it as it is.

use super::squeezed::Squeezed;
use super::{End, Fill};
use crate::value::listpack::{self, Entry, Listpack, Needle, Pos};
use std::borrow::Cow;
use std::ops::ControlFlow;

/// Some elements of a list.
#[derive(Clone, Debug)]
pub struct Node(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Packed(Packed),
    /// Behind a pointer, so that a node is two words.
    Rare(Box<Rare>),
}

#[derive(Clone, Debug)]
enum Rare {
    /// An element that has a node of its own.
    Plain(Box<[u8]>),
    Squeezed(Squeezed),
}

/// Elements in a listpack.
#[derive(Clone, Debug)]
struct Packed {
    lp: Listpack,
    count: u32,
    /// Dead bytes before the first element.
    gap: u16,
}

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

    /// The elements from `offset` on.
    fn iter_from(&self, offset: usize) -> listpack::Iter<'_> {
        if self.gap == 0 && offset > 0 {
            return self.lp.iter_from(seek(&self.lp, offset));
        }
        let mut iter = self.iter();
        iter.by_ref().take(offset).for_each(drop);
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
        Node::rare(Rare::Plain(element))
    }

    fn rare(rare: Rare) -> Node {
        Node(Kind::Rare(Box::new(rare)))
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
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(_) => 1,
                Rare::Squeezed(squeezed) => squeezed.count(),
            },
        }
    }

    /// The blob that a snapshot holds: a listpack, or the element itself.
    pub fn bytes(&self) -> Cow<'_, [u8]> {
        match &self.0 {
            Kind::Packed(Packed { lp, gap: 0, .. }) => Cow::Borrowed(lp.as_bytes()),
            Kind::Packed(packed) => Cow::Owned(packed.lp.bytes_without(usize::from(packed.gap))),
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(element) => Cow::Borrowed(element),
                Rare::Squeezed(squeezed) => Cow::Owned(squeezed.unpacked()),
            },
        }
    }

    /// Length of that blob.
    pub(super) fn len(&self) -> usize {
        match &self.0 {
            Kind::Packed(packed) => packed.bytes(),
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(element) => element.len(),
                Rare::Squeezed(squeezed) => squeezed.bytes(),
            },
        }
    }

    /// Whether it is an element of its own, and not a listpack.
    pub fn is_plain(&self) -> bool {
        match &self.0 {
            Kind::Packed(_) => false,
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(_) => true,
                Rare::Squeezed(squeezed) => squeezed.is_plain(),
            },
        }
    }

    /// Bytes of memory behind the node.
    pub(super) fn memory(&self) -> usize {
        match &self.0 {
            Kind::Packed(packed) => packed.lp.allocated(),
            Kind::Rare(rare) => {
                size_of::<Rare>()
                    + match &**rare {
                        Rare::Plain(element) => element.len(),
                        Rare::Squeezed(squeezed) => squeezed.memory(),
                    }
            }
        }
    }

    /// Compresses the node, if that gains enough.
    pub(super) fn squeeze(&mut self) {
        let squeezed = match &mut self.0 {
            Kind::Packed(packed) => {
                let count = packed.count as usize;
                Squeezed::of(packed.whole().as_bytes(), count, false)
            }
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(element) => Squeezed::of(element, 1, true),
                Rare::Squeezed(_) => None,
            },
        };
        if let Some(squeezed) = squeezed {
            *self = Node::rare(Rare::Squeezed(squeezed));
        }
    }

    /// Unpacks the node, if it is compressed.
    #[inline]
    pub(super) fn unpack(&mut self) {
        if let Kind::Rare(_) = &self.0 {
            self.unpack_rare();
        }
    }

    #[cold]
    fn unpack_rare(&mut self) {
        if let Some(squeezed) = self.squeezed() {
            *self = squeezed.node();
        }
    }

    #[inline]
    pub(super) fn squeezed(&self) -> Option<&Squeezed> {
        match &self.0 {
            Kind::Rare(rare) => match &**rare {
                Rare::Squeezed(squeezed) => Some(squeezed),
                Rare::Plain(_) => None,
            },
            Kind::Packed(_) => None,
        }
    }

    /// Length of the listpack, if it is one.
    #[inline]
    pub(super) fn packed_bytes(&self) -> Option<usize> {
        (!self.is_plain()).then(|| self.len())
    }

    /// The listpack, if it is one.
    pub(super) fn into_packed(mut self) -> Option<Listpack> {
        self.unpack();
        match self.0 {
            Kind::Packed(mut packed) => Some(std::mem::take(packed.whole())),
            Kind::Rare(_) => None,
        }
    }

    /// Whether an element of `size` bytes may go into this node. The estimate is the real server's.
    #[inline]
    pub(super) fn takes(&self, size: usize, fill: Fill) -> bool {
        let fits = |bytes, count| !fill.is_large(size) && !fill.exceeded(bytes + size + 8, count + 1);
        match &self.0 {
            Kind::Packed(packed) => fits(packed.bytes(), packed.count as usize),
            Kind::Rare(_) => self.packed_bytes().is_some_and(|bytes| fits(bytes, self.count())),
        }
    }

    pub(super) fn may_merge(&self, next: &Node, fill: Fill) -> bool {
        match (self.packed_bytes(), next.packed_bytes()) {
            (Some(a), Some(b)) => !fill.exceeded(a + b - 7, self.count() + next.count()),
            _ => false,
        }
    }

    /// Adds all elements of `next`; both are listpacks.
    pub(super) fn merge(&mut self, mut next: Node) {
        let (a, b) = (self.expect_packed(), next.expect_packed());
        a.lp = Listpack::merge(std::mem::take(a.whole()), std::mem::take(b.whole()));
        a.count += b.count;
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
        if let Some(element) = self.opened_plain() {
            let result = f(Entry::Str(element));
            *self = Node::packed(Listpack::new());
            return result;
        }
        let packed = self.expect_packed();
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

    /// Shows the element at `offset`, which is below `count()`.
    pub(super) fn get<R>(&self, offset: usize, f: impl FnOnce(Entry<'_>) -> R) -> R {
        self.read(|node| match node {
            Ok(packed) => f(packed.iter_from(offset).next().expect("an offset below the count")),
            Err(element) => f(Entry::Str(element)),
        })
    }

    /// Shows up to `n` elements from `offset` on, one at least; answers how many.
    #[inline]
    pub(super) fn each(&self, offset: usize, n: usize, show: &mut impl FnMut(Entry<'_>)) -> usize {
        self.read(|node| match node {
            Ok(packed) => packed.iter_from(offset).take(n).fold(0, |shown, element| {
                show(element);
                shown + 1
            }),
            Err(element) => {
                show(Entry::Str(element));
                1
            }
        })
    }

    /// Shows all elements, the outermost of an end first, until `show` has seen enough.
    pub(super) fn try_each<B>(
        &self,
        from: End,
        show: &mut impl FnMut(Entry<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        self.read(|node| match node {
            Ok(packed) if from == End::Head => packed.iter().try_for_each(show),
            Ok(packed) => packed.iter().rev().try_for_each(show),
            Err(element) => show(Entry::Str(element)),
        })
    }

    /// Offset of the first element that is `needle`.
    pub(super) fn find(&self, needle: &Needle<'_>) -> Option<usize> {
        self.read(|node| match node {
            Ok(packed) => packed.iter().position(|e| needle.is(e)),
            Err(element) => needle.is(Entry::Str(element)).then_some(0),
        })
    }

    /// Shows what is in the node to `f`; a compressed one is unpacked for as long.
    #[inline]
    fn read<R>(&self, f: impl FnOnce(Result<&Packed, &[u8]>) -> R) -> R {
        let unpacked;
        let node = match self.squeezed() {
            None => self,
            Some(squeezed) => {
                unpacked = squeezed.node();
                &unpacked
            }
        };
        match &node.0 {
            Kind::Packed(packed) => f(Ok(packed)),
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(element) => f(Err(element)),
                Rare::Squeezed(_) => unreachable!("it was unpacked above"),
            },
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
        match (self.is_plain(), fill.is_large(element.len())) {
            (true, true) => *self = Node::plain(element.into()),
            (false, false) => {
                let lp = self.expect_packed().whole();
                lp.replace(seek(lp, offset), element);
            }
            _ => return false,
        }
        true
    }

    /// Removes `n` elements from `offset` on, but not all of them.
    pub(super) fn remove(&mut self, offset: usize, n: usize) {
        if self.is_plain() {
            return;
        }
        let packed = self.expect_packed();
        let lp = packed.whole();
        lp.delete_range(seek(lp, offset), n);
        packed.count -= n as u32;
    }

    /// Removes up to `max` elements that are `needle`; answers how many. May leave the node without any, for
    /// the caller to drop.
    pub(super) fn remove_matching(&mut self, needle: &Needle<'_>, from: End, max: usize) -> usize {
        if self.squeezed().is_some() && self.find(needle).is_none() {
            return 0;
        }
        match self.opened_plain().map(|element| max > 0 && needle.is(Entry::Str(element))) {
            Some(true) => *self = Node::packed(Listpack::new()),
            Some(false) => return 0,
            None => {
                let packed = self.expect_packed();
                let gone = super::remove_in_listpack(packed.whole(), needle, from, max);
                packed.count -= gone as u32;
                return gone;
            }
        }
        1
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

    /// The element, if it is one of its own; unpacks the node.
    #[inline]
    fn opened_plain(&mut self) -> Option<&[u8]> {
        self.unpack();
        match &self.0 {
            Kind::Packed(_) => None,
            Kind::Rare(rare) => match &**rare {
                Rare::Plain(element) => Some(element),
                Rare::Squeezed(_) => unreachable!("it was unpacked above"),
            },
        }
    }

    /// The listpack of a node that is not plain; unpacks it.
    #[inline]
    fn expect_packed(&mut self) -> &mut Packed {
        self.unpack();
        match &mut self.0 {
            Kind::Packed(packed) => packed,
            Kind::Rare(_) => unreachable!("a plain node takes nothing and is never split"),
        }
    }
}
