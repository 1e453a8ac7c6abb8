//! The requests found in one stretch of input, by position: nothing is copied but what must be.

use super::args::Args;
use bytes::Bytes;

/// Where an argument is: a stretch of its request's bytes, or an allocation of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

/// `len` of a span whose `start` is an index into the list of arguments with an allocation of their own.
const OWN: u32 = u32::MAX;

impl Span {
    /// A stretch of bytes. Both fit: who makes spans keeps stretches under 4 GiB.
    #[inline]
    pub fn stretch(start: usize, len: usize) -> Span {
        debug_assert!(start <= u32::MAX as usize && len < OWN as usize);
        Span { start: start as u32, len: len as u32 }
    }

    #[inline]
    pub fn own(index: usize) -> Span {
        Span { start: index as u32, len: OWN }
    }

    #[inline]
    pub fn bytes<'a>(self, stretch: &'a [u8], own: &'a [Bytes]) -> &'a [u8] {
        let start = self.start as usize;
        if self.len == OWN { &own[start] } else { &stretch[start..start + self.len as usize] }
    }

    pub fn shared(self, own: &[Bytes]) -> Option<Bytes> {
        (self.len == OWN).then(|| own[self.start as usize].clone())
    }

    /// The same bytes in a stretch that begins `by` bytes later.
    pub fn moved_back(self, by: usize) -> Span {
        if self.len == OWN { self } else { Span { start: self.start - by as u32, len: self.len } }
    }
}

/// Which bytes a request's spans point into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Input,
    Words,
    Held,
}

#[derive(Clone, Copy, Debug)]
struct Request {
    first: u32,
    count: u32,
    from: u32,
    end: u32,
    place: Place,
}

/// The requests of one call of [`Parser::parse`](super::Parser::parse). Reused: it keeps its capacity, within reason.
#[derive(Default)]
pub struct Batch {
    pub(super) spans: Vec<Span>,
    pub(super) own: Vec<Bytes>,
    requests: Vec<Request>,
    /// Unquoted words of inline requests.
    pub(super) words: Vec<u8>,
    /// Bytes of the first request, when it arrived in pieces and the parser held them.
    held: Vec<u8>,
    held_is_frame: bool,
}

/// Spans and requests beyond this are given back after the batch.
const KEEP: usize = 16 * 1024;

impl Batch {
    pub fn new() -> Self {
        Self::default()
    }

    /// How many requests there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    #[inline]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Request `i`. `input` must be the bytes that were parsed.
    #[inline]
    pub fn args<'b>(&'b self, input: &'b [u8], i: usize) -> Args<'b> {
        let r = self.requests[i];
        let spans = &self.spans[r.first as usize..][..r.count as usize];
        match r.place {
            Place::Input => Args::new(input, spans, &self.own, Some(&input[r.from as usize..r.end as usize])),
            Place::Words => Args::new(&self.words, spans, &self.own, None),
            Place::Held => {
                Args::new(&self.held, spans, &self.own, self.held_is_frame.then_some(&self.held[..]))
            }
        }
    }

    /// Argument `n` of request `i` alone.
    #[inline]
    pub fn arg<'b>(&'b self, input: &'b [u8], i: usize, n: usize) -> Option<&'b [u8]> {
        let r = self.requests[i];
        let stretch = match r.place {
            Place::Input => input,
            Place::Words => &self.words,
            Place::Held => &self.held,
        };
        (n < r.count as usize).then(|| self.spans[r.first as usize + n].bytes(stretch, &self.own))
    }

    /// How many bytes of the input are used up when requests 0 to `i` have been executed. A batch that ends early
    /// leaves the rest of the input where it is, to be parsed again.
    #[inline]
    pub fn end(&self, i: usize) -> usize {
        self.requests[i].end as usize
    }

    /// Forgets all requests; a giant batch's memory goes back.
    pub fn clear(&mut self) {
        self.spans.clear();
        self.requests.clear();
        self.words.clear();
        self.own.clear();
        self.held = Vec::new();
        self.spans.shrink_to(KEEP);
        self.requests.shrink_to(KEEP);
        self.words.shrink_to(64 * KEEP);
        self.own.shrink_to(64);
    }

    /// A request whose arguments, from span `first` on, lie in the input.
    #[inline]
    pub(super) fn push_input(&mut self, first: usize, from: usize, end: usize) {
        self.push(first, from, end, Place::Input);
    }

    pub(super) fn push_words(&mut self, first: usize, from: usize, end: usize) {
        self.push(first, from, end, Place::Words);
    }

    /// A request that came in pieces; it is the first of its batch.
    pub(super) fn push_held(
        &mut self,
        held: Vec<u8>,
        is_frame: bool,
        spans: Vec<Span>,
        own: Vec<Bytes>,
        end: usize,
    ) {
        debug_assert!(self.is_empty());
        (self.held, self.held_is_frame, self.own) = (held, is_frame, own);
        self.spans.extend_from_slice(&spans);
        self.push(0, 0, end, Place::Held);
    }

    #[inline]
    fn push(&mut self, first: usize, from: usize, end: usize, place: Place) {
        let count = (self.spans.len() - first) as u32;
        self.requests.push(Request { first: first as u32, count, from: from as u32, end: end as u32, place });
    }
}
