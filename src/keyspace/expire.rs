//! Active expiry: keys and hash fields whose time has passed go, though nobody asks for them.

use super::db::Db;
use super::entry::Entry;
use super::{Effect, Keyspace, Lapse, Lapsed};
use crate::text::clock::Now;
use crate::value::table::hash_bytes;

/// What one round of active expiry did to one hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expired {
    /// Its database.
    pub db: usize,
    /// Its key.
    pub key: Vec<u8>,
    /// The fields that went.
    pub fields: Vec<Vec<u8>>,
    /// Whether the hash went with them.
    pub emptied: bool,
}

impl Keyspace {
    /// Deletes up to `budget` keys and hashes' fields that are past their time in one database.
    ///
    /// Keys go to [`Keyspace::take_lapsed`]; what happened to hashes is the result. The third value tells
    /// whether there may be more to do.
    pub fn expire_some(&mut self, db: usize, now: Now, budget: usize) -> (Vec<Expired>, bool) {
        if self.lapse != Lapse::Delete {
            return (Vec::new(), false);
        }
        let mut due = Vec::new();
        let round = self.dbs[db].take_due(now.ms, budget, &mut due);
        let hashes = due.into_iter().filter_map(|entry| self.expire_entry(db, now, entry)).collect();
        (hashes, round.more)
    }

    /// Deals with an entry that was taken out of its table as due: the key goes, or only fields of it.
    fn expire_entry(&mut self, db: usize, now: Now, mut entry: Entry) -> Option<Expired> {
        if entry.expiry().is_some_and(|when| when < now.ms) {
            self.lapsed.push(Lapsed { db, key: entry.key().into() });
            self.stats.expired += 1;
            self.discard_entry(entry);
            return None;
        }
        let mut fields = Vec::new();
        let emptied = entry.edit_hash(|hash| {
            hash.take_due(now.ms, usize::MAX, |field| fields.push(field.to_vec()));
            hash.len() == 0
        })?;
        self.stats.expired_fields += fields.len() as u64;
        let key = entry.key().to_vec();
        if !emptied {
            self.dbs[db].insert(hash_bytes(&key), entry);
        }
        Some(Expired { db, key, fields, emptied })
    }
}

impl Db<'_> {
    /// The effect of a round of field expiry on one hash.
    pub fn hash_expired<'k>(expired: &'k Expired) -> Effect<'k> {
        Effect {
            dirty: expired.fields.len() as u64,
            emptied: expired.emptied,
            ..Effect::new(&expired.key, "hexpired")
        }
    }
}
