//! One hash table for databases, big hashes, sets and the members of sorted sets.
//!
//! Linear hashing over cache-line buckets: growing splits one bucket, shrinking merges one, so there is never a
//! pause and memory follows the count. With `n` buckets an item lives in bucket `hash mod 2^(k+1)` if that one
//! exists already, else in `hash mod 2^k`, where `2^k <= n < 2^(k+1)`. A bucket has seven slots; what does not fit
//! goes to a chain of spill buckets, which are kept dense in a row of their own (so that a random pick can hit
//! them as fairly as the others) and full up to the last one (so that only that one has vacancies, and at
//! least two items). Finding touches one cache line for the bucket and one for the item.
//!
//! It never compares, hashes or frees anything by itself but through [`Slot`], and knows no clock. Source of
//! truth: this folder. Unsafe code is confined to `bucket.rs` and `chunks.rs`.

mod bucket;
mod chunks;
mod deadlines;
mod hasher;
mod iter;
mod pointer;
#[cfg(test)]
mod tests;

pub use hasher::{hash_bytes, seed_hasher};
pub use iter::{IntoIter, Iter};
pub use pointer::{ThinPtr, prefetch};

use bucket::{Bucket, SLOTS};
use chunks::Chunks;
use deadlines::{Deadlines, GROUP};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A table with fewer items lives in the processor's caches: nothing is won by fetching ahead.
pub const COLD: usize = 4096;

/// An item that is longer than this by little ends in the cache line behind its first one as often as not; where it
/// does, both are fetched.
const SMALL_ITEM: usize = 39;

/// What a table holds: an owning handle of exactly 8 bytes, usually a [`ThinPtr`] to one allocation.
pub trait Slot: Sized {
    /// True when the table may keep 16 bits of its own in the handle: then growing rarely touches an item.
    /// A handle that says so must keep what [`Slot::set_spare`] gave it, also when its pointer changes.
    const SPARE: bool = false;

    /// [`hash_bytes`] of the item's key.
    fn hash(&self) -> u64;

    /// When it expires, in unix ms.
    fn deadline(&self) -> Option<u64> {
        None
    }

    /// Where the item lies, for prefetching.
    fn address(&self) -> *const u8 {
        std::ptr::null()
    }

    /// Starts to fetch what the item owns behind that; the item itself is at hand.
    fn prefetch_inside(&self) {}

    /// The bits of the last [`Slot::set_spare`].
    fn spare(&self) -> u16 {
        0
    }

    /// Keeps 16 bits for the table.
    fn set_spare(&mut self, _bits: u16) {}
}

/// Where an item sits: valid until the next insertion or removal. A stale one finds another item or panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotIx(usize);

impl SlotIx {
    fn new(bucket: BucketId, slot: usize) -> Self {
        SlotIx(bucket.0 << 3 | slot)
    }

    fn bucket(self) -> BucketId {
        BucketId(self.0 >> 3)
    }

    fn slot(self) -> usize {
        self.0 & 7
    }
}

/// Index of a main bucket, or with the top bit of 60 set of a spill bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
struct BucketId(usize);

const SPILL: usize = 1 << 60;

impl BucketId {
    fn spill(index: usize) -> Self {
        BucketId(index | SPILL)
    }
}

/// What a round of [`Table::take_due`] did.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// Items whose deadline was looked at.
    pub examined: usize,
    /// Items handed out.
    pub taken: usize,
    /// The budget ended before what is due.
    pub more: bool,
}

/// Whether no table merges for now: see [`hold_shrinking`].
static HELD: AtomicBool = AtomicBool::new(false);

/// `true` stops merging in all tables of the process, until nearly all of their slots are vacant: while a forked child
/// shares the pages, moving items about would copy them. Tables grow all the same, unless they are frozen one by
/// one: what grows now is being filled, and mostly new.
pub fn hold_shrinking(on: bool) {
    HELD.store(on, Relaxed);
}

