//! Where the bytes of a snapshot come from: a slice, or a reader behind one big buffer.
//!
//! A source lends what it consumes: strings are parsed in its buffer and copied once, by their taker. The
//! checksum runs over the buffer when it is about to be refilled, so once per mebibyte and not once per field.

use std::fs::File;
use std::io::{self, Read, Seek};

use crate::text::crc::Crc64;

/// Bytes asked of the system at once.
const BUFFER: usize = 256 << 10;

/// Why a source could not give what was asked.
#[derive(Debug)]
pub enum Short {
    /// It ends before that.
    End,
    /// It failed.
    Io(io::Error),
}

/// An input that is read once, front to back.
pub trait Source {
    /// Bytes consumed so far.
    fn offset(&self) -> u64;

    /// Bytes that are left, if that is known: what bounds a hint.
    fn remaining(&self) -> Option<u64>;

    /// Consumes `n` bytes and lends them, until the next call. Untrusted `n` is fine: memory grows with what
    /// arrives, not with what is asked. Errors: [`Short::End`], with nothing consumed.
    fn take(&mut self, n: usize) -> Result<&[u8], Short>;

    /// What is at hand behind the consumed bytes, without reading: perhaps nothing.
    fn peek(&self) -> &[u8];

    /// Consumes `n` bytes of what [`Source::peek`] shows. Panics when it shows fewer.
    fn consume(&mut self, n: usize);

    /// Consumes `n` bytes unseen.
    fn skip(&mut self, n: u64) -> Result<(), Short>;

    /// From here on consumed bytes are kept, until [`Source::marked`] asks for them.
    fn mark(&mut self);

    /// The bytes consumed since [`Source::mark`]; ends the keeping.
    fn marked(&mut self) -> &[u8];

    /// CRC-64 of everything consumed; `None` when the source was told not to compute it.
    fn checksum(&mut self) -> Option<u64>;
}

/// A source over bytes in memory: RESTORE payloads, tests, mapped files.
#[derive(Debug)]
pub struct SliceSource<'a> {
    bytes: &'a [u8],
    pos: usize,
    mark: usize,
}

impl<'a> SliceSource<'a> {
    /// A source over all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        SliceSource { bytes, pos: 0, mark: 0 }
    }
}

impl Source for SliceSource<'_> {
    fn offset(&self) -> u64 {
        self.pos as u64
    }

    fn remaining(&self) -> Option<u64> {
        Some((self.bytes.len() - self.pos) as u64)
    }

    #[inline]
    fn take(&mut self, n: usize) -> Result<&[u8], Short> {
        let taken = self.bytes[self.pos..].get(..n).ok_or(Short::End)?;
        self.pos += n;
        Ok(taken)
    }

    #[inline]
    fn peek(&self) -> &[u8] {
        &self.bytes[self.pos..]
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        assert!(n <= self.bytes.len() - self.pos, "consumed {n} bytes beyond what was at hand");
        self.pos += n;
    }

    fn skip(&mut self, n: u64) -> Result<(), Short> {
        self.take(usize::try_from(n).map_err(|_| Short::End)?).map(drop)
    }

    fn mark(&mut self) {
        self.mark = self.pos;
    }

    fn marked(&mut self) -> &[u8] {
        &self.bytes[self.mark..self.pos]
    }

    fn checksum(&mut self) -> Option<u64> {
        let mut crc = Crc64::new();
        crc.update(&self.bytes[..self.pos]);
        Some(crc.value())
    }
}

/// A source over anything that can be read.
#[derive(Debug)]
pub struct StreamSource<R> {
    input: R,
    /// `buf[pos..end]` is read and not consumed; from the mark on, what is consumed is kept, too.
    buf: Vec<u8>,
    /// Bytes asked of the system at once, and what `buf` shrinks back to.
    size: usize,
    pos: usize,
    end: usize,
    /// Where [`Source::mark`] was called, while it counts.
    mark: Option<usize>,
    /// Bytes before `buf[0]`.
    base: u64,
    /// Bytes that the input still has, if known: bounds what is reserved for one string.
    left: Option<u64>,
    /// `buf[..hashed]` is in the checksum.
    hashed: usize,
    crc: Option<Crc64>,
}

impl StreamSource<File> {
    /// A source over the rest of a file.
    pub fn file(mut file: File) -> io::Result<Self> {
        let left = match file.metadata() {
            Ok(meta) if meta.is_file() => Some(meta.len().saturating_sub(file.stream_position()?)),
            _ => None,
        };
        Ok(Self::new(file, left))
    }
}

impl<R: Read> StreamSource<R> {
    /// A source over `input`, which has `left` more bytes if that is known.
    pub fn new(input: R, left: Option<u64>) -> Self {
        Self::with_buffer(input, left, BUFFER)
    }

    fn with_buffer(input: R, left: Option<u64>, size: usize) -> Self {
        Self {
            input,
            buf: vec![0; size],
            size,
            pos: 0,
            end: 0,
            mark: None,
            base: 0,
            left,
            hashed: 0,
            crc: Some(Crc64::new()),
        }
    }

    /// The same, without computing a checksum (`rdbchecksum no`).
    pub fn unchecked(mut self) -> Self {
        self.crc = None;
        self
    }

    /// The input, and what was read from it and not consumed.
    pub fn into_parts(mut self) -> (R, Vec<u8>) {
        self.buf.truncate(self.end);
        self.buf.drain(..self.pos);
        (self.input, self.buf)
    }

    /// Puts what was consumed into the checksum.
    fn hash(&mut self) {
        if let Some(crc) = &mut self.crc {
            crc.update(&self.buf[self.hashed..self.pos]);
        }
        self.hashed = self.pos;
    }

