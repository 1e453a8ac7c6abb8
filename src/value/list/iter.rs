//! Walking a list from any index in both directions.

use super::{End, List, Node};
use crate::value::listpack::{self, Entry, Listpack};
use std::collections::vec_deque;

/// The elements of a list from one of them on.
#[derive(Clone)]
pub struct Iter<'a> {
    inner: Inner<'a>,
    nodes: Option<vec_deque::Iter<'a, Node>>,
    backward: bool,
}

#[derive(Clone)]
enum Inner<'a> {
    Packed(listpack::Iter<'a>),
    Plain(Option<&'a [u8]>),
}

impl<'a> Inner<'a> {
    fn of(elements: Result<listpack::Iter<'a>, &'a [u8]>) -> Inner<'a> {
        match elements {
            Ok(iter) => Inner::Packed(iter),
            Err(element) => Inner::Plain(Some(element)),
        }
    }

    fn part_of(lp: &'a Listpack, offset: usize, backward: bool) -> Inner<'a> {
        match i64::try_from(offset).ok().and_then(|offset| lp.seek(offset)) {
            Some(pos) if backward => Inner::Packed(lp.iter_upto(pos)),
            Some(pos) => Inner::Packed(lp.iter_from(pos)),
            None => Inner::Plain(None),
        }
    }
}

impl<'a> Iter<'a> {
    /// Shows up to `n` elements, node by node: within one there is nothing to ask but where the next element is.
    #[inline]
    pub fn each(mut self, n: usize, mut show: impl FnMut(Entry<'a>)) {
        let mut left = n;
        while left > 0 {
            let Inner::Packed(run) = &self.inner else { return self.take(left).for_each(show) };
            if self.backward {
                return self.take(left).for_each(show);
            }
            left -= run.clone().take(left).fold(0, |shown, element| {
                show(element);
                shown + 1
            });
            let Some(node) = self.nodes.as_mut().and_then(Iterator::next) else { return };
            self.inner = Inner::of(node.elements());
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let step = match &mut self.inner {
                Inner::Packed(iter) if self.backward => iter.next_back(),
                Inner::Packed(iter) => iter.next(),
                Inner::Plain(element) => element.take().map(Entry::Str),
            };
            if step.is_some() {
                return step;
            }
            let nodes = self.nodes.as_mut()?;
            let node = if self.backward { nodes.next_back() } else { nodes.next() };
            self.inner = Inner::of(node?.elements());
        }
    }
}

impl List {
    /// The elements from `index` on to the tail; none if there is no such index.
    pub fn iter_from(&self, index: usize) -> Iter<'_> {
        self.walk(index, false)
    }

    /// The elements from `index` on towards the head; none if there is no such index.
    pub fn iter_back_from(&self, index: usize) -> Iter<'_> {
        self.walk(index, true)
    }

    /// All elements, head to tail.
    pub fn iter(&self) -> Iter<'_> {
        self.walk(0, false)
    }

    /// All elements from one end to the other.
    pub fn iter_end(&self, from: End) -> Iter<'_> {
        match from {
            End::Head => self.walk(0, false),
            End::Tail => self.walk(self.len().wrapping_sub(1), true),
        }
    }

    fn walk(&self, index: usize, backward: bool) -> Iter<'_> {
        let quick = match self {
            List::Packed(lp) => {
                return Iter { inner: Inner::part_of(lp, index, backward), nodes: None, backward };
            }
            List::Quick(quick) => quick,
        };
        let Some((at, offset)) = quick.locate(index) else {
            return Iter { inner: Inner::Plain(None), nodes: None, backward };
        };
        let rest = if backward { quick.nodes.range(..at) } else { quick.nodes.range(at + 1..) };
        Iter { inner: Inner::of(quick.nodes[at].elements_at(offset, backward)), nodes: Some(rest), backward }
    }
}
