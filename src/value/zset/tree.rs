//! A B+tree with counts: a sorted sequence that finds by order and by rank.
//!
//! It knows nothing about its keys but that they can be copied; their order comes in as predicates that hold for
//! a prefix of the sequence. Leaves hold up to 64 keys, filled completely where keys come in order.

const LEAF: usize = 64;
const INNER: usize = 32;

pub(super) struct Tree<K> {
    root: Node<K>,
    len: usize,
}

/// All leaves are at the same depth, and none is empty but a root.
enum Node<K> {
    Leaf(Vec<K>),
    Inner(Vec<Child<K>>),
}

struct Child<K> {
    /// The first key below.
    first: K,
    /// Keys below.
    count: usize,
    node: Node<K>,
}

impl<K: Copy> Tree<K> {
    pub fn new() -> Self {
        Tree { root: Node::Leaf(Vec::new()), len: 0 }
    }

    /// A tree of keys that are in order, as compact as it gets.
    pub fn from_sorted(keys: &[K]) -> Self {
        let mut level: Vec<Child<K>> =
            keys.chunks(LEAF).map(|leaf| Child::of(Node::Leaf(leaf.to_vec()))).collect();
        while level.len() > 1 {
            let mut above = Vec::with_capacity(level.len().div_ceil(INNER));
            let mut rest = level.into_iter();
            while rest.len() != 0 {
                above.push(Child::of(Node::Inner(rest.by_ref().take(INNER).collect())));
            }
            level = above;
        }
        let root = level.pop().map_or_else(|| Node::Leaf(Vec::new()), |child| child.node);
        Tree { root, len: keys.len() }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Adds a key behind those for which `before` holds.
    pub fn insert(&mut self, key: K, before: impl Fn(&K) -> bool) {
        self.len += 1;
        if let Some(right) = self.root.insert(key, &before) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Vec::new()));
            self.root = Node::Inner(vec![Child::of(left), Child::of(right)]);
        }
    }

    /// Removes the last key for which `upto` holds; there must be one.
    pub fn remove(&mut self, upto: impl Fn(&K) -> bool) -> K {
        self.len -= 1;
        let key = self.root.remove(&upto);
        self.root.collapse();
        key
    }

    /// Puts `key` in the place of the last one for which `upto` holds, if it may stand there: between neighbours
    /// in the same leaf of which `before` holds for the left one only.
    pub fn exchange(&mut self, key: K, upto: impl Fn(&K) -> bool, before: impl Fn(&K) -> bool) -> bool {
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Inner(children) => {
                    let at = child_for(children, &upto);
                    node = &mut children[at].node;
                }
                Node::Leaf(keys) => {
                    let at = keys.partition_point(&upto);
                    let fits = at >= 2 && at < keys.len() && before(&keys[at - 2]) && !before(&keys[at]);
                    if fits {
                        keys[at - 1] = key;
                    }
                    return fits;
                }
            }
        }
    }

    /// How many keys there are for which `before` holds: the rank of the first one for which it doesn't.
    pub fn partition(&self, before: impl Fn(&K) -> bool) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Inner(children) => {
                    let at = child_for(children, &before);
                    rank += children[..at].iter().map(|child| child.count).sum::<usize>();
                    node = &children[at].node;
                }
                Node::Leaf(keys) => return rank + keys.partition_point(&before),
            }
        }
    }

    /// The leaf that holds the key of a rank, and where in it.
    pub fn leaf_at(&self, rank: usize) -> Option<(&[K], usize)> {
        if rank >= self.len {
            return None;
        }
        let (mut node, mut rank) = (&self.root, rank);
        loop {
            match node {
                Node::Inner(children) => {
                    let at = skip_counts(children, &mut rank);
                    node = &children[at].node;
                }
                Node::Leaf(keys) => return Some((keys, rank)),
            }
        }
    }

    pub fn get(&self, rank: usize) -> Option<K> {
        self.leaf_at(rank).map(|(keys, at)| keys[at])
    }

    /// Removes the keys of ranks `from..to`, in order, whole subtrees at once.
    pub fn remove_range(&mut self, from: usize, to: usize, mut removed: impl FnMut(K)) {
        let to = to.min(self.len);
        if from < to {
            self.root.remove_range(from, to, &mut removed);
            self.len -= to - from;
            self.root.collapse();
        }
    }

    /// Bytes allocated by the nodes.
    pub fn memory_bytes(&self) -> usize {
        self.root.memory_bytes()
    }
}

