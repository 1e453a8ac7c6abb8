//! One entry of a listpack: its bytes, and what they say. Pure functions over slices.
//!
//! | first byte  | entry                                             |
//! |-------------|---------------------------------------------------|
//! | `0xxxxxxx`  | integer 0 to 127                                   |
//! | `10xxxxxx`  | string of up to 63 bytes                           |
//! | `110xxxxx`  | integer of 13 bits, the high ones first            |
//! | `1110xxxx`  | string of up to 4095 bytes, 12 bits of length, the high ones first |
//! | `11110000`  | string, length in 4 bytes, little endian           |
//! | `11110001` to `11110100` | integer of 2, 3, 4, 8 bytes, little endian |
//! | `11111111`  | end of the listpack                                |
//!
//! Behind each entry stands its length again, backwards, seven bits a byte, in one to five bytes.

use super::Entry;
use crate::text::num::parse_i64;

/// The byte behind the last entry.
pub(super) const END: u8 = 0xFF;

/// Bytes that the backward length of an entry of `len` bytes takes. The real server's bounds: one less than
/// would fit from two bytes on.
#[inline(always)]
pub(super) fn backlen_size(len: usize) -> usize {
    match len {
        0..=127 => 1,
        128..=16382 => 2,
        16383..=2097150 => 3,
        2097151..=268435454 => 4,
        _ => 5,
    }
}

/// Writes the backward length `len` over the whole of `out`, which has `backlen_size(len)` bytes.
#[inline]
fn write_backlen(out: &mut [u8], len: usize) {
    let mut rest = len;
    for byte in out.iter_mut().rev() {
        *byte = (rest & 127) as u8 | 128;
        rest >>= 7;
    }
    out[0] &= 127;
}

/// Reads the backward length that ends right before `end`; `None` if it takes more than five bytes or
/// begins before the slice.
#[inline]
pub(super) fn read_backlen(b: &[u8], end: usize) -> Option<usize> {
    let mut len = 0;
    for (i, &byte) in b[..end].iter().rev().take(5).enumerate() {
        len |= usize::from(byte & 127) << (7 * i);
        if byte < 128 {
            return Some(len);
        }
    }
    None
}

/// Length of the entry at `at` without its backward length, as far as its first bytes tell; `None` if they
/// are no entry or the slice ends within them. Trusts nothing.
#[inline]
pub(super) fn checked_len(b: &[u8], at: usize) -> Option<usize> {
    let first = *b.get(at)?;
    Some(match first {
        0..=0x7F => 1,
        0x80..=0xBF => 1 + usize::from(first & 0x3F),
        0xC0..=0xDF => 2,
        0xE0..=0xEF => 2 + (usize::from(first & 0x0F) << 8 | usize::from(*b.get(at + 1)?)),
        0xF0 => {
            let len = b.get(at + 1..at + 5)?;
            5 + u32::from_le_bytes([len[0], len[1], len[2], len[3]]) as usize
        }
        0xF1 => 3,
        0xF2 => 4,
        0xF3 => 5,
        0xF4 => 9,
        _ => return None,
    })
}

/// Bytes of the entry at `at`, backward length included. The listpack is valid and `at` an entry of it.
#[inline(always)]
pub(super) fn size_at(b: &[u8], at: usize) -> usize {
    match b[at] {
        0..=0x7F => 2,
        first @ 0x80..=0xBF => 2 + usize::from(first & 0x3F),
        0xC0..=0xDF => 3,
        0xF1 => 4,
        0xF2 => 5,
        0xF3 => 6,
        0xF4 => 10,
        _ => size_of_long(b, at),
    }
}

#[inline(never)]
fn size_of_long(b: &[u8], at: usize) -> usize {
    let len = checked_len(b, at).expect("an entry of a validated listpack");
    len + backlen_size(len)
}

/// The entry at `at` and its size with the backward length. The listpack is valid and `at` an entry of it.
#[inline(always)]
pub(super) fn decode(b: &[u8], at: usize) -> (Entry<'_>, usize) {
    let len = usize::from(b[at] & 0x3F);
    match b[at] & 0xC0 {
        0x80 => (Entry::Str(&b[at + 1..at + 1 + len]), len + 2),
        _ => decode_other(b, at),
    }
}

/// A small integer at `at` and its size: one of the two encodings that nearly all bookkeeping numbers have.
#[inline(always)]
pub(super) fn decode_small_int(b: &[u8], at: usize) -> Option<(i64, usize)> {
    match b[at] {
        first @ 0..=0x7F => Some((i64::from(first), 2)),
        first @ 0xC0..=0xDF => Some((int13(first, b[at + 1]), 3)),
        _ => None,
    }
}

#[inline(always)]
fn int13(first: u8, second: u8) -> i64 {
    let unsigned = i64::from(first & 0x1F) << 8 | i64::from(second);
    unsigned << 51 >> 51
}