/// What DEBUG HTSTATS tells.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Stats {
    pub items: usize,
    pub buckets: usize,
    /// Splits or merges are due, and the next changes will do them.
    pub resizing: bool,
    pub spill_buckets: usize,
    /// Main buckets by how many items they and their chain hold; the last counts all longer ones, too.
    pub histogram: [usize; 22],
    /// Items of the fullest.
    pub longest: usize,
}

/// The table. Empty it allocates nothing.
pub struct Table<T: Slot> {
    main: Chunks<T>,
    spill: Chunks<T>,
    /// `2^(k+1) - 1`.
    mask: u64,
    len: usize,
    frozen: bool,
    deadlines: Option<Box<Deadlines>>,
}

impl<T: Slot> Default for Table<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Slot> Table<T> {
    pub const fn new() -> Self {
        Table { main: Chunks::new(), spill: Chunks::new(), mask: 0, len: 0, frozen: false, deadlines: None }
    }

    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The item with this hash for which `eq` holds.
    #[inline]
    pub fn find(&self, hash: u64, mut eq: impl FnMut(&T) -> bool) -> Option<SlotIx> {
        if self.len == 0 {
            return None;
        }
        let mut id = BucketId(self.home(hash));
        let mut bucket = self.main.at(id.0);
        loop {
            let mut hits = bucket.matching(tag(hash));
            while hits != 0 {
                let slot = hits.trailing_zeros() as usize;
                if eq(bucket.get(slot)) {
                    return Some(SlotIx::new(id, slot));
                }
                hits &= hits - 1;
            }
            let next = bucket.link()?;
            (id, bucket) = (BucketId::spill(next), self.spill.at(next));
        }
    }

    #[inline]
    pub fn get(&self, ix: SlotIx) -> &T {
        self.bucket(ix.bucket()).get(ix.slot())
    }

    /// The item, to be changed in place. Its hash must stay; after an earlier deadline call
    /// [`Table::note_deadline`]; to exchange the whole handle use [`Table::replace`].
    #[inline]
    pub fn get_mut(&mut self, ix: SlotIx) -> &mut T {
        self.bucket_mut(ix.bucket()).get_mut(ix.slot())
    }

    /// Adds an item that is known to be absent. `hash` is its `Slot::hash`.
    #[inline]
    pub fn insert_new(&mut self, hash: u64, mut item: T) -> SlotIx {
        self.grow();
        let home = self.home(hash);
        if T::SPARE {
            item.set_spare(window(hash, self.depth(home)));
        }
        if let Some(deadline) = item.deadline() {
            self.deadlines_mut().note(home, deadline);
        }
        self.len += 1;
        self.place(home, tag(hash), item)
    }

    /// Removes an item.
    #[inline]
    pub fn remove(&mut self, ix: SlotIx) -> T {
        let home = self.home_of(ix);
        let item = self.extract(home, ix);
        self.shrink(2);
        item
    }

    /// Exchanges an item for one with the same key, and returns the old one.
    pub fn replace(&mut self, ix: SlotIx, mut item: T) -> T {
        let old = self.get_mut(ix);
        item.set_spare(old.spare());
        let deadline = item.deadline();
        let old = std::mem::replace(old, item);
        if let Some(deadline) = deadline {
            self.note_deadline(ix, deadline);
        }
        old
    }

    /// Tells that an item changed in place now expires at `deadline_ms`.
    pub fn note_deadline(&mut self, ix: SlotIx, deadline_ms: u64) {
        let home = self.home_of(ix);
        self.deadlines_mut().note(home, deadline_ms);
    }

    /// Lower bound of all deadlines; `None` when no item has one (or ever had).
    pub fn earliest_deadline(&self) -> Option<u64> {
        let earliest = self.deadlines.as_ref()?.earliest();
        (earliest != u64::MAX).then_some(earliest)
    }

