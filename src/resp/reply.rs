//! Typed replies, written straight into the output. Only this file knows RESP2 from RESP3.

use super::out::{Mark, Out};
use super::wire::{bulk, header, line};
use crate::text::num;
use bytes::Bytes;

/// The protocol that a client has asked for with HELLO.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proto {
    #[default]
    Resp2,
    Resp3,
}

/// Proof that something was answered. Only the writer makes them, so a handler that returns one has replied, or has
/// said in so many words that it does not.
///
/// Not `must_use`: the tokens of an aggregate's elements may be dropped, the last one is the aggregate's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replied(());

impl Replied {
    /// For what has no reply, or gets it later: a blocked client, REPLCONF ACK.
    pub fn nothing() -> Self {
        Replied(())
    }
}

/// An aggregate whose length is set when its elements have been written. Innermost ones first.
#[derive(Debug)]
#[must_use = "its length must be patched"]
pub struct Deferred {
    place: (usize, usize),
    kind: Aggregate,
    owed: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Array,
    Map,
    Set,
}

/// Writes the reply of one command into an output buffer.
///
/// An aggregate states its length and is followed by its elements, each a reply of its own. Debug builds count:
/// [`finish`](Reply::finish) asserts that every length was kept.
pub struct Reply<'a> {
    out: &'a mut Out,
    proto: Proto,
    /// Replies still to be written: one per command, changed by aggregates.
    owed: i64,
}

const NULL_BULK: &[u8] = b"$-1\r\n";
const NULL_ARRAY: &[u8] = b"*-1\r\n";
/// A header with one digit; a longer one moves what follows.
const PLACEHOLDER: usize = 4;

impl<'a> Reply<'a> {
    /// Begins the reply of a command.
    #[inline]
    pub fn new(out: &'a mut Out, proto: Proto) -> Self {
        Reply { out, proto, owed: 1 }
    }

