//! Consumer groups: what was delivered to whom and is not acknowledged yet.
//!
//! A pending entry names its consumer by a small number, and each consumer keeps the ids of its pending
//! entries. Invariant: an id is in a consumer's list exactly if the group's entry of that id names it.
//! Sources: `t_stream.c` and `rdb.c` of Redis 8.0.6 for what the commands and the file do.

use super::id::StreamId;
use super::log::Log;
use super::ordered::Ordered;
use std::num::NonZeroU32;
use std::ops::RangeInclusive;

/// "Not known", where a group counts the entries it has read.
pub const ENTRIES_READ_UNKNOWN: i64 = -1;

/// Which consumer of its group. Given anew once the consumer is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConsumerId(NonZeroU32);

impl ConsumerId {
    fn of_slot(slot: usize) -> ConsumerId {
        let number = u32::try_from(slot + 1).expect("every consumer takes far more than a byte");
        ConsumerId(NonZeroU32::new(number).expect("one more than something"))
    }

    fn slot(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// A pending entry: delivered, not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nack {
    pub id: StreamId,
    /// Unix milliseconds of the last delivery.
    pub delivery_time_ms: i64,
    pub delivery_count: u64,
    /// To whom. `None` only in odd files, which Redis loads, too: entries that no consumer claims as its own.
    pub consumer: Option<ConsumerId>,
}

/// One reader of a group.
#[derive(Debug, Clone)]
pub struct Consumer {
    name: Box<[u8]>,
    /// Unix milliseconds of the last attempt to read or claim.
    pub seen_ms: i64,
    /// Unix milliseconds of the last successful one; -1: none yet.
    pub active_ms: i64,
    pel: Ordered<StreamId>,
}

impl Consumer {
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many entries are pending for it.
    pub fn pending_len(&self) -> usize {
        self.pel.len()
    }

    /// The ids of its pending entries, ascending.
    pub fn pending(&self) -> impl Iterator<Item = StreamId> {
        self.pel.iter().copied()
    }

    /// The same from an id on.
    pub fn pending_from(&self, start: StreamId) -> impl Iterator<Item = StreamId> {
        let pos = self.pel.find(|id| id.cmp(&start)).unwrap_or_else(|pos| pos);
        self.pel.iter_from(pos).copied()
    }

    fn forget(&mut self, id: StreamId) {
        if let Ok(pos) = self.pel.find(|have| have.cmp(&id)) {
            self.pel.remove(pos);
        }
    }

    /// False when it was there already.
    fn remember(&mut self, id: StreamId) -> bool {
        let place = self.pel.find(|have| have.cmp(&id));
        place.map_err(|pos| self.pel.insert(pos, id)).is_err()
    }
}

/// A consumer group.
#[derive(Debug, Clone)]
pub struct Group {
    name: Box<[u8]>,
    /// The last id delivered to anybody.
    pub last_id: StreamId,
    /// How many entries of the stream's whole history come before `last_id`, itself included;
    /// [`ENTRIES_READ_UNKNOWN`] if deletions or XGROUP SETID made that unknowable.
    pub entries_read: i64,
    pel: Ordered<Nack>,
    slots: Vec<Option<Box<Consumer>>>,
    free: Vec<ConsumerId>,      // slots whose consumer was deleted
    order: Ordered<ConsumerId>, // by name
}

/// How XCLAIM and XAUTOCLAIM take over an entry.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    pub consumer: ConsumerId,
    pub now_ms: i64,
    /// Entries delivered less than this many milliseconds ago stay where they are; 0: none does.
    pub min_idle_ms: i64,
    /// Unix milliseconds that become the entry's delivery time.
    pub delivery_time_ms: i64,
    /// The delivery count to set; `None`: one more than it was, or the same with `just_id`.
    pub retry_count: Option<u64>,
    pub just_id: bool,
    /// Make an entry pending that is not.
    pub force: bool,
}

/// What became of an entry that was to be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Not pending, or not idle for long enough.
    No,
    /// The stream no longer has it; it was pending like this and is not any more.
    Gone(Nack),
    /// It is now pending like this.
    Taken(Nack),
}

/// What XAUTOCLAIM did.
#[derive(Debug, Default)]
pub struct AutoClaim {
    /// Where the next call should start; 0-0: everything was looked at.
    pub next: StreamId,
    /// The entries taken over or found deleted, in order; never [`Claimed::No`].
    pub done: Vec<Claimed>,
}

