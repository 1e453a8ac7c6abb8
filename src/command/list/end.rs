//! What the list commands share: LEFT and RIGHT, what pushes and pops amount to, popping a range.

use crate::command::*;
use crate::resp::Reply;
use crate::value::limits::Limits;
use crate::value::list::{End, List};

/// Reads LEFT or RIGHT.
pub(super) fn parse(word: &[u8]) -> Result<End, CmdError> {
    match () {
        () if parse::is(word, "LEFT") => Ok(End::Head),
        () if parse::is(word, "RIGHT") => Ok(End::Tail),
        () => Err(CmdError::Syntax),
    }
}

/// The event of a push to this end.
pub(super) fn pushed(end: End) -> &'static str {
    match end {
        End::Head => "lpush",
        End::Tail => "rpush",
    }
}

/// What a pop of `n` elements from this end amounts to.
pub(super) fn popped(end: End, n: usize) -> Change {
    let event = match end {
        End::Head => "lpop",
        End::Tail => "rpop",
    };
    Change::new(event, n).told_first()
}

/// Answers with up to `count` elements from an end on, the outermost first, and takes them away; says how many.
pub(super) fn pop_range(
    list: &mut List,
    end: End,
    count: usize,
    limits: &Limits,
    reply: &mut Reply<'_>,
) -> (Replied, usize) {
    let n = count.min(list.len());
    let replied = reply.array(n);
    list.each_of_end(end, n, |e| {
        reply.element(e);
    });
    let start = if end == End::Head { 0 } else { list.len() - n };
    list.remove_range(start, n, limits);
    (replied, n)
}
