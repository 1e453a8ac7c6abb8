//! Splits a connection's bytes into requests.
//!
//! The common request is cut by hand in one pass over its headers. What is cut off by the end of the input stays
//! there and is looked at again when more has come, if it is short; a long one moves into the parser, which then goes
//! on where it stopped, and receives an argument of 32 KiB or more into its final allocation.

use super::args::MAX_STRETCH;
use super::batch::{Batch, Span};
use super::error::ProtocolError;
use crate::text::{num, words};
use bytes::Bytes;
use bytes::buf::{BufMut, Limit};

/// Arguments of this size and more get an allocation of their own.
pub const BIG_ARG: usize = 32 * 1024;
/// An inline request or a header must have ended within this many bytes.
const LINE_MAX: usize = 64 * 1024;
/// From this size on, an unfinished request moves into the parser.
const HOLD_FROM: usize = 4 * 1024;
/// A big argument of which less than this is missing comes by way of the common buffer, with what follows it.
const WANT_FROM: usize = 16 * 1024;
/// The first reservation for a big argument.
const FIRST_RESERVE: usize = 1 << 20;
/// Later ones, as a multiple of what is there. What is not written to is not resident; what is copied and left
/// behind each time is, for a while: doubling would make 512 MiB cost twice that.
const GROWTH: usize = 8;
/// Unauthenticated clients may send this many arguments,
const UNAUTH_ARGS: i64 = 10;
/// each of this size.
const UNAUTH_BULK: usize = 16 * 1024;

/// What the configuration and the session allow.
#[derive(Clone, Copy, Debug)]
pub struct ParserLimits {
    /// `proto-max-bulk-len`; `usize::MAX` for a replication stream.
    pub max_bulk: usize,
    /// Whether the client need not authenticate (any more). If it must, requests are small and parsed one at a
    /// time, as the next may be allowed more.
    pub authenticated: bool,
}

impl Default for ParserLimits {
    fn default() -> Self {
        ParserLimits { max_bulk: 512 << 20, authenticated: true }
    }
}

/// What a call of [`Parser::parse`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// Bytes of the input that are used up; the rest is to be handed in again, with more behind it.
    pub consumed: usize,
    /// Ends the connection, after the requests of the batch were executed.
    pub error: Option<ProtocolError>,
}

/// A connection's parser: one word, empty unless a long request has arrived in part.
#[derive(Default)]
pub struct Parser {
    partial: Option<Box<Partial>>,
}

/// What one look at the input found.
enum Step {
    /// A request, or an empty line or an empty multibulk, ended here.
    End(usize),
    /// The input ends inside a request. Arguments up to `done` are complete, `missing` are not.
    Cut { done: usize, missing: usize, big: bool },
    /// The input ends inside a line.
    CutLine,
}