impl Group {
    pub(super) fn new(name: &[u8], last_id: StreamId, entries_read: i64) -> Group {
        let (pel, order) = (Ordered::default(), Ordered::default());
        Group { name: name.into(), last_id, entries_read, pel, slots: Vec::new(), free: Vec::new(), order }
    }

    pub fn name(&self) -> &[u8] {
        &self.name
    }

    // ---- consumers

    /// Its consumers, by name.
    pub fn consumers(&self) -> impl Iterator<Item = (ConsumerId, &Consumer)> {
        self.order.iter().filter_map(|&id| Some((id, self.consumer(id)?)))
    }

    pub fn consumers_len(&self) -> usize {
        self.order.len()
    }

    /// The consumer of a number; `None` once it is deleted.
    pub fn consumer(&self, id: ConsumerId) -> Option<&Consumer> {
        self.slots.get(id.slot())?.as_deref()
    }

    /// For `seen_ms` and `active_ms`.
    pub fn consumer_mut(&mut self, id: ConsumerId) -> Option<&mut Consumer> {
        self.slots.get_mut(id.slot())?.as_deref_mut()
    }

    pub fn find_consumer(&self, name: &[u8]) -> Option<ConsumerId> {
        let pos = self.order.find(|&id| self.name_of(id).cmp(name)).ok()?;
        self.order.get(pos).copied()
    }

    fn name_of(&self, id: ConsumerId) -> &[u8] {
        self.consumer(id).map_or(b"", Consumer::name)
    }

    /// Finds or creates a consumer, seen at `now_ms` if new and never active; whether it is new.
    pub fn create_consumer(&mut self, name: &[u8], now_ms: i64) -> (ConsumerId, bool) {
        let place = self.order.find(|&id| self.name_of(id).cmp(name));
        let pos = match place {
            Ok(pos) => return (*self.order.get(pos).expect("just found"), false),
            Err(pos) => pos,
        };
        let id = self.free_slot();
        let new = Consumer { name: name.into(), seen_ms: now_ms, active_ms: -1, pel: Ordered::default() };
        self.slots[id.slot()] = Some(Box::new(new));
        self.order.insert(pos, id);
        (id, true)
    }

    /// A slot without a consumer.
    fn free_slot(&mut self) -> ConsumerId {
        self.free.pop().unwrap_or_else(|| {
            if self.slots.is_empty() {
                self.slots.reserve_exact(1); // most groups have few consumers
            }
            self.slots.push(None);
            ConsumerId::of_slot(self.slots.len() - 1)
        })
    }

    /// Deletes a consumer and what is pending for it. How many entries that were; `None`: no such consumer.
    pub fn delete_consumer(&mut self, name: &[u8]) -> Option<usize> {
        let pos = self.order.find(|&id| self.name_of(id).cmp(name)).ok()?;
        let id = self.order.remove(pos);
        let consumer = self.slots[id.slot()].take()?;
        self.free.push(id);
        if self.order.is_empty() {
            (self.slots, self.free) = (Vec::new(), Vec::new());
        }
        consumer.pending().for_each(|id| {
            if let Ok(pos) = self.pel.find(|nack| nack.id.cmp(&id)) {
                self.pel.remove(pos);
            }
        });
        Some(consumer.pending_len())
    }

    // ---- pending entries

    /// How many entries are pending.
    pub fn pending_len(&self) -> usize {
        self.pel.len()
    }

    /// The pending entries, by id.
    pub fn pending(&self) -> impl DoubleEndedIterator<Item = &Nack> {
        self.pel.iter()
    }

    /// The pending entries within a range of ids.
    pub fn pending_in(&self, range: RangeInclusive<StreamId>) -> impl Iterator<Item = &Nack> {
        let pos = self.pel.find(|nack| nack.id.cmp(range.start())).unwrap_or_else(|pos| pos);
        self.pel.iter_from(pos).take_while(move |nack| nack.id <= *range.end())
    }

    /// The pending entry of an id.
    pub fn nack(&self, id: StreamId) -> Option<&Nack> {
        let pos = self.pel.find(|nack| nack.id.cmp(&id)).ok()?;
        self.pel.get(pos)
    }

    fn nack_mut(&mut self, id: StreamId) -> Option<&mut Nack> {
        let pos = self.pel.find(|nack| nack.id.cmp(&id)).ok()?;
        self.pel.get_mut(pos)
    }

