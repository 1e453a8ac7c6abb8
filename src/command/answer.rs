//! Answering with values: what the reply writer cannot know, as it knows no data structures.

use crate::resp::{Replied, Reply};
use crate::value::listpack::Entry;

/// What handlers write besides the plain replies.
pub trait ReplyExt {
    /// An element of an aggregate, as a string.
    fn element(&mut self, element: Entry<'_>) -> Replied;
    /// An array of `n` pairs: in RESP3 each will be an array of two, in RESP2 they are flat.
    fn pairs(&mut self, n: usize) -> Replied;
    /// Begins a pair of [`ReplyExt::pairs`], whose two elements follow.
    fn pair(&mut self);
    /// A pair of [`ReplyExt::pairs`]: a member of a sorted set and its score.
    fn scored(&mut self, member: Entry<'_>, score: f64);
}

/// Apart, so that strings, which are the most, are written where they are walked.
#[inline(never)]
fn int_element(reply: &mut Reply<'_>, n: i64) -> Replied {
    reply.bulk_int(n)
}

impl ReplyExt for Reply<'_> {
    #[inline]
    fn element(&mut self, element: Entry<'_>) -> Replied {
        match element {
            Entry::Str(text) => self.bulk(text),
            Entry::Int(n) => int_element(self, n),
        }
    }

    #[inline]
    fn pairs(&mut self, n: usize) -> Replied {
        self.array(if self.is_resp3() { n } else { 2 * n })
    }

    #[inline]
    fn pair(&mut self) {
        if self.is_resp3() {
            self.array(2);
        }
    }

    #[inline]
    fn scored(&mut self, member: Entry<'_>, score: f64) {
        self.pair();
        self.element(member);
        self.double(score);
    }
}
