//! The primitives of the format: lengths, strings, scores, times. Source: `FORMAT.md`.

use super::error::{Fail, LoadErrorKind, Res};
use super::source::{Short, Source};
use super::tags::{enc, module};
use crate::text::lzf;
use crate::value::set::Members;

/// What the first byte of a string says about the rest.
pub(super) enum Text {
    /// That many bytes follow.
    Raw(u64),
    /// The text is this number in decimal.
    Int(i64),
    /// LZF: compressed and original length; the compressed bytes follow.
    Lzf(u64, u64),
}

/// A source, read field by field.
pub(super) struct Input<S> {
    pub(super) src: S,
    /// Decompressed strings of up to [`SHORT`] bytes; made at the first one.
    short: Vec<u8>,
    /// The last longer one.
    long: Vec<u8>,
    /// Numbers as text.
    digits: itoa::Buffer,
    /// The last small set that was read member by member.
    pub(super) members: Members,
}

/// Up to this length strings are decompressed into the same buffer.
const SHORT: usize = 32 << 10;

impl<S: Source> Input<S> {
    pub(super) fn new(src: S) -> Self {
        let (short, long, digits, members) = Default::default();
        Input { src, short, long, digits, members }
    }

    pub(super) fn offset(&self) -> u64 {
        self.src.offset()
    }

    #[cold]
    fn short(&self, short: Short) -> Fail {
        match short {
            Short::End => Fail::at(self.offset(), LoadErrorKind::Truncated),
            Short::Io(e) => Fail::at(self.offset(), LoadErrorKind::Io(e)),
        }
    }

    #[cold]
    pub(super) fn corrupt<T>(&self, what: &'static str, why: &'static str) -> Res<T> {
        corrupt(self.offset(), what, why)
    }

    /// Consumes `n` bytes and lends them.
    #[inline]
    pub(super) fn take(&mut self, n: usize) -> Res<&[u8]> {
        let offset = self.src.offset();
        self.src.take(n).map_err(|short| match short {
            Short::End => Fail::at(offset, LoadErrorKind::Truncated),
            Short::Io(e) => Fail::at(offset, LoadErrorKind::Io(e)),
        })
    }