impl Parser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets a partly received request.
    pub fn reset(&mut self) {
        self.partial = None;
    }

    /// Bytes of a partly received request that count for `client-query-buffer-limit`: while a big argument comes in, the
    /// small ones before it don't.
    pub fn waiting(&self) -> usize {
        self.partial.as_ref().map_or(0, |p| p.waiting())
    }

    /// What was received of a partly received request.
    pub fn held(&self) -> usize {
        self.partial.as_ref().map_or(0, |p| p.held())
    }

    /// Memory that a partly received request takes, with room for what is to come.
    pub fn reserved(&self) -> usize {
        self.partial.as_ref().map_or(0, |p| p.held() + p.room())
    }

    /// Puts the whole requests at the front of `input` into `batch` (which is cleared).
    ///
    /// To be called again with what was not consumed, until it finds no request; only then more is read behind it.
    /// Only such a call without requests may move an unfinished one into the parser, so that a batch that ends
    /// early can always leave its unexecuted rest in the input.
    pub fn parse(&mut self, input: &[u8], limits: &ParserLimits, batch: &mut Batch) -> Parsed {
        batch.clear();
        let input = &input[..input.len().min(MAX_STRETCH)];
        let mut at = 0;
        if self.partial.is_some() {
            match self.resume(input, limits, batch) {
                Ok(used) => at = used,
                Err(error) => return Parsed { consumed: 0, error: Some(error) },
            }
            if self.partial.is_some() {
                return Parsed { consumed: at, error: None };
            }
        }
        let most = if limits.authenticated { usize::MAX } else { 1 };
        while batch.len() < most && at < input.len() {
            let step = match input[at] {
                b'*' => multibulk(input, at, limits, batch),
                _ => inline(input, at, batch),
            };
            match step {
                Ok(Step::End(end)) => at = end,
                Ok(Step::Cut { done, missing, big }) => {
                    let long = big || input.len() - at >= HOLD_FROM;
                    if batch.is_empty() && long {
                        self.hold(&input[at..done], at, missing, batch);
                        // The header behind was read before: it is no error now.
                        at = done + self.resume(&input[done..], limits, batch).unwrap_or(0);
                    }
                    break;
                }
                Ok(Step::CutLine) => break,
                Err(error) => return Parsed { consumed: at, error: Some(error) },
            }
        }
        Parsed { consumed: at, error: None }
    }

    /// Where to read the rest of a big argument to, if much of it is missing: straight into its allocation. When
    /// nothing is wanted, and after each such read, it is [`parse`](Self::parse)'s turn (with what input there is).
    ///
    /// The room grows with what has arrived, not with what was announced.
    pub fn wants(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let Awaiting::Big { bytes, total } = &mut self.partial.as_mut()?.awaiting else { return None };
        if *total - bytes.len() < WANT_FROM {
            return None;
        }
        grow(bytes, *total);
        let room = (bytes.capacity() - bytes.len()).min(*total - bytes.len());
        Some(bytes.limit(room))
    }

    fn hold(&mut self, bytes: &[u8], offset: usize, missing: usize, batch: &mut Batch) {
        self.partial = Some(Box::new(Partial {
            frame: bytes.to_vec(),
            is_frame: true,
            spans: batch.spans.drain(..).map(|span| span.moved_back(offset)).collect(),
            own: std::mem::take(&mut batch.own),
            missing,
            awaiting: Awaiting::Header,
        }));
    }

    /// Feeds the held request; when it is complete it becomes the batch's first. Returns how much was used.
    fn resume(
        &mut self,
        input: &[u8],
        limits: &ParserLimits,
        batch: &mut Batch,
    ) -> Result<usize, ProtocolError> {
        let Some(partial) = self.partial.as_mut() else { return Ok(0) };
        let used = partial.feed(input, limits)?;
        if partial.missing == 0
            && let Some(whole) = self.partial.take()
        {
            batch.push_held(whole.frame, whole.is_frame, whole.spans, whole.own, used);
        }
        Ok(used)
    }
}

/// A request that has arrived in part.
struct Partial {
    /// Its bytes so far, but not those of big arguments.
    frame: Vec<u8>,
    /// Whether `frame` is the request as it came: no big argument went elsewhere.
    is_frame: bool,
    spans: Vec<Span>,
    own: Vec<Bytes>,
    missing: usize,
    awaiting: Awaiting,
}

enum Awaiting {
    Header,
    /// An argument into the frame, where it begins at `start`.
    Small {
        start: usize,
        len: usize,
    },
    /// An argument into its own allocation; `total` counts CR LF.
    Big {
        bytes: Vec<u8>,
        total: usize,
    },
}

impl Partial {
    fn waiting(&self) -> usize {
        let last = match &self.awaiting {
            Awaiting::Big { bytes, .. } => bytes.len(),
            _ => self.frame.len(),
        };
        last + self.own.iter().map(Bytes::len).sum::<usize>()
    }

    fn held(&self) -> usize {
        let big = match &self.awaiting {
            Awaiting::Big { bytes, .. } => bytes.len(),
            _ => 0,
        };
        let own: usize = self.own.iter().map(Bytes::len).sum();
        self.frame.len() + self.spans.len() * size_of::<Span>() + own + big
    }

    fn room(&self) -> usize {
        let big = match &self.awaiting {
            Awaiting::Big { bytes, .. } => bytes.capacity() - bytes.len(),
            _ => 0,
        };
        let spans = self.spans.capacity() - self.spans.len();
        self.frame.capacity() - self.frame.len() + spans * size_of::<Span>() + big
    }