impl<K: Copy> Child<K> {
    fn of(node: Node<K>) -> Self {
        let first = node.first().expect("a node below another is never empty");
        Child { first, count: node.count(), node }
    }

    fn refresh_first(&mut self) {
        if let Some(first) = self.node.first() {
            self.first = first;
        }
    }
}

impl<K: Copy> Node<K> {
    fn first(&self) -> Option<K> {
        match self {
            Node::Leaf(keys) => keys.first().copied(),
            Node::Inner(children) => children.first().map(|child| child.first),
        }
    }

    fn count(&self) -> usize {
        match self {
            Node::Leaf(keys) => keys.len(),
            Node::Inner(children) => children.iter().map(|child| child.count).sum(),
        }
    }

    /// Returns what did not fit, to stand to the right.
    fn insert(&mut self, key: K, before: &impl Fn(&K) -> bool) -> Option<Node<K>> {
        match self {
            Node::Leaf(keys) => {
                let at = keys.partition_point(before);
                insert_split(keys, at, key, LEAF).map(Node::Leaf)
            }
            Node::Inner(children) => {
                let at = child_for(children, before);
                let child = &mut children[at];
                let split = child.node.insert(key, before);
                let Some(right) = split else {
                    child.count += 1;
                    child.refresh_first();
                    return None;
                };
                child.refresh_first();
                child.count = child.node.count();
                insert_split(children, at + 1, Child::of(right), INNER).map(Node::Inner)
            }
        }
    }

    fn remove(&mut self, upto: &impl Fn(&K) -> bool) -> K {
        match self {
            Node::Leaf(keys) => {
                let at = keys.partition_point(upto).checked_sub(1).expect("the key is there");
                let key = keys.remove(at);
                trim(keys);
                key
            }
            Node::Inner(children) => {
                let at = child_for(children, upto);
                let child = &mut children[at];
                let key = child.node.remove(upto);
                child.count -= 1;
                child.refresh_first();
                rebalance(children, at);
                key
            }
        }
    }

    fn remove_range(&mut self, from: usize, to: usize, removed: &mut impl FnMut(K)) {
        match self {
            Node::Leaf(keys) => {
                keys.drain(from..to).for_each(removed);
                trim(keys);
            }
            Node::Inner(children) => {
                let (mut from, mut left) = (from, to - from);
                let mut at = skip_counts(children, &mut from);
                let first = at;
                while left != 0 {
                    let child = &mut children[at];
                    let here = usize::min(left, child.count - from);
                    child.node.remove_range(from, from + here, removed);
                    child.count -= here;
                    child.refresh_first();
                    (from, left, at) = (0, left - here, at + 1);
                }
                let before = children.len();
                children.retain(|child| child.count != 0);
                // At most the first and the last of those touched are still there.
                let touched = at - first - (before - children.len());
                (first..first + touched).rev().for_each(|at| rebalance(children, at));
            }
        }
    }

    /// Lets the only child of a root take its place.
    fn collapse(&mut self) {
        while let Node::Inner(children) = self
            && children.len() <= 1
        {
            *self = children.pop().map_or_else(|| Node::Leaf(Vec::new()), |child| child.node);
        }
    }

    /// Slots taken, and how many of them are few.
    fn size(&self) -> (usize, usize) {
        match self {
            Node::Leaf(keys) => (keys.len(), LEAF / 4),
            Node::Inner(children) => (children.len(), INNER / 4),
        }
    }

