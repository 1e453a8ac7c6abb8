//! Moving keys whole: RENAME, MOVE, COPY, SWAPDB, FLUSHDB.

use super::db::Db;
use super::{Database, Effect};
use crate::value::table::hash_bytes;

impl Db<'_> {
    /// Renames a key, with its expiry, over what `to` was. The events are `rename_from` and `rename_to`, told once both
    /// keys have changed.
    ///
    /// `None` if `from` is missing. The names differ.
    pub fn rename<'k>(&mut self, from: &'k [u8], to: &'k [u8]) -> Option<[Effect<'k>; 5]> {
        self.find_to_change(hash_bytes(from), from)?;
        if let Some(ix) = self.find_to_change(hash_bytes(to), to) {
            let old = self.data_mut().take(ix);
            self.ks.discard_entry(old);
        }
        let ix = self.data().slot(from).expect("found above");
        let mut entry = self.data_mut().take(ix);
        entry.rename(to);
        self.data_mut().insert(hash_bytes(to), entry);
        let [heard_from, gone] = Effect::new(from, "rename_from").split();
        let [heard_to, there] = Effect { dirty: 0, ready: true, ..Effect::new(to, "rename_to") }.split();
        Some([Effect::appeared(to), gone, there, heard_from, heard_to])
    }

    /// Moves a key to another database. `None` if it is missing here or present there.
    ///
    /// The effects, each with its database: the key appears there, it changed here and there, `move_from` is heard
    /// here and `move_to` there.
    pub fn move_to<'k>(&mut self, key: &'k [u8], other: usize) -> Option<[(usize, Effect<'k>); 5]> {
        self.write(key)?;
        let here = self.index;
        self.select(other);
        let taken = self.find_to_change(hash_bytes(key), key).is_some();
        self.select(here);
        if taken {
            return None;
        }
        let ix = self.data().slot(key).expect("found above");
        let entry = self.data_mut().take(ix);
        self.ks.dbs[other].insert(hash_bytes(key), entry);
        let [heard_from, gone] = Effect::new(key, "move_from").split();
        let [heard_to, there] = Effect { dirty: 0, ready: true, ..Effect::new(key, "move_to") }.split();
        let new = Effect::appeared(key);
        Some([(other, new), (here, gone), (other, there), (here, heard_from), (other, heard_to)])
    }

    /// Makes `to` in database `other` a copy of `from`, expiry included, in place of what was there. The event,
    /// `copy_to`, belongs to that database. Nothing if `from` is missing.
    pub fn copy_to<'k>(&mut self, from: &[u8], to: &'k [u8], other: usize) -> Effect<'k> {
        let Some(ix) = self.find(from) else { return Effect::NONE };
        let copy = self.entry(ix).copy_as(to, self.ks.access.fresh(self.now.ms));
        let target = &mut self.ks.dbs[other];
        let old = target.slot(to).map(|ix| target.take(ix));
        target.insert(hash_bytes(to), copy);
        if let Some(old) = old {
            self.ks.discard_entry(old);
        }
        Effect { created: true, ready: true, ..Effect::new(to, "copy_to") }
    }

    /// Exchanges the contents of two databases. The effect belongs to no key.
    pub fn swap_databases(&mut self, a: usize, b: usize) -> Effect<'static> {
        self.ks.swap(a, b);
        Effect::new(b"", "swapdb")
    }

    /// Empties this database and gives what it held, to be freed somewhere else.
    pub fn flush(&mut self) -> (Database, Effect<'static>) {
        let old = self.ks.take_database(self.index);
        let dirty = old.len() as u64;
        (old, Effect { dirty, ..Effect::new(b"", "flushdb") })
    }
}
