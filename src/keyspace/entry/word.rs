#![allow(unsafe_code)] // values larger than a word live behind an owning pointer, kept as an integer
//! Values as one word and a kind, and back; and as the bytes that they are, if they are packed.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

use super::Kind;
use crate::value::hash::{Hash, PackedEx};
use crate::value::intset::Intset;
use crate::value::list::List;
use crate::value::listpack::Listpack;
use crate::value::set::Set;
use crate::value::stream::Stream;
use crate::value::zset::Zset;
use crate::value::{ModuleValue, Str};

/// A value that fits into a word and a kind.
///
/// # Safety
/// `from_word(into_word(v))` is `v`, and no word is made into a value twice. The address of the bytes that
/// `packed` gives, or of a copy of them, will do as a word for a value that is only looked at.
pub(super) unsafe trait Word: Sized {
    /// Gives the value up for its kind and word.
    fn into_word(self) -> (Kind, u64);
    /// # Safety
    /// `kind` and `word` came together from `into_word` of this type, and are used up by this call. Or the result is
    /// never dropped nor changed: then the word may also be the exposed address of bytes that `packed` gave.
    unsafe fn from_word(kind: Kind, word: u64) -> Self;
    /// Kind and bytes of a value that is one piece of bytes and nothing else.
    fn packed(&self) -> Option<(Kind, &[u8])> {
        None
    }
}

fn boxed<T>(value: Box<T>) -> u64 {
    Box::into_raw(value).expose_provenance() as u64
}

/// # Safety
/// `word` came from `boxed::<T>` and is used up.
unsafe fn unboxed<T>(word: u64) -> Box<T> {
    // SAFETY: the caller's promise.
    unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut(word as usize)) }
}

fn thin(ptr: NonNull<u8>) -> u64 {
    ptr.as_ptr().expose_provenance() as u64
}

fn unthin(word: u64) -> NonNull<u8> {
    NonNull::new(std::ptr::with_exposed_provenance_mut(word as usize)).expect("a stored pointer is not null")
}

macro_rules! word {
    ($type:ty { $($variant:ident => $kind:ident $how:ident),* $(,)? }) => {
        // SAFETY: each variant has its own kind, and each arm of `from_word` undoes the same arm of `into_word`.
        unsafe impl Word for $type {
            fn into_word(self) -> (Kind, u64) {
                match self { $(Self::$variant(v) => (Kind::$kind, word!(into $how v))),* }
            }
            unsafe fn from_word(kind: Kind, word: u64) -> Self {
                match kind {
                    // SAFETY: by the caller's promise the word was made by the same arm above.
                    $(Kind::$kind => Self::$variant(unsafe { word!(from $how word) }),)*
                    other => unreachable!("{other:?} is no {}", stringify!($type)),
                }
            }
            #[inline]
            fn packed(&self) -> Option<(Kind, &[u8])> {
                match self { $(Self::$variant(v) => word!(bytes $how v).map(|bytes| (Kind::$kind, bytes))),* }
            }
        }
    };
    (into boxed $v:ident) => { boxed($v) };
    (into listpack $v:ident) => { thin($v.into_raw()) };
    (into triplets $v:ident) => { thin($v.into_listpack().into_raw()) };
    (into intset $v:ident) => { thin($v.into_raw()) };
    (bytes boxed $v:ident) => {{ let _ = $v; None }};
    (bytes listpack $v:ident) => { Some($v.as_bytes()) };
    (bytes triplets $v:ident) => { Some($v.listpack().as_bytes()) };
    (bytes intset $v:ident) => { Some($v.as_bytes()) };
    (from boxed $v:ident) => { unboxed($v) };
    (from listpack $v:ident) => { Listpack::from_raw(unthin($v)) };
    (from triplets $v:ident) => { PackedEx::from_listpack(Listpack::from_raw(unthin($v))) };
    (from intset $v:ident) => { Intset::from_raw(unthin($v)) };
}

word!(List { Packed => ListPacked listpack, Quick => ListQuick boxed });
word!(Set { Ints => SetInts intset, Packed => SetPacked listpack, Table => SetTable boxed });
word!(Hash { Packed => HashPacked listpack, PackedEx => HashPackedEx triplets, Table => HashTable boxed });
word!(Zset { Packed => ZsetPacked listpack, Tree => ZsetTree boxed });

macro_rules! word_box {
    ($($type:ty => $kind:ident),*) => { $(
        // SAFETY: one kind, one boxed type.
        unsafe impl Word for Box<$type> {
            fn into_word(self) -> (Kind, u64) {
                (Kind::$kind, boxed(self))
            }
            unsafe fn from_word(_: Kind, word: u64) -> Self {
                // SAFETY: the caller's promise.
                unsafe { unboxed(word) }
            }
        }
    )* };
}

word_box!(Str => StrHeap, Stream => Stream, ModuleValue => Module);

/// A value lent out of its entry: the bits of it, never dropped.
pub struct Ref<'a, T>(ManuallyDrop<T>, PhantomData<&'a T>);

impl<T> Deref for Ref<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, T> Ref<'a, Box<T>> {
    /// The boxed value for as long as the entry is borrowed.
    pub fn as_inner(&self) -> &'a T {
        let ptr: *const T = &**self.0;
        // SAFETY: the box is owned by the entry that `'a` borrows, and does not move with this handle.
        unsafe { &*ptr }
    }
}

/// Lends the value of an entry that stays as it is meanwhile.
///
/// # Safety
/// `kind` and `word` are those of an entry borrowed for `'a`; the word may be the address of its value in place.
#[inline]
pub(super) unsafe fn lend<'a, T: Word>(kind: Kind, word: u64) -> Ref<'a, T> {
    // SAFETY: the result is never dropped nor changed, as `Ref` gives only `&T`.
    Ref(ManuallyDrop::new(unsafe { T::from_word(kind, word) }), PhantomData)
}
