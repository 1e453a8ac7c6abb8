//! What SCAN, SSCAN, HSCAN and ZSCAN share: the cursor, the options, and how long one call goes on.
//!
//! Source: `scanGenericCommand` of Redis 8.0 and the recordings `fixtures/oracle/*scan.txt`.

use super::error::CmdError;
use super::parse::{ArgsExt, is};
use crate::resp::{Args, Replied, Reply};
use crate::text::glob;

/// What is scanned: it decides which options there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scanned {
    /// The keys of a database: TYPE is known.
    Keys,
    /// A hash: NOVALUES is known.
    Hash,
    /// A set or a sorted set.
    Other,
}

/// The options of one call.
#[derive(Debug, Clone, Copy)]
pub struct ScanOptions<'a> {
    /// After so many elements seen the call ends; at least 1.
    pub count: usize,
    /// Only what matches; `*` alone is no pattern.
    pub pattern: Option<&'a [u8]>,
    /// Only keys of a type of this name, in any case; it may be no type's name.
    pub type_name: Option<&'a [u8]>,
    /// Fields without values.
    pub no_values: bool,
}

impl<'a> ScanOptions<'a> {
    /// Reads all that is left of the arguments.
    pub fn parse(args: &mut Args<'a>, what: Scanned) -> Result<ScanOptions<'a>, CmdError> {
        let mut options = ScanOptions { count: 10, pattern: None, type_name: None, no_values: false };
        while let Some(word) = args.next() {
            match () {
                () if is(word, "COUNT") && args.remaining() > 0 => {
                    let count = args.int()?;
                    options.count = usize::try_from(count).ok().filter(|n| *n > 0).ok_or(CmdError::Syntax)?;
                }
                () if is(word, "MATCH") && args.remaining() > 0 => {
                    options.pattern = Some(args.arg()?).filter(|pattern| *pattern != b"*");
                }
                () if is(word, "TYPE") && what == Scanned::Keys && args.remaining() > 0 => {
                    options.type_name = Some(args.arg()?);
                }
                () if is(word, "NOVALUES") && what == Scanned::Hash => options.no_values = true,
                () if is(word, "NOVALUES") => {
                    return Err(CmdError::text("ERR NOVALUES option can only be used in HSCAN"));
                }
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(options)
    }

    /// Whether a key, field or member is wanted, by its name.
    #[inline]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name, false))
    }

    /// Takes steps until enough elements were seen, and gives the cursor to go on from (0: all is done).
    ///
    /// `step` visits what is at a cursor, adds to the number of elements seen, wanted or not, and gives the next
    /// cursor. A sparse table ends the call after ten times COUNT steps.
    pub fn run(&self, mut cursor: u64, mut step: impl FnMut(u64, &mut usize) -> u64) -> u64 {
        let mut seen = 0;
        let mut steps_left = self.count.saturating_mul(10);
        loop {
            cursor = step(cursor, &mut seen);
            if cursor == 0 || steps_left == 0 || seen >= self.count {
                return cursor;
            }
            steps_left -= 1;
        }
    }
}

/// What a scan found, in one piece, until the cursor is known, which stands in front of it in the reply.
#[derive(Debug, Default)]
pub struct Found {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Found {
    /// Adds one element of the reply.
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len());
    }

    /// Answers with the cursor and what was found.
    pub fn reply(&self, reply: &mut Reply<'_>, cursor: u64) -> Replied {
        let replied = reply.array(2);
        reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
        reply.array(self.ends.len());
        let mut start = 0;
        for end in &self.ends {
            reply.bulk(&self.bytes[start..*end]);
            start = *end;
        }
        replied
    }
}

/// Reads a cursor: as `strtoull` does, where it is no plain integer.
pub fn cursor(text: &[u8]) -> Result<u64, CmdError> {
    parse_cursor(text).ok_or(CmdError::text("ERR invalid cursor"))
}

fn parse_cursor(text: &[u8]) -> Option<u64> {
    if text.starts_with(b"-") {
        return crate::text::num::parse_i64(text).is_none().then(|| unsigned(text))?;
    }
    unsigned(text)
}

/// Blanks, a sign, digits up to a zero byte. A minus negates modulo 2^64.
fn unsigned(text: &[u8]) -> Option<u64> {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    let blanks = text[..end].iter().take_while(|b| b.is_ascii_whitespace() || **b == b'\x0b').count();
    let (negative, digits) = match &text[blanks..end] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut value = (!digits.is_empty()).then_some(0_u64)?;
    for digit in digits {
        let digit = digit.wrapping_sub(b'0');
        value = value.checked_mul(10)?.checked_add(u64::from((digit < 10).then_some(digit)?))?;
    }
    Some(if negative { value.wrapping_neg() } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cursors_as_the_server() {
        let good: [(&[u8], u64); 7] = [
            (b"0", 0),
            (b"18446744073709551615", u64::MAX),
            (b" 0", 0),
            (b"+7", 7),
            (b"007", 7),
            (b" -1", u64::MAX),
            (b"5\0x", 5),
        ];
        for (text, value) in good {
            assert_eq!(parse_cursor(text), Some(value), "{}", text.escape_ascii());
        }
        for text in [&b""[..], b" ", b"-", b"-1", b"abc", b"0x0", b"1 ", b"18446744073709551616"] {
            assert_eq!(parse_cursor(text), None, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn ends_when_enough_was_seen() {
        let options = ScanOptions { count: 3, pattern: None, type_name: None, no_values: false };
        let step = |cursor: u64, seen: &mut usize| {
            *seen += 2;
            (cursor + 1) % 100
        };
        assert_eq!(options.run(0, step), 2);
        assert_eq!(options.run(99, step), 0);
        assert_eq!(options.run(0, |cursor, _| cursor + 1), 31);
    }
}