    /// Removes items whose deadline lies before `now_ms`, in no order, and hands them to `taken`.
    ///
    /// Stops after about `budget` examined items; the next call goes on from there. Costs nothing when nothing
    /// is due, and about forty items per group of buckets that has something due.
    pub fn take_due(&mut self, now_ms: u64, budget: usize, mut taken: impl FnMut(T)) -> Due {
        let mut due = Due::default();
        while let Some(group) = self.deadlines.as_mut().and_then(|d| d.next_due(now_ms)) {
            if due.examined >= budget {
                due.more = true;
                break;
            }
            let earliest = self.take_due_in_group(group, now_ms, &mut due, &mut taken);
            self.deadlines_mut().settle(group, earliest);
        }
        if due.examined != 0 {
            self.deadlines_mut().rotate();
        }
        self.shrink(2 * due.taken);
        due
    }

    /// Starts to fetch the bucket of a hash.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        if self.len != 0 {
            prefetch(std::ptr::from_ref(self.main.at(self.home(hash))).cast());
        }
    }

    /// Starts to fetch the bucket of a key of a big table, and gives its hash.
    #[inline]
    pub fn prefetch_if_cold(&self, key: &[u8]) -> Option<u64> {
        (self.len >= COLD).then(|| {
            let hash = hash_bytes(key);
            self.prefetch(hash);
            hash
        })
    }

    /// Starts to fetch the items whose tag matches; the bucket should have been fetched before. True if there is none
    /// but a spill bucket, which is being fetched then, for [`Table::prefetch_spilled`].
    #[inline]
    pub fn prefetch_items(&self, hash: u64) -> bool {
        if self.len == 0 {
            return false;
        }
        let bucket = self.main.at(self.home(hash));
        if prefetch_matching(bucket, hash) {
            return false;
        }
        let spill = bucket.link();
        if let Some(spill) = spill {
            prefetch(std::ptr::from_ref(self.spill.at(spill)).cast());
        }
        spill.is_some()
    }

    /// Starts to fetch the items whose tag matches in the first spill bucket, which was fetched before.
    pub fn prefetch_spilled(&self, hash: u64) {
        if self.len == 0 {
            return;
        }
        if let Some(spill) = self.main.at(self.home(hash)).link() {
            prefetch_matching(self.spill.at(spill), hash);
        }
    }

    /// Visits one bucket and returns the cursor of the next; begin with 0, 0 ends.
    ///
    /// An item that is there from start to end is visited at least once, however the table grows and shrinks
    /// meanwhile: the cursor, its bits reversed, is the lower bound of the reversed hashes not yet visited.
    /// Any number is a valid cursor.
    pub fn scan<'a>(&'a self, cursor: u64, mut visit: impl FnMut(&'a T)) -> u64 {
        if self.main.len() == 0 {
            return 0;
        }
        let home = self.home(cursor);
        self.chain(home).for_each(|bucket| bucket.items().for_each(&mut visit));
        let covered = u64::MAX << self.depth(home);
        (cursor | covered).reverse_bits().wrapping_add(1).reverse_bits()
    }

    /// A uniformly random item.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<SlotIx> {
        if self.len == 0 {
            return None;
        }
        let buckets = self.main.len() + self.spill.len();
        loop {
            let pick = rng.usize(..buckets * SLOTS);
            let id = self.nth_bucket(pick / SLOTS);
            if self.bucket(id).present() >> (pick % SLOTS) & 1 == 1 {
                return Some(SlotIx::new(id, pick % SLOTS));
            }
        }
    }

    /// All items, in no order.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self, false)
    }

    /// The same for who will read the items with all that they own: that is fetched ahead, too.
    pub fn iter_inside(&self) -> Iter<'_, T> {
        Iter::new(self, true)
    }

    /// Makes room for so many items at once, if there are none yet. Too much of it is given back step by step.
    pub fn expect(&mut self, items: usize) {
        let buckets = (items as u64 * 25).div_ceil(18 * SLOTS as u64) as usize;
        if self.len != 0 || self.frozen || buckets <= self.main.len() {
            return;
        }
        while self.main.len() < buckets {
            self.main.push();
        }
        self.mask = mask_for(buckets);
    }

    /// Removes everything and gives the memory back.
    pub fn clear(&mut self) {
        let frozen = self.frozen;
        *self = Self::new();
        self.frozen = frozen;
    }

    /// `false` stops splitting and merging (while a forked child shares the pages), until chains get too long.
    pub fn set_resizing(&mut self, on: bool) {
        self.frozen = !on;
    }

    /// Does up to `steps` splits or merges that are due, when there is nothing else to do.
    pub fn resize_step(&mut self, steps: usize) {
        for _ in 0..steps {
            if !self.overfull() {
                break;
            }
            self.split();
        }
        self.shrink(steps);
    }

    /// Bytes of the table itself, without its items.
    pub fn memory_bytes(&self) -> usize {
        let deadlines = self.deadlines.as_ref().map_or(0, |d| d.memory_bytes());
        size_of::<Self>() + self.main.memory_bytes() + self.spill.memory_bytes() + deadlines
    }

    /// Counts what is where, walking all buckets.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats {
            items: self.len,
            buckets: self.main.len(),
            resizing: self.overfull() || (self.main.len() > 1 && self.underfull()),
            spill_buckets: self.spill.len(),
            ..Stats::default()
        };
        for home in 0..self.main.len() {
            let items = self.chain(home).map(|bucket| bucket.present().count_ones() as usize).sum();
            stats.histogram[usize::min(items, stats.histogram.len() - 1)] += 1;
            stats.longest = stats.longest.max(items);
        }
        stats
    }
}

