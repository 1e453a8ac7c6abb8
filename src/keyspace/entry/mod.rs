#![allow(unsafe_code)] // takes values out of their word and puts them back
//! One key with all that belongs to it: its name, value, expiry and access clock, in one allocation.
//!
//! Nobody outside the keyspace sees an entry; commands ask [`super::Db`] for a string, a list and so on.
//! Strings below 32 KiB and small packed aggregates lie in place behind the key: reading takes no detour, and there is
//! one allocation to pay for. Everything else is an owning pointer in a word. A packed value in place is lent as the
//! listpack or intset that it is; to be changed it is copied out, and put where it belongs by its size then.

mod block;
#[cfg(test)]
mod packed_tests;
#[cfg(test)]
mod tests;
mod word;

use block::{Block, Content};
pub use word::Ref;
use word::Word;

use crate::text::num;
use crate::value::hash::Hash;
use crate::value::list::List;
use crate::value::set::Set;
use crate::value::stream::Stream;
use crate::value::table::{self, Slot};
use crate::value::zset::Zset;
use crate::value::{ModuleValue, Packed, Str, Value};

/// Strings shorter than this lie in place.
pub const IN_PLACE: usize = 32 << 10;
/// Packed aggregates up to so many bytes lie in place: more are not worth copying at each change.
const PACKED_IN_PLACE: usize = 512;
/// Strings up to this are `embstr` to OBJECT ENCODING.
const EMBSTR: usize = 44;

/// What a word or a value in place is. The numbers never leave memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    StrInt,
    StrEmb,
    StrRaw,
    StrHeap,
    ListPacked,
    ListQuick,
    SetInts,
    SetPacked,
    SetTable,
    HashPacked,
    HashPackedEx,
    HashTable,
    ZsetPacked,
    ZsetTree,
    Stream,
    Module,
}

const KINDS: [Kind; 16] = [
    Kind::StrInt,
    Kind::StrEmb,
    Kind::StrRaw,
    Kind::StrHeap,
    Kind::ListPacked,
    Kind::ListQuick,
    Kind::SetInts,
    Kind::SetPacked,
    Kind::SetTable,
    Kind::HashPacked,
    Kind::HashPackedEx,
    Kind::HashTable,
    Kind::ZsetPacked,
    Kind::ZsetTree,
    Kind::Stream,
    Kind::Module,
];
const _: () = assert!(KINDS.len() == Kind::Module as usize + 1);

/// The type of a key, as TYPE names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    String,
    List,
    Set,
    Zset,
    Hash,
    Stream,
    Module,
}

impl Kind {
    /// The type that a client sees.
    #[inline]
    pub fn type_of(self) -> Type {
        match self {
            Kind::StrInt | Kind::StrEmb | Kind::StrRaw | Kind::StrHeap => Type::String,
            Kind::ListPacked | Kind::ListQuick => Type::List,
            Kind::SetInts | Kind::SetPacked | Kind::SetTable => Type::Set,
            Kind::HashPacked | Kind::HashPackedEx | Kind::HashTable => Type::Hash,
            Kind::ZsetPacked | Kind::ZsetTree => Type::Zset,
            Kind::Stream => Type::Stream,
            Kind::Module => Type::Module,
        }
    }

    /// What OBJECT ENCODING says.
    pub fn encoding(self) -> &'static str {
        match self {
            Kind::StrInt => "int",
            Kind::StrEmb => "embstr",
            Kind::StrRaw | Kind::StrHeap | Kind::Module => "raw",
            Kind::ListPacked | Kind::SetPacked | Kind::HashPacked | Kind::ZsetPacked => "listpack",
            Kind::HashPackedEx => "listpackex",
            Kind::ListQuick => "quicklist",
            Kind::SetInts => "intset",
            Kind::SetTable | Kind::HashTable => "hashtable",
            Kind::ZsetTree => "skiplist",
            Kind::Stream => "stream",
        }
    }
}

