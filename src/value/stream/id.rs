//! Entry ids: 128 bits, written `milliseconds-sequence`.

use crate::text::num::digits_before;
use std::fmt;

/// Longest text that is looked at as an id; longer ones are no ids at all, as in Redis.
const MAX_TEXT: usize = 127;

/// The id of a stream entry: unix milliseconds, and a sequence number within the millisecond.
///
/// Ordered by `ms`, then `seq`. On disk and in node keys both are big-endian, 16 bytes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StreamId {
    pub ms: u64,
    pub seq: u64,
}

impl StreamId {
    /// The smallest id, also "no id" in the metadata of a stream.
    pub const MIN: StreamId = StreamId { ms: 0, seq: 0 };
    /// The greatest id.
    pub const MAX: StreamId = StreamId { ms: u64::MAX, seq: u64::MAX };

    /// `ms-seq`.
    pub const fn new(ms: u64, seq: u64) -> StreamId {
        StreamId { ms, seq }
    }

    /// Whether this is 0-0.
    pub fn is_zero(self) -> bool {
        self == StreamId::MIN
    }

    /// Reads `ms-seq`, `ms` (then the sequence is `missing_seq`), `-` (the smallest) or `+` (the greatest).
    /// `None`: not an id.
    pub fn parse(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        match text {
            b"-" => Some(StreamId::MIN),
            b"+" => Some(StreamId::MAX),
            _ => StreamId::parse_strict(text, missing_seq),
        }
    }

    /// The same without `-` and `+`.
    pub fn parse_strict(text: &[u8], missing_seq: u64) -> Option<StreamId> {
        let (ms, seq) = split(text)?;
        let seq = seq.map_or(Some(missing_seq), number)?;
        Some(StreamId { ms: number(ms)?, seq })
    }

    /// What XADD takes: `ms-seq`, `ms` (sequence 0), or `ms-*`, for which the sequence is to be chosen
    /// (see [`super::Log::auto_seq`]): then the flag is false.
    pub fn parse_for_add(text: &[u8]) -> Option<(StreamId, bool)> {
        match split(text)? {
            (ms, Some(b"*")) => Some((StreamId { ms: number(ms)?, seq: 0 }, false)),
            _ => Some((StreamId::parse_strict(text, 0)?, true)),
        }
    }

    /// The id after this one; `None` after the greatest.
    pub fn next(self) -> Option<StreamId> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_add(1)?, seq: 0 }),
        }
    }

    /// The id before this one; `None` before 0-0.
    pub fn prev(self) -> Option<StreamId> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(StreamId { ms: self.ms, seq }),
            None => Some(StreamId { ms: self.ms.checked_sub(1)?, seq: u64::MAX }),
        }
    }

    /// The disk form.
    pub fn to_bytes(self) -> [u8; 16] {
        (u128::from(self.ms) << 64 | u128::from(self.seq)).to_be_bytes()
    }

    /// Reads the disk form.
    pub fn from_bytes(bytes: [u8; 16]) -> StreamId {
        let id = u128::from_be_bytes(bytes);
        StreamId { ms: (id >> 64) as u64, seq: id as u64 }
    }

    /// The text form, without an allocation.
    pub fn text(self) -> IdText {
        IdText::of(self)
    }

    /// The id at a distance from a node's key. Wraps, as hostile nodes hold any distance.
    pub(super) fn offset(self, ms: i64, seq: i64) -> StreamId {
        StreamId { ms: self.ms.wrapping_add(ms as u64), seq: self.seq.wrapping_add(seq as u64) }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

/// Bytes of the longest text.
const MAX_ID: usize = 41;

/// The text of an id, `ms-seq`, in place.
#[derive(Clone, Copy)]
pub struct IdText {
    /// Written from the end on.
    bytes: [u8; MAX_ID],
    start: u8,
}

impl IdText {
    fn of(id: StreamId) -> IdText {
        let mut bytes = [0; MAX_ID];
        let dash = digits_before(&mut bytes, MAX_ID, id.seq) - 1;
        bytes[dash] = b'-';
        let start = digits_before(&mut bytes, dash, id.ms);
        IdText { bytes, start: start as u8 }
    }
}

impl std::ops::Deref for IdText {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.bytes[usize::from(self.start)..]
    }
}

