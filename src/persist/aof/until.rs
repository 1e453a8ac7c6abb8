//! Up to where a log is read, if not to its end: the state of an earlier moment.

use crate::text::num::{leading_i64, parse_i64, parse_u64};

/// A moment of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// Unix seconds: up to the first annotation that names a later time.
    Time(i64),
    /// Up to the last command that ends within so many bytes of a file; without a name, of the last one.
    Offset { file: Option<Vec<u8>>, offset: u64 },
}

/// A bare number from here on (September 2001) is a time, a smaller one an offset.
const TIMES_FROM: i64 = 1_000_000_000;

impl Until {
    /// Shape: a bare number, `time:SECONDS`, `offset:BYTES` or `FILE:BYTES`. `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Until> {
        let Some(colon) = memchr::memrchr(b':', text) else {
            let number = parse_i64(text).filter(|number| *number >= 0)?;
            return Some(match number {
                TIMES_FROM.. => Until::Time(number),
                _ => Until::Offset { file: None, offset: number as u64 },
            });
        };
        let number = &text[colon + 1..];
        match &text[..colon] {
            b"" => None,
            b"time" => parse_i64(number).map(Until::Time),
            b"offset" => Some(Until::Offset { file: None, offset: parse_u64(number)? }),
            file => Some(Until::Offset { file: Some(file.to_vec()), offset: parse_u64(number)? }),
        }
    }

    /// Whether a note says that the time is over.
    pub fn is_over_at(&self, note: &[u8]) -> bool {
        match self {
            Until::Time(until) => super::reader::timestamp(note).is_some_and(|time| time > *until),
            Until::Offset { .. } => false,
        }
    }
}

/// The time that a snapshot says it was written at, in unix seconds: its `ctime` note.
pub fn written_at(ctime: &[u8]) -> i64 {
    leading_i64(ctime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_times_and_offsets() {
        let offset = |file: Option<&str>, offset| Until::Offset { file: file.map(|f| f.into()), offset };
        let rows = [
            ("1700000000", Some(Until::Time(1_700_000_000))),
            ("0", Some(offset(None, 0))),
            ("999999999", Some(offset(None, 999_999_999))),
            ("time:5", Some(Until::Time(5))),
            ("offset:5000000000", Some(offset(None, 5_000_000_000))),
            ("a.aof.1.incr.aof:77", Some(offset(Some("a.aof.1.incr.aof"), 77))),
            ("", None),
            ("-1", None),
            (":1", None),
            ("a:", None),
            ("offset:-1", None),
            ("yesterday", None),
        ];
        for (text, want) in rows {
            assert_eq!(Until::parse(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn is_over_at_a_later_note() {
        let until = Until::Time(100);
        assert!(!until.is_over_at(b"#TS:100") && until.is_over_at(b"#TS:101") && !until.is_over_at(b"# 200"));
        assert!(!Until::Offset { file: None, offset: 0 }.is_over_at(b"#TS:101"));
    }
}
