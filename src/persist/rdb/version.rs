//! Which line of servers wrote a file, and which version of the format.

use crate::text::num::leading_i64;

/// The line of servers that a file belongs to: above type 21 the same number means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Redis, and Valkey before 9.
    Redis,
    /// Valkey since 9.
    Valkey,
}

/// A version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Whose.
    pub dialect: Dialect,
    /// Its number.
    pub number: u16,
}

/// Valkey's numbers begin here, in the header and in DUMP payloads.
pub const VALKEY_FIRST: u16 = 80;

impl Version {
    /// The version that a DUMP payload's number stands for.
    pub fn of_dump(number: u16) -> Version {
        let dialect = if number >= VALKEY_FIRST { Dialect::Valkey } else { Dialect::Redis };
        Version { dialect, number }
    }

    /// Reads a header. `Err(None)`: no snapshot at all; `Err(Some(n))`: version `n`, which never was.
    pub fn parse(header: &[u8; 9]) -> Result<Version, Option<i64>> {
        let (dialect, digits) = if let Some(digits) = header.strip_prefix(b"REDIS") {
            (Dialect::Redis, digits)
        } else if let Some(digits) = header.strip_prefix(b"VALKEY") {
            (Dialect::Valkey, digits)
        } else {
            return Err(None);
        };
        let number = leading_i64(digits);
        let least = if dialect == Dialect::Valkey { VALKEY_FIRST } else { 1 };
        if number < i64::from(least) {
            return Err(Some(number));
        }
        Ok(Version { dialect, number: number as u16 }) // four digits at most
    }

    /// The header of a file.
    pub fn header(self) -> [u8; 9] {
        let mut header = match self.dialect {
            Dialect::Redis => *b"REDIS0000",
            Dialect::Valkey => *b"VALKEY000",
        };
        let mut rest = self.number;
        for digit in header[6..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        header
    }
}

/// What a snapshot is written as (`rdb-save-version`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveVersion {
    /// The lowest version from 10 (Redis 7.0) on that holds the content, so that the most servers can read it.
    Auto {
        /// Whether any hash has a field with an expiry, which needs version 12.
        has_field_ttl: bool,
    },
    /// Version 10, 11 or 12 of Redis.
    Redis(u16),
    /// Version 80 of Valkey.
    Valkey,
}

impl SaveVersion {
    /// The version in the header.
    pub fn version(self) -> Version {
        let (dialect, number) = match self {
            SaveVersion::Auto { has_field_ttl: false } => (Dialect::Redis, 10),
            SaveVersion::Auto { has_field_ttl: true } => (Dialect::Redis, 12),
            SaveVersion::Redis(number) => (Dialect::Redis, number.clamp(10, 12)),
            SaveVersion::Valkey => (Dialect::Valkey, VALKEY_FIRST),
        };
        Version { dialect, number }
    }
}
