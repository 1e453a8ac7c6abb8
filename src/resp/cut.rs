//! Requests cut by somebody else than the parser.

use super::args::{Args, MAX_STRETCH};
use super::batch::Span;
use bytes::Bytes;
use std::ops::Range;

/// The arguments of requests by position, for who cuts requests by rules of its own: the reader of a log. Reused,
/// so that no request allocates.
#[derive(Default)]
pub struct Cut {
    spans: Vec<Span>,
    own: Vec<Bytes>,
}

impl Cut {
    /// Forgets the arguments.
    #[inline]
    pub fn clear(&mut self) {
        self.spans.clear();
        self.own.clear();
    }

    /// How many arguments there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Adds the argument that lies at `start` of `stretch`, of which the front is never to change until the last call
    /// of [`args`](Self::args).
    #[inline]
    pub fn push(&mut self, stretch: &[u8], start: usize, len: usize) {
        if start + len > MAX_STRETCH {
            return self.push_own(Bytes::copy_from_slice(&stretch[start..start + len]));
        }
        self.spans.push(Span::stretch(start, len));
    }

    /// Adds an argument with an allocation of its own, which a value may keep.
    pub fn push_own(&mut self, bytes: Bytes) {
        self.own.push(bytes);
        self.spans.push(Span::own(self.own.len() - 1));
    }

    /// Takes back the arguments from `len` on, none of which has an allocation of its own.
    #[inline]
    pub fn truncate(&mut self, len: usize) {
        self.spans.truncate(len);
    }

    /// The request that consists of all arguments. `stretch` is what they were pushed from, or begins with it.
    #[inline]
    pub fn args<'a>(&'a self, stretch: &'a [u8]) -> Args<'a> {
        Args::new(stretch, &self.spans, &self.own, None)
    }

    /// The request that consists of these arguments, of which there are as many.
    #[inline]
    pub fn some_args<'a>(&'a self, which: Range<usize>, stretch: &'a [u8]) -> Args<'a> {
        Args::new(stretch, &self.spans[which], &self.own, None)
    }
}
