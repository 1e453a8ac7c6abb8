//! The ziplist: lists, hashes and sorted sets of Redis 2.6 to 6.2.
//!
//! ```text
//! total bytes u32 | offset of the last entry u32 | entries u16 (65535: count them) | entry ... | 0xFF
//! entry: size of the entry before (one byte, or 0xFE and u32) | encoding | data
//! ```
//!
//! Numbers are little endian, except the lengths of strings. Encodings: `00` and 6 bits, `01` and 14 bits,
//! `10` and 32 bits of string length; then the integers.

use super::u32_le;
use crate::value::listpack::{Corrupt, Entry, Listpack};

const HEADER: usize = 10;
const END: u8 = 0xFF;

/// Checks a ziplist throughout and answers its elements in order. Untrusted input.
pub fn entries(b: &[u8]) -> Result<Entries<'_>, Corrupt> {
    let last = check_header(b)?;
    let (mut at, mut size, mut count, end) = (HEADER, 0, 0, b.len() - 1);
    let mut start_of_last = None;
    while b[at] != END {
        let parsed = parse(b, at, end)?;
        if parsed.prev != size {
            return wrong(at, "ziplist entry with a wrong size of the one before");
        }
        size = parsed.size;
        start_of_last = Some(at);
        at += size;
        count += 1;
    }
    if at != end {
        return wrong(at, "ziplist ends before its last byte");
    }
    if start_of_last.is_some_and(|start| start != last) {
        return wrong(4, "ziplist with a wrong offset of its last entry");
    }
    let stated = u16::from_le_bytes([b[8], b[9]]);
    if stated != u16::MAX && usize::from(stated) != count {
        return wrong(8, "ziplist with another number of entries than stated");
    }
    Ok(Entries { bytes: b, at: HEADER, left: count })
}

/// The same elements as a listpack.
pub fn to_listpack(b: &[u8]) -> Result<Listpack, Corrupt> {
    let entries = entries(b)?;
    let mut lp = Listpack::new();
    lp.append_many(entries);
    Ok(lp)
}

/// The elements of a checked ziplist. Strings may be the text of an integer.
#[derive(Clone)]
pub struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
    left: usize,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        self.left = self.left.checked_sub(1)?;
        let parsed = parse(self.bytes, self.at, self.bytes.len() - 1).ok()?;
        self.at += parsed.size;
        Some(parsed.entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Entries<'_> {}

fn wrong<T>(offset: usize, reason: &'static str) -> Result<T, Corrupt> {
    Err(Corrupt { offset, reason })
}

/// The offset of the last entry, as the header states it.
fn check_header(b: &[u8]) -> Result<usize, Corrupt> {
    if b.len() < HEADER + 1 {
        return wrong(0, "ziplist shorter than its header");
    }
    if u32_le(b, 0) != Some(b.len()) {
        return wrong(0, "ziplist states another length than it has");
    }
    if b[b.len() - 1] != END {
        return wrong(b.len() - 1, "ziplist without an end");
    }
    match u32_le(b, 4) {
        Some(last) if last < b.len() => Ok(last),
        _ => wrong(4, "ziplist with a wrong offset of its last entry"),
    }
}

struct Parsed<'a> {
    prev: usize,
    size: usize,
    entry: Entry<'a>,
}

/// Reads the entry at `at`, which must leave the byte at `end` alone.
fn parse(b: &[u8], at: usize, end: usize) -> Result<Parsed<'_>, Corrupt> {
    let b = &b[..end];
    let short = Corrupt { offset: at, reason: "ziplist entry longer than the ziplist" };
    let (prev, prev_size) = match *b.get(at).ok_or(short)? {
        0xFE.. => (u32_le(b, at + 1).ok_or(short)?, 5),
        prev => (usize::from(prev), 1),
    };
    let head = at + prev_size;
    let byte = |i: usize| b.get(head + i).copied().map(usize::from).ok_or(short);
    let encoding = byte(0)? as u8;
    let (head_size, len) = match encoding >> 6 {
        0 => (1, usize::from(encoding)),
        1 => (2, usize::from(encoding & 0x3F) << 8 | byte(1)?),
        2 => (5, byte(1)? << 24 | byte(2)? << 16 | byte(3)? << 8 | byte(4)?),
        _ => (
            1,
            int_width(encoding).ok_or(Corrupt { reason: "ziplist entry of an unknown encoding", ..short })?,
        ),
    };
    let data = b.get(head + head_size..).and_then(|rest| rest.get(..len)).ok_or(short)?;
    let entry = if encoding >> 6 < 3 { Entry::Str(data) } else { Entry::Int(int(encoding, data)) };
    Ok(Parsed { prev, size: prev_size + head_size + len, entry })
}

