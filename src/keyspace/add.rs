//! Counting in place: the integer at a key changes without a copy of it being made.

use super::db::Db;
use super::entry::{Entry, Made};
use super::{Effect, WrongType};
use crate::text::num;
use crate::value::table::hash_bytes;

/// Why a number could not be added to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddError {
    /// It is no string.
    WrongType,
    /// It is no integer of 64 bits.
    NotInteger,
    /// The sum is none.
    Overflow,
}

impl From<WrongType> for AddError {
    fn from(_: WrongType) -> Self {
        AddError::WrongType
    }
}

impl Db<'_> {
    /// Adds to the integer at `key`, which begins at 0 and keeps its expiry. Gives the sum.
    pub fn add<'k>(&mut self, key: &'k [u8], by: i64) -> Result<(i64, Effect<'k>), AddError> {
        let mut digits = itoa::Buffer::new();
        let hash = hash_bytes(key);
        let Some(ix) = self.write_hashed(hash, key) else {
            let clock = self.ks.access.fresh(self.now.ms);
            let entry = Entry::with_bytes(key, digits.format(by).as_bytes(), Made::Integer, None, clock);
            self.data_mut().insert(hash, entry);
            return Ok((by, Effect { created: true, ready: true, ..Effect::new(key, "incrby") }));
        };
        let old = self.entry(ix).bytes().ok_or(AddError::WrongType)?;
        let old = num::parse_i64(old).ok_or(AddError::NotInteger)?;
        let sum = old.checked_add(by).ok_or(AddError::Overflow)?;
        let text = digits.format(sum).as_bytes();
        self.data_mut().table.get_mut(ix).set_bytes(text, Made::Integer);
        Ok((sum, Effect::new(key, "incrby")))
    }
}
