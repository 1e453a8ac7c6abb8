//! Reading a log's file entry by entry.
//!
//! Shape: commands as clients send them, `*COUNT`, then `$LENGTH` and so many bytes for every argument, each line and
//! each argument with two bytes behind it that nobody looks at; between commands lines that begin with `#`.
//! What is let pass is what real servers let pass: a header may end with a bare LF, numbers are read as C reads them
//! (`$abc` is `$0`), and a line ends after 1023 bytes. Where they would crash (a negative length) it is an error.
//!
//! Commands that lie whole in the buffer are cut some at a time, so that who runs them can ask the processor for their
//! keys early. A command's bytes lie in one reused buffer; an argument of 32 KiB and more gets an allocation of its own, which
//! SET may keep. Nothing is reserved beyond what the file can hold.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::ops::Range;

use bytes::Bytes;

use crate::persist::rdb::{Source, StreamSource};
use crate::resp::{Args, BIG_ARG, Cut};
use crate::text::num::leading_i64;

/// Bytes asked of the system at once.
const BUFFER: usize = 256 << 10;
/// Real servers read this much of a line; what follows is the next to them.
const LINE_MAX: usize = 1023;
/// No argument is longer, on any machine.
const LENGTH_MAX: i64 = 1 << 47;

/// What a log consists of.
#[derive(Debug)]
pub enum Entry<'a> {
    /// A command. The arguments lie in the reader.
    Command(Args<'a>),
    /// A line that begins with `#`, without its end.
    Note(&'a [u8]),
}

/// The time in a note, in unix seconds: `#TS:1700000000`.
pub fn timestamp(note: &[u8]) -> Option<i64> {
    note.strip_prefix(b"#TS:").map(leading_i64)
}

/// Why a log cannot be read on.
#[derive(Debug)]
pub struct LogError {
    /// Where in the file the fault is, in bytes.
    pub offset: u64,
    /// Where the entry begins that it is in. Everything before is whole.
    pub entry: u64,
    /// What is wrong.
    pub kind: LogErrorKind,
}

/// What is wrong with a log.
#[derive(Debug)]
pub enum LogErrorKind {
    /// The file cannot be read.
    Io(io::Error),
    /// The file ends inside a command: a torn tail.
    Truncated,
    /// No server writes this.
    Format(&'static str),
}

impl fmt::Display for LogErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogErrorKind::Io(error) => write!(f, "cannot be read: {error}"),
            LogErrorKind::Truncated => f.write_str("the file ends inside a command"),
            LogErrorKind::Format(why) => f.write_str(why),
        }
    }
}

impl fmt::Display for LogError {
    /// `offset 27: a command should begin here`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset {}: {}", self.offset, self.kind)
    }
}

impl std::error::Error for LogError {}

/// What a file of a log begins with.
pub enum Head {
    /// A snapshot. Commands may follow: [`LogReader::behind`].
    Snapshot(StreamSource<File>),
    /// Commands at once.
    Commands(LogReader<File>),
}

impl Head {
    /// Looks at the first bytes of a file.
    pub fn of(mut file: File) -> io::Result<Head> {
        let mut magic = Vec::new();
        file.by_ref().take(6).read_to_end(&mut magic)?;
        file.rewind()?;
        if magic.starts_with(b"REDIS") || magic.starts_with(b"VALKEY") {
            return Ok(Head::Snapshot(StreamSource::file(file)?));
        }
        let size = file.metadata().ok().filter(|meta| meta.is_file()).map(|meta| meta.len());
        Ok(Head::Commands(LogReader::new(file, size)))
    }
}

/// Reads commands and notes, front to back.
pub struct LogReader<R> {
    input: R,
    /// Bytes that the input still has, if known.
    left: Option<u64>,
    /// `buf[start..end]` is read; the entry at hand begins at `start`.
    buf: Vec<u8>,
    start: usize,
    /// What of the entry is passed, counted from `start`.
    at: usize,
    end: usize,
    /// The file's offset at `end`.
    end_offset: u64,
    cut: Cut,
    /// Commands that are cut, and how many of them were given.
    ready: Vec<Ready>,
    given: usize,
}

/// A command that is cut.
struct Ready {
    /// Its bytes, counted from `start`.
    begin: usize,
    end: usize,
    /// Its arguments.
    args: Range<usize>,
}

/// Commands that are cut at a time.
const GROUP: usize = 16;

impl<R: Read> LogReader<R> {
    /// Reads `input`, which has `left` bytes if that is known.
    pub fn new(input: R, left: Option<u64>) -> Self {
        Self::with_buffer(input, left, BUFFER)
    }

    fn with_buffer(input: R, left: Option<u64>, size: usize) -> Self {
        let (buf, cut) = (vec![0; size], Cut::default());
        let ready = Vec::with_capacity(GROUP);
        LogReader { input, left, buf, start: 0, at: 0, end: 0, end_offset: 0, cut, ready, given: 0 }
    }

