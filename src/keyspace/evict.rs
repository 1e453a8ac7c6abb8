//! Which key is to go when memory runs out (`maxmemory-policy`).
//!
//! As in the real server: a few keys are looked at each time, and those that come next are remembered in a pool, so
//! that the choice gets better than the sample. Source: `evict.c` of Redis 8.0.6.

use super::entry::Entry;
use super::{Database, Keyspace};
use crate::text::clock::Now;
use crate::value::table::hash_bytes;

/// By what the victim is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The key that was not used for the longest time.
    Idle,
    /// The key that is used least often.
    Rare,
    /// The key that expires next.
    Expiry,
    /// Any.
    Random,
}

/// How victims are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// By what.
    pub order: Order,
    /// Only among keys that expire.
    pub volatile: bool,
    /// Keys looked at in each database.
    pub samples: usize,
}

/// A key that may go.
#[derive(Debug)]
struct Candidate {
    /// The higher, the sooner.
    score: u64,
    db: usize,
    key: Box<[u8]>,
}

/// Keys that may go, the best last.
#[derive(Debug, Default)]
pub struct Pool {
    candidates: Vec<Candidate>,
    /// The database that a random victim was last taken from.
    last_db: usize,
}

/// Candidates that are remembered.
const POOL: usize = 16;
/// Draws in search of a key that expires, before the table is walked.
const DRAWS: usize = 8;
/// Steps of a walk in search of a key that expires.
const STEPS: usize = 4096;

impl Pool {
    fn add(&mut self, candidate: Candidate) {
        let known = |other: &Candidate| other.db == candidate.db && other.key == candidate.key;
        if self.candidates.iter().any(known) {
            return;
        }
        let at = self.candidates.partition_point(|other| other.score < candidate.score);
        if self.candidates.len() < POOL {
            self.candidates.insert(at, candidate);
        } else if at > 0 {
            self.candidates.insert(at, candidate);
            self.candidates.remove(0);
        }
    }
}

impl Database {
    /// A key drawn at random; `volatile`: one that expires. `None` if none was found, though there may be some.
    fn draw(&self, volatile: bool, rng: &mut fastrand::Rng) -> Option<&Entry> {
        if volatile && self.volatile == 0 {
            return None;
        }
        for _ in 0..DRAWS {
            let entry = self.table.get(self.table.random(rng)?);
            if !volatile || entry.expiry().is_some() {
                return Some(entry);
            }
        }
        self.walk_to_volatile(rng.u64(..))
    }

    /// The first key that expires from some place in the table on.
    fn walk_to_volatile(&self, mut cursor: u64) -> Option<&Entry> {
        let mut found = None;
        for _ in 0..STEPS {
            cursor = self.table.scan(cursor, |entry| {
                if found.is_none() && entry.expiry().is_some() {
                    found = Some(entry);
                }
            });
            if found.is_some() {
                break;
            }
        }
        found
    }
}

impl Keyspace {
    /// Chooses a key to go, and its database; `None` if no key may.
    pub fn choose_victim(
        &mut self,
        choice: Choice,
        now: Now,
        rng: &mut fastrand::Rng,
    ) -> Option<(usize, Box<[u8]>)> {
        if choice.order == Order::Random {
            return self.random_victim(choice.volatile, rng);
        }
        for db in 0..self.dbs.len() {
            self.sample(db, choice, now, rng);
        }
        while let Some(best) = self.pool.candidates.pop() {
            let entry = self.dbs[best.db].entry(&best.key);
            if entry.is_some_and(|entry| !choice.volatile || entry.expiry().is_some()) {
                return Some((best.db, best.key));
            }
        }
        None
    }

    /// Takes turns among the databases.
    fn random_victim(&mut self, volatile: bool, rng: &mut fastrand::Rng) -> Option<(usize, Box<[u8]>)> {
        let (count, last) = (self.dbs.len(), self.pool.last_db);
        (1..=count).map(|step| (last + step) % count).find_map(|db| {
            let key = self.dbs[db].draw(volatile, rng)?.key().into();
            self.pool.last_db = db;
            Some((db, key))
        })
    }

