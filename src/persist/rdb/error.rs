//! Why a snapshot could not be read, or a value not be written.

use std::fmt;
use std::io;

use crate::value::stream::Flaw;

/// Why a dump could not be loaded, with enough to find the byte in a hex editor.
#[derive(Debug)]
pub struct LoadError {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// The key being read, once known.
    pub key: Option<Vec<u8>>,
    /// What was wrong there.
    pub kind: LoadErrorKind,
}

/// What was wrong with a dump.
#[derive(Debug)]
pub enum LoadErrorKind {
    /// The input could not be read.
    Io(io::Error),
    /// The input ends before the value that it announces.
    Truncated,
    /// Neither `REDIS` nor `VALKEY` at the start.
    Magic,
    /// Not a version that anything ever wrote (0, or no number).
    Version(i64),
    /// A value type that nobody here knows; its length is unknown, so nothing behind it can be read.
    UnknownType(u8),
    /// A value type that only a module of a pre-release server could read.
    PreReleaseModule,
    /// Bytes that no server writes: what they should have been, and why they are not.
    Corrupt(&'static str, &'static str),
    /// A stream that contradicts itself.
    Stream(Flaw),
    /// The bytes do not have the checksum at their end.
    Checksum {
        /// Computed over the bytes read.
        computed: u64,
        /// What the file says.
        stored: u64,
    },
    /// What the sink of a load has against it (two times the same key, a database that is not configured).
    Sink(&'static str),
}

impl fmt::Display for LoadErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadErrorKind::Io(e) => write!(f, "cannot be read: {e}"),
            LoadErrorKind::Truncated => f.write_str("truncated: the input ends here"),
            LoadErrorKind::Magic => f.write_str("wrong signature: neither REDIS nor VALKEY"),
            LoadErrorKind::Version(v) => write!(f, "can't handle RDB format version {v}"),
            LoadErrorKind::UnknownType(t) => write!(f, "unknown value type or opcode {t}"),
            LoadErrorKind::PreReleaseModule => {
                f.write_str("value type 6: pre-release module format not supported")
            }
            LoadErrorKind::Corrupt(what, why) => write!(f, "corrupt {what}: {why}"),
            LoadErrorKind::Stream(Flaw::Node(why)) => write!(f, "{}: {why}", Flaw::Node(why)),
            LoadErrorKind::Stream(flaw) => flaw.fmt(f),
            LoadErrorKind::Checksum { computed, stored } => {
                write!(f, "RDB CRC error: the bytes have {computed:016x}, the file says {stored:016x}")
            }
            LoadErrorKind::Sink(why) => f.write_str(why),
        }
    }
}

impl LoadErrorKind {
    /// The sentence by which the real server's log says it: operators and tools look for its words.
    pub fn sentence(&self) -> String {
        match self {
            LoadErrorKind::Corrupt(what, _) => {
                let (first, rest) = what.split_at(1);
                format!("{}{rest} integrity check failed.", first.to_ascii_uppercase())
            }
            LoadErrorKind::Stream(Flaw::Node(_)) => Flaw::Node("").to_string(),
            LoadErrorKind::Truncated => "Unexpected EOF reading RDB file".to_owned(),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for LoadError {
    /// One line: `offset 27, key "a\x00b": corrupt zset: a score is NaN`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}", self.offset)?;
        if let Some(key) = &self.key {
            write!(f, ", key \"{}\"", key[..key.len().min(128)].escape_ascii())?;
            if key.len() > 128 {
                f.write_str("...")?;
            }
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.kind {
            LoadErrorKind::Io(e) => Some(e),
            _ => None,
        }
    }
}

/// A [`LoadError`] on its way up, before the key is known to it. One word, as it travels in every result.
#[derive(Debug)]
pub(super) struct Fail(Box<(u64, LoadErrorKind)>);

pub(super) type Res<T> = Result<T, Fail>;

impl Fail {
    #[cold]
    pub(super) fn at(offset: u64, kind: LoadErrorKind) -> Fail {
        Fail(Box::new((offset, kind)))
    }

    /// Adds the key that was being read.
    #[cold]
    pub(super) fn with_key(self, key: Option<&[u8]>) -> LoadError {
        let (offset, kind) = *self.0;
        LoadError { offset, key: key.map(<[u8]>::to_vec), kind }
    }
}

/// Why a value could not be written.
#[derive(Debug)]
pub enum SaveError {
    /// The output failed.
    Io(io::Error),
    /// The chosen version has no form for this value.
    Unsupported {
        /// The key of the value.
        key: Vec<u8>,
        /// What the version cannot hold.
        what: &'static str,
        /// The version, as `rdb-save-version` names it.
        version: u16,
    },
}

impl From<io::Error> for SaveError {
    fn from(e: io::Error) -> SaveError {
        SaveError::Io(e)
    }
}

impl fmt::Display for SaveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SaveError::Io(e) => e.fmt(f),
            SaveError::Unsupported { key, what, version } => {
                write!(f, "key \"{}\": RDB version {version} cannot hold {what}", key.escape_ascii())
            }
        }
    }
}

impl std::error::Error for SaveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            SaveError::Io(e) => Some(e),
            SaveError::Unsupported { .. } => None,
        }
    }
}
