//! The earliest deadline of every eight buckets: what leads active expiry to its prey without a second table.
//!
//! A noted deadline may be earlier than the truth (its item was removed or got a later one), never later. It
//! becomes the truth when the group is visited.

use super::chunks::CHUNK;

/// Buckets that share one entry.
pub(super) const GROUP: usize = 8;

const GROUPS: usize = CHUNK / GROUP;
const NEVER: u64 = u64::MAX;

pub(super) struct Deadlines {
    blocks: Vec<Block>,
    earliest: u64,
    /// Block where the next search begins, so that the first ones don't eat every budget.
    resume: usize,
}

/// The groups of one chunk; the vector ends after the last group that ever had a deadline.
struct Block {
    earliest: u64,
    groups: Vec<u64>,
}

impl Deadlines {
    pub fn new() -> Self {
        Deadlines { blocks: Vec::new(), earliest: NEVER, resume: 0 }
    }

    /// Lower bound of all deadlines in unix ms; `u64::MAX` when there is none.
    #[inline]
    pub fn earliest(&self) -> u64 {
        self.earliest
    }

    /// Takes note of a deadline in a bucket.
    pub fn note(&mut self, bucket: usize, deadline_ms: u64) {
        let (block, group) = (bucket / CHUNK, bucket % CHUNK / GROUP);
        if self.blocks.len() <= block {
            self.blocks.resize_with(block + 1, || Block { earliest: NEVER, groups: Vec::new() });
        }
        let block = &mut self.blocks[block];
        if block.groups.len() <= group {
            block.groups.resize(group + 1, NEVER);
        }
        block.groups[group] = block.groups[group].min(deadline_ms);
        block.earliest = block.earliest.min(deadline_ms);
        self.earliest = self.earliest.min(deadline_ms);
    }

    /// What is noted for a bucket's group.
    pub fn of(&self, bucket: usize) -> u64 {
        let groups = self.blocks.get(bucket / CHUNK).map(|block| &block.groups);
        groups.and_then(|g| g.get(bucket % CHUNK / GROUP)).copied().unwrap_or(NEVER)
    }

    /// Forgets what belongs to buckets from `buckets` on.
    pub fn truncate(&mut self, buckets: usize) {
        let blocks = buckets.div_ceil(CHUNK);
        if blocks < self.blocks.len() {
            self.blocks.truncate(blocks);
        }
    }

    /// A group whose earliest deadline lies before `now_ms`, searched once around; its number counts groups, not buckets.
    pub fn next_due(&mut self, now_ms: u64) -> Option<usize> {
        if self.earliest >= now_ms {
            return None;
        }
        let count = self.blocks.len();
        for step in 0..count {
            let at = (self.resume + step) % count;
            if let Some(group) = self.blocks[at].due(now_ms) {
                self.resume = at;
                return Some(at * GROUPS + group);
            }
        }
        self.earliest = self.blocks.iter().map(|block| block.earliest).min().unwrap_or(NEVER);
        None
    }

    /// Replaces what is noted for a group by the truth.
    pub fn settle(&mut self, group: usize, earliest_ms: u64) {
        self.blocks[group / GROUPS].groups[group % GROUPS] = earliest_ms;
    }

    /// Moves the start of the search on, so that another block has its turn.
    pub fn rotate(&mut self) {
        self.resume = self.resume.wrapping_add(1);
    }

    pub fn memory_bytes(&self) -> usize {
        let groups: usize = self.blocks.iter().map(|block| block.groups.capacity() * 8).sum();
        size_of::<Self>() + self.blocks.capacity() * size_of::<Block>() + groups
    }
}

impl Block {
    fn due(&mut self, now_ms: u64) -> Option<usize> {
        if self.earliest >= now_ms {
            return None;
        }
        let group = self.groups.iter().position(|&earliest| earliest < now_ms);
        if group.is_none() {
            self.earliest = self.groups.iter().copied().min().unwrap_or(NEVER);
        }
        group
    }
}