    /// Acknowledges: the entry is not pending any more. How it was; `None`: it was not.
    pub fn ack(&mut self, id: StreamId) -> Option<Nack> {
        let pos = self.pel.find(|nack| nack.id.cmp(&id)).ok()?;
        let nack = self.pel.remove(pos);
        if let Some(owner) = nack.consumer.and_then(|owner| self.consumer_mut(owner)) {
            owner.forget(id);
        }
        Some(nack)
    }

    /// XREADGROUP passes an entry: moves the group's position and its count of entries read. Whether it moved.
    pub fn advance(&mut self, log: &Log, id: StreamId) -> bool {
        if id <= self.last_id {
            return false;
        }
        let known = self.entries_read != ENTRIES_READ_UNKNOWN;
        if known && self.last_id >= log.first_id && !log.has_tombstones_from(self.last_id) {
            self.entries_read = self.entries_read.wrapping_add(1);
        } else if log.entries_added > 0 {
            self.entries_read = log.estimate_entries_read(id);
        }
        self.last_id = id;
        true
    }

    /// XREADGROUP delivers a new entry: it is pending now, taken from whoever had it (after XGROUP SETID).
    pub fn deliver(&mut self, id: StreamId, consumer: ConsumerId, now_ms: i64) -> Nack {
        let nack = Nack { id, delivery_time_ms: now_ms, delivery_count: 1, consumer: None };
        match self.nack_mut(id) {
            Some(have) => (have.delivery_time_ms, have.delivery_count) = (now_ms, 1),
            None => self.insert_nack(nack),
        }
        if let Some(consumer) = self.consumer_mut(consumer) {
            consumer.active_ms = now_ms;
        }
        self.give(id, consumer);
        Nack { consumer: Some(consumer), ..nack }
    }

    /// XREADGROUP shows a consumer an entry of its own again.
    pub fn redeliver(&mut self, id: StreamId, now_ms: i64) {
        if let Some(nack) = self.nack_mut(id) {
            nack.delivery_time_ms = now_ms;
            nack.delivery_count = nack.delivery_count.wrapping_add(1);
        }
    }

    /// XCLAIM of one id.
    pub fn claim(&mut self, log: &Log, id: StreamId, how: &Claim) -> Claimed {
        if !log.contains(id) {
            return self.ack(id).map_or(Claimed::No, Claimed::Gone);
        }
        match self.nack(id) {
            None if !how.force => return Claimed::No,
            None => {
                // Redis counts a forced entry as delivered once before this, now.
                self.insert_nack(Nack {
                    id,
                    delivery_time_ms: how.now_ms,
                    delivery_count: 1,
                    consumer: None,
                });
            }
            Some(nack) => {
                let idle_ms = how.now_ms.saturating_sub(nack.delivery_time_ms);
                if nack.consumer.is_some() && how.min_idle_ms != 0 && idle_ms < how.min_idle_ms {
                    return Claimed::No;
                }
            }
        }
        self.take(id, how).map_or(Claimed::No, Claimed::Taken)
    }

    /// The new owner, time and count of an entry that is pending.
    fn take(&mut self, id: StreamId, how: &Claim) -> Option<Nack> {
        self.give(id, how.consumer);
        self.consumer_mut(how.consumer)?.active_ms = how.now_ms;
        let nack = self.nack_mut(id)?;
        nack.delivery_time_ms = how.delivery_time_ms;
        nack.delivery_count = match how.retry_count {
            Some(count) => count,
            None => nack.delivery_count.wrapping_add(u64::from(!how.just_id)),
        };
        Some(*nack)
    }

    /// XAUTOCLAIM: looks at pending entries from `start` on, at ten times `count` at most, until `count` are
    /// taken over or found deleted. `how.force` has no meaning here.
    pub fn auto_claim(&mut self, log: &Log, start: StreamId, count: usize, how: &Claim) -> AutoClaim {
        let mut result = AutoClaim::default();
        let mut cursor = Some(start);
        for _ in 0..count.saturating_mul(10) {
            if result.done.len() == count {
                break;
            }
            let Some(id) = cursor.and_then(|from| self.pending_at_or_after(from)) else { break };
            match self.claim(log, id, &Claim { force: false, ..*how }) {
                Claimed::No => {}
                done => result.done.push(done),
            }
            cursor = id.next();
        }
        let next = cursor.and_then(|from| self.pending_at_or_after(from));
        result.next = next.unwrap_or(StreamId::MIN);
        result
    }

