//! The list: one listpack while it is short, a deque of them when it is long.
//!
//! Never an index, never a key. Inner nodes may be compressed (`list-compress-depth`). Source of truth for when the encoding changes:
//! Redis 8.0's `t_list.c`, with `list-max-listpack-size`. Growing is judged before the elements go in, by
//! their bytes; shrinking afterwards, by half the limit.

mod iter;
mod node;
mod quicklist;
mod squeezed;
#[cfg(test)]
mod tests;

use super::limits::Limits;
use super::listpack::{Entry, Listpack, ListpackRef, Needle};
pub use node::Node;
pub use quicklist::Quicklist;
use std::borrow::Cow;

/// A list of byte strings: one word behind the tag.
#[derive(Clone, Debug)]
pub enum List {
    /// Few elements, in one listpack.
    Packed(Listpack),
    /// Many, or big ones.
    Quick(Box<Quicklist>),
}

/// One end of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The left one: index 0.
    Head,
    /// The right one: index -1.
    Tail,
}

/// `list-max-listpack-size`, worked out.
#[derive(Clone, Copy)]
pub(crate) struct Fill {
    /// Bytes of a node. Where the setting counts entries, a bound that keeps nodes handy all the same.
    bytes: usize,
    /// Entries of a node.
    entries: usize,
    /// Bytes below which an element stays in a listpack.
    large: usize,
    /// Bytes above which a node stays a quicklist's.
    back_bytes: usize,
}

impl Fill {
    /// Bytes of a node when the setting counts entries.
    const SAFE_BYTES: usize = 8192;
    const LEVELS: [usize; 5] = [4096, 8192, 16384, 32768, 65536];

    #[inline]
    fn of(limits: &Limits) -> Fill {
        let setting = limits.list_max_listpack_size;
        let (bytes, entries, back_bytes) = match usize::try_from(setting) {
            Ok(entries) => (Fill::SAFE_BYTES, entries.max(1), usize::MAX),
            Err(_) => {
                let level = (setting.unsigned_abs() as usize - 1).min(4);
                (Fill::LEVELS[level], usize::MAX, Fill::LEVELS[level])
            }
        };
        let large = match limits.list_packed_threshold {
            0 => bytes + 1,
            threshold => threshold,
        };
        Fill { bytes, entries, large, back_bytes }
    }

    #[inline]
    fn exceeded(self, bytes: usize, entries: usize) -> bool {
        bytes > self.bytes || entries > self.entries
    }

    /// Whether an element gets a node of its own.
    #[inline]
    fn is_large(self, bytes: usize) -> bool {
        bytes >= self.large
    }
}

impl Default for List {
    fn default() -> Self {
        List::Packed(Listpack::new())
    }
}

impl List {
    /// An empty list.
    pub fn new() -> List {
        List::default()
    }

    /// A list from a snapshot's nodes, or from elements that were pushed one by one: a listpack if it fits.
    pub fn from_quicklist(quick: Quicklist, limits: &Limits) -> List {
        let mut list = List::Quick(Box::new(quick));
        list.pack(limits, 1);
        list
    }

    /// A list in one listpack, or not if that is too long.
    pub fn from_listpack(lp: Listpack, limits: &Limits) -> List {
        let mut list = List::Packed(lp);
        list.grow(0, 0, limits, Fill::of(limits));
        list
    }

    /// Whether [`List::from_listpack`] would leave a listpack as it is.
    pub fn stays_packed(lp: ListpackRef<'_>, limits: &Limits) -> bool {
        !Fill::of(limits).exceeded(lp.as_bytes().len(), lp.len())
    }

