//! The arguments of one request, borrowed or kept.

use super::batch::Span;
use bytes::Bytes;

/// A request and a cursor over its arguments. Argument 0 is the command's name; the cursor starts behind it.
#[derive(Clone)]
pub struct Args<'a> {
    stretch: &'a [u8],
    spans: &'a [Span],
    own: &'a [Bytes],
    raw: Option<&'a [u8]>,
    next: usize,
}

impl<'a> Args<'a> {
    #[inline]
    pub(super) fn new(stretch: &'a [u8], spans: &'a [Span], own: &'a [Bytes], raw: Option<&'a [u8]>) -> Self {
        Args { stretch, spans, own, raw, next: 1 }
    }

    /// The command's name, as sent.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.get(0).unwrap_or_default()
    }

    /// How many arguments there are, the name included; wherever the cursor is.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is not even a name. (The parser makes no such request.)
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `i`; 0 is the name.
    #[inline]
    pub fn get(&self, i: usize) -> Option<&'a [u8]> {
        Some(self.spans.get(i)?.bytes(self.stretch, self.own))
    }

    /// The argument under the cursor, which moves on.
    #[inline]
    #[allow(clippy::should_implement_trait)] // it is the iterator's, without a `use`
    pub fn next(&mut self) -> Option<&'a [u8]> {
        let arg = self.get(self.next)?;
        self.next += 1;
        Some(arg)
    }

    /// The argument under the cursor, which stays.
    #[inline]
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.get(self.next)
    }

    /// How many arguments the cursor has not passed.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.spans.len().saturating_sub(self.next)
    }

    /// The index of the argument under the cursor (for [`shared`](Self::shared) and [`get`](Self::get)).
    #[inline]
    pub fn position(&self) -> usize {
        self.next
    }

    /// Moves the cursor to argument `i` (at most behind the last).
    #[inline]
    pub fn seek(&mut self, i: usize) {
        self.next = i.min(self.spans.len());
    }

    /// Argument `i` as a reference-counted allocation, if it has one of its own (32 KiB and more): it can be kept
    /// without copying it.
    pub fn shared(&self, i: usize) -> Option<Bytes> {
        self.spans.get(i)?.shared(self.own)
    }

    /// All arguments, the name first, wherever the cursor is.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + DoubleEndedIterator + Clone + use<'a> {
        let (stretch, own) = (self.stretch, self.own);
        self.spans.iter().map(move |span| span.bytes(stretch, own))
    }

    /// The request's bytes as they came, if it came as RESP and they lie together.
    #[inline]
    pub fn raw(&self) -> Option<&'a [u8]> {
        self.raw
    }

    /// The sum of the arguments' lengths.
    pub fn total_bytes(&self) -> usize {
        self.all().map(<[u8]>::len).sum()
    }
}

/// Iterates over what the cursor has not passed.
impl<'a> Iterator for Args<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        Args::next(self)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.remaining(), Some(self.remaining()))
    }
}

impl std::fmt::Debug for Args<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.all().map(crate::text::words::quote)).finish()
    }
}

/// A request that outlives its batch: queued by MULTI, kept by a blocked client, or made by ourselves.
#[derive(Clone)]
pub struct OwnedArgs {
    stretch: Box<[u8]>,
    spans: Box<[Span]>,
    own: Box<[Bytes]>,
    is_frame: bool,
}

impl OwnedArgs {
    /// Makes a request of the given arguments, the name first.
    pub fn from_slices(args: &[&[u8]]) -> Self {
        Self::rendered(args.iter().copied().map(|arg| (arg, None)))
    }

    /// Copies small arguments into one frame; big ones that are shared stay shared.
    fn rendered<'a>(args: impl ExactSizeIterator<Item = (&'a [u8], Option<Bytes>)>) -> Self {
        let mut frame = Vec::new();
        let mut spans = Vec::with_capacity(args.len());
        let mut own = Vec::new();
        header(&mut frame, b'*', args.len());
        for (arg, shared) in args {
            let shared = shared
                .or_else(|| (frame.len() + arg.len() > MAX_STRETCH).then(|| Bytes::copy_from_slice(arg)));
            spans.push(match shared {
                Some(bytes) => {
                    own.push(bytes);
                    Span::own(own.len() - 1)
                }
                None => {
                    header(&mut frame, b'$', arg.len());
                    frame.extend_from_slice(arg);
                    frame.extend_from_slice(b"\r\n");
                    Span::stretch(frame.len() - arg.len() - 2, arg.len())
                }
            });
        }
        OwnedArgs { is_frame: own.is_empty(), stretch: frame.into(), spans: spans.into(), own: own.into() }
    }

    /// Lends the request, the cursor behind the name.
    #[inline]
    pub fn args(&self) -> Args<'_> {
        Args::new(&self.stretch, &self.spans, &self.own, self.is_frame.then_some(&self.stretch[..]))
    }

    /// How much memory it takes, roughly: for the limits on queued requests.
    pub fn memory(&self) -> usize {
        let own: usize = self.own.iter().map(Bytes::len).sum();
        size_of::<Self>()
            + self.stretch.len()
            + size_of_val(&self.spans[..])
            + size_of_val(&self.own[..])
            + own
    }
}

/// Spans reach this far into a stretch of bytes; what lies beyond gets an allocation of its own.
pub(super) const MAX_STRETCH: usize = u32::MAX as usize - 64;

fn header(out: &mut Vec<u8>, kind: u8, n: usize) {
    out.push(kind);
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    out.extend_from_slice(b"\r\n");
}

impl From<&Args<'_>> for OwnedArgs {
    fn from(args: &Args<'_>) -> Self {
        Self::rendered(
            args.spans.iter().map(|span| (span.bytes(args.stretch, args.own), span.shared(args.own))),
        )
    }
}

impl From<Args<'_>> for OwnedArgs {
    fn from(args: Args<'_>) -> Self {
        Self::from(&args)
    }
}

impl std::fmt::Debug for OwnedArgs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.args().fmt(f)
    }
}