    fn memory_bytes(&self) -> usize {
        match self {
            Node::Leaf(keys) => keys.capacity() * size_of::<K>(),
            Node::Inner(children) => {
                let below: usize = children.iter().map(|child| child.node.memory_bytes()).sum();
                below + children.capacity() * size_of::<Child<K>>()
            }
        }
    }
}

/// The last child whose first key satisfies a predicate, or else the first child.
#[inline]
fn child_for<K>(children: &[Child<K>], holds: &impl Fn(&K) -> bool) -> usize {
    children.partition_point(|child| holds(&child.first)).saturating_sub(1)
}

/// The child that holds the key of a rank, which becomes the rank in that child.
#[inline]
fn skip_counts<K>(children: &[Child<K>], rank: &mut usize) -> usize {
    let mut at = 0;
    while *rank >= children[at].count {
        *rank -= children[at].count;
        at += 1;
    }
    at
}

/// Inserts into a node of at most `max`; a full one is split in halves, or at the very spot when that is an end,
/// so that keys that come in order leave full nodes behind.
fn insert_split<X>(row: &mut Vec<X>, at: usize, x: X, max: usize) -> Option<Vec<X>> {
    if row.len() < max {
        if row.len() == row.capacity() {
            row.reserve_exact(8 - row.len() % 8);
        }
        row.insert(at, x);
        return None;
    }
    if at == row.len() {
        return Some(vec![x]);
    }
    if at == 0 {
        return Some(std::mem::replace(row, vec![x]));
    }
    let mut right = row.split_off(max / 2);
    row.shrink_to(max / 2 + 8);
    if at <= max / 2 {
        row.insert(at, x)
    } else {
        right.insert(at - max / 2, x)
    }
    Some(right)
}

/// Gives memory back of a node that lost much.
fn trim<X>(row: &mut Vec<X>) {
    if row.capacity() >= row.len() + 16 {
        row.shrink_to(row.len() + 4);
    }
}

/// Drops a child that became empty, joins one that became small with a neighbour, or evens them out.
fn rebalance<K: Copy>(children: &mut Vec<Child<K>>, at: usize) {
    let (size, few) = children[at].node.size();
    if size == 0 {
        children.remove(at);
        return;
    }
    if size >= few || children.len() == 1 {
        return;
    }
    let left = at.min(children.len() - 2);
    let right = children.remove(left + 1);
    let child = &mut children[left];
    let rest = match (&mut child.node, right.node) {
        (Node::Leaf(a), Node::Leaf(b)) => join(a, b, LEAF).map(Node::Leaf),
        (Node::Inner(a), Node::Inner(b)) => join(a, b, INNER).map(Node::Inner),
        _ => unreachable!("siblings are at the same depth"),
    };
    child.count = child.node.count();
    if let Some(rest) = rest {
        children.insert(left + 1, Child::of(rest));
    }
}