    /// A list of these elements in order, in the encoding that they deserve.
    pub fn from_elements<'a>(elements: impl Iterator<Item = &'a [u8]>, limits: &Limits) -> List {
        let (mut quick, fill) = (Quicklist::new(limits.list_compress_depth), Fill::of(limits));
        for element in elements {
            quick.push(End::Tail, element, fill);
        }
        List::from_quicklist(quick, limits)
    }

    /// Number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        match self {
            List::Packed(lp) => lp.len(),
            List::Quick(quick) => quick.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        match self {
            List::Packed(lp) => lp.is_empty(),
            List::Quick(quick) => quick.is_empty(),
        }
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(&self) -> &'static str {
        match self {
            List::Packed(_) => "listpack",
            List::Quick(_) => "quicklist",
        }
    }

    /// Adds one element at an end.
    pub fn push(&mut self, end: End, element: &[u8], limits: &Limits) {
        self.push_all(end, std::iter::once(element), limits);
    }

    /// Adds elements at an end, one after the other, as LPUSH and RPUSH do: the encoding changes once, by
    /// what all of them take.
    pub fn push_all<'a>(
        &mut self,
        end: End,
        elements: impl Iterator<Item = &'a [u8]> + Clone,
        limits: &Limits,
    ) {
        let fill = Fill::of(limits);
        if let List::Packed(_) = self {
            let (bytes, count) = elements.clone().fold((0, 0), |(b, n), e| (b + e.len(), n + 1));
            self.grow(bytes, count, limits, fill);
        }
        match self {
            List::Packed(lp) if end == End::Head => elements.for_each(|e| lp.push_front(e)),
            List::Packed(lp) => elements.for_each(|e| lp.push_back(e)),
            List::Quick(quick) => elements.for_each(|e| quick.push(end, e, fill)),
        }
    }

    /// Takes the element at an end away, after `f` saw it.
    pub fn pop_with<R>(&mut self, end: End, limits: &Limits, f: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        match self {
            List::Packed(lp) => {
                let pos = if end == End::Head { lp.first() } else { lp.last() }?;
                let result = f(lp.get(pos));
                lp.delete(pos);
                Some(result)
            }
            List::Quick(quick) => {
                let result = quick.pop(end, f);
                self.pack(limits, 2);
                result
            }
        }
    }

    /// Takes the element at an end.
    pub fn pop(&mut self, end: End, limits: &Limits) -> Option<Vec<u8>> {
        self.pop_with(end, limits, |e| e.to_vec())
    }

    /// Takes the element at `from` and puts it back at `to`, after `f` saw it.
    ///
    /// The encoding is judged as by a pop and a push with one look at it at the end: so does LMOVE.
    pub fn rotate<R>(
        &mut self,
        from: End,
        to: End,
        limits: &Limits,
        f: impl FnOnce(Entry<'_>) -> R,
    ) -> Option<R> {
        let see = |e: Entry<'_>| (e.to_vec(), f(e));
        let (element, result) = match self {
            List::Packed(_) => self.pop_with(from, limits, see),
            List::Quick(quick) => quick.pop(from, see),
        }?;
        self.push(to, &element, limits);
        self.pack(limits, 2);
        Some(result)
    }

    /// Shows the element at `index`, from 0, or from the tail: -1 is the last.
    pub fn get<R>(&self, index: i64, f: impl FnOnce(Entry<'_>) -> R) -> Option<R> {
        match self {
            List::Packed(lp) => lp.seek(index).map(|pos| f(lp.get(pos))),
            List::Quick(quick) => {
                let (node, offset) = quick.locate(self.index(index)?)?;
                Some(quick.nodes[node].get(offset, f))
            }
        }
    }

    /// Puts another element at `index`; whether there is such an index.
    ///
    /// The encoding may grow even if not: the real server judges that first.
    pub fn set(&mut self, index: i64, element: &[u8], limits: &Limits) -> bool {
        let fill = Fill::of(limits);
        self.grow(element.len(), 1, limits, fill);
        let Some(index) = self.index(index) else {
            return false;
        };
        match self {
            List::Packed(lp) => match lp.seek(index as i64) {
                Some(pos) => lp.replace(pos, element),
                None => return false,
            },
            List::Quick(quick) => match quick.locate(index) {
                Some((node, offset)) => quick.replace(node, offset, element, fill),
                None => return false,
            },
        }
        self.pack(limits, 2);
        true
    }

    /// Puts an element right before or behind the first `pivot`; whether there is one.
    ///
    /// The encoding may grow even if not: the real server judges that first.
    pub fn insert(&mut self, pivot: &[u8], after: bool, element: &[u8], limits: &Limits) -> bool {
        let fill = Fill::of(limits);
        self.grow(element.len(), 1, limits, fill);
        match self {
            List::Packed(lp) => {
                let Some(pos) = lp.first().and_then(|first| lp.find(first, pivot, 0)) else {
                    return false;
                };
                if after {
                    lp.insert_after(pos, element)
                } else {
                    lp.insert_before(pos, element)
                };
            }
            List::Quick(quick) => {
                let Some((node, offset)) = quick.find(&Needle::new(pivot)) else {
                    return false;
                };
                quick.insert(node, offset, after, element, fill);
            }
        }
        true
    }

    /// Removes elements equal to `value`: the first `count`, the last `-count`, or all (0); answers how many.
    pub fn remove(&mut self, count: i64, value: &[u8], limits: &Limits) -> usize {
        let from = if count < 0 { End::Tail } else { End::Head };
        let max = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
        let needle = Needle::new(value);
        let removed = match self {
            List::Packed(lp) => remove_in_listpack(lp, &needle, from, max),
            List::Quick(quick) => quick.remove_matching(&needle, from, max),
        };
        if removed > 0 {
            self.pack(limits, 2);
        }
        removed
    }

    /// Removes `n` elements from index `start` on, or as many as there are; answers how many.
    pub fn remove_range(&mut self, start: usize, n: usize, limits: &Limits) -> usize {
        let n = self.cut(start, n);
        self.pack(limits, 2);
        n
    }

    /// Keeps the elements from `start` to `stop`, inclusive, both possibly from the tail; answers how many are gone.
    pub fn trim(&mut self, start: i64, stop: i64, limits: &Limits) -> usize {
        let len = self.len();
        let (keep, n) = self.resolve(start, stop);
        if n == 0 {
            *self = match self {
                List::Packed(_) => List::new(),
                List::Quick(quick) => List::Quick(Box::new(Quicklist::new(quick.depth()))),
            };
            return len;
        }
        let removed = self.cut(keep + n, len) + self.cut(0, keep);
        self.pack(limits, 2);
        removed
    }

    /// The indexes that LRANGE's `start` and `stop` mean: where it begins and how many.
    pub fn resolve(&self, start: i64, stop: i64) -> (usize, usize) {
        let len = self.len() as i64;
        let clamp = |i: i64| if i < 0 { i.saturating_add(len) } else { i };
        let (start, stop) = (clamp(start).max(0), clamp(stop).min(len - 1));
        if start > stop || start >= len { (0, 0) } else { (start as usize, (stop - start + 1) as usize) }
    }

    /// The nodes for a snapshot: whether each is one element of its own, and its bytes.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = (bool, Cow<'_, [u8]>)> {
        let count = match self {
            List::Packed(_) => 1,
            List::Quick(quick) => quick.nodes.len(),
        };
        (0..count).map(move |i| match self {
            List::Packed(lp) => (false, Cow::Borrowed(lp.as_bytes())),
            List::Quick(quick) => (quick.nodes[i].is_plain(), quick.nodes[i].bytes()),
        })
    }

    /// Nodes, their bytes uncompressed, and whether inner ones are compressed where that is worth it.
    pub fn shape(&self) -> (usize, usize, bool) {
        match self {
            List::Packed(lp) => (1, lp.bytes(), false),
            List::Quick(quick) => {
                (quick.nodes.len(), quick.nodes.iter().map(Node::len).sum(), quick.compresses())
            }
        }
    }

    /// Bytes of memory behind the value, by the first `samples` nodes (0: all of them).
    pub fn memory(&self, samples: usize) -> usize {
        let quick = match self {
            List::Packed(lp) => return lp.allocated(),
            List::Quick(quick) => quick,
        };
        let samples = if samples == 0 { usize::MAX } else { samples };
        let seen = quick.nodes.len().min(samples);
        let sampled: usize = quick.nodes.iter().take(seen).map(Node::memory).sum();
        let nodes = (sampled * quick.nodes.len()).checked_div(seen).unwrap_or(0);
        size_of::<Quicklist>() + quick.nodes.capacity() * size_of::<Node>() + nodes
    }

    /// The index counted from the head.
    fn index(&self, index: i64) -> Option<usize> {
        let index = if index < 0 { index.checked_add(self.len() as i64)? } else { index };
        usize::try_from(index).ok().filter(|i| *i < self.len())
    }

    /// Removes elements without judging the encoding.
    fn cut(&mut self, start: usize, n: usize) -> usize {
        let n = n.min(self.len().saturating_sub(start));
        if n == 0 {
            return 0;
        }
        match self {
            List::Packed(lp) => {
                let pos = lp.seek(start as i64).expect("start is below the length, as n is not 0");
                lp.delete_range(pos, n);
            }
            List::Quick(quick) => quick.remove_range(start, n),
        }
        n
    }

    /// Goes over to a quicklist if `count` more elements of `bytes` in all are too much for a listpack.
    #[inline]
    fn grow(&mut self, bytes: usize, count: usize, limits: &Limits, fill: Fill) {
        if let List::Packed(lp) = self
            && fill.exceeded(lp.bytes().saturating_add(bytes), lp.len() + count)
        {
            let mut quick = Box::new(Quicklist::new(limits.list_compress_depth));
            quick.push_packed(std::mem::take(lp));
            *self = List::Quick(quick);
        }
    }

    /// Goes back to a listpack if one node is left that is within the limit divided by `divisor`.
    #[inline]
    fn pack(&mut self, limits: &Limits, divisor: usize) {
        let List::Quick(quick) = self else {
            return;
        };
        let Some(bytes) = quick.single_bytes() else {
            return;
        };
        let fill = Fill::of(limits);
        if bytes > fill.back_bytes / divisor || quick.len() > fill.entries / divisor {
            return;
        }
        if let Some(lp) = quick.take_single() {
            *self = List::Packed(lp);
        }
    }
}

/// Removes up to `max` elements that are `needle`, from one end on; answers how many.
fn remove_in_listpack(lp: &mut Listpack, needle: &Needle<'_>, from: End, max: usize) -> usize {
    let mut found = lp.find_all(needle);
    let surplus = found.len().saturating_sub(max);
    match from {
        End::Head => found.truncate(found.len() - surplus),
        End::Tail => drop(found.drain(..surplus)),
    }
    lp.delete_many(&found);
    found.len()
}