/// Starts to fetch the items of a bucket whose tag matches; whether there are any.
#[inline]
fn prefetch_matching<T: Slot>(bucket: &Bucket<T>, hash: u64) -> bool {
    let mut hits = bucket.matching(tag(hash));
    let any = hits != 0;
    while hits != 0 {
        let address = bucket.get(hits.trailing_zeros() as usize).address();
        prefetch(address);
        prefetch(address.wrapping_add(SMALL_ITEM));
        hits &= hits - 1;
    }
    any
}

/// Where things are.
impl<T: Slot> Table<T> {
    /// Index of the main bucket of a hash. There must be a bucket.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        let index = (hash & self.mask) as usize;
        if index < self.main.len() { index } else { index & (self.mask >> 1) as usize }
    }

    /// How many low bits of the hash lead to a main bucket.
    #[inline]
    fn depth(&self, home: usize) -> u32 {
        let level = self.main.len().ilog2();
        let split = self.main.len() - (1 << level);
        if home < split || home >= 1 << level { level + 1 } else { level }
    }

    fn home_of(&self, ix: SlotIx) -> usize {
        let BucketId(index) = ix.bucket();
        if index < SPILL { index } else { self.home(self.get(ix).hash()) }
    }

    #[inline]
    fn bucket(&self, BucketId(index): BucketId) -> &Bucket<T> {
        if index < SPILL { self.main.at(index) } else { self.spill.at(index - SPILL) }
    }

    #[inline]
    fn bucket_mut(&mut self, BucketId(index): BucketId) -> &mut Bucket<T> {
        if index < SPILL { self.main.at_mut(index) } else { self.spill.at_mut(index - SPILL) }
    }

    /// The `n`th of all buckets, main ones first.
    fn nth_bucket(&self, n: usize) -> BucketId {
        if n < self.main.len() { BucketId(n) } else { BucketId::spill(n - self.main.len()) }
    }

    /// A main bucket and its spill buckets.
    fn chain(&self, home: usize) -> impl Iterator<Item = &Bucket<T>> {
        std::iter::successors(Some(self.main.at(home)), |bucket| Some(self.spill.at(bucket.link()?)))
    }

    fn deadlines_mut(&mut self) -> &mut Deadlines {
        self.deadlines.get_or_insert_with(|| Box::new(Deadlines::new()))
    }
}

