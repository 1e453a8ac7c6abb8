//! The primitives of the format, written: into one reused buffer, which is hashed and given away when full.

use std::io::{self, Write};

use super::tags::enc;
use crate::text::crc::Crc64;
use crate::text::lzf::Compressor;
use crate::text::num;

/// Bytes collected before they are written.
const BUFFER: usize = 256 << 10;

/// A buffered output. An error sticks: what comes after it goes nowhere, until [`Output::take_error`] tells.
pub(super) struct Output<W> {
    out: W,
    buf: Vec<u8>,
    /// Length of `buf` from which on it is given away.
    limit: usize,
    /// Bytes given away.
    flushed: u64,
    crc: Option<Crc64>,
    lzf: Option<Compressor>,
    /// The compressed form of the string at hand.
    packed: Vec<u8>,
    error: Option<io::Error>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(out: W, checksum: bool, compress: bool) -> Self {
        Output {
            out,
            buf: Vec::with_capacity(BUFFER),
            limit: BUFFER,
            flushed: 0,
            crc: checksum.then(Crc64::new),
            lzf: compress.then(Compressor::new),
            packed: Vec::new(),
            error: None,
        }
    }

    /// An output that only collects: nothing is given away, [`Output::into_buf`] is the result.
    pub(super) fn collecting(out: W, compress: bool) -> Self {
        Output { buf: Vec::new(), limit: usize::MAX, ..Self::new(out, false, compress) }
    }

    pub(super) fn into_buf(self) -> Vec<u8> {
        self.buf
    }

    /// Bytes written, those in the buffer included.
    pub(super) fn written(&self) -> u64 {
        self.flushed + self.buf.len() as u64
    }

    /// The error that stuck.
    pub(super) fn take_error(&mut self) -> io::Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// Gives the buffer away.
    #[cold]
    pub(super) fn flush(&mut self) {
        if let Some(crc) = &mut self.crc {
            crc.update(&self.buf);
        }
        if self.error.is_none() {
            self.error = self.out.write_all(&self.buf).err();
        }
        self.flushed += self.buf.len() as u64;
        self.buf.clear();
    }