/// Bytes of data behind an integer's encoding byte.
fn int_width(encoding: u8) -> Option<usize> {
    Some(match encoding {
        0xC0 => 2,
        0xD0 => 4,
        0xE0 => 8,
        0xF0 => 3,
        0xFE => 1,
        0xF1..=0xFD => 0,
        _ => return None,
    })
}

fn int(encoding: u8, data: &[u8]) -> i64 {
    if data.is_empty() {
        return i64::from(encoding & 0x0F) - 1;
    }
    let mut wide = [0; 8];
    wide[8 - data.len()..].copy_from_slice(data);
    i64::from_le_bytes(wide) >> (64 - 8 * data.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A naive writer, encodings as Redis 6.2 picks them.
    fn encode(elements: &[Vec<u8>]) -> Vec<u8> {
        let mut b = vec![0; HEADER];
        let (mut prev, mut last) = (0usize, HEADER);
        for e in elements {
            last = b.len();
            if prev < 254 {
                b.push(prev as u8);
            } else {
                b.push(254);
                b.extend((prev as u32).to_le_bytes());
            }
            encode_data(&mut b, e);
            prev = b.len() - last;
        }
        b.push(END);
        let len = b.len() as u32;
        b[..4].copy_from_slice(&len.to_le_bytes());
        b[4..8].copy_from_slice(&(last as u32).to_le_bytes());
        b[8..10].copy_from_slice(&(elements.len() as u16).to_le_bytes());
        b
    }

    fn encode_data(b: &mut Vec<u8>, e: &[u8]) {
        match (crate::text::num::parse_i64(e).filter(|_| e.len() < 32), e.len()) {
            (Some(n @ 0..=12), _) => b.push(0xF1 + n as u8),
            (Some(n @ -128..=127), _) => b.extend([0xFE, n as u8]),
            (Some(n @ -0x8000..=0x7FFF), _) => {
                b.push(0xC0);
                b.extend((n as i16).to_le_bytes());
            }
            (Some(n @ -0x80_0000..=0x7F_FFFF), _) => {
                b.push(0xF0);
                b.extend(&n.to_le_bytes()[..3]);
            }
            (Some(n @ -0x8000_0000..=0x7FFF_FFFF), _) => {
                b.push(0xD0);
                b.extend((n as i32).to_le_bytes());
            }
            (Some(n), _) => {
                b.push(0xE0);
                b.extend(n.to_le_bytes());
            }
            (None, len @ 0..64) => {
                b.push(len as u8);
                b.extend(e);
            }
            (None, len @ 64..0x4000) => {
                b.extend([0x40 | (len >> 8) as u8, len as u8]);
                b.extend(e);
            }
            (None, len) => {
                b.push(0x80);
                b.extend((len as u32).to_be_bytes());
                b.extend(e);
            }
        }
    }

    fn element() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            3 => (any::<i64>(), 0..64u32).prop_map(|(n, shift)| (n >> shift).to_string().into_bytes()),
            2 => proptest::collection::vec(any::<u8>(), 0..20),
            1 => (50..300usize).prop_map(|n| vec![b'x'; n]),
            1 => (16380..16390usize).prop_map(|n| vec![b'y'; n]),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_was_written(elements in proptest::collection::vec(element(), 0..12)) {
            let b = encode(&elements);
            let read: Vec<_> = entries(&b).expect("valid").map(|e| e.to_vec()).collect();
            prop_assert_eq!(&read, &elements);
            let lp = to_listpack(&b).expect("valid");
            prop_assert!(lp.iter().map(|e| e.to_vec()).eq(elements));
        }

        #[test]
        fn damage_is_refused_or_harmless(elements in proptest::collection::vec(element(), 0..6),
            hits in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..4)) {
            let mut b = encode(&elements);
            for (at, byte) in hits {
                let at = at % b.len().min(80);
                b[at] = byte;
            }
            if let Ok(read) = entries(&b) {
                prop_assert_eq!(read.len(), read.count());
            }
        }

        #[test]
        fn noise_is_refused_or_harmless(mut b in proptest::collection::vec(any::<u8>(), 11..40)) {
            let len = b.len();
            b[..4].copy_from_slice(&(len as u32).to_le_bytes());
            b[len - 1] = END;
            if let Ok(read) = entries(&b) {
                prop_assert_eq!(read.len(), read.count());
            }
        }
    }

    #[test]
    fn the_count_may_be_unknown() {
        let mut b = encode(&[b"a".to_vec(), b"1".to_vec()]);
        b[8..10].copy_from_slice(&[255, 255]);
        assert_eq!(entries(&b).expect("valid").len(), 2);
        b[8] = 3;
        b[9] = 0;
        assert!(entries(&b).is_err());
    }
}
