//! Keys and hash fields whose time has passed go: in time, though nobody asks for them, and fields when a command
//! meets them.

use super::db::Db;
use super::entry::Entry;
use super::{Keyspace, Lapse, Lapsed};
use crate::text::clock::Now;
use crate::value::hash::Hash;
use crate::value::table::hash_bytes;

impl Keyspace {
    /// Deletes keys and hashes' fields that are past their time in one database: looks at about `budget` keys, and
    /// deletes at most so many fields.
    ///
    /// What went is told by [`Keyspace::take_lapsed`]. Returns whether there may be more to do.
    pub fn expire_some(&mut self, db: usize, now: Now, budget: usize) -> bool {
        if self.lapse != Lapse::Delete {
            return false;
        }
        let mut due = Vec::new();
        let mut more = self.dbs[db].take_due(now.ms, budget, &mut due).more;
        let mut fields_left = budget;
        for entry in due {
            more |= self.expire_entry(db, now, &mut fields_left, entry);
        }
        more
    }

    /// Deals with an entry that was taken out of its table as due: the key goes, or only fields of it. Returns whether
    /// fields that are due stay.
    fn expire_entry(&mut self, db: usize, now: Now, fields_left: &mut usize, mut entry: Entry) -> bool {
        if entry.expiry().is_some_and(|when| when < now.ms) {
            self.lapsed.push(Lapsed::key(db, entry.key()));
            self.stats.expired += 1;
            self.discard_entry(entry);
            return false;
        }
        let mut fields = Vec::new();
        let edited = entry.edit_hash(|hash| {
            let more = hash.take_due(now.ms, *fields_left, |field| fields.push(field.into())).more;
            (more, hash.is_empty())
        });
        let (more, emptied) = edited.expect("only hashes are due besides their expiry");
        *fields_left = fields_left.saturating_sub(fields.len());
        let key = entry.key().into();
        if !emptied {
            self.dbs[db].insert(hash_bytes(entry.key()), entry);
        }
        self.lost_fields(Lapsed { db, key, fields, emptied, missed: false });
        more
    }

    /// Takes note of fields that went, if any did.
    fn lost_fields(&mut self, lapsed: Lapsed) {
        if !lapsed.fields.is_empty() {
            self.stats.expired_fields += lapsed.fields.len() as u64;
            self.lapsed.push(lapsed);
        }
    }
}

impl Db<'_> {
    /// What fields' deadlines are compared with: a field whose deadline is earlier is missing for every command.
    ///
    /// Unix ms; 0 where what is past its time counts as present (a replay, whose log says itself what went).
    #[inline]
    pub fn field_clock(&self) -> u64 {
        if self.ks.lapse == Lapse::Ignore { 0 } else { self.now.ms }
    }

    /// Whether commands delete the fields past their time that they meet.
    #[inline]
    fn deletes_fields(&self) -> bool {
        self.data().with_field_ttl > 0 && self.ks.lapse == Lapse::Delete
    }

    /// Deletes those of these fields whose time has passed, as a command does that is about to use them. With the
    /// last field the hash goes.
    ///
    /// Nearly free where no hash of the database has fields that expire. Does nothing to keys of other types.
    #[inline]
    pub fn lapse_fields<'f>(&mut self, key: &[u8], fields: impl IntoIterator<Item = &'f [u8]>) {
        if self.deletes_fields() {
            let now_ms = self.now.ms;
            self.lapse_some(key, |hash, gone| {
                for field in fields {
                    if hash.get(field).is_some_and(|item| item.expired(now_ms)) {
                        hash.remove(field);
                        gone.push(field.into());
                    }
                }
            });
        }
    }

    /// Deletes all fields of a hash whose time has passed.
    pub fn lapse_all_fields(&mut self, key: &[u8]) {
        if self.deletes_fields() {
            let now_ms = self.now.ms;
            self.lapse_some(key, |hash, gone| {
                hash.take_due(now_ms, usize::MAX, |field| gone.push(field.into()));
            });
        }
    }

    /// A hash that lost its last fields just now is written anew by the same command: nobody hears that it went.
    pub fn take_back_emptied(&mut self, key: &[u8]) {
        if let Some(last) = self.ks.lapsed.last_mut().filter(|last| *last.key == *key) {
            last.emptied = false;
        }
    }

    /// Lets `f` remove fields of a hash that may have some that are due, and say which.
    fn lapse_some(&mut self, key: &[u8], f: impl FnOnce(&mut Hash, &mut Vec<Box<[u8]>>)) {
        let Some(ix) = self.find(key) else { return };
        if self.entry(ix).field_deadline().is_none_or(|first| first >= self.now.ms) {
            return;
        }
        let mut fields = Vec::new();
        let emptied = self.data_mut().update(ix, |entry| {
            entry.edit_hash(|hash| {
                f(hash, &mut fields);
                hash.is_empty()
            })
        });
        let emptied = emptied.expect("only hashes have fields with deadlines");
        if emptied {
            drop(self.data_mut().take(ix));
        }
        let db = self.index;
        self.ks.lost_fields(Lapsed { db, key: key.into(), fields, emptied, missed: false });
    }
}
