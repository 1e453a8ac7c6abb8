//! Writing a snapshot. Everything it needs is allocated when it begins, so that a forked child can go through
//! with it: no locks, no allocation but for a string that is bigger than any before, no system call but `write`.

use std::io::{self, Write};

use super::error::SaveError;
use super::output::Output;
use super::save;
use super::tags::op;
use super::version::{SaveVersion, Version};
use crate::value::module::ModuleValue;
use crate::value::{Hash, List, Set, Stream, Value, Zset};

/// How to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SaveOptions {
    /// Which version to write.
    pub version: SaveVersion,
    /// Whether strings are compressed (`rdbcompression`).
    pub compress: bool,
    /// Whether the file ends with its checksum (`rdbchecksum`).
    pub checksum: bool,
}

/// What is written about a key beside its value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyInfo<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Unix time in milliseconds at which it ends.
    pub expire_at_ms: Option<i64>,
    /// Seconds since the last access, if the eviction policy goes by that.
    pub idle_s: Option<u64>,
    /// LFU counter, if the eviction policy goes by that.
    pub freq: Option<u8>,
}

/// A value to be written.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// A string.
    Str(&'a [u8]),
    /// A string that is the text of this number.
    Int(i64),
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A sorted set.
    Zset(&'a Zset),
    /// A hash.
    Hash(&'a Hash),
    /// A stream.
    Stream(&'a Stream),
    /// A module's value.
    Module(&'a ModuleValue),
    /// Type and bytes of a value as they were in another file of the same dialect: copied as they are.
    Raw(u8, &'a [u8]),
}

impl<'a> From<&'a Value> for Body<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Str(text) => Body::Str(text.as_slice()),
            Value::List(list) => Body::List(list),
            Value::Set(set) => Body::Set(set),
            Value::Zset(zset) => Body::Zset(zset),
            Value::Hash(hash) => Body::Hash(hash),
            Value::Stream(stream) => Body::Stream(stream),
            Value::Module(module) => Body::Module(module),
        }
    }
}

/// Writes a snapshot, item by item. An I/O error may show at a later item than the one that caused it.
pub struct Writer<W> {
    out: Output<W>,
    version: Version,
}

impl<W: Write> Writer<W> {
    /// Begins a snapshot: the header.
    pub fn new(out: W, options: &SaveOptions) -> Self {
        let mut out = Output::new(out, options.checksum, options.compress);
        let version = options.version.version();
        out.bytes(&version.header());
        Writer { out, version }
    }

    /// The version that is being written.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.out.written()
    }

    /// A note about the file: `redis-ver`, `redis-bits`, `ctime`, `used-mem`, `repl-stream-db`, `repl-id`,
    /// `repl-offset`, `aof-base`, in this order.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        self.out.byte(op::AUX);
        self.out.string(name);
        self.out.string(value);
    }

    /// A note whose value is a number.
    pub fn aux_int(&mut self, name: &[u8], value: i64) {
        self.out.byte(op::AUX);
        self.out.string(name);
        self.out.int_string(value);
    }

    /// A module's data beside the keys, as [`super::Item::ModuleAux`] had it.
    pub fn module_aux(&mut self, raw: &[u8]) {
        self.out.byte(op::MODULE_AUX);
        self.out.bytes(raw);
    }

    /// A function library: its text.
    pub fn function(&mut self, code: &[u8]) {
        self.out.byte(op::FUNCTION);
        self.out.string(code);
    }

    /// The database of the keys that follow, and how many it has. Databases without keys are not mentioned.
    pub fn select(&mut self, db: u32, keys: u64, expires: u64) {
        self.out.byte(op::SELECTDB);
        self.out.len(u64::from(db));
        self.out.byte(op::RESIZEDB);
        self.out.len(keys);
        self.out.len(expires);
    }

    /// The slot of the keys that follow, and how many it has (cluster mode). Versions before 12 have no place for it.
    pub fn slot(&mut self, slot: u16, keys: u64, expires: u64) {
        if self.version.number >= 12 {
            self.out.byte(op::SLOT_INFO);
            self.out.len(u64::from(slot));
            self.out.len(keys);
            self.out.len(expires);
        }
    }

    /// A key and its value. Errors: the output's, or a value that the version cannot hold.
    #[inline]
    pub fn key<'a>(&mut self, info: &KeyInfo<'_>, body: impl Into<Body<'a>>) -> Result<(), SaveError> {
        let body = body.into();
        let kind = save::kind(body, self.version).map_err(|what| self.unsupported(info.key, what))?;
        self.attributes(info);
        self.out.byte(kind);
        self.out.string(info.key);
        save::body(&mut self.out, body, kind, self.version.dialect);
        Ok(self.out.take_error()?)
    }

    #[cold]
    fn unsupported(&self, key: &[u8], what: &'static str) -> SaveError {
        SaveError::Unsupported { key: key.to_vec(), what, version: self.version.number }
    }

    #[inline]
    fn attributes(&mut self, info: &KeyInfo<'_>) {
        if let Some(ms) = info.expire_at_ms {
            self.out.byte(op::EXPIRETIME_MS);
            self.out.ms(ms);
        }
        if let Some(seconds) = info.idle_s {
            self.out.byte(op::IDLE);
            self.out.len(seconds);
        }
        if let Some(counter) = info.freq {
            self.out.bytes(&[op::FREQ, counter]);
        }
    }

    /// Ends the snapshot: end mark, checksum, and everything given to the output and flushed there.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.byte(op::EOF);
        self.out.finish()
    }
}