    fn pending_at_or_after(&self, id: StreamId) -> Option<StreamId> {
        self.pending_in(id..=StreamId::MAX).next().map(|nack| nack.id)
    }

    /// Hands a pending entry to a consumer, keeping both sides of the invariant.
    fn give(&mut self, id: StreamId, to: ConsumerId) {
        let Some(nack) = self.nack_mut(id) else { return };
        let from = nack.consumer.replace(to);
        if from == Some(to) {
            return;
        }
        if let Some(from) = from.and_then(|from| self.consumer_mut(from)) {
            from.forget(id);
        }
        if let Some(to) = self.consumer_mut(to) {
            to.remember(id);
        }
    }

    fn insert_nack(&mut self, nack: Nack) {
        if let Err(pos) = self.pel.find(|have| have.id.cmp(&nack.id)) {
            self.pel.insert(pos, nack);
        }
    }

    /// A pending entry out of a file, whose owner is to be read later. False: the id is there already.
    pub(super) fn load_nack(&mut self, nack: Nack) -> bool {
        let place = self.pel.find(|have| have.id.cmp(&nack.id));
        place.map_err(|pos| self.pel.insert(pos, nack)).is_err()
    }

    /// An id in a consumer's list out of a file. Two consumers with one id: the later has it.
    pub(super) fn load_owner(&mut self, id: StreamId, owner: ConsumerId) -> Result<(), OwnerError> {
        let nack = self.nack(id).ok_or(OwnerError::NotPending)?;
        if nack.consumer == Some(owner) {
            return Err(OwnerError::Twice);
        }
        self.give(id, owner);
        Ok(())
    }

    /// Bytes allocated for it.
    pub fn heap_bytes(&self) -> usize {
        let consumer = |c: &Consumer| size_of::<Consumer>() + c.name.len() + c.pel.heap_bytes();
        let consumers: usize = self.slots.iter().flatten().map(|c| consumer(c)).sum();
        let slots = self.slots.capacity() * size_of::<Option<Box<Consumer>>>();
        self.name.len() + self.pel.heap_bytes() + self.order.heap_bytes() + slots + consumers
    }
}

/// Why an id of a consumer in a file was refused.
pub(super) enum OwnerError {
    NotPending,
    Twice,
}

/// The groups of a stream, by name.
#[derive(Debug, Clone, Default)]
pub struct Groups(Option<Box<Ordered<Box<Group>>>>); // one word while there are none

impl Groups {
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |groups| groups.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All groups, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter().flat_map(|groups| groups.iter()).map(|group| &**group)
    }

    pub fn get(&self, name: &[u8]) -> Option<&Group> {
        let groups = self.0.as_ref()?;
        let pos = groups.find(|group| group.name().cmp(name)).ok()?;
        groups.get(pos).map(|group| &**group)
    }

    pub fn get_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        let groups = self.0.as_mut()?;
        let pos = groups.find(|group| group.name().cmp(name)).ok()?;
        groups.get_mut(pos).map(|group| &mut **group)
    }

    /// Creates a group; `None` if the name is taken.
    pub fn create(&mut self, name: &[u8], last_id: StreamId, entries_read: i64) -> Option<&mut Group> {
        let groups = self.0.get_or_insert_default();
        let Err(pos) = groups.find(|group| group.name().cmp(name)) else { return None };
        groups.insert(pos, Box::new(Group::new(name, last_id, entries_read)));
        self.get_mut(name)
    }

    /// Adds a group out of a file. False: the name is taken.
    pub(super) fn add(&mut self, group: Group) -> bool {
        let groups = self.0.get_or_insert_default();
        let place = groups.find(|have| have.name().cmp(group.name()));
        place.map_err(|pos| groups.insert(pos, Box::new(group))).is_err()
    }

    /// Deletes a group with all that is pending in it. Whether it was there.
    pub fn destroy(&mut self, name: &[u8]) -> bool {
        let Some(groups) = self.0.as_mut() else { return false };
        let Ok(pos) = groups.find(|group| group.name().cmp(name)) else { return false };
        groups.remove(pos);
        if groups.is_empty() {
            self.0 = None;
        }
        true
    }

    /// Bytes allocated for them.
    pub fn heap_bytes(&self) -> usize {
        let own = self.0.as_ref().map_or(0, |groups| size_of_val(&**groups) + groups.heap_bytes());
        own + self.iter().map(|group| size_of::<Group>() + group.heap_bytes()).sum::<usize>()
    }
}
