//! An ordered sequence in small chunks: what a radix tree is to the real server, in half the memory.
//!
//! The caller brings the order with each search, so that one structure holds ids, pending entries, and
//! indexes into another table. Appending at the end and removing at the front, what consumer groups do all
//! day, touch one chunk and fill chunks completely.

use std::cmp::Ordering;
use std::collections::VecDeque;

/// Items per chunk. A removal moves at most these; 64 pending entries are 2.5 KB.
const CHUNK: usize = 64;

/// Items in the order in which the caller's comparisons see them.
#[derive(Debug, Clone)]
pub(super) struct Ordered<T> {
    chunks: VecDeque<Vec<T>>, // none of them empty
    len: usize,
}

/// A place in an [`Ordered`], valid until its next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pos {
    chunk: usize,
    at: usize,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered { chunks: VecDeque::new(), len: 0 }
    }
}

impl<T> Ordered<T> {
    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn last(&self) -> Option<&T> {
        self.chunks.back()?.last()
    }

    pub fn get(&self, pos: Pos) -> Option<&T> {
        self.chunks.get(pos.chunk)?.get(pos.at)
    }

    pub fn get_mut(&mut self, pos: Pos) -> Option<&mut T> {
        self.chunks.get_mut(pos.chunk)?.get_mut(pos.at)
    }

    /// Where the item is, or where it would have to be. `order` compares an item with the one sought.
    pub fn find(&self, order: impl Fn(&T) -> Ordering) -> Result<Pos, Pos> {
        let Some(last) = self.last() else { return Err(Pos { chunk: 0, at: 0 }) };
        if order(last) == Ordering::Less {
            let chunk = self.chunks.len() - 1;
            return Err(Pos { chunk, at: self.chunks[chunk].len() });
        }
        let before = |chunk: &Vec<T>| chunk.last().is_some_and(|item| order(item) == Ordering::Less);
        let chunk = self.chunks.partition_point(before);
        let place = self.chunks[chunk].binary_search_by(order);
        place.map(|at| Pos { chunk, at }).map_err(|at| Pos { chunk, at })
    }

    /// Inserts at a place that [`Self::find`] gave.
    pub fn insert(&mut self, pos: Pos, item: T) {
        self.len += 1;
        let at_end = pos.chunk + 1 >= self.chunks.len() && pos.at == CHUNK;
        let Some(chunk) = self.chunks.get_mut(pos.chunk).filter(|_| !at_end) else {
            return self.push_chunk(item);
        };
        if chunk.len() < CHUNK {
            return chunk.insert(pos.at, item);
        }
        let mut upper = chunk.split_off(CHUNK / 2);
        match pos.at.checked_sub(CHUNK / 2) {
            Some(at) => upper.insert(at, item),
            None => chunk.insert(pos.at, item),
        }
        self.chunks.insert(pos.chunk + 1, upper);
    }

    fn push_chunk(&mut self, item: T) {
        if self.chunks.is_empty() {
            self.chunks.reserve_exact(1); // most of these sequences are short
        }
        self.chunks.push_back(vec![item]);
    }

    /// Removes the item at a place that [`Self::find`] found.
    pub fn remove(&mut self, pos: Pos) -> T {
        let item = self.chunks[pos.chunk].remove(pos.at);
        self.len -= 1;
        if self.len == 0 {
            self.chunks = VecDeque::new();
        } else if self.chunks[pos.chunk].is_empty() {
            self.chunks.remove(pos.chunk);
        } else if self.chunks[pos.chunk].len() <= CHUNK / 4 {
            self.merge(pos.chunk);
        }
        item
    }

    /// Joins a thin chunk with the next, or the last with the one before, when both are thin.
    fn merge(&mut self, chunk: usize) {
        let first = if chunk + 1 < self.chunks.len() { chunk } else { chunk.saturating_sub(1) };
        let Some(second) = self.chunks.get(first + 1) else { return };
        if self.chunks[first].len() + second.len() > CHUNK / 2 {
            return;
        }
        if let Some(mut second) = self.chunks.remove(first + 1) {
            self.chunks[first].append(&mut second);
            self.chunks[first].shrink_to(CHUNK / 2);
        }
    }

    /// All items in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    /// The items from a place on.
    pub fn iter_from(&self, pos: Pos) -> impl Iterator<Item = &T> {
        let rest = self.chunks.get(pos.chunk).and_then(|chunk| chunk.get(pos.at..)).unwrap_or_default();
        let after = (pos.chunk + 1).min(self.chunks.len());
        rest.iter().chain(self.chunks.range(after..).flatten())
    }

    /// Bytes allocated for the sequence itself.
    pub fn heap_bytes(&self) -> usize {
        let chunks: usize = self.chunks.iter().map(Vec::capacity).sum();
        self.chunks.capacity() * size_of::<Vec<T>>() + chunks * size_of::<T>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn check(ours: &Ordered<u32>, naive: &BTreeSet<u32>) {
        assert_eq!(ours.len(), naive.len());
        assert!(ours.iter().eq(naive.iter()));
        assert!(ours.iter().rev().eq(naive.iter().rev()));
        assert_eq!(ours.last(), naive.last());
        assert!(ours.chunks.iter().all(|chunk| !chunk.is_empty() && chunk.len() <= CHUNK));
    }

    proptest! {
        #[test]
        fn behaves_like_a_sorted_set(steps in proptest::collection::vec((0u8..4, 0u32..600), 0..1500)) {
            let (mut ours, mut naive) = (Ordered::default(), BTreeSet::new());
            for (step, item) in steps {
                let place = ours.find(|have: &u32| have.cmp(&item));
                prop_assert_eq!(place.is_ok(), naive.contains(&item));
                match (step, place) {
                    (0..2, Err(pos)) => { ours.insert(pos, item); naive.insert(item); }
                    (2, Ok(pos)) => { prop_assert_eq!(ours.remove(pos), item); naive.remove(&item); }
                    (_, place) => {
                        let pos = place.unwrap_or_else(|pos| pos);
                        prop_assert!(ours.iter_from(pos).eq(naive.range(item..)));
                    }
                }
            }
            check(&ours, &naive);
        }
    }

    #[test]
    fn a_queue_fills_its_chunks() {
        let mut queue = Ordered::default();
        for item in 0..10_000u32 {
            let end = queue.find(|have: &u32| have.cmp(&item)).expect_err("not there yet");
            queue.insert(end, item);
        }
        assert_eq!(queue.chunks.len(), 10_000usize.div_ceil(CHUNK));
        for item in 0..9_999 {
            let pos = queue.find(|have| have.cmp(&item)).expect("present");
            queue.remove(pos);
        }
        assert_eq!((queue.chunks.len(), queue.last()), (1, Some(&9_999)));
        assert!(queue.heap_bytes() < 24 * 256 + CHUNK * 4);
    }
}