/// Chains.
impl<T: Slot> Table<T> {
    /// Puts an item into a bucket or its chain.
    #[inline]
    fn place(&mut self, home: usize, tag: u8, item: T) -> SlotIx {
        let mut id = BucketId(home);
        loop {
            let bucket = self.bucket_mut(id);
            if let Some(slot) = bucket.vacant() {
                bucket.put(slot, tag, item);
                return SlotIx::new(id, slot);
            }
            match bucket.link() {
                Some(next) => id = BucketId::spill(next),
                None => return self.lengthen(id, tag, item),
            }
        }
    }

    /// Chains a spill bucket to a full one, for its last item and one more.
    #[cold]
    fn lengthen(&mut self, full: BucketId, tag: u8, item: T) -> SlotIx {
        let spill = self.spill.push();
        let bucket = self.bucket_mut(full);
        let (last_tag, last) = (bucket.tag(SLOTS - 1), bucket.take(SLOTS - 1));
        bucket.set_link(spill);
        let bucket = self.spill.at_mut(spill);
        bucket.put(0, last_tag, last);
        bucket.put(1, tag, item);
        SlotIx::new(BucketId::spill(spill), 1)
    }

    /// Takes an item out and closes the gap with one from the end of the chain.
    #[inline]
    fn extract(&mut self, home: usize, ix: SlotIx) -> T {
        self.len -= 1;
        let item = self.bucket_mut(ix.bucket()).take(ix.slot());
        if self.main.at(home).link().is_some() {
            self.close_gap(home, ix);
        }
        item
    }

    #[cold]
    fn close_gap(&mut self, home: usize, gap: SlotIx) {
        let (before, tail) = self.tail(home);
        if gap.bucket() != BucketId::spill(tail) {
            let (tag, item) =
                self.spill.at_mut(tail).take_any().expect("a spill bucket holds two items at least");
            self.bucket_mut(gap.bucket()).put(gap.slot(), tag, item);
        }
        if self.spill.at(tail).present().count_ones() == 1 {
            let (tag, item) = self.spill.at_mut(tail).take_any().expect("it holds one");
            let bucket = self.bucket_mut(before);
            bucket.clear_link();
            bucket.put(SLOTS - 1, tag, item);
            self.free_spill(tail);
        }
    }

    /// The last spill bucket of a chained bucket, and the one before it.
    fn tail(&self, home: usize) -> (BucketId, usize) {
        let mut before = BucketId(home);
        let mut tail = self.main.at(home).link().expect("the caller saw that it is chained");
        while let Some(next) = self.spill.at(tail).link() {
            (before, tail) = (BucketId::spill(tail), next);
        }
        (before, tail)
    }

    /// Gives back an empty, unlinked spill bucket; the last one moves to its place.
    fn free_spill(&mut self, index: usize) {
        let last = self.spill.len() - 1;
        if index != last {
            let before = self.linking_to(last);
            let moved = std::mem::replace(self.spill.at_mut(last), Bucket::empty());
            *self.spill.at_mut(index) = moved;
            let bucket = self.bucket_mut(before);
            bucket.clear_link();
            bucket.set_link(index);
        }
        self.spill.pop();
    }

    /// The bucket that is chained to a spill bucket.
    fn linking_to(&self, spill: usize) -> BucketId {
        let item = self.spill.at(spill).items().next().expect("a spill bucket is never empty");
        let mut id = BucketId(self.home(item.hash()));
        loop {
            let next = self.bucket(id).link().expect("the chain of its items leads to it");
            if next == spill {
                return id;
            }
            id = BucketId::spill(next);
        }
    }

    /// Empties a bucket and its chain.
    fn drain_chain(&mut self, home: usize) -> Vec<(u8, T)> {
        let mut items = Vec::with_capacity(2 * SLOTS);
        while let Some(spill) = self.main.at(home).link() {
            let bucket = self.spill.at_mut(spill);
            let next = bucket.link();
            bucket.clear_link();
            items.extend(std::iter::from_fn(|| bucket.take_any()));
            let bucket = self.main.at_mut(home);
            bucket.clear_link();
            if let Some(next) = next {
                bucket.set_link(next);
            }
            self.free_spill(spill);
        }
        let bucket = self.main.at_mut(home);
        items.extend(std::iter::from_fn(|| bucket.take_any()));
        items
    }