/// How a string was made, which is all that decides between `int`, `embstr` and `raw`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// As one value: an integer if it reads as one, else by its length.
    Whole,
    /// As one value that the caller knows to be an integer's text.
    Integer,
    /// As one value that is text even if it reads as an integer (INCRBYFLOAT, APPEND to nothing).
    Text,
    /// By a change in place (APPEND, SETRANGE): always `raw`.
    Changed,
}

fn string_kind(bytes: &[u8], made: Made) -> Kind {
    match made {
        Made::Changed => Kind::StrRaw,
        Made::Integer => Kind::StrInt,
        Made::Whole if bytes.len() <= 20 && num::parse_i64(bytes).is_some() => Kind::StrInt,
        _ if bytes.len() <= EMBSTR => Kind::StrEmb,
        _ => Kind::StrRaw,
    }
}

/// A value lent for reading.
pub enum View<'a> {
    Str(&'a [u8]),
    List(Ref<'a, List>),
    Set(Ref<'a, Set>),
    Zset(Ref<'a, Zset>),
    Hash(Ref<'a, Hash>),
    Stream(&'a Stream),
    Module(&'a ModuleValue),
}

/// One key and all that belongs to it.
pub struct Entry(Block);

impl Entry {
    /// An entry for a string given as bytes.
    #[inline]
    pub fn with_bytes(key: &[u8], bytes: &[u8], made: Made, expiry: Option<u64>, clock: u32) -> Entry {
        if bytes.len() >= IN_PLACE {
            return Entry::with_value(key, Value::Str(Str::from(bytes)), expiry, clock);
        }
        let kind = string_kind(bytes, made) as u8;
        Entry(Block::new(kind, expiry, clock, key, Content::InPlace(bytes)))
    }

    /// An entry for any value. What is small enough is copied into place.
    pub fn with_value(key: &[u8], value: Value, expiry: Option<u64>, clock: u32) -> Entry {
        match value {
            Value::Str(v) if v.as_slice().len() < IN_PLACE => {
                Entry::with_bytes(key, v.as_slice(), Made::Whole, expiry, clock)
            }
            Value::Str(v) => Entry::with(key, Box::new(v), expiry, clock),
            Value::List(v) => Entry::with(key, v, expiry, clock),
            Value::Set(v) => Entry::with(key, v, expiry, clock),
            Value::Zset(v) => Entry::with(key, v, expiry, clock),
            Value::Hash(v) => Entry::with(key, v, expiry, clock),
            Value::Stream(v) => Entry::with(key, v, expiry, clock),
            Value::Module(v) => Entry::with(key, v, expiry, clock),
        }
    }

    /// An entry for a packed value: a copy, in place if it is small enough.
    pub fn with_packed(key: &[u8], packed: Packed<'_>, expiry: Option<u64>, clock: u32) -> Entry {
        let bytes = packed.as_bytes();
        if bytes.len() > PACKED_IN_PLACE {
            return Entry::with_value(key, packed.to_value(), expiry, clock);
        }
        let kind = match packed {
            Packed::List(_) => Kind::ListPacked,
            Packed::Ints(_) => Kind::SetInts,
            Packed::Set(_) => Kind::SetPacked,
            Packed::Hash(_) => Kind::HashPacked,
            Packed::Zset(_) => Kind::ZsetPacked,
        };
        Entry(Block::new(kind as u8, expiry, clock, key, Content::InPlace(bytes)))
    }

    fn with<T: Word>(key: &[u8], value: T, expiry: Option<u64>, clock: u32) -> Entry {
        if let Some((kind, bytes)) = small_packed(&value) {
            return Entry(Block::new(kind as u8, expiry, clock, key, Content::InPlace(bytes)));
        }
        let (kind, word) = value.into_word();
        Entry(Block::new(kind as u8, expiry, clock, key, Content::Word(word)))
    }

    #[inline]
    pub fn key(&self) -> &[u8] {
        self.0.key()
    }

    #[inline]
    pub fn kind(&self) -> Kind {
        KINDS[usize::from(self.0.head().kind())]
    }

    /// Whether the value lies beside its key: nothing to free elsewhere.
    #[inline]
    pub fn is_in_place(&self) -> bool {
        !self.0.head().has_word()
    }

    /// When the key expires, in unix ms.
    #[inline]
    pub fn expiry(&self) -> Option<u64> {
        self.0.expiry()
    }

    /// The access clock: 24 bits, of LRU seconds or LFU minutes and counter.
    #[inline]
    pub fn clock(&self) -> u32 {
        self.0.head().clock()
    }

    /// Sets the access clock; a page is dirtied only if it changed.
    #[inline]
    pub fn set_clock(&mut self, clock: u32) {
        if self.clock() != clock {
            self.0.set_clock(clock);
        }
    }

    /// The word, or where the value in place lies: what a value is lent by.
    #[inline]
    fn word(&self) -> u64 {
        match self.0.content() {
            Content::Word(word) => word,
            Content::InPlace(bytes) => bytes.as_ptr().expose_provenance() as u64,
        }
    }

    /// The string's bytes, if it is a string.
    #[inline]
    pub fn bytes(&self) -> Option<&[u8]> {
        match self.kind() {
            Kind::StrInt | Kind::StrEmb | Kind::StrRaw => Some(self.0.value()),
            Kind::StrHeap => {
                // SAFETY: kind and word are this entry's, borrowed as long as the bytes.
                let string = unsafe { word::lend::<Box<Str>>(Kind::StrHeap, self.word()) };
                Some(string.as_inner().as_slice())
            }
            _ => None,
        }
    }

    /// The value, for reading.
    pub fn view(&self) -> View<'_> {
        let kind = self.kind();
        if let Some(bytes) = self.bytes() {
            return View::Str(bytes);
        }
        let word = self.word();
        // SAFETY: kind and word are this entry's, and the view borrows the entry.
        unsafe {
            match kind.type_of() {
                Type::List => View::List(word::lend(kind, word)),
                Type::Set => View::Set(word::lend(kind, word)),
                Type::Zset => View::Zset(word::lend(kind, word)),
                Type::Hash => View::Hash(word::lend(kind, word)),
                Type::Stream => View::Stream(word::lend::<Box<Stream>>(kind, word).as_inner()),
                Type::Module => View::Module(word::lend::<Box<ModuleValue>>(kind, word).as_inner()),
                Type::String => unreachable!("answered above"),
            }
        }
    }

    /// Lends the value of type `T` for reading; the caller has seen that the type is right.
    #[inline]
    fn lend<T: Word>(&self) -> Ref<'_, T> {
        // SAFETY: kind and word are this entry's, borrowed for the result's life.
        unsafe { word::lend(self.kind(), self.word()) }
    }

    /// Lends the value for changing: it is taken out, changed, and put back with the kind that it has then.
    fn change<T: Word + Clone, R>(&mut self, f: impl FnOnce(&mut T) -> R) -> R {
        let mut value: T = match self.0.content() {
            Content::InPlace(_) => self.lend::<T>().clone(),
            // SAFETY: `put_back` replaces the word before anybody can look; a panic aborts.
            Content::Word(word) => unsafe { T::from_word(self.kind(), word) },
        };
        let result = f(&mut value);
        self.put_back(value);
        result
    }

    fn put_back<T: Word>(&mut self, value: T) {
        if let Some((kind, bytes)) = small_packed(&value) {
            return self.set_content(kind, Content::InPlace(bytes));
        }
        let (kind, word) = value.into_word();
        self.set_content(kind, Content::Word(word));
    }

    /// Replaces the content, which was taken out.
    fn set_content(&mut self, kind: Kind, content: Content<'_>) {
        match (self.0.content(), content) {
            (Content::InPlace(_), Content::InPlace(bytes)) => self.0.set_value(kind as u8, bytes),
            (Content::Word(_), Content::Word(word)) => self.0.set_word(kind as u8, word),
            _ => self.0 = self.rebuilt(kind, self.expiry(), self.key(), content),
        }
    }

    /// A block of the same clock with the same bits of the table. Blocks own no values: the present one goes as bare bytes
    /// when it is replaced.
    fn rebuilt(&self, kind: Kind, expiry: Option<u64>, key: &[u8], content: Content<'_>) -> Block {
        let mut fresh = Block::new(kind as u8, expiry, self.clock(), key, content);
        fresh.set_spare(self.0.spare());
        fresh
    }

    /// Makes the value a string of these bytes, in place if they have room there.
    #[inline]
    pub fn set_bytes(&mut self, bytes: &[u8], made: Made) {
        if !self.is_in_place() || bytes.len() >= IN_PLACE {
            return self
                .replace_with(|key, expiry, clock| Entry::with_bytes(key, bytes, made, expiry, clock));
        }
        self.0.set_value(string_kind(bytes, made) as u8, bytes);
    }

    /// Puts a value in place of the present one; expiry and clock stay.
    pub fn set_value(&mut self, value: Value) {
        self.replace_with(|key, expiry, clock| Entry::with_value(key, value, expiry, clock));
    }

    /// Puts a value in place of the present one, which it gives; expiry and clock stay.
    pub fn swap_value(&mut self, value: Value) -> Value {
        let mut fresh = Entry::with_value(self.key(), value, self.expiry(), self.clock());
        fresh.0.set_spare(self.0.spare());
        std::mem::replace(self, fresh).into_value()
    }

    fn replace_with(&mut self, make: impl FnOnce(&[u8], Option<u64>, u32) -> Entry) {
        let mut fresh = make(self.key(), self.expiry(), self.clock());
        fresh.0.set_spare(self.0.spare());
        *self = fresh;
    }

    /// Appends zero bytes or cuts, then lends the bytes of a string for changing; it is `raw` from then on.
    ///
    /// `len` is the new length in bytes. The caller has seen that it is a string.
    pub fn change_bytes<R>(&mut self, len: usize, f: impl FnOnce(&mut [u8]) -> R) -> R {
        if !self.is_in_place() {
            return self.change(|str: &mut Box<Str>| {
                let bytes = str.make_mut();
                bytes.resize(len, 0);
                f(bytes)
            });
        }
        if len >= IN_PLACE {
            let mut bytes = Vec::with_capacity(len);
            bytes.extend_from_slice(self.0.value());
            self.set_value(Value::Str(Str::Owned(padded(bytes, len))));
            return self.change_bytes(len, f);
        }
        self.0.resize_value(len);
        self.0.set_kind(Kind::StrRaw as u8);
        f(self.0.value_mut())
    }

    /// A handle on a big string's bytes which lives on its own; `None` for strings in place.
    pub fn share_bytes(&mut self) -> Option<bytes::Bytes> {
        (self.kind() == Kind::StrHeap).then(|| self.change(|str: &mut Box<Str>| str.share()))
    }

    /// Sets, moves or drops the expiry (unix ms).
    pub fn set_expiry(&mut self, expiry: Option<u64>) {
        match (self.expiry(), expiry) {
            (Some(_), Some(when)) => self.0.set_expiry(when),
            (None, None) => {}
            _ => self.0 = self.rebuilt(self.kind(), expiry, self.key(), self.0.content()),
        }
    }

    /// Gives the entry another name.
    pub fn rename(&mut self, key: &[u8]) {
        self.0 = self.rebuilt(self.kind(), self.expiry(), key, self.0.content());
    }

    /// A copy under another name, with the same encoding and expiry.
    pub fn copy_as(&self, key: &[u8], clock: u32) -> Entry {
        match self.0.content() {
            Content::Word(_) => Entry::with_value(key, self.clone_value(), self.expiry(), clock),
            in_place => Entry(Block::new(self.kind() as u8, self.expiry(), clock, key, in_place)),
        }
    }

    /// A copy of the value.
    fn clone_value(&self) -> Value {
        match self.view() {
            View::Str(bytes) => Value::Str(Str::from(bytes)),
            View::List(v) => Value::List(v.clone()),
            View::Set(v) => Value::Set(v.clone()),
            View::Zset(v) => Value::Zset(v.clone()),
            View::Hash(v) => Value::Hash(v.clone()),
            View::Stream(v) => Value::Stream(Box::new(v.clone())),
            View::Module(v) => Value::Module(Box::new(v.clone())),
        }
    }

    /// Takes the value out and drops the rest.
    pub fn into_value(self) -> Value {
        let kind = self.kind();
        let Content::Word(word) = self.0.content() else { return self.clone_value() };
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never used again, so its block is dropped once, here.
        drop(unsafe { std::ptr::read(&this.0) });
        // SAFETY: the word was this entry's, which is gone.
        unsafe { from_word(kind, word) }
    }

    /// Bytes of the block itself, without what a word points to.
    pub fn block_bytes(&self) -> usize {
        self.0.bytes()
    }
}

fn padded(mut bytes: Vec<u8>, len: usize) -> Vec<u8> {
    bytes.resize(len, 0);
    bytes
}

macro_rules! typed {
    ($($read:ident $edit:ident $type:ty, $is:ident;)*) => { impl Entry { $(
        /// The value, if it is of this type.
        #[inline]
        pub fn $read(&self) -> Option<Ref<'_, $type>> {
            (self.kind().type_of() == Type::$is).then(|| self.lend())
        }
        /// Changes the value, if it is of this type; it may change its encoding.
        #[inline]
        pub fn $edit<R>(&mut self, f: impl FnOnce(&mut $type) -> R) -> Option<R> {
            (self.kind().type_of() == Type::$is).then(|| self.change(f))
        }
    )* } };
}

typed! {
    list edit_list List, List;
    set_members edit_set Set, Set;
    zset edit_zset Zset, Zset;
    hash edit_hash Hash, Hash;
    stream edit_stream Box<Stream>, Stream;
    module edit_module Box<ModuleValue>, Module;
}

/// Kind and bytes of a value that belongs in place.
#[inline]
fn small_packed<T: Word>(value: &T) -> Option<(Kind, &[u8])> {
    value.packed().filter(|(_, bytes)| bytes.len() <= PACKED_IN_PLACE)
}

/// # Safety
/// As for `Word::from_word`.
unsafe fn from_word(kind: Kind, word: u64) -> Value {
    // SAFETY: the caller's promise, by type.
    unsafe {
        match kind.type_of() {
            Type::String => Value::Str(*<Box<Str>>::from_word(kind, word)),
            Type::List => Value::List(Word::from_word(kind, word)),
            Type::Set => Value::Set(Word::from_word(kind, word)),
            Type::Zset => Value::Zset(Word::from_word(kind, word)),
            Type::Hash => Value::Hash(Word::from_word(kind, word)),
            Type::Stream => Value::Stream(Word::from_word(kind, word)),
            Type::Module => Value::Module(Word::from_word(kind, word)),
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Content::Word(word) = self.0.content() {
            // SAFETY: the entry ends here, so its word is used up; the block drops next as bare bytes.
            drop(unsafe { from_word(self.kind(), word) });
        }
    }
}

impl Slot for Entry {
    const SPARE: bool = true;

    fn hash(&self) -> u64 {
        table::hash_bytes(self.key())
    }

    /// The key's own, or its hash's earliest field's: active expiry looks for both.
    fn deadline(&self) -> Option<u64> {
        match (self.expiry(), self.field_deadline()) {
            (Some(key), Some(field)) => Some(key.min(field)),
            (key, field) => key.or(field),
        }
    }

    fn address(&self) -> *const u8 {
        self.0.address()
    }

    fn prefetch_inside(&self) {
        self.0.prefetch_value();
    }

    fn spare(&self) -> u16 {
        self.0.spare()
    }

    fn set_spare(&mut self, bits: u16) {
        self.0.set_spare(bits);
    }
}