    /// Reads the commands behind a snapshot.
    pub fn behind(source: StreamSource<R>) -> Self {
        let offset = source.offset();
        let rest = source.remaining();
        let (input, mut buf) = source.into_parts();
        let end = buf.len();
        buf.resize(end.max(BUFFER), 0);
        let left = rest.map(|rest| rest.saturating_sub(end as u64));
        let end_offset = offset + end as u64;
        let reader = LogReader::with_buffer(input, left, 0);
        LogReader { buf, end, end_offset, ..reader }
    }

    /// Bytes of the file that are passed: where the next entry begins.
    #[inline]
    pub fn offset(&self) -> u64 {
        let at = self.ready.get(self.given).map_or(self.at, |ready| ready.begin);
        self.offset_at(at)
    }

    /// The file's offset so many bytes behind `start`.
    #[inline]
    fn offset_at(&self, at: usize) -> u64 {
        self.end_offset - (self.end - self.start) as u64 + at as u64
    }

    /// Cuts the next commands, if none is left that was cut before. Whether there are new ones.
    #[inline]
    pub fn look_ahead(&mut self) -> bool {
        if self.given < self.ready.len() {
            return false;
        }
        self.start += self.at;
        self.at = 0;
        self.given = 0;
        self.cut.clear();
        self.ready.clear();
        while self.ready.len() < GROUP && self.cut_common() {}
        !self.ready.is_empty()
    }

    /// The first argument behind the name of each command that is cut: nearly always its key.
    pub fn keys(&self) -> impl Iterator<Item = &[u8]> {
        let stretch = &self.buf[self.start..self.end];
        let commands = self.ready[self.given..].iter();
        commands.filter_map(move |ready| self.cut.some_args(ready.args.clone(), stretch).get(1))
    }

    /// Cuts a command with common headers that lies whole in the buffer. Otherwise false, and nothing is passed.
    #[inline]
    fn cut_common(&mut self) -> bool {
        let (begin, first) = (self.at, self.cut.len());
        let whole = match self.short_header(b'*') {
            Some(count @ 1..) => (0..count).all(|_| self.common_argument()),
            _ => false,
        };
        if whole {
            self.ready.push(Ready { begin, end: self.at, args: first..self.cut.len() });
        } else {
            self.at = begin;
            self.cut.truncate(first);
        }
        whole
    }

    #[inline]
    fn common_argument(&mut self) -> bool {
        let Some(len) = self.short_header(b'$') else { return false };
        let ready = self.end - self.start - self.at;
        if len >= BIG_ARG as i64 || len as usize + 2 > ready {
            return false;
        }
        self.cut.push(&self.buf[self.start..], self.at, len as usize);
        self.at += len as usize + 2;
        true
    }

    /// The next entry, and where in the file it lies; `None` at the end of the file. After an error there is nothing
    /// more.
    #[inline]
    pub fn next_entry(&mut self) -> Result<Option<(Range<u64>, Entry<'_>)>, LogError> {
        self.look_ahead();
        let Some(ready) = self.ready.get(self.given) else { return self.next_uncommon() };
        self.given += 1;
        let span = self.offset_at(ready.begin)..self.offset_at(ready.end);
        let command = self.cut.some_args(ready.args.clone(), &self.buf[self.start..self.end]);
        Ok(Some((span, Entry::Command(command))))
    }

    /// The next entry, which is a note, not whole in the buffer, or strange.
    fn next_uncommon(&mut self) -> Result<Option<(Range<u64>, Entry<'_>)>, LogError> {
        let offset = self.offset();
        let count = match self.short_header(b'*') {
            Some(count) => count,
            None => match self.unusual(offset)? {
                Unusual::Count(count) => count,
                Unusual::End => return Ok(None),
                Unusual::Note(len) => {
                    let span = offset..self.offset();
                    let line = &self.buf[self.start..self.start + len];
                    let line = line.strip_suffix(b"\n").unwrap_or(line);
                    let line = line.strip_suffix(b"\r").unwrap_or(line);
                    return Ok(Some((span, Entry::Note(line))));
                }
            },
        };
        if count < 1 {
            let kind = LogErrorKind::Format("a command should have arguments");
            return Err(LogError { offset, entry: offset, kind });
        }
        for _ in 0..count {
            let begin = self.offset();
            self.argument().map_err(|kind| LogError { offset: begin, entry: offset, kind })?;
        }
        let span = offset..self.offset();
        let command = self.cut.args(&self.buf[self.start..self.end]);
        Ok(Some((span, Entry::Command(command))))
    }

    /// An entry's first line, if it is no common header.
    #[cold]
    fn unusual(&mut self, offset: u64) -> Result<Unusual, LogError> {
        let fail = |kind| LogError { offset, entry: offset, kind };
        let len = self.line().map_err(fail)?;
        let line = &self.buf[self.start..self.start + len];
        match line {
            b"" => Ok(Unusual::End),
            [b'#', ..] => Ok(Unusual::Note(len)),
            b"*" => Err(fail(LogErrorKind::Truncated)),
            // C's `atoi`: of what is too much for it the low bits count.
            [b'*', rest @ ..] => Ok(Unusual::Count(i64::from(leading_i64(rest) as i32))),
            _ => Err(fail(LogErrorKind::Format("a command should begin here"))),
        }
    }