    /// Writes the checksum of all so far (zeros if none is computed), and everything to the output.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.flush();
        let checksum = self.crc.take().map_or(0, |crc| crc.value());
        self.buf.extend_from_slice(&checksum.to_le_bytes());
        self.flush();
        self.take_error()?;
        self.out.flush()?;
        Ok(self.out)
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        if self.buf.len() >= self.limit {
            self.flush();
        }
        self.buf.push(byte);
    }

    #[inline]
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        if bytes.len() > self.limit - self.buf.len().min(self.limit) {
            self.flush();
            if bytes.len() >= self.limit {
                return self.pass(bytes);
            }
        }
        self.buf.extend_from_slice(bytes);
    }

    /// Gives bytes away that are too many for the buffer, which is empty.
    fn pass(&mut self, bytes: &[u8]) {
        if let Some(crc) = &mut self.crc {
            crc.update(bytes);
        }
        if self.error.is_none() {
            self.error = self.out.write_all(bytes).err();
        }
        self.flushed += bytes.len() as u64;
    }

    /// Writes a length in its shortest form.
    #[inline]
    pub(super) fn len(&mut self, len: u64) {
        match len {
            0..=0x3f => self.byte(len as u8),
            0x40..=0x3fff => self.bytes(&(0x4000 | len as u16).to_be_bytes()),
            0x4000..=0xffff_ffff => {
                self.byte(enc::LEN32);
                self.bytes(&(len as u32).to_be_bytes());
            }
            _ => {
                self.byte(enc::LEN64);
                self.bytes(&len.to_be_bytes());
            }
        }
    }

    /// Writes a string in the form that the real server picks: an integer, LZF if it gains, or as it is.
    #[inline]
    pub(super) fn string(&mut self, text: &[u8]) {
        if text.len() <= 11
            && let Some(number) = num::parse_i64(text)
            && self.small_int(number)
        {
            return;
        }
        if text.len() > 20 && self.lzf(text) {
            return;
        }
        self.len(text.len() as u64);
        self.bytes(text);
    }

    /// Writes the decimal text of a number as a string.
    #[inline]
    pub(super) fn int_string(&mut self, number: i64) {
        if !self.small_int(number) {
            let mut buffer = itoa::Buffer::new();
            let text = buffer.format(number);
            self.len(text.len() as u64);
            self.bytes(text.as_bytes());
        }
    }

    /// Writes a number of at most 32 bits; whether it is one.
    #[inline]
    fn small_int(&mut self, number: i64) -> bool {
        if let Ok(n) = i8::try_from(number) {
            self.bytes(&[enc::INT8, n as u8]);
        } else if let Ok(n) = i16::try_from(number) {
            let [a, b] = n.to_le_bytes();
            self.bytes(&[enc::INT16, a, b]);
        } else if let Ok(n) = i32::try_from(number) {
            let [a, b, c, d] = n.to_le_bytes();
            self.bytes(&[enc::INT32, a, b, c, d]);
        } else {
            return false;
        }
        true
    }

    /// Writes a string compressed; whether it gained four bytes at least.
    fn lzf(&mut self, text: &[u8]) -> bool {
        let mut packed = std::mem::take(&mut self.packed);
        packed.clear();
        let gained = self.lzf.as_mut().is_some_and(|lzf| lzf.compress(text, &mut packed));
        if gained {
            self.lzf_blob(&packed, text.len());
        }
        if packed.capacity() <= BUFFER {
            self.packed = packed;
        }
        gained
    }

    /// Writes a string that is compressed already.
    pub(super) fn lzf_blob(&mut self, packed: &[u8], len: usize) {
        self.byte(enc::LZF);
        self.len(packed.len() as u64);
        self.len(len as u64);
        self.bytes(packed);
    }

    #[inline]
    pub(super) fn score(&mut self, score: f64) {
        self.bytes(&score.to_le_bytes());
    }

    #[inline]
    pub(super) fn ms(&mut self, ms: i64) {
        self.bytes(&ms.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::input::Input;
    use super::super::source::{SliceSource, Source};
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut Output<io::Sink>)) -> Vec<u8> {
        let mut out = Output::collecting(io::sink(), true);
        write(&mut out);
        out.into_buf()
    }

    #[test]
    fn strings_take_the_real_servers_form() {
        let rows: &[(&[u8], &[u8])] = &[
            (b"", b"\x00"),
            (b"-0", b"\x02-0"),
            (b"127", b"\xc0\x7f"),
            (b"128", b"\xc1\x80\x00"),
            (b"-32769", b"\xc2\xff\x7f\xff\xff"),
            (b"2147483648", b"\x0a2147483648"),
            (b"01", b"\x0201"),
        ];
        for (text, bytes) in rows {
            assert_eq!(written(|out| out.string(text)), *bytes);
        }
        assert_eq!(written(|out| out.int_string(1 << 40)), b"\x0d1099511627776");
        assert_eq!(written(|out| out.string(&[b'a'; 100]))[0], enc::LZF);
        assert_eq!(written(|out| out.string(&[b'a'; 20]))[0], 20);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(len in any::<u64>(), shift in 0u32..64, number in any::<i64>(),
                                   text in proptest::collection::vec(0u8..4, 0..300)) {
            let bytes = written(|out| {
                out.len(len >> shift);
                out.string(&text);
                out.int_string(number >> shift);
                out.string((number >> shift).to_string().as_bytes());
                out.ms(number);
                out.score(0.1);
            });
            let mut input = Input::new(SliceSource::new(&bytes));
            let number_text = (number >> shift).to_string();
            prop_assert_eq!(input.len().ok(), Some(len >> shift));
            prop_assert_eq!(input.string().ok(), Some(&text[..]));
            prop_assert_eq!(input.string().ok(), Some(number_text.as_bytes()));
            prop_assert_eq!(input.string().ok(), Some(number_text.as_bytes()));
            prop_assert_eq!(input.ms().ok(), Some(number));
            prop_assert_eq!(input.score().ok(), Some(0.1));
            prop_assert_eq!(input.src.peek(), b"");
        }
    }

    #[test]
    fn big_and_small_writes_arrive_in_order_with_their_checksum() {
        let mut out = Output::new(Vec::new(), true, false);
        let mut expected = Vec::new();
        for i in 0..3000usize {
            let piece = vec![i as u8; i * 7 % 1999 + usize::from(i % 1000 == 0) * 2 * BUFFER];
            out.bytes(&piece);
            expected.extend_from_slice(&piece);
        }
        assert_eq!(out.written(), expected.len() as u64);
        let crc = crate::text::crc::crc64(0, &expected);
        expected.extend_from_slice(&crc.to_le_bytes());
        assert!(out.finish().unwrap() == expected);
    }

    #[test]
    fn an_error_sticks() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut out = Output::new(Full, true, true);
        out.bytes(&vec![0; 2 * BUFFER]);
        out.byte(1);
        assert_eq!(out.finish().err().map(|e| e.kind()), Some(io::ErrorKind::StorageFull));
    }
}