/// [`decode`] for all but short strings, which are the most.
fn decode_other(b: &[u8], at: usize) -> (Entry<'_>, usize) {
    let first = b[at];
    let (skip, len) = match first {
        0..=0x7F => return (Entry::Int(i64::from(first)), 2),
        0xE0..=0xEF => (2, usize::from(first & 0x0F) << 8 | usize::from(b[at + 1])),
        0xF0 => (5, read_int(b, at + 1, 4) as u32 as usize),
        0xC0..=0xDF => return (Entry::Int(int13(first, b[at + 1])), 3),
        0xF1 => return (Entry::Int(read_int(b, at + 1, 2)), 4),
        0xF2 => return (Entry::Int(read_int(b, at + 1, 3)), 5),
        0xF3 => return (Entry::Int(read_int(b, at + 1, 4)), 6),
        _ => return (Entry::Int(read_int(b, at + 1, 8)), 10),
    };
    let start = at + skip;
    (Entry::Str(&b[start..start + len]), skip + len + backlen_size(skip + len))
}

/// A signed little-endian number of `width` bytes, 1 to 8.
#[inline(always)]
fn read_int(b: &[u8], at: usize, width: usize) -> i64 {
    let mut wide = [0; 8];
    wide[8 - width..].copy_from_slice(&b[at..at + width]);
    i64::from_le_bytes(wide) >> (64 - 8 * width)
}

/// An entry ready to be written: what stands before a string's bytes, or a whole integer.
pub(super) struct Encoded<'a> {
    head: [u8; 9],
    head_len: u8,
    text: &'a [u8],
}

impl<'a> Encoded<'a> {
    /// The encoding the real server picks: the text of an integer becomes one.
    #[inline]
    pub(super) fn of(entry: Entry<'a>) -> Encoded<'a> {
        match entry {
            Entry::Int(n) => Encoded::int(n),
            Entry::Str(text) => match parse_i64(text) {
                Some(n) => Encoded::int(n),
                None => Encoded::text(text),
            },
        }
    }

    #[inline]
    fn int(n: i64) -> Encoded<'a> {
        let (tag, width) = match n {
            0..=127 => (n as u8, 0),
            -4096..=4095 => {
                let low = n as u8;
                let tag = 0xC0 | (n >> 8) as u8 & 0x1F;
                return Encoded { head: [tag, low, 0, 0, 0, 0, 0, 0, 0], head_len: 2, text: &[] };
            }
            -0x8000..=0x7FFF => (0xF1, 2),
            -0x80_0000..=0x7F_FFFF => (0xF2, 3),
            -0x8000_0000..=0x7FFF_FFFF => (0xF3, 4),
            _ => (0xF4, 8),
        };
        let mut head = [tag; 9];
        head[1..].copy_from_slice(&n.to_le_bytes());
        Encoded { head, head_len: 1 + width, text: &[] }
    }

    #[inline]
    fn text(text: &'a [u8]) -> Encoded<'a> {
        let len = text.len();
        let mut head = [0; 9];
        let head_len = match len {
            0..=63 => {
                head[0] = 0x80 | len as u8;
                1
            }
            64..=4095 => {
                head[..2].copy_from_slice(&[0xE0 | (len >> 8) as u8, len as u8]);
                2
            }
            _ => {
                let len = u32::try_from(len).expect("callers keep listpacks under 1 GiB");
                head[0] = 0xF0;
                head[1..5].copy_from_slice(&len.to_le_bytes());
                5
            }
        };
        Encoded { head, head_len, text }
    }

    /// Bytes without the backward length.
    #[inline]
    fn len(&self) -> usize {
        usize::from(self.head_len) + self.text.len()
    }

    /// Bytes it takes in a listpack.
    #[inline]
    pub(super) fn size(&self) -> usize {
        self.len() + backlen_size(self.len())
    }

    /// Writes the entry over the whole of `out`, which has `size()` bytes.
    #[inline]
    pub(super) fn write(&self, out: &mut [u8]) {
        let (head, rest) = out.split_at_mut(usize::from(self.head_len));
        head.copy_from_slice(&self.head[..usize::from(self.head_len)]);
        let (text, back) = rest.split_at_mut(self.text.len());
        text.copy_from_slice(self.text);
        write_backlen(back, self.len());
    }

    /// Writes the entry behind what `out` has.
    #[inline]
    pub(super) fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head[..usize::from(self.head_len)]);
        out.extend_from_slice(self.text);
        let (len, at) = (self.len(), out.len());
        if len < 128 {
            return out.push(len as u8);
        }
        out.resize(at + backlen_size(len), 0);
        write_backlen(&mut out[at..], len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn backlen_bounds() {
        for len in [0, 127, 128, 16382, 16383, 2097150, 2097151, 268435454, 268435455, u32::MAX as usize] {
            let mut out = [0; 5];
            let size = backlen_size(len);
            write_backlen(&mut out[..size], len);
            assert_eq!(read_backlen(&out, size), Some(len));
        }
        assert_eq!(read_backlen(&[255; 9], 9), None);
        assert_eq!(read_backlen(&[255; 2], 2), None);
    }

    fn any_int() -> impl Strategy<Value = i64> {
        (any::<i64>(), 0..64u32).prop_map(|(n, shift)| n >> shift)
    }

    proptest! {
        #[test]
        fn integers_survive(n in any_int()) {
            let e = Encoded::of(Entry::Int(n));
            let mut out = vec![0; e.size()];
            e.write(&mut out);
            prop_assert_eq!(decode(&out, 0), (Entry::Int(n), out.len()));
            prop_assert_eq!(size_at(&out, 0), out.len());
        }
    }
}