    fn for_chain(&mut self, home: usize, mut change: impl FnMut(&mut T)) {
        let mut id = BucketId(home);
        loop {
            let bucket = self.bucket_mut(id);
            bucket.items_mut().for_each(&mut change);
            match bucket.link() {
                Some(next) => id = BucketId::spill(next),
                None => return,
            }
        }
    }

    /// Returns the earliest deadline that stays.
    fn take_due_in_group(
        &mut self,
        group: usize,
        now_ms: u64,
        due: &mut Due,
        taken: &mut impl FnMut(T),
    ) -> u64 {
        let homes = group * GROUP..usize::min((group + 1) * GROUP, self.main.len());
        for home in homes.clone() {
            self.chain(home).for_each(|bucket| bucket.items().for_each(|item| prefetch(item.address())));
        }
        let mut earliest = u64::MAX;
        for home in homes {
            due.examined +=
                self.chain(home).map(|bucket| bucket.present().count_ones() as usize).sum::<usize>();
            let in_chain = loop {
                match self.look_for_due(home, now_ms) {
                    Ok(ix) => {
                        due.taken += 1;
                        taken(self.extract(home, ix));
                    }
                    Err(earliest) => break earliest,
                }
            };
            earliest = earliest.min(in_chain);
        }
        earliest
    }

    /// The first item of a chain that is due, or else its earliest deadline.
    fn look_for_due(&self, home: usize, now_ms: u64) -> Result<SlotIx, u64> {
        let mut earliest = u64::MAX;
        let mut id = BucketId(home);
        loop {
            let bucket = self.bucket(id);
            for slot in bucket.slots() {
                let deadline = bucket.get(slot).deadline().unwrap_or(u64::MAX);
                if deadline < now_ms {
                    return Ok(SlotIx::new(id, slot));
                }
                earliest = earliest.min(deadline);
            }
            match bucket.link() {
                Some(next) => id = BucketId::spill(next),
                None => return Err(earliest),
            }
        }
    }
}

/// Growing and shrinking.
impl<T: Slot> Table<T> {
    /// More than 72 % of the slots are taken; while resizing is off, three times as many as there are.
    #[inline]
    fn overfull(&self) -> bool {
        let (items, slots) = (self.len as u64, (self.main.len() * SLOTS) as u64);
        items * 25 >= slots * 18 && (!self.frozen || items >= 3 * slots)
    }

    /// Less than 30 % of the slots are taken; while resizing is off, less than one in 32.
    #[inline]
    fn underfull(&self) -> bool {
        let slots = self.main.len() * SLOTS;
        self.len * 10 < slots * 3 && (!(self.frozen || HELD.load(Relaxed)) || self.len * 32 < slots)
    }

    #[inline]
    fn grow(&mut self) {
        if self.overfull() {
            self.split();
            if self.overfull() {
                self.split();
            }
        }
    }

    /// Merges while too few of the slots are taken, at most `steps` times; more often the fewer items are left, so
    /// that a table which was much larger is done long before they are gone, too.
    #[inline]
    fn shrink(&mut self, steps: usize) {
        if self.underfull() {
            self.shrink_by(steps.saturating_add(usize::min(self.main.len() / self.len.max(1), 64)));
        }
    }

    fn shrink_by(&mut self, steps: usize) {
        for _ in 0..steps {
            if self.len == 0 {
                return self.clear();
            }
            if self.main.len() == 1 || !self.underfull() {
                return;
            }
            self.merge();
        }
    }

