//! The numbers on disk. They are constants, and only ever grow in number. Source: `FORMAT.md`.

/// Value types. Names end with the layout; where Redis and Valkey differ, with the line that wrote it.
pub mod kind {
    /// A string.
    pub const STRING: u8 = 0;
    /// A list, element by element.
    pub const LIST: u8 = 1;
    /// A set, member by member.
    pub const SET: u8 = 2;
    /// A sorted set with scores as text.
    pub const ZSET_TEXT: u8 = 3;
    /// A hash, field by field.
    pub const HASH: u8 = 4;
    /// A sorted set with binary scores.
    pub const ZSET: u8 = 5;
    /// A module's value as release candidates of 4.0 wrote it: unreadable without the module.
    pub const MODULE_PRE_GA: u8 = 6;
    /// A module's value.
    pub const MODULE: u8 = 7;
    /// A hash as zipmap.
    pub const HASH_ZIPMAP: u8 = 9;
    /// A list as one ziplist.
    pub const LIST_ZIPLIST: u8 = 10;
    /// A set as intset.
    pub const SET_INTSET: u8 = 11;
    /// A sorted set as ziplist.
    pub const ZSET_ZIPLIST: u8 = 12;
    /// A hash as ziplist.
    pub const HASH_ZIPLIST: u8 = 13;
    /// A list of ziplists.
    pub const LIST_QUICKLIST: u8 = 14;
    /// A stream of Redis 5 and 6.
    pub const STREAM: u8 = 15;
    /// A hash as listpack.
    pub const HASH_LISTPACK: u8 = 16;
    /// A sorted set as listpack.
    pub const ZSET_LISTPACK: u8 = 17;
    /// A list of listpacks and single big elements.
    pub const LIST_QUICKLIST2: u8 = 18;
    /// A stream of Redis 7.0.
    pub const STREAM2: u8 = 19;
    /// A set as listpack.
    pub const SET_LISTPACK: u8 = 20;
    /// A stream since Redis 7.2.
    pub const STREAM3: u8 = 21;
    /// In a REDIS file: a hash with field expiry of the 7.4 release candidates.
    pub const HASH_TTL_PRE_GA: u8 = 22;
    /// In a VALKEY file: a hash with field expiry.
    pub const HASH_TTL_VALKEY: u8 = 22;
    /// A hash with field expiry as listpack, of the 7.4 release candidates.
    pub const HASH_TTL_LISTPACK_PRE_GA: u8 = 23;
    /// A hash with field expiry.
    pub const HASH_TTL: u8 = 24;
    /// A hash with field expiry as listpack.
    pub const HASH_TTL_LISTPACK: u8 = 25;
}

/// Bytes that stand where a value type could stand.
pub mod op {
    /// Valkey: a slot migration that was under way.
    pub const SLOT_IMPORT: u8 = 243;
    /// How many keys a slot has.
    pub const SLOT_INFO: u8 = 244;
    /// A function library.
    pub const FUNCTION: u8 = 245;
    /// A function library of the 7.0 release candidates.
    pub const FUNCTION_PRE_GA: u8 = 246;
    /// A module's data beside the keys.
    pub const MODULE_AUX: u8 = 247;
    /// The next key's idle time.
    pub const IDLE: u8 = 248;
    /// The next key's LFU counter.
    pub const FREQ: u8 = 249;
    /// A name and a value about the file.
    pub const AUX: u8 = 250;
    /// How many keys a database has.
    pub const RESIZEDB: u8 = 251;
    /// The next key's expiry in milliseconds.
    pub const EXPIRETIME_MS: u8 = 252;
    /// The next key's expiry in seconds.
    pub const EXPIRETIME: u8 = 253;
    /// Which database follows.
    pub const SELECTDB: u8 = 254;
    /// The end.
    pub const EOF: u8 = 255;
}

/// First bytes of lengths and encoded strings.
pub mod enc {
    /// A length of 32 bits follows.
    pub const LEN32: u8 = 0x80;
    /// A length of 64 bits follows.
    pub const LEN64: u8 = 0x81;
    /// A string that is an integer of 8 bits.
    pub const INT8: u8 = 0xc0;
    /// A string that is an integer of 16 bits.
    pub const INT16: u8 = 0xc1;
    /// A string that is an integer of 32 bits.
    pub const INT32: u8 = 0xc2;
    /// A string compressed with LZF.
    pub const LZF: u8 = 0xc3;
}

/// Marks between a module's serialized items.
pub mod module {
    /// No more items.
    pub const EOF: u64 = 0;
    /// A signed integer, as a length.
    pub const SINT: u64 = 1;
    /// An unsigned integer, as a length.
    pub const UINT: u64 = 2;
    /// Four bytes.
    pub const FLOAT: u64 = 3;
    /// Eight bytes.
    pub const DOUBLE: u64 = 4;
    /// A string.
    pub const STRING: u64 = 5;
}

/// Nodes of [`kind::LIST_QUICKLIST2`].
pub mod node {
    /// The string is one element.
    pub const PLAIN: u64 = 1;
    /// The string is a listpack of elements.
    pub const PACKED: u64 = 2;
}