    #[inline]
    fn argument(&mut self) -> Result<(), LogErrorKind> {
        let len = match self.short_header(b'$') {
            Some(len) => len,
            None => self.unusual_length()?,
        };
        if len >= BIG_ARG as i64 {
            return self.big_argument(len);
        }
        let len = len as usize;
        self.need(len + 2)?;
        self.cut.push(&self.buf[self.start..], self.at, len);
        self.at += len + 2;
        Ok(())
    }

    #[cold]
    fn unusual_length(&mut self) -> Result<i64, LogErrorKind> {
        let passed = self.at;
        let len = self.line()?;
        match &self.buf[self.start + passed..self.start + self.at][..len] {
            [] => Err(LogErrorKind::Truncated),
            [b'$', rest @ ..] => match leading_i64(rest) {
                len @ 0..=LENGTH_MAX => Ok(len),
                _ => Err(LogErrorKind::Format("an argument cannot be that long")),
            },
            _ => Err(LogErrorKind::Format("an argument should begin here")),
        }
    }

    /// Reads a long argument into its own allocation.
    #[cold]
    fn big_argument(&mut self, len: i64) -> Result<(), LogErrorKind> {
        let len = usize::try_from(len).map_err(|_| LogErrorKind::Truncated)?;
        let from = self.start + self.at;
        let ready = (self.end - from).min(len);
        if self.left.is_some_and(|left| (len - ready) as u64 > left) {
            return Err(LogErrorKind::Truncated);
        }
        let mut bytes = Vec::new();
        let room = bytes.try_reserve_exact(if self.left.is_some() { len } else { ready });
        room.map_err(|_| LogErrorKind::Format("an argument does not fit into the memory"))?;
        bytes.extend_from_slice(&self.buf[from..from + ready]);
        if ready == len {
            self.at += len;
        } else {
            self.end = from;
            let rest = (len - ready) as u64;
            let read = self.input.by_ref().take(rest).read_to_end(&mut bytes).map_err(LogErrorKind::Io)?;
            self.left = self.left.map(|left| left.saturating_sub(read as u64));
            self.end_offset += read as u64;
            if (read as u64) < rest {
                return Err(LogErrorKind::Truncated);
            }
        }
        self.need(2)?;
        self.at += 2;
        self.cut.push_own(Bytes::from(bytes));
        Ok(())
    }

    /// The number of a header of up to 9 digits with CR LF; `None` for anything else, and nothing is passed.
    #[inline]
    fn short_header(&mut self, mark: u8) -> Option<i64> {
        let text = &self.buf[self.start + self.at..self.end];
        if *text.first()? != mark {
            return None;
        }
        let mut number = 0;
        for (i, byte) in text.iter().enumerate().take(11).skip(1) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                let ends = i > 1 && *byte == b'\r' && text.get(i + 1) == Some(&b'\n');
                return ends.then(|| {
                    self.at += i + 2;
                    number
                });
            }
            number = number * 10 + i64::from(digit);
        }
        None
    }

    /// Passes a line and gives its length, its end included: up to LF, the end of the file or [`LINE_MAX`].
    fn line(&mut self) -> Result<usize, LogErrorKind> {
        let mut seen = 0;
        loop {
            let text = &self.buf[self.start + self.at..self.end];
            let text = &text[..text.len().min(LINE_MAX)];
            let len = memchr::memchr(b'\n', &text[seen..]).map(|at| seen + at + 1);
            if let Some(len) = len.or((text.len() == LINE_MAX).then_some(LINE_MAX)) {
                self.at += len;
                return Ok(len);
            }
            seen = text.len();
            match self.need(seen + 1) {
                Ok(()) => {}
                Err(LogErrorKind::Truncated) => {
                    self.at += seen;
                    return Ok(seen);
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Reads until `n` bytes are at hand behind what is passed.
    #[inline]
    fn need(&mut self, n: usize) -> Result<(), LogErrorKind> {
        if self.end - self.start - self.at >= n { Ok(()) } else { self.fill(n) }
    }

    #[cold]
    fn fill(&mut self, n: usize) -> Result<(), LogErrorKind> {
        self.compact();
        while self.end - self.at < n {
            self.read_some()?;
        }
        Ok(())
    }

    /// Moves the entry at hand to the front.
    fn compact(&mut self) {
        self.buf.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buf.len() > 4 * BUFFER && self.end < BUFFER {
            self.buf.truncate(BUFFER);
            self.buf.shrink_to_fit();
        }
    }

    /// One successful read; the buffer grows if it is full.
    fn read_some(&mut self) -> Result<(), LogErrorKind> {
        if self.end == self.buf.len() {
            self.buf.resize(self.buf.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buf[self.end..]) {
                Ok(0) => return Err(LogErrorKind::Truncated),
                Ok(n) => {
                    self.end += n;
                    self.end_offset += n as u64;
                    self.left = self.left.map(|left| left.saturating_sub(n as u64));
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LogErrorKind::Io(error)),
            }
        }
    }
}

/// What an entry's first line turned out to be.
enum Unusual {
    End,
    Count(i64),
    /// A note of this length.
    Note(usize),
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
