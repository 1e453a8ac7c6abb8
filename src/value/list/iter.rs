//! Walking a list from any index on, and from both ends.
//!
//! Elements are shown, not handed out: those of a compressed node exist only while one looks at them.

use super::{End, List};
use crate::value::listpack::{Entry, Listpack, Needle};
use std::convert::Infallible;
use std::ops::ControlFlow::{self, Break, Continue};

impl List {
    /// Shows up to `n` elements from `index` on to the tail; none if there is no such index.
    ///
    /// Node by node: within one there is nothing to ask but where the next element is.
    #[inline]
    pub fn each(&self, index: usize, n: usize, mut show: impl FnMut(Entry<'_>)) {
        let quick = match self {
            List::Packed(lp) => return each_packed(lp, index, n, show),
            List::Quick(quick) => quick,
        };
        let Some((at, mut offset)) = quick.locate(index) else { return };
        let mut left = n;
        for node in quick.nodes.range(at..) {
            if left == 0 {
                break;
            }
            left -= node.each(offset, left, &mut show);
            offset = 0;
        }
    }

    /// Shows up to `n` elements of an end, the outermost first.
    pub fn each_of_end(&self, from: End, n: usize, mut show: impl FnMut(Entry<'_>)) {
        let all = |e: Entry<'_>| {
            show(e);
            Continue::<Infallible>(())
        };
        let Continue(()) = self.try_each(from, n, all);
    }

    /// Shows up to `n` elements of an end, the outermost first, until `show` breaks off.
    pub fn try_each<B>(
        &self,
        from: End,
        n: usize,
        mut show: impl FnMut(Entry<'_>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let mut left = n;
        // `None`: as many were shown as were wanted.
        let mut counted = |e: Entry<'_>| match left.checked_sub(1) {
            None => Break(None),
            Some(rest) => {
                left = rest;
                show(e).map_break(Some)
            }
        };
        let walked = match (self, from) {
            (List::Packed(lp), End::Head) => lp.iter().try_for_each(counted),
            (List::Packed(lp), End::Tail) => lp.iter().rev().try_for_each(counted),
            (List::Quick(quick), End::Head) => {
                quick.nodes.iter().try_for_each(|node| node.try_each(from, &mut counted))
            }
            (List::Quick(quick), End::Tail) => {
                quick.nodes.iter().rev().try_for_each(|node| node.try_each(from, &mut counted))
            }
        };
        match walked {
            Break(Some(end)) => Break(end),
            Break(None) | Continue(()) => Continue(()),
        }
    }

    /// Tells `found` the indexes of the first `most` elements equal to `value`, in the order of LPOS: from the tail if
    /// `rank` is negative, leaving out the first `|rank| - 1`, looking at `max_len` elements at most (0: all). Answers
    /// how many there were.
    pub fn positions(
        &self,
        value: &[u8],
        rank: i64,
        max_len: usize,
        most: usize,
        mut found: impl FnMut(usize),
    ) -> usize {
        let (needle, len) = (Needle::new(value), self.len());
        let from = if rank < 0 { End::Tail } else { End::Head };
        let mut skip = rank.unsigned_abs().saturating_sub(1);
        let (mut seen, mut count) = (0, 0);
        let look = |e: Entry<'_>| {
            seen += 1;
            if !needle.is(e) {
                return Continue(());
            }
            if skip > 0 {
                skip -= 1;
                return Continue(());
            }
            found(if from == End::Head { seen - 1 } else { len - seen });
            count += 1;
            if count == most { Break(()) } else { Continue(()) }
        };
        let _ = self.try_each(from, if max_len == 0 { usize::MAX } else { max_len }, look);
        count
    }
}

fn each_packed(lp: &Listpack, index: usize, n: usize, show: impl FnMut(Entry<'_>)) {
    let first = i64::try_from(index).ok().and_then(|index| lp.seek(index));
    if let Some(first) = first {
        lp.iter_from(first).take(n).for_each(show);
    }
}