/// Splits at the first `-`. Redis looks at the text as a C string: what follows a zero byte is not seen.
fn split(text: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if text.len() > MAX_TEXT {
        return None;
    }
    let text = text.split(|&byte| byte == 0).next().unwrap_or(text);
    match text.iter().position(|&byte| byte == b'-') {
        Some(at) => Some((&text[..at], Some(&text[at + 1..]))),
        None => Some((text, None)),
    }
}

/// A number as Redis reads the halves of an id: canonical ones, and otherwise what C's `strtoull` takes whole
/// (blanks in front, a sign, leading zeros); but not a canonical negative one.
fn number(text: &[u8]) -> Option<u64> {
    let canonical_negative =
        matches!(text, [b'-', b'1'..=b'9', rest @ ..] if rest.iter().all(u8::is_ascii_digit));
    if canonical_negative && magnitude(&text[1..])? <= i64::MIN.unsigned_abs() {
        return None;
    }
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !blank(byte))?;
    match &text[start..] {
        [b'-', digits @ ..] => magnitude(digits).map(u64::wrapping_neg),
        [b'+', digits @ ..] => magnitude(digits),
        digits => magnitude(digits),
    }
}

/// Decimal digits and nothing else, at least one, within 64 bits.
fn magnitude(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_as_in_redis() {
        type Row = (&'static [u8], Option<(u64, u64)>);
        let rows: &[Row] = &[
            (b"1-2", Some((1, 2))),
            (b"5", Some((5, 77))),
            (b"-", Some((0, 0))),
            (b"+", Some((u64::MAX, u64::MAX))),
            (b"18446744073709551615-18446744073709551615", Some((u64::MAX, u64::MAX))),
            (b"18446744073709551616-0", None),
            (b"", None),
            (b"1-", None),
            (b"-1", None),
            (b"1--2", None),
            (b"1--0", Some((1, 0))),
            (b"1- -2", Some((1, u64::MAX - 1))),
            (b"007-+3", Some((7, 3))),
            (b" 7", Some((7, 77))),
            (b"7 ", None),
            (b"1-2\0junk", Some((1, 2))),
            (b"1-*", None),
            (b"a-1", None),
            (b"1-1-1", None),
        ];
        for (text, want) in rows {
            let want = want.map(|(ms, seq)| StreamId { ms, seq });
            assert_eq!(StreamId::parse(text, 77), want, "{}", text.escape_ascii());
        }
        assert_eq!(StreamId::parse(&[b'0'; 128], 0), None);
        assert_eq!(StreamId::parse(&[b'0'; 127], 0), Some(StreamId::MIN));
        assert_eq!(StreamId::parse_strict(b"-", 0), None);
        assert_eq!(StreamId::parse_for_add(b"9-*"), Some((StreamId::new(9, 0), false)));
        assert_eq!(StreamId::parse_for_add(b"9"), Some((StreamId::new(9, 0), true)));
    }

    #[test]
    fn neighbours_bytes_and_text() {
        let end_of_ms = StreamId::new(4, u64::MAX);
        assert_eq!(end_of_ms.next(), Some(StreamId::new(5, 0)));
        assert_eq!(StreamId::new(5, 0).prev(), Some(end_of_ms));
        assert_eq!((StreamId::MAX.next(), StreamId::MIN.prev()), (None, None));
        assert_eq!(StreamId::from_bytes(end_of_ms.to_bytes()), end_of_ms);
        assert_eq!(end_of_ms.to_bytes()[7], 4);
        assert_eq!(&*StreamId::MAX.text(), StreamId::MAX.to_string().as_bytes());
        assert_eq!(&*StreamId::MIN.text(), b"0-0");
    }
}