    /// Adds a bucket at the end and moves to it what belongs there.
    fn split(&mut self) {
        let new = self.main.len();
        if new == 0 {
            self.main.push();
            self.mask = 1;
            return;
        }
        let level = new.ilog2();
        let old = new - (1 << level);
        if !T::SPARE || (level + 1).is_multiple_of(16) {
            // All of them will be read.
            self.chain(old).for_each(|bucket| bucket.items().for_each(|item| prefetch(item.address())));
        }
        let (leaving, beyond) = self.take_leaving(old, level);
        self.main.push();
        self.mask = mask_for(new + 1);
        *self.main.at_mut(new) = leaving;
        for (tag, item) in beyond {
            self.place(new, tag, item);
        }
        if T::SPARE && (level + 1).is_multiple_of(16) {
            self.renew_windows(old, level + 1);
            self.renew_windows(new, level + 1);
        }
        self.inherit_deadline(old, new);
    }

    /// Takes the items whose hash bit `level` is set out of a chain: as a bucket, and what one can't hold.
    fn take_leaving(&mut self, home: usize, level: u32) -> (Bucket<T>, Vec<(u8, T)>) {
        let (mut leaving, mut beyond) = (Bucket::empty(), Vec::new());
        while let Some(ix) = self.first_leaving(home, level) {
            let tag = self.bucket(ix.bucket()).tag(ix.slot());
            let item = self.extract(home, ix);
            self.len += 1;
            match leaving.vacant() {
                Some(slot) => leaving.put(slot, tag, item),
                None => beyond.push((tag, item)),
            }
        }
        (leaving, beyond)
    }

    fn first_leaving(&self, home: usize, level: u32) -> Option<SlotIx> {
        let mut id = BucketId(home);
        loop {
            let bucket = self.bucket(id);
            if let Some(slot) = bucket.slots().find(|slot| leaves(bucket.get(*slot), level)) {
                return Some(SlotIx::new(id, slot));
            }
            id = BucketId::spill(bucket.link()?);
        }
    }

    /// Gives the items of the last bucket back to the one that it was split from.
    fn merge(&mut self) {
        let last = self.main.len() - 1;
        let level = last.ilog2();
        let into = last - (1 << level);
        let mut items = self.drain_chain(last);
        self.inherit_deadline(last, into);
        self.main.pop();
        self.mask = mask_for(last);
        if T::SPARE && (level + 1).is_multiple_of(16) {
            // The index of a bucket is the low bits of its hashes: nothing needs to be read.
            let known = |bucket: usize| window(bucket as u64, level);
            items.iter_mut().for_each(|(_, item)| item.set_spare(known(last)));
            self.for_chain(into, |item| item.set_spare(known(into)));
        }
        for (tag, item) in items {
            self.place(into, tag, item);
        }
        if let Some(deadlines) = &mut self.deadlines {
            deadlines.truncate(last);
        }
    }

    fn renew_windows(&mut self, home: usize, depth: u32) {
        self.for_chain(home, |item| {
            let bits = window(item.hash(), depth);
            item.set_spare(bits);
        });
    }

    /// What holds for one bucket holds from now on for another: early perhaps, never late.
    fn inherit_deadline(&mut self, from: usize, to: usize) {
        if let Some(deadlines) = &mut self.deadlines {
            let earliest = deadlines.of(from);
            if earliest != u64::MAX {
                deadlines.note(to, earliest);
            }
        }
    }
}

/// The byte that is kept beside an item: bits that no index uses.
#[inline]
fn tag(hash: u64) -> u8 {
    (hash >> 56) as u8
}

/// The 16 bits of a hash that decide about the next splits of a bucket of that depth.
#[inline]
fn window(hash: u64, depth: u32) -> u16 {
    (hash >> (depth & !15)) as u16
}

/// Whether bit `level` of the hash is set, for an item in a bucket of depth `level`.
#[inline]
fn leaves<T: Slot>(item: &T, level: u32) -> bool {
    if T::SPARE { item.spare() >> (level % 16) & 1 == 1 } else { item.hash() >> level & 1 == 1 }
}

fn mask_for(buckets: usize) -> u64 {
    (2 << buckets.ilog2()) - 1
}