    /// Consumes `N` bytes.
    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Res<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("take lends what it was asked for"))
    }

    /// Consumes one byte.
    #[inline(always)]
    pub(super) fn byte(&mut self) -> Res<u8> {
        match self.src.peek().first() {
            Some(&byte) => {
                self.src.consume(1);
                Ok(byte)
            }
            None => self.far_byte(),
        }
    }

    #[cold]
    fn far_byte(&mut self) -> Res<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Consumes `n` bytes unseen.
    pub(super) fn skip(&mut self, n: u64) -> Res<()> {
        let skipped = self.src.skip(n);
        skipped.map_err(|short| self.short(short))
    }

    /// Reads one length.
    ///
    /// Shape: see `FORMAT.md`, section Lengths. Unit: whatever the caller's field counts. Errors: `Truncated`
    /// at the offset where input ended, `Corrupt` for a form that does not exist. Untrusted: never reserve
    /// memory by the result.
    #[inline]
    pub(super) fn len(&mut self) -> Res<u64> {
        let first = self.byte()?;
        self.len_from(first)
    }

    /// The rest of a length whose first byte was read.
    #[inline(always)]
    fn len_from(&mut self, first: u8) -> Res<u64> {
        match first >> 6 {
            0 | 3 => Ok(u64::from(first & 0x3f)),
            1 => Ok(u64::from(first & 0x3f) << 8 | u64::from(self.byte()?)),
            _ => self.len_wide(first),
        }
    }

    fn len_wide(&mut self, first: u8) -> Res<u64> {
        match first {
            enc::LEN32 => Ok(u64::from(u32::from_be_bytes(self.array()?))),
            enc::LEN64 => Ok(u64::from_be_bytes(self.array()?)),
            _ => self.corrupt("length", "a form that does not exist"),
        }
    }

    /// Reads a count of things, each of which takes at least one byte: untrusted, so count down and reserve nothing.
    pub(super) fn count(&mut self) -> Res<u64> {
        self.len()
    }

    /// Reads the head of a string.
    #[inline]
    pub(super) fn text(&mut self) -> Res<Text> {
        let first = self.byte()?;
        if first < 0xc0 {
            return Ok(Text::Raw(self.len_from(first)?));
        }
        Ok(match first {
            enc::INT8 => Text::Int(i64::from(i8::from_le_bytes(self.array()?))),
            enc::INT16 => Text::Int(i64::from(i16::from_le_bytes(self.array()?))),
            enc::INT32 => Text::Int(i64::from(i32::from_le_bytes(self.array()?))),
            enc::LZF => {
                let compressed = self.len()?;
                Text::Lzf(compressed, self.len()?)
            }
            _ => return self.corrupt("string", "an encoding that does not exist"),
        })
    }

    /// Reads a string and lends its bytes, until the next read.
    #[inline]
    pub(super) fn string(&mut self) -> Res<&[u8]> {
        const LONGER: u8 = 1 << 6;
        match self.src.peek().first() {
            Some(&len) if len < LONGER => {
                self.src.consume(1);
                self.take(usize::from(len))
            }
            _ => self.other_string(),
        }
    }

    /// The same for all but short plain strings, which are the most.
    fn other_string(&mut self) -> Res<&[u8]> {
        match self.text()? {
            Text::Raw(len) => self.take(usize::try_from(len).unwrap_or(usize::MAX)),
            Text::Int(number) => Ok(self.digits.format(number).as_bytes()),
            Text::Lzf(compressed, len) => self.lzf(compressed, len),
        }
    }

    /// Decompresses a string into the scratch buffer.
    fn lzf(&mut self, compressed: u64, len: u64) -> Res<&[u8]> {
        let offset = self.offset();
        // Three bytes make at most 264, so that a bigger promise cannot come true and reserves nothing.
        if len > compressed.saturating_mul(88) {
            return corrupt(offset, "string", "LZF promises more text than its bytes can make");
        }
        let packed = match self.src.take(usize::try_from(compressed).unwrap_or(usize::MAX)) {
            Ok(packed) => packed,
            Err(Short::End) => return Err(Fail::at(offset, LoadErrorKind::Truncated)),
            Err(Short::Io(e)) => return Err(Fail::at(offset, LoadErrorKind::Io(e))),
        };
        let len = len as usize; // at most 88 times what lies in memory
        let text = if len <= SHORT {
            self.short.resize(SHORT + lzf::SLACK, 0);
            lzf::decompress_short(packed, len, &mut self.short).map(|()| &self.short[..len])
        } else {
            lzf::decompress(packed, len).map(|text| {
                self.long = text;
                &self.long[..]
            })
        };
        text.or_else(|_| corrupt(offset, "string", "its LZF bytes are not what they promise"))
    }

    /// Steps over a string.
    pub(super) fn skip_string(&mut self) -> Res<()> {
        match self.text()? {
            Text::Raw(len) | Text::Lzf(len, _) => self.skip(len),
            Text::Int(_) => Ok(()),
        }
    }

    /// Reads 8 bytes of milliseconds.
    pub(super) fn ms(&mut self) -> Res<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// Reads a binary score.
    pub(super) fn score(&mut self) -> Res<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// Reads a score written as text.
    pub(super) fn text_score(&mut self) -> Res<f64> {
        match self.byte()? {
            255 => Ok(f64::NEG_INFINITY),
            254 => Ok(f64::INFINITY),
            253 => Ok(f64::NAN),
            len => {
                let offset = self.offset();
                let text = self.take(usize::from(len))?;
                match parse_score(text) {
                    Some(score) => Ok(score),
                    None => corrupt(offset, "score", "not a number"),
                }
            }
        }
    }

    /// Steps over a score written as text.
    pub(super) fn skip_text_score(&mut self) -> Res<()> {
        match self.byte()? {
            253.. => Ok(()),
            len => self.skip(u64::from(len)),
        }
    }

    /// Steps over a module's items, their end included.
    pub(super) fn skip_module_items(&mut self) -> Res<()> {
        loop {
            match self.len()? {
                module::EOF => return Ok(()),
                module::SINT | module::UINT => drop(self.len()?),
                module::FLOAT => self.skip(4)?,
                module::DOUBLE => self.skip(8)?,
                module::STRING => self.skip_string()?,
                _ => return self.corrupt("module value", "an item of a kind that does not exist"),
            }
        }
    }
}

