//! How many nodes the real server's radix tree would have, which XINFO STREAM shows.

use super::log::Log;

/// Bytes of a key.
const DEPTH: u32 = 16;

impl Log {
    /// Nodes of a radix tree of the keys of this log's nodes: a node for every key's end and for every branching,
    /// and one for every run of bytes without a branch.
    pub fn radix_nodes(&self) -> usize {
        let mut keys = self.nodes().map(|node| u128::from_be_bytes(node.key().to_bytes()));
        let Some(mut last) = keys.next() else {
            return 1; // the root alone
        };
        let mut tree = Tree { nodes: 1, open: Vec::with_capacity(DEPTH as usize) };
        for key in keys {
            tree.branch((last ^ key).leading_zeros() / 8);
            last = key;
        }
        tree.close()
    }
}

/// The right edge of a tree whose keys come in order.
struct Tree {
    nodes: usize,
    /// Depths of the branchings above the last key, ascending.
    open: Vec<u32>,
}

impl Tree {
    /// Another key, which has this many bytes in common with the last.
    fn branch(&mut self, depth: u32) {
        let child = self.close_below(depth);
        if self.open.last() != Some(&depth) {
            self.open.push(depth);
            self.nodes += 1;
        }
        self.hang(depth, child);
        self.nodes += 1; // the new key's end
    }

    /// Ends the branchings below a depth; the depth of the highest of them, or of the last key.
    fn close_below(&mut self, depth: u32) -> u32 {
        let mut child = DEPTH;
        while let Some(top) = self.open.pop_if(|top| *top > depth) {
            self.hang(top, child);
            child = top;
        }
        child
    }

    /// A node of its own for the bytes between a branching and what hangs below it, one of which the branching has.
    fn hang(&mut self, parent: u32, child: u32) {
        self.nodes += usize::from(child > parent + 1);
    }

    fn close(mut self) -> usize {
        let mut child = DEPTH;
        while let Some(top) = self.open.pop() {
            self.hang(top, child);
            child = top;
        }
        self.nodes + usize::from(child > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Limits;
    use crate::value::stream::StreamId;
    use proptest::prelude::*;

    /// Counts by cutting the sorted keys into groups, byte by byte.
    fn naive(keys: &[[u8; 16]], depth: usize) -> usize {
        let Some(first) = keys.first() else { return 1 };
        if depth == 16 {
            return 1;
        }
        let same = |at: &usize| keys.iter().all(|key| key[*at] == first[*at]);
        let run = (depth..16).take_while(same).count();
        if run > 0 {
            return 1 + naive(keys, depth + run);
        }
        1 + keys.chunk_by(|a, b| a[depth] == b[depth]).map(|group| naive(group, depth + 1)).sum::<usize>()
    }

    proptest! {
        #[test]
        fn counts_like_a_tree(ids in proptest::collection::btree_set((0u64..3, 0u64..70_000), 0..60), wide: bool) {
            let limits = Limits { stream_node_max_entries: 1, ..Limits::default() };
            let mut log = Log::default();
            for (ms, seq) in ids {
                let id = StreamId::new(if wide { ms << 40 } else { ms }, seq + 1);
                log.append(id, [&b"f"[..], b"v"], &limits).expect("ids ascend");
            }
            let keys: Vec<_> = log.nodes().map(|node| node.key().to_bytes()).collect();
            prop_assert_eq!(log.radix_nodes(), naive(&keys, 0));
        }
    }
}
