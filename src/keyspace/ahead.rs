//! Looking ahead: keys that will be looked up soon are asked for before, the table's buckets first, then the entries,
//! and what a bucket had no room for last.
//!
//! Each step asks for one of each, so that the memory is always busy and nobody waits for it; whole groups at once
//! would have the first of a group wait.

use super::Database;
use crate::value::table::COLD;

/// So many keys ahead buckets are asked for.
const BUCKETS: usize = 16;
/// So many keys ahead entries are, whose buckets have come meanwhile.
const ENTRIES: usize = 8;
/// So many keys ahead those entries are that lie in a spill bucket, which has come meanwhile.
const SPILLED: usize = 4;

/// How far a sequence of keys was asked for.
#[derive(Default)]
pub struct Ahead {
    /// Hashes of the last keys whose buckets were asked for.
    hashes: [u64; BUCKETS],
    /// Those of them with something in a spill bucket, as bits.
    spilled: u32,
    /// Keys whose buckets were asked for.
    buckets: usize,
    /// Keys whose entries were.
    entries: usize,
}

impl Ahead {
    /// Key `at` of `len` is about to be looked up; `key` gives a later one, if it is one.
    #[inline]
    pub fn step<'k>(
        &mut self,
        db: &Database,
        at: usize,
        len: usize,
        key: impl Fn(usize) -> Option<&'k [u8]>,
    ) {
        if len < 2 || db.len() < COLD {
            return;
        }
        while self.buckets < len.min(at + BUCKETS) {
            self.hashes[self.buckets % BUCKETS] = key(self.buckets).map_or(0, |key| db.prefetch(key));
            self.buckets += 1;
        }
        while self.entries < len.min(at + ENTRIES) {
            let more = db.prefetch_entries(self.hashes[self.entries % BUCKETS]);
            self.spilled |= u32::from(more) << (self.entries % BUCKETS);
            self.entries += 1;
        }
        if self.spilled != 0 {
            self.ask_for_spilled(db, at + SPILLED);
        }
    }

    #[cold]
    fn ask_for_spilled(&mut self, db: &Database, at: usize) {
        let bit = 1 << (at % BUCKETS);
        if self.spilled & bit != 0 {
            self.spilled &= !bit;
            db.prefetch_spilled(self.hashes[at % BUCKETS]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn every_later_key_is_asked_for_once_and_in_time() {
        let mut keyspace = crate::keyspace::Keyspace::new(1, crate::value::Limits::default(), drop);
        let now = crate::text::clock::Now { ms: 1, us: 1, mono_us: 1 };
        for i in 0..COLD {
            let mut db = crate::keyspace::Db::new(&mut keyspace, 0, now, false);
            let _ =
                db.set(i.to_string().as_bytes(), super::super::New::Bytes(b"x"), super::super::Ttl::Clear);
        }
        let asked = RefCell::new(Vec::new());
        let mut ahead = Ahead::default();
        for at in 0..40 {
            ahead.step(keyspace.database(0), at, 40, |i| {
                asked.borrow_mut().push(i);
                Some(b"key")
            });
            assert_eq!(asked.borrow().len(), (at + BUCKETS).min(40));
        }
        assert_eq!(*asked.borrow(), (0..40).collect::<Vec<_>>());
    }
}