    fn sample(&mut self, db: usize, choice: Choice, now: Now, rng: &mut fastrand::Rng) {
        for _ in 0..choice.samples.min(self.dbs[db].len()) {
            let Some(entry) = self.dbs[db].draw(choice.volatile, rng) else { return };
            let clock = entry.clock();
            let score = match choice.order {
                Order::Idle => self.access.idle_seconds(clock, now.ms),
                Order::Rare => u64::from(255 - self.access.counter(clock, now.ms).min(255)),
                Order::Expiry => u64::MAX - entry.expiry().unwrap_or(u64::MAX),
                Order::Random => 0,
            };
            let key = entry.key().into();
            self.pool.add(Candidate { score, db, key });
        }
    }

    /// Deletes a key as it was chosen; `elsewhere`: what is big of it is freed on another thread.
    pub fn evict(&mut self, db: usize, key: &[u8], elsewhere: bool) {
        let database = &mut self.dbs[db];
        let Some(ix) = database.table.find(hash_bytes(key), |entry| entry.key() == key) else { return };
        let entry = database.take(ix);
        self.stats.evicted += 1;
        if elsewhere { self.discard_entry(entry) } else { drop(entry) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::{Db, New, Ttl};
    use crate::value::Limits;

    const NOW: Now = Now { ms: 10_000_000, us: 10_000_000_000, mono_us: 0 };

    /// Keys `0`, `1`, ..., each a second older than the next; those with an even number expire, the higher the sooner.
    fn keyspace(count: u64) -> Keyspace {
        let mut keyspace = Keyspace::new(2, Limits::default(), drop);
        for n in 0..count {
            let now = Now { ms: NOW.ms - (count - n) * 1000, ..NOW };
            let ttl = if n % 2 == 0 { Ttl::At(NOW.ms + 1000 * (count - n)) } else { Ttl::Clear };
            let mut db = Db::new(&mut keyspace, (n % 2) as usize, now, false);
            let _ = db.set(n.to_string().as_bytes(), New::Bytes(b"v"), ttl);
        }
        keyspace
    }

    fn victims(keyspace: &mut Keyspace, choice: Choice, most: usize) -> Vec<u64> {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut victims = Vec::new();
        while let Some((db, key)) =
            (victims.len() < most).then(|| keyspace.choose_victim(choice, NOW, &mut rng)).flatten()
        {
            keyspace.evict(db, &key, false);
            victims.push(String::from_utf8_lossy(&key).parse().expect("a number"));
        }
        victims
    }

    #[test]
    fn old_keys_go_first() {
        let choice = Choice { order: Order::Idle, volatile: false, samples: 10 };
        let gone = victims(&mut keyspace(1000), choice, 200);
        let young = gone.iter().filter(|n| **n >= 500).count();
        assert!(gone.len() == 200 && young < 10, "{young} of 200");
    }

    #[test]
    fn what_does_not_expire_stays() {
        for order in [Order::Idle, Order::Rare, Order::Expiry, Order::Random] {
            let mut keyspace = keyspace(300);
            let gone = victims(&mut keyspace, Choice { order, volatile: true, samples: 5 }, usize::MAX);
            assert_eq!(gone.len(), 150, "{order:?}");
            assert!(gone.iter().all(|n| n % 2 == 0), "{order:?}");
            assert_eq!((keyspace.total_keys(), keyspace.stats.evicted), (150, 150));
        }
    }

    #[test]
    fn what_expires_next_goes_first() {
        let choice = Choice { order: Order::Expiry, volatile: true, samples: 64 };
        let gone = victims(&mut keyspace(1000), choice, 20);
        // Of 64 keys drawn, one at least is among the third that goes first: once in a hundred million runs none is.
        assert!(gone.len() == 20 && gone.iter().all(|n| *n >= 700), "{gone:?}");
    }

    #[test]
    fn all_keys_may_go() {
        let choice = Choice { order: Order::Random, volatile: false, samples: 5 };
        assert_eq!(victims(&mut keyspace(50), choice, usize::MAX).len(), 50);
    }
}