    /// Takes what it can from the input, up to the end of the request; only a cut header stays. Returns how much.
    fn feed(&mut self, input: &[u8], limits: &ParserLimits) -> Result<usize, ProtocolError> {
        let mut at = 0;
        while self.missing > 0 {
            match &mut self.awaiting {
                Awaiting::Header => match bulk_header(input, at, limits)? {
                    None => return Ok(at),
                    Some((len, data)) => {
                        self.begin(len, &input[at..data]);
                        at = data;
                    }
                },
                Awaiting::Small { start, len } => {
                    let (start, len) = (*start, *len);
                    at += take(&mut self.frame, start + len + 2, &input[at..]);
                    if self.frame.len() < start + len + 2 {
                        return Ok(at);
                    }
                    self.finish(Span::stretch(start, len));
                }
                Awaiting::Big { bytes, total } => {
                    grow(bytes, *total);
                    at += take(bytes, (*total).min(bytes.capacity()), &input[at..]);
                    if bytes.len() < *total {
                        if at < input.len() {
                            continue; // the reservation was used up
                        }
                        return Ok(at);
                    }
                    bytes.truncate(*total - 2);
                    self.own.push(Bytes::from(std::mem::take(bytes)));
                    self.finish(Span::own(self.own.len() - 1));
                }
            }
        }
        Ok(at)
    }

    fn begin(&mut self, len: usize, header: &[u8]) {
        let start = self.frame.len() + header.len();
        if len >= BIG_ARG || start + len > MAX_STRETCH {
            self.is_frame = false;
            self.awaiting = Awaiting::Big { bytes: Vec::new(), total: len.saturating_add(2) };
        } else {
            self.frame.extend_from_slice(header);
            self.awaiting = Awaiting::Small { start, len };
        }
    }

    fn finish(&mut self, span: Span) {
        self.spans.push(span);
        self.missing -= 1;
        self.awaiting = Awaiting::Header;
    }
}

/// Moves bytes from the front of `input` into `to` until that has `upto`; returns how many.
fn take(to: &mut Vec<u8>, upto: usize, input: &[u8]) -> usize {
    let n = (upto - to.len()).min(input.len());
    to.extend_from_slice(&input[..n]);
    n
}

/// Makes room behind what has arrived of `total` bytes: never more than [`GROWTH`] times that, or 1 MiB to begin with.
fn grow(bytes: &mut Vec<u8>, total: usize) {
    if bytes.len() == bytes.capacity() {
        let target = bytes.len().saturating_mul(GROWTH).max(FIRST_RESERVE).min(total);
        bytes.reserve_exact(target - bytes.len());
    }
}

/// One RESP request.
fn multibulk(
    input: &[u8],
    at: usize,
    limits: &ParserLimits,
    batch: &mut Batch,
) -> Result<Step, ProtocolError> {
    let Some((count, mut pos)) = multibulk_header(input, at, limits)? else { return Ok(Step::CutLine) };
    if count == 0 {
        return Ok(Step::End(pos));
    }
    let (first, first_own) = (batch.spans.len(), batch.own.len());
    for done in 0..count {
        if let Some((len, data)) = small_argument(input, pos) {
            batch.spans.push(Span::stretch(data, len));
            pos = data + len + 2;
            continue;
        }
        let found = bulk_header(input, pos, limits)?;
        let whole = found.filter(|(len, data)| *len <= input.len() - data && len + 2 <= input.len() - data);
        let Some((len, data)) = whole else {
            if !batch.is_empty() {
                batch.spans.truncate(first);
                batch.own.truncate(first_own);
            }
            let big = found.is_some_and(|(len, _)| len >= BIG_ARG);
            return Ok(Step::Cut { done: pos, missing: count - done, big });
        };
        batch.spans.push(if len < BIG_ARG {
            Span::stretch(data, len)
        } else {
            batch.own.push(Bytes::copy_from_slice(&input[data..data + len]));
            Span::own(batch.own.len() - 1)
        });
        pos = data + len + 2;
    }
    batch.push_input(first, at, pos);
    Ok(Step::End(pos))
}

/// Length and place of an argument of less than 100 bytes that has come in whole, as nearly all are: no limit is that
/// low.
#[inline]
fn small_argument(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let (len, data) = two_digits(input, at)?;
    (input[at] == b'$' && data + len + 2 <= input.len()).then_some((len, data))
}

/// The number in a header of one or two digits, and where its line ends.
#[inline]
fn two_digits(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let &[_, first, second, third, _] = input.get(at..)?.first_chunk()?;
    let (first, second) = (first.wrapping_sub(b'0'), second.wrapping_sub(b'0'));
    match (first, second) {
        (0..=9, CR) => Some((usize::from(first), at + 4)),
        (1..=9, 0..=9) if third == b'\r' => Some((usize::from(10 * first + second), at + 5)),
        _ => None,
    }
}