    /// Moves what must stay to the front, so that there is room behind it.
    fn compact(&mut self) {
        self.hash();
        let keep = self.mark.unwrap_or(self.pos).min(self.pos);
        self.buf.copy_within(keep..self.end, 0);
        self.base += keep as u64;
        self.pos -= keep;
        self.end -= keep;
        self.hashed -= keep;
        self.mark = self.mark.map(|_| 0);
        if self.buf.len() > self.size && self.end <= self.size / 2 {
            self.buf.truncate(self.size);
            self.buf.shrink_to_fit();
        }
    }

    /// Reads until `n` bytes are at hand.
    #[cold]
    fn fill(&mut self, n: usize) -> Result<(), Short> {
        let missing = n.saturating_sub(self.end - self.pos) as u64;
        if self.left.is_some_and(|left| missing > left) {
            return Err(Short::End);
        }
        self.compact();
        while self.end - self.pos < n {
            if self.end == self.buf.len() {
                let room = self.buf.len().saturating_mul(2).min(self.pos.saturating_add(n).max(self.size));
                self.buf.resize(room.max(self.buf.len() + 1), 0);
            }
            self.read_some()?;
        }
        Ok(())
    }

    /// One successful read into the free end of the buffer.
    fn read_some(&mut self) -> Result<(), Short> {
        loop {
            match self.input.read(&mut self.buf[self.end..]) {
                Ok(0) => return Err(Short::End),
                Ok(n) => {
                    self.end += n;
                    self.left = self.left.map(|left| left.saturating_sub(n as u64));
                    return Ok(());
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Short::Io(e)),
            }
        }
    }
}

impl<R: Read> Source for StreamSource<R> {
    fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    fn remaining(&self) -> Option<u64> {
        self.left.map(|left| left + (self.end - self.pos) as u64)
    }

    #[inline]
    fn take(&mut self, n: usize) -> Result<&[u8], Short> {
        if self.end - self.pos < n {
            self.fill(n)?;
        }
        let from = self.pos;
        self.pos += n;
        Ok(&self.buf[from..self.pos])
    }

    #[inline]
    fn peek(&self) -> &[u8] {
        &self.buf[self.pos..self.end]
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        assert!(n <= self.end - self.pos, "consumed {n} bytes beyond what was at hand");
        self.pos += n;
    }

    fn skip(&mut self, mut n: u64) -> Result<(), Short> {
        let missing = n.saturating_sub((self.end - self.pos) as u64);
        if self.left.is_some_and(|left| missing > left) {
            return Err(Short::End);
        }
        while n > 0 {
            let step = usize::try_from(n).unwrap_or(usize::MAX).min(self.size / 2);
            self.take(step)?;
            n -= step as u64;
        }
        Ok(())
    }

    fn mark(&mut self) {
        self.mark = Some(self.pos);
    }

    fn marked(&mut self) -> &[u8] {
        let from = self.mark.take().unwrap_or(self.pos);
        &self.buf[from..self.pos]
    }

    fn checksum(&mut self) -> Option<u64> {
        self.hash();
        self.crc.map(Crc64::value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives its bytes in pieces of varying size.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.1 = self.1.wrapping_mul(31).wrapping_add(7);
            let n = (self.1 % 23 + 1).min(self.0.len()).min(buf.len());
            buf[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Take(usize),
        Skip(u64),
        Mark,
        Marked,
        Checksum,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            6 => (0usize..90).prop_map(Step::Take),
            1 => (0u64..200).prop_map(Step::Skip),
            1 => Just(Step::Mark),
            1 => Just(Step::Marked),
            1 => Just(Step::Checksum),
        ];
        proptest::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn a_stream_is_read_as_a_slice_is(bytes in proptest::collection::vec(any::<u8>(), 0..1500), steps in steps(),
                                          known in any::<bool>()) {
            let left = known.then_some(bytes.len() as u64);
            let mut stream = StreamSource::with_buffer(Drip(&bytes, 1), left, 64);
            let mut slice = SliceSource::new(&bytes);
            slice.mark();
            stream.mark();
            let mut marked = true;
            for step in steps {
                match step {
                    Step::Take(n) => {
                        let (a, b) = (stream.take(n), slice.take(n));
                        prop_assert_eq!(a.is_ok(), b.is_ok());
                        if let (Ok(a), Ok(b)) = (a, b) {
                            prop_assert_eq!(a, b);
                        }
                    }
                    Step::Skip(n) => {
                        if stream.skip(n).is_err() | slice.skip(n).is_err() {
                            return Ok(()); // how far a stream got is its own business
                        }
                    }
                    Step::Mark => {
                        stream.mark();
                        slice.mark();
                        marked = true;
                    }
                    Step::Marked if marked => {
                        prop_assert_eq!(stream.marked(), slice.marked());
                        marked = false;
                    }
                    Step::Marked => {}
                    Step::Checksum => prop_assert_eq!(stream.checksum(), slice.checksum()),
                }
                prop_assert_eq!(stream.offset(), slice.offset());
            }
        }
    }

    #[test]
    fn an_announced_size_reserves_nothing() {
        let mut known = StreamSource::new(&b"abc"[..], Some(3));
        assert!(matches!(known.take(1 << 60), Err(Short::End)));
        assert_eq!(known.buf.len(), BUFFER);
        let mut unknown = StreamSource::new(&b"abc"[..], None);
        assert!(matches!(unknown.take(usize::MAX), Err(Short::End)));
        assert_eq!(unknown.buf.len(), BUFFER);
        assert_eq!(unknown.take(3).unwrap(), b"abc");
    }
}
