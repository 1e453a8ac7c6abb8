//! Changing a value in place: take it, change it, say what changed.

use super::db::Db;
use super::entry::{Entry, Kind, Made, Type};
use super::{Effect, WrongType};
use crate::value::hash::Hash;
use crate::value::list::List;
use crate::value::set::Set;
use crate::value::stream::Stream;
use crate::value::table::{SlotIx, hash_bytes};
use crate::value::zset::Zset;
use crate::value::{Limits, Value};

/// What to do when the key that is to be changed is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Nothing.
    Leave,
    /// Begin with an empty value.
    Create,
}

/// What a change to one value amounts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The keyspace event; empty: nothing changed.
    pub event: &'static str,
    /// How much it adds to the dirty count.
    pub dirty: u64,
    /// Something was added that a blocked client may wait for, though the key is not new (streams alone).
    pub ready: bool,
    /// Who watches the key does not hear of it.
    pub unwatched: bool,
    /// Its event is told before those hear of the change who have read the key.
    pub told_first: bool,
}

impl Change {
    /// Nothing changed.
    pub const NONE: Change =
        Change { event: "", dirty: 0, ready: false, unwatched: false, told_first: false };

    /// `dirty` elements changed; nothing if that is 0.
    pub fn new(event: &'static str, dirty: usize) -> Change {
        if dirty == 0 { Change::NONE } else { Change { event, dirty: dirty as u64, ..Change::NONE } }
    }

    /// The same, and a blocked client may want it.
    pub fn ready(mut self) -> Change {
        self.ready = self.dirty > 0;
        self
    }

    /// The same, and who watches the key does not hear of it.
    pub fn unwatched(mut self) -> Change {
        self.unwatched = true;
        self
    }

    /// The same, and its event is told before those hear of the change who have read the key.
    pub fn told_first(mut self) -> Change {
        self.told_first = true;
        self
    }

    fn effect<'k>(self, key: &'k [u8]) -> Effect<'k> {
        let Change { event, dirty, ready, unwatched, told_first } = self;
        Effect { ready, dirty, unwatched, told_first, ..Effect::new(key, event) }
    }
}

/// An aggregate type, as far as changing one needs to know it.
trait Aggregate: Sized {
    fn empty() -> Self;
    fn is_empty(&self) -> bool;
    fn into_value(self) -> Value;
}

macro_rules! aggregate {
    ($($type:ty, $variant:ident, $empty:expr;)*) => { $(
        impl Aggregate for $type {
            fn empty() -> Self {
                $empty
            }
            fn is_empty(&self) -> bool {
                self.len() == 0
            }
            fn into_value(self) -> Value {
                Value::$variant(self)
            }
        }
    )* };
}

aggregate! {
    List, List, List::new();
    Set, Set, Set::default();
    Zset, Zset, Zset::new();
    Hash, Hash, Hash::new();
}

impl Aggregate for Box<Stream> {
    fn empty() -> Self {
        Box::new(Stream::new())
    }
    /// A stream without entries stays a key.
    fn is_empty(&self) -> bool {
        false
    }
    fn into_value(self) -> Value {
        Value::Stream(self)
    }
}

impl Db<'_> {
    fn edit_new<'k, T: Aggregate, R>(
        &mut self,
        key: &'k [u8],
        f: impl FnOnce(&mut T, &Limits) -> (R, Change),
    ) -> (R, Effect<'k>) {
        let mut value = T::empty();
        let (result, change) = f(&mut value, &self.ks.limits);
        if value.is_empty() || change == Change::NONE {
            return (result, Effect::NONE);
        }
        let clock = self.ks.access.fresh(self.now.ms);
        let entry = Entry::with_value(key, value.into_value(), None, clock);
        self.data_mut().insert(hash_bytes(key), entry);
        (result, Effect { created: true, unwatched: false, ..change.effect(key) })
    }

    fn edit_at<'k, R>(
        &mut self,
        ix: SlotIx,
        key: &'k [u8],
        f: impl FnOnce(&mut Entry, &Limits) -> (R, Change, bool),
    ) -> (R, Effect<'k>) {
        let ks = &mut *self.ks;
        let limits = &ks.limits;
        let (result, change, emptied) = ks.dbs[self.index].update(ix, |entry| f(entry, limits));
        if emptied {
            drop(self.data_mut().take(ix));
        }
        let effect = if change == Change::NONE && !emptied { Effect::NONE } else { change.effect(key) };
        (result, Effect { emptied, ..effect })
    }
}

