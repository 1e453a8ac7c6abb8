//! A packed value that still lies where it was read.

use super::intset::IntsetRef;
use super::listpack::ListpackRef;
use super::{Hash, List, Set, Value, Zset};

/// A value whose bytes in memory are those of the file: checked, and small enough to stay packed.
#[derive(Clone, Copy)]
pub enum Packed<'a> {
    /// A list of one node.
    List(ListpackRef<'a>),
    /// A set of integers.
    Ints(IntsetRef<'a>),
    /// A set of few members.
    Set(ListpackRef<'a>),
    /// A hash of few fields, none of which expires.
    Hash(ListpackRef<'a>),
    /// A sorted set of few members.
    Zset(ListpackRef<'a>),
}

impl<'a> Packed<'a> {
    /// The bytes.
    #[inline]
    pub fn as_bytes(self) -> &'a [u8] {
        match self {
            Packed::Ints(ints) => ints.as_bytes(),
            Packed::List(pack) | Packed::Set(pack) | Packed::Hash(pack) | Packed::Zset(pack) => {
                pack.as_bytes()
            }
        }
    }

    /// A value of its own.
    pub fn to_value(self) -> Value {
        match self {
            Packed::List(pack) => Value::List(List::Packed(pack.to_listpack())),
            Packed::Ints(ints) => Value::Set(Set::Ints(ints.to_intset())),
            Packed::Set(pack) => Value::Set(Set::Packed(pack.to_listpack())),
            Packed::Hash(pack) => Value::Hash(Hash::Packed(pack.to_listpack())),
            Packed::Zset(pack) => Value::Zset(Zset::Packed(pack.to_listpack())),
        }
    }
}