/// Joins two neighbours, or spreads them evenly when that is too much for one.
fn join<X>(a: &mut Vec<X>, mut b: Vec<X>, max: usize) -> Option<Vec<X>> {
    let total = a.len() + b.len();
    if total <= max {
        a.reserve_exact(b.len());
        a.append(&mut b);
        return None;
    }
    if a.len() > total / 2 {
        let mut right = a.split_off(total / 2);
        right.append(&mut b);
        trim(a);
        return Some(right);
    }
    let moving = total / 2 - a.len();
    a.reserve_exact(moving);
    a.extend(b.drain(..moving));
    trim(&mut b);
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(tree: &Tree<u32>, naive: &[u32]) {
        let all: Vec<u32> = (0..tree.len()).map(|rank| tree.get(rank).expect("in range")).collect();
        assert_eq!(all, naive);
        check_node(&tree.root, None);
    }

    /// Returns the depth.
    fn check_node(node: &Node<u32>, above: Option<(u32, usize)>) -> usize {
        if let Some(above) = above {
            assert_eq!((node.first(), node.count()), (Some(above.0), above.1));
        }
        let Node::Inner(children) = node else { return 0 };
        assert!(children.len() <= INNER && (above.is_some() || children.len() > 1));
        let depths: Vec<usize> =
            children.iter().map(|c| check_node(&c.node, Some((c.first, c.count)))).collect();
        assert!(depths.iter().all(|depth| *depth == depths[0]));
        depths[0] + 1
    }

    #[derive(Debug, Clone)]
    enum Op {
        Insert(u32),
        Run(u32, u32, bool),
        Remove(u32),
        RemoveRun(u32, u32),
        Exchange(u32, u32),
        RemoveRange(usize, usize),
    }

    fn op() -> impl Strategy<Value = Op> {
        let key = || 0..5000_u32;
        prop_oneof![
            8 => key().prop_map(Op::Insert),
            4 => (key(), 0..1500_u32, any::<bool>()).prop_map(|(k, n, up)| Op::Run(k, n, up)),
            6 => key().prop_map(Op::Remove),
            2 => (key(), 0..800_u32).prop_map(|(k, n)| Op::RemoveRun(k, n)),
            6 => (key(), key()).prop_map(|(a, b)| Op::Exchange(a, b)),
            2 => (0..4000_usize, 0..3000_usize).prop_map(|(a, n)| Op::RemoveRange(a, a + n)),
        ]
    }

    fn insert(tree: &mut Tree<u32>, naive: &mut Vec<u32>, key: u32) {
        if let Err(at) = naive.binary_search(&key) {
            naive.insert(at, key);
            tree.insert(key, |k| *k < key);
        }
    }

    fn remove(tree: &mut Tree<u32>, naive: &mut Vec<u32>, key: u32) {
        if let Ok(at) = naive.binary_search(&key) {
            assert_eq!(tree.partition(|k| *k < key), at);
            assert_eq!((naive.remove(at), tree.remove(|k| *k <= key)), (key, key));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn behaves_like_a_sorted_vec(ops in prop::collection::vec(op(), 0..60)) {
            let (mut tree, mut naive) = (Tree::new(), Vec::new());
            for op in ops {
                match op {
                    Op::Insert(key) => insert(&mut tree, &mut naive, key),
                    Op::Run(from, n, true) => (from..from + n).for_each(|k| insert(&mut tree, &mut naive, k)),
                    Op::Run(from, n, false) => (from..from + n).rev().for_each(|k| insert(&mut tree, &mut naive, k)),
                    Op::Remove(key) => remove(&mut tree, &mut naive, key),
                    Op::RemoveRun(from, n) => (from..from + n).for_each(|k| remove(&mut tree, &mut naive, k)),
                    Op::Exchange(old, new) => {
                        let Ok(at) = naive.binary_search(&old) else { continue };
                        if new != old && naive.binary_search(&new).is_ok() {
                            continue;
                        }
                        if tree.exchange(new, |k| *k <= old, |k| *k < new) {
                            naive[at] = new;
                        }
                    }
                    Op::RemoveRange(from, to) => {
                        let mut removed = Vec::new();
                        tree.remove_range(from, to, |key| removed.push(key));
                        let (from, to) = (from.min(naive.len()), to.min(naive.len()));
                        prop_assert_eq!(removed, naive.drain(from..to).collect::<Vec<_>>());
                    }
                }
            }
            check(&tree, &naive);
            check(&Tree::from_sorted(&naive), &naive);
        }
    }

    /// Slots that a leaf inside has allocated.
    fn leaf_room(node: &Node<u32>) -> usize {
        match node {
            Node::Leaf(keys) => keys.capacity(),
            Node::Inner(children) => leaf_room(&children[1].node),
        }
    }

    #[test]
    fn keys_in_order_fill_the_leaves() {
        for up in [true, false] {
            let mut tree = Tree::new();
            for i in 0..100_000_u32 {
                let key = if up { i } else { 100_000 - i };
                tree.insert(key, |k| *k < key);
            }
            assert!(tree.memory_bytes() < 100_000 * 4 * 5 / 4, "{up} {}", tree.memory_bytes());
            assert_eq!(
                leaf_room(&tree.root),
                LEAF,
                "a full leaf has no slot to spare, which would cost a size class"
            );
        }
    }
}