macro_rules! edits {
    ($($name:ident $entry_edit:ident $type:ty, $is:ident;)*) => { impl Db<'_> { $(
        /// Changes the value at `key` by `f`, which is given the thresholds and says what it did.
        ///
        /// A new set begins as an intset: `f` puts the right encoding for its first members in its place.
        /// `None` if the key is missing and is to be left so. A value that `f` leaves empty goes, and its key
        /// with it. An error if the key is of another type.
        pub fn $name<'k, R>(
            &mut self,
            key: &'k [u8],
            missing: Missing,
            f: impl FnOnce(&mut $type, &Limits) -> (R, Change),
        ) -> Result<(Option<R>, Effect<'k>), WrongType> {
            let Some(ix) = self.write(key) else {
                return Ok(match missing {
                    Missing::Leave => (None, Effect::NONE),
                    Missing::Create => {
                        let (result, effect) = self.edit_new(key, f);
                        (Some(result), effect)
                    }
                });
            };
            if self.entry(ix).kind().type_of() != Type::$is {
                return Err(WrongType);
            }
            let (result, effect) = self.edit_at(ix, key, |entry, limits| {
                entry
                    .$entry_edit(|value| {
                        let (result, change) = f(value, limits);
                        (result, change, Aggregate::is_empty(value))
                    })
                    .expect("the type was checked above")
            });
            Ok((Some(result), effect))
        }
    )* } };
}

edits! {
    edit_list edit_list List, List;
    edit_set edit_set Set, Set;
    edit_zset edit_zset Zset, Zset;
    edit_hash edit_hash Hash, Hash;
    edit_stream edit_stream Box<Stream>, Stream;
}

impl Db<'_> {
    /// Replaces the string at `key` and keeps its expiry; makes it if it is missing.
    ///
    /// The caller has seen that what is there is a string or nothing.
    pub fn update_string<'k>(
        &mut self,
        key: &'k [u8],
        bytes: &[u8],
        made: Made,
        event: &'static str,
    ) -> Effect<'k> {
        let hash = hash_bytes(key);
        let found = self.find_to_change(hash, key);
        match found {
            Some(ix) => self.data_mut().update(ix, |entry| entry.set_bytes(bytes, made)),
            None => {
                let clock = self.ks.access.fresh(self.now.ms);
                self.data_mut().insert(hash, Entry::with_bytes(key, bytes, made, None, clock));
            }
        }
        Effect { created: found.is_none(), ready: found.is_none(), ..Effect::new(key, event) }
    }

    /// Has a short string at `key` kept as one that may be changed (`raw`), which means the same.
    pub fn make_raw(&mut self, key: &[u8]) {
        let found = self.find(key).filter(|ix| self.entry(*ix).kind() == Kind::StrEmb);
        if let Some(ix) = found {
            self.data_mut().update(ix, |entry| {
                let len = entry.bytes().map_or(0, <[u8]>::len);
                entry.change_bytes(len, |_| ());
            });
        }
    }

    /// Brings the string at `key` to `len` bytes (new ones are zero) and lends it for changing.
    ///
    /// A missing key begins as an empty string. An error if it is of another type.
    pub fn edit_string<'k, R>(
        &mut self,
        key: &'k [u8],
        len: usize,
        event: &'static str,
        f: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<(R, Effect<'k>), WrongType> {
        let hash = hash_bytes(key);
        let found = self.write_hashed(hash, key);
        let ix = match found {
            Some(ix) if self.entry(ix).bytes().is_none() => return Err(WrongType),
            Some(ix) => ix,
            None => {
                let clock = self.ks.access.fresh(self.now.ms);
                self.data_mut().insert(hash, Entry::with_bytes(key, b"", Made::Changed, None, clock))
            }
        };
        let created = found.is_none();
        let result = self.data_mut().update(ix, |entry| entry.change_bytes(len, f));
        Ok((result, Effect { created, ready: created, ..Effect::new(key, event) }))
    }
}