/// The end of a line, as a digit.
const CR: u8 = b'\r'.wrapping_sub(b'0');

/// The number of arguments that a header announces, and where the first begins; `None` if the input ends before.
#[inline]
fn multibulk_header(
    input: &[u8],
    at: usize,
    limits: &ParserLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let (count, next) = match two_digits(input, at).or_else(|| short_header(input, at)) {
        Some((count, next)) => (count as i64, next),
        None => match line(input, at) {
            Line::Is(text, next) => {
                let count = num::parse_i64(text).filter(|n| *n <= i64::from(i32::MAX));
                (count.ok_or(ProtocolError::InvalidMultibulkLength)?, next)
            }
            Line::Cut => return Ok(None),
            Line::TooLong => return Err(ProtocolError::TooBigMultibulkCount),
        },
    };
    if count > UNAUTH_ARGS && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedMultibulk);
    }
    Ok(Some((count.max(0) as usize, next)))
}

/// An argument's length, and where it begins; `None` if the input ends before.
#[inline]
fn bulk_header(
    input: &[u8],
    at: usize,
    limits: &ParserLimits,
) -> Result<Option<(usize, usize)>, ProtocolError> {
    let (len, next) = match short_header(input, at) {
        Some((len, next)) if input[at] == b'$' => (len, next),
        _ => match line(input, at) {
            Line::Is(..) if input[at] != b'$' => {
                return Err(ProtocolError::ExpectedDollar { got: input[at] });
            }
            Line::Is(text, next) => {
                let len = num::parse_i64(text).and_then(|n| usize::try_from(n).ok());
                (len.ok_or(ProtocolError::InvalidBulkLength)?, next)
            }
            Line::Cut => return Ok(None),
            Line::TooLong => return Err(ProtocolError::TooBigBulkCount),
        },
    };
    if len > limits.max_bulk {
        return Err(ProtocolError::InvalidBulkLength);
    }
    if len > UNAUTH_BULK && !limits.authenticated {
        return Err(ProtocolError::UnauthenticatedBulk);
    }
    Ok(Some((len, next)))
}

/// The number in a header of up to 9 digits, and where its line ends; `None` for anything unusual.
#[inline]
fn short_header(input: &[u8], at: usize) -> Option<(usize, usize)> {
    let digits = input.get(at + 1..)?;
    let first = digits.first()?.wrapping_sub(b'0');
    if first > 9 {
        return None;
    }
    let mut n = usize::from(first);
    for (i, b) in digits.iter().enumerate().take(10).skip(1) {
        let d = b.wrapping_sub(b'0');
        if d > 9 {
            let ends = *b == b'\r' && digits.len() > i + 1 && (first != 0 || i == 1);
            return ends.then_some((n, at + i + 3));
        }
        n = n * 10 + usize::from(d);
    }
    None
}

enum Line<'a> {
    /// The text behind the first character, and where the next line begins.
    Is(&'a [u8], usize),
    Cut,
    TooLong,
}

/// A header's line: it ends with CR and one more byte, whichever.
fn line(input: &[u8], at: usize) -> Line<'_> {
    match memchr::memchr(b'\r', &input[at..]) {
        Some(cr) if at + cr + 2 <= input.len() => Line::Is(&input[at + 1.min(cr)..at + cr], at + cr + 2),
        Some(_) => Line::Cut,
        None if input.len() - at > LINE_MAX => Line::TooLong,
        None => Line::Cut,
    }
}

/// One inline request: a line of words.
fn inline(input: &[u8], at: usize, batch: &mut Batch) -> Result<Step, ProtocolError> {
    let rest = &input[at..];
    let Some(newline) = memchr::memchr(b'\n', rest) else {
        return if rest.len() > LINE_MAX { Err(ProtocolError::TooBigInline) } else { Ok(Step::CutLine) };
    };
    let text = &rest[..newline];
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let end = at + newline + 1;
    let first = batch.spans.len();
    let mut splitter = words::Splitter::new(text);
    loop {
        let start = batch.words.len();
        match splitter.next_into(&mut batch.words) {
            Ok(true) => batch.spans.push(Span::stretch(start, batch.words.len() - start)),
            Ok(false) => break,
            Err(words::Unbalanced) => return Err(ProtocolError::UnbalancedQuotes),
        }
    }
    if batch.spans.len() > first {
        batch.push_words(first, at, end);
    }
    Ok(Step::End(end))
}