#[cold]
pub(super) fn corrupt<T>(offset: u64, what: &'static str, why: &'static str) -> Res<T> {
    Err(Fail::at(offset, LoadErrorKind::Corrupt(what, why)))
}

/// The number at the start of a text, as C's `sscanf("%lg")` sees it: what follows the number is ignored.
fn parse_score(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii_start();
    let text = &text[..text.iter().position(|&b| b == 0).unwrap_or(text.len())];
    let text = std::str::from_utf8(text).ok()?;
    let mut end = text.len();
    loop {
        if let Some(Ok(score)) = text.get(..end).map(str::parse) {
            return Some(score);
        }
        end = end.checked_sub(1).filter(|&end| end > 0)?;
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::SliceSource;
    use super::*;

    fn input(bytes: &[u8]) -> Input<SliceSource<'_>> {
        Input::new(SliceSource::new(bytes))
    }

    #[test]
    fn lengths() {
        let rows: &[(&[u8], u64)] = &[
            (b"\x00", 0),
            (b"\x3f", 63),
            (b"\x40\x40", 64),
            (b"\x7f\xff", 16383),
            (b"\x80\x00\x00\x40\x00", 16384),
            (b"\x80\xff\xff\xff\xff", u64::from(u32::MAX)),
            (b"\x81\x00\x00\x00\x01\x00\x00\x00\x00", 1 << 32),
            (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff", u64::MAX),
            (b"\xc5", 5),
        ];
        for (bytes, len) in rows {
            assert_eq!(input(bytes).len().unwrap(), *len, "{bytes:x?}");
            for cut in 0..bytes.len() {
                assert!(input(&bytes[..cut]).len().is_err());
            }
        }
        assert!(input(b"\x82\0\0\0\0\0\0\0\0").len().is_err());
    }

    #[test]
    fn strings() {
        let rows: &[(&[u8], &[u8])] = &[
            (b"\x00", b""),
            (b"\x03abc", b"abc"),
            (b"\xc0\x80", b"-128"),
            (b"\xc1\x00\x80", b"-32768"),
            (b"\xc2\xff\xff\xff\x7f", b"2147483647"),
            (b"\xc3\x05\x0a\x00a\xe0\x00\x00", b"aaaaaaaaaa"),
        ];
        for (bytes, text) in rows {
            let read = input(bytes).string().map(<[u8]>::to_vec);
            assert_eq!(read.ok().as_deref(), Some(*text), "{bytes:x?}");
            let mut skipped = input(bytes);
            skipped.skip_string().unwrap();
            assert_eq!(skipped.offset(), bytes.len() as u64);
        }
    }

    #[test]
    fn promises_of_lzf_reserve_nothing() {
        let lie = b"\xc3\x02\x81\x10\0\0\0\0\0\0\0\x00a";
        assert_eq!(input(lie).string().err().map(|fail| fail.with_key(None).offset), Some(11));
    }

    #[test]
    fn text_scores() {
        let rows: &[(&[u8], f64)] = &[
            (b"\xfe", f64::INFINITY),
            (b"\xff", f64::NEG_INFINITY),
            (b"\x013", 3.0),
            (b"\x05-1e+2", -100.0),
            (b"\x040.1x", 0.1),
            (b"\x03inf", f64::INFINITY),
        ];
        for (bytes, score) in rows {
            assert_eq!(input(bytes).text_score().unwrap(), *score, "{bytes:x?}");
        }
        assert!(input(b"\xfd").text_score().unwrap().is_nan());
        assert!(input(b"\x02xy").text_score().is_err());
        assert!(input(b"\x00").text_score().is_err());
    }
}
