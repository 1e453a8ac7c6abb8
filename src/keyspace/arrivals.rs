//! Putting loaded keys in, each some keys late: by then the processor has fetched the place where it belongs.
//!
//! A million keys are a million cache misses otherwise, a third of the time of a load.

use std::collections::VecDeque;

use super::entry::{Entry, Made};
use super::{Database, Keyspace};
use crate::value::{Packed, Value};

/// Keys that wait for their place.
const LATE: usize = 8;

/// Loaded keys on their way into a keyspace.
pub struct Arrivals<'a> {
    keyspace: &'a mut Keyspace,
    waiting: VecDeque<Arrival>,
}

struct Arrival {
    db: usize,
    hash: u64,
    entry: Entry,
    offset: u64,
}

/// What a key carries besides its value, and where it comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'k> {
    /// Which database.
    pub db: usize,
    /// The key.
    pub key: &'k [u8],
    /// Unix ms.
    pub expiry: Option<u64>,
    /// The access clock.
    pub clock: u32,
    /// Where in the file it is.
    pub offset: u64,
}

/// A key that was there already, and where it came from the second time.
#[derive(Debug, PartialEq, Eq)]
pub struct Twice {
    /// The key.
    pub key: Vec<u8>,
    /// As given in [`Origin`].
    pub offset: u64,
}

impl<'a> Arrivals<'a> {
    /// Opens the doors of a keyspace.
    pub fn new(keyspace: &'a mut Keyspace) -> Self {
        Arrivals { keyspace, waiting: VecDeque::with_capacity(LATE) }
    }

    /// The keyspace, without the keys that wait.
    pub fn keyspace(&self) -> &Keyspace {
        self.keyspace
    }

    /// Makes room for so many keys at once in a database that is empty. Untrusted: have the input justify it.
    pub fn expect(&mut self, db: usize, keys: usize) {
        self.keyspace.database_mut(db).table.expect(keys);
    }

    /// Lets a value in. Errors: a key that came before, this one or one before it, was there; it was dropped.
    pub fn add(&mut self, origin: &Origin<'_>, value: Value) -> Result<(), Twice> {
        self.queue(origin, Entry::with_value(origin.key, value, origin.expiry, origin.clock))
    }

    /// Lets a string in, without a copy of its own on the way.
    pub fn add_bytes(&mut self, origin: &Origin<'_>, bytes: &[u8]) -> Result<(), Twice> {
        self.queue(origin, Entry::with_bytes(origin.key, bytes, Made::Whole, origin.expiry, origin.clock))
    }

    /// Lets a packed value in, without a copy of its own on the way.
    pub fn add_packed(&mut self, origin: &Origin<'_>, packed: Packed<'_>) -> Result<(), Twice> {
        self.queue(origin, Entry::with_packed(origin.key, packed, origin.expiry, origin.clock))
    }

    #[inline]
    fn queue(&mut self, origin: &Origin<'_>, entry: Entry) -> Result<(), Twice> {
        let Origin { db, key, offset, .. } = *origin;
        let hash = self.keyspace.database(db).prefetch(key);
        let result = if self.waiting.len() == LATE { self.put_in() } else { Ok(()) };
        self.waiting.push_back(Arrival { db, hash, entry, offset });
        result
    }

    /// Puts the key in that has waited longest.
    fn put_in(&mut self) -> Result<(), Twice> {
        let Some(Arrival { db, hash, entry, offset }) = self.waiting.pop_front() else { return Ok(()) };
        let database: &mut Database = self.keyspace.database_mut(db);
        if database.table.find(hash, |other| other.key() == entry.key()).is_some() {
            return Err(Twice { key: entry.key().to_vec(), offset });
        }
        database.insert(hash, entry);
        Ok(())
    }

    /// Lets everything in that waits. Errors: as in [`Arrivals::add`]; call again for the rest.
    pub fn finish(&mut self) -> Result<(), Twice> {
        while !self.waiting.is_empty() {
            self.put_in()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Limits;

    #[test]
    fn all_arrive_and_twice_is_told() {
        let mut keyspace = Keyspace::new(2, Limits::default(), drop);
        let mut arrivals = Arrivals::new(&mut keyspace);
        arrivals.expect(1, 100);
        let origin = |key, offset| Origin { db: 1, key, expiry: None, clock: 0, offset };
        let keys: Vec<_> = (0..100u64).map(|i| i.to_string().into_bytes()).collect();
        for (i, key) in keys.iter().enumerate() {
            arrivals.add_bytes(&origin(key, i as u64), b"x").unwrap();
        }
        arrivals.add_bytes(&origin(b"7", 100), b"y").unwrap();
        assert_eq!(arrivals.finish(), Err(Twice { key: b"7".to_vec(), offset: 100 }));
        assert_eq!(arrivals.finish(), Ok(()));
        assert_eq!((keyspace.database(0).len(), keyspace.database(1).len()), (0, 100));
        assert!(keys.iter().all(|key| keyspace.database(1).entry(key).is_some()));
    }
}