    /// Begins the reply of a command within this one: it is one element (of EXEC's array).
    pub fn nested(&mut self) -> Reply<'_> {
        self.owed -= 1;
        Reply { out: self.out, proto: self.proto, owed: 1 }
    }

    /// Begins a message that nobody asked for: it counts for no element, and for no reply.
    pub fn unasked(&mut self) -> Reply<'_> {
        Reply { out: self.out, proto: self.proto, owed: 1 }
    }

    /// Unasked messages stand for the reply.
    pub fn settled(&mut self) -> Replied {
        self.one()
    }

    #[inline]
    pub fn proto(&self) -> Proto {
        self.proto
    }

    #[inline]
    pub fn is_resp3(&self) -> bool {
        self.proto == Proto::Resp3
    }

    /// Changes the protocol from here on (HELLO).
    pub fn set_proto(&mut self, proto: Proto) {
        self.proto = proto;
    }

    /// The output, for what is not this command's reply.
    pub fn out(&mut self) -> &mut Out {
        self.out
    }

    /// Whether the output has grown over its limit: nobody will read the rest of a long reply.
    #[inline]
    pub fn is_over(&self) -> bool {
        self.out.is_over()
    }

    /// Whether a reply without end would be stopped.
    pub fn is_limited(&self) -> bool {
        self.out.is_limited()
    }

    // ---- scalars

    /// An integer.
    #[inline]
    pub fn int(&mut self, n: i64) -> Replied {
        self.signed_line(b':', n)
    }

    /// A length or count as an integer.
    #[inline]
    pub fn count(&mut self, n: usize) -> Replied {
        self.int(n as i64)
    }

    /// A string of any bytes.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) -> Replied {
        bulk(self.out.buf(), bytes);
        self.one()
    }

    /// A string of any bytes; a big one is not copied but kept until it was sent.
    pub fn bulk_shared(&mut self, bytes: Bytes) -> Replied {
        header(self.out.buf(), b'$', bytes.len());
        self.out.extend_shared(bytes);
        self.out.extend(b"\r\n");
        self.one()
    }

    /// An integer as a string.
    #[inline]
    pub fn bulk_int(&mut self, n: i64) -> Replied {
        self.bulk(itoa::Buffer::new().format(n).as_bytes())
    }

    /// A string, or null.
    #[inline]
    pub fn bulk_or_null(&mut self, bytes: Option<&[u8]>) -> Replied {
        match bytes {
            Some(bytes) => self.bulk(bytes),
            None => self.null(),
        }
    }

    /// A status line. The text has no line breaks.
    pub fn simple(&mut self, text: &str) -> Replied {
        let buf = self.out.buf();
        buf.push(b'+');
        buf.extend_from_slice(text.as_bytes());
        buf.extend_from_slice(b"\r\n");
        self.one()
    }

    #[inline]
    pub fn ok(&mut self) -> Replied {
        self.raw(b"+OK\r\n")
    }

    /// Null; in RESP2 that of strings.
    #[inline]
    pub fn null(&mut self) -> Replied {
        self.raw(if self.is_resp3() { b"_\r\n" } else { NULL_BULK })
    }

    /// Null; in RESP2 that of arrays.
    #[inline]
    pub fn null_array(&mut self) -> Replied {
        self.raw(if self.is_resp3() { b"_\r\n" } else { NULL_ARRAY })
    }

    /// A boolean; in RESP2 1 or 0.
    pub fn bool(&mut self, value: bool) -> Replied {
        self.raw(match (self.proto, value) {
            (Proto::Resp3, true) => b"#t\r\n",
            (Proto::Resp3, false) => b"#f\r\n",
            (Proto::Resp2, true) => b":1\r\n",
            (Proto::Resp2, false) => b":0\r\n",
        })
    }

    /// A double; in RESP2 a string.
    #[inline]
    pub fn double(&mut self, value: f64) -> Replied {
        self.double_text(&num::format_f64(value))
    }

    /// A double that is printed already.
    pub fn double_text(&mut self, text: &[u8]) -> Replied {
        self.resp3_line(b',', text)
    }

    /// An integer of any size, printed already; in RESP2 a string.
    pub fn bignum(&mut self, text: &[u8]) -> Replied {
        self.resp3_line(b'(', text)
    }

    /// Text for people, of a format of three letters (`txt`, `mkd`); in RESP2 a string.
    pub fn verbatim(&mut self, format: &str, text: &[u8]) -> Replied {
        debug_assert_eq!(format.len(), 3);
        if !self.is_resp3() {
            return self.bulk(text);
        }
        let buf = self.out.buf();
        header(buf, b'=', text.len() + 4);
        for part in [format.as_bytes(), b":", text, b"\r\n"] {
            buf.extend_from_slice(part);
        }
        self.one()
    }

    /// An error: a code in capitals, a blank, a text (`WRONGTYPE Operation against ...`). Line breaks become blanks.
    pub fn error(&mut self, text: impl AsRef<[u8]>) -> Replied {
        self.error_line(b"-", text.as_ref())
    }

    /// An error with the code `ERR`.
    pub fn err(&mut self, text: impl AsRef<[u8]>) -> Replied {
        self.error_line(b"-ERR ", text.as_ref())
    }

    /// One whole reply that is on the wire's form already.
    #[inline]
    pub fn raw(&mut self, reply: &[u8]) -> Replied {
        self.out.extend(reply);
        self.one()
    }

    // ---- aggregates

    /// An array of `n` elements, which follow.
    #[inline]
    pub fn array(&mut self, n: usize) -> Replied {
        self.aggregate(Aggregate::Array, n)
    }

    /// A map of `n` pairs; in RESP2 an array of twice as many.
    #[inline]
    pub fn map(&mut self, n: usize) -> Replied {
        self.aggregate(Aggregate::Map, n)
    }

    /// A set of `n` elements; in RESP2 an array.
    #[inline]
    pub fn set(&mut self, n: usize) -> Replied {
        self.aggregate(Aggregate::Set, n)
    }

    /// A message of `n` elements that answers nothing; in RESP2 an array.
    pub fn push(&mut self, n: usize) -> Replied {
        let kind = if self.is_resp3() { b'>' } else { b'*' };
        header(self.out.buf(), kind, n);
        self.owe(n as i64)
    }

    /// `n` pairs of remarks about the reply that follows. Only RESP3 has them.
    pub fn attribute(&mut self, n: usize) -> Replied {
        debug_assert!(self.is_resp3());
        header(self.out.buf(), b'|', n);
        self.owe(2 * n as i64)
    }

    /// An array of strings.
    pub fn bulks<T: AsRef<[u8]>>(&mut self, items: impl ExactSizeIterator<Item = T>) -> Replied {
        self.array(items.len());
        items.for_each(|item| {
            self.bulk(item.as_ref());
        });
        Replied(())
    }

    /// An array whose length is not known yet.
    pub fn deferred_array(&mut self) -> Deferred {
        self.deferred(Aggregate::Array)
    }

    /// A map whose length is not known yet.
    pub fn deferred_map(&mut self) -> Deferred {
        self.deferred(Aggregate::Map)
    }

    /// A set whose length is not known yet.
    pub fn deferred_set(&mut self) -> Deferred {
        self.deferred(Aggregate::Set)
    }

    /// Sets the length of a deferred aggregate: `n` elements, or pairs of a map, were written since.
    pub fn patch(&mut self, deferred: Deferred, n: usize) -> Replied {
        let (kind, n_wire, elements) = self.shape(deferred.kind, n);
        debug_assert_eq!(deferred.owed - self.owed, elements, "elements written, and announced");
        self.owed = deferred.owed;
        let mut buf = itoa::Buffer::new();
        let digits = buf.format(n_wire).as_bytes();
        let mut line = [kind; 24];
        line[1..=digits.len()].copy_from_slice(digits);
        line[1 + digits.len()..3 + digits.len()].copy_from_slice(b"\r\n");
        self.out.replace(deferred.place, PLACEHOLDER, &line[..digits.len() + 3]);
        Replied(())
    }

    // ---- going back

    /// Where the output is now.
    #[inline]
    pub fn mark(&self) -> Mark {
        self.out.mark(self.owed)
    }

    /// Takes back what was written since the mark.
    pub fn truncate(&mut self, mark: Mark) {
        self.out.truncate(mark);
        self.owed = mark.owed();
    }

    /// How many replies are still owed: 0 when the command has answered in full.
    pub fn owed(&self) -> i64 {
        self.owed
    }

    /// Asserts that the command has answered once, and that its aggregates are as long as they said.
    #[inline]
    pub fn finish(self) {
        debug_assert_eq!(self.owed, 0, "replies still owed");
    }

    // ---- below: how it is written

    #[inline]
    fn one(&mut self) -> Replied {
        self.owe(-1)
    }

    #[inline]
    fn owe(&mut self, more: i64) -> Replied {
        self.owed += more;
        Replied(())
    }

    #[inline]
    fn signed_line(&mut self, kind: u8, n: i64) -> Replied {
        match u64::try_from(n) {
            Ok(n) if n < 100 => header(self.out.buf(), kind, n as usize),
            _ => {
                let mut digits = itoa::Buffer::new();
                line(self.out.buf(), kind, digits.format(n).as_bytes());
            }
        }
        self.one()
    }

    fn resp3_line(&mut self, kind: u8, text: &[u8]) -> Replied {
        if !self.is_resp3() {
            return self.bulk(text);
        }
        line(self.out.buf(), kind, text);
        self.one()
    }

    fn error_line(&mut self, start: &[u8], text: &[u8]) -> Replied {
        let buf = self.out.buf();
        buf.extend_from_slice(start);
        let end = text.iter().rposition(|b| !matches!(b, b'\r' | b'\n')).map_or(0, |last| last + 1);
        buf.extend(text[..end].iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }));
        buf.extend_from_slice(b"\r\n");
        self.one()
    }

    /// Type byte, length on the wire, and how many replies follow.
    #[inline]
    fn shape(&self, kind: Aggregate, n: usize) -> (u8, usize, i64) {
        match (kind, self.proto) {
            (Aggregate::Array, _) | (Aggregate::Set, Proto::Resp2) => (b'*', n, n as i64),
            (Aggregate::Set, Proto::Resp3) => (b'~', n, n as i64),
            (Aggregate::Map, Proto::Resp2) => (b'*', n * 2, n as i64 * 2),
            (Aggregate::Map, Proto::Resp3) => (b'%', n, n as i64 * 2),
        }
    }

    #[inline]
    fn aggregate(&mut self, kind: Aggregate, n: usize) -> Replied {
        let (kind, n_wire, elements) = self.shape(kind, n);
        header(self.out.buf(), kind, n_wire);
        self.owe(elements - 1)
    }

    fn deferred(&mut self, kind: Aggregate) -> Deferred {
        let place = self.out.place();
        self.out.extend(&[0; PLACEHOLDER]);
        self.one();
        Deferred { place, kind, owed: self.owed }
    }
}
