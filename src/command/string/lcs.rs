//! LCS: the longest common subsequence of two strings.
//!
//! The plain table of lengths, as in the real server: which of several equally long ones is found, and in which
//! pieces, depends on the order in which it is walked.

use crate::command::*;
use crate::keyspace::View;

pub(super) const LCS: Command = Command {
    name: "lcs",
    syntax: "key1 key2 [LEN] [IDX] [MINMATCHLEN min-match-len] [WITHMATCHLEN]",
    summary: "Find the longest common subsequence of two strings.",
    since: "7.0.0",
    cost: "O(N*M) in the lengths of the strings",
    group: Group::String,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::STRING,
    keys: &[KeySpec::range(1, 1, 1, RO.or(ACCESS))],
    examples: &[
        ("LCS nosuch nosuch2", "\"\""),
        ("LCS a b LEN IDX", "ERR If you want both the length and indexes, please just use IDX."),
    ],
    run: lcs,
    ..Command::BASE
};

#[derive(Default)]
struct Options {
    len: bool,
    pieces: bool,
    shortest: usize,
    with_lengths: bool,
}

impl Options {
    fn parse(mut args: Args<'_>) -> Result<Options, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.next() {
            match () {
                () if parse::is(word, "IDX") => o.pieces = true,
                () if parse::is(word, "LEN") => o.len = true,
                () if parse::is(word, "WITHMATCHLEN") => o.with_lengths = true,
                () if parse::is(word, "MINMATCHLEN") && args.remaining() > 0 => {
                    o.shortest = usize::try_from(args.int()?).unwrap_or(0);
                }
                () => return Err(CmdError::Syntax),
            }
        }
        if o.len && o.pieces {
            return Err(CmdError::text("ERR If you want both the length and indexes, please just use IDX."));
        }
        Ok(o)
    }
}

fn lcs(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (first, second) = (args.arg()?, args.arg()?);
    ctx.db.touch([first, second]);
    let (a, b) = (text(ctx.db.peek(first))?, text(ctx.db.peek(second))?);
    let options = Options::parse(args)?;
    check_memory(a.len(), b.len(), ctx.state.config.proto_max_bulk_len)?;
    if options.len {
        return Ok(ctx.reply.count(Lengths::last(a, b)));
    }
    let lengths = Lengths::of(a, b);
    if !options.pieces {
        return Ok(ctx.reply.bulk(&lengths.common()));
    }
    let replied = ctx.reply.map(2);
    ctx.reply.bulk(b"matches");
    let (array, mut found) = (ctx.reply.deferred_array(), 0);
    lengths.pieces(|piece| {
        if piece.len >= options.shortest {
            found += 1;
            write_piece(&mut ctx.reply, &piece, options.with_lengths);
        }
    });
    ctx.reply.patch(array, found);
    ctx.reply.bulk(b"len");
    ctx.reply.count(lengths.at(a.len(), b.len()) as usize);
    Ok(replied)
}

/// A missing key is an empty string.
fn text(view: Option<View<'_>>) -> Result<&[u8], CmdError> {
    match view {
        None => Ok(b""),
        Some(View::Str(bytes)) => Ok(bytes),
        Some(_) => Err(CmdError::text("ERR The specified keys must contain string values")),
    }
}

fn check_memory(a: usize, b: usize, most: u64) -> Result<(), CmdError> {
    let too_long = u32::MAX as usize - 1;
    if a >= too_long || b >= too_long {
        return Err(CmdError::text("ERR String too long for LCS"));
    }
    // Below 2^32 each: the product fits, times the size of a length it may not.
    let table = (a as u64 + 1) * (b as u64 + 1);
    if table.checked_mul(size_of::<u32>() as u64).is_none_or(|bytes| bytes > most) {
        return Err(CmdError::text(
            "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len",
        ));
    }
    Ok(())
}

fn write_piece(reply: &mut crate::resp::Reply<'_>, piece: &Piece, with_length: bool) {
    reply.array(2 + usize::from(with_length));
    for start in [piece.a, piece.b] {
        reply.array(2);
        reply.count(start);
        reply.count(start + piece.len - 1);
    }
    if with_length {
        reply.count(piece.len);
    }
}

/// Bytes that follow each other in both strings.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    a: usize,
    b: usize,
    len: usize,
}

/// How long the common subsequences of all pairs of prefixes are.
struct Lengths<'s> {
    a: &'s [u8],
    b: &'s [u8],
    table: Vec<u32>,
}

/// The next row from the one before: both have one column more than `b` has bytes.
fn next_row(byte: u8, b: &[u8], above: &[u32], row: &mut [u32]) {
    for (j, other) in b.iter().enumerate() {
        row[j + 1] = if byte == *other { above[j] + 1 } else { above[j + 1].max(row[j]) };
    }
}

impl<'s> Lengths<'s> {
    /// Only the length for both whole strings, in two rows.
    fn last(a: &[u8], b: &[u8]) -> usize {
        let (mut above, mut row) = (vec![0; b.len() + 1], vec![0; b.len() + 1]);
        for byte in a {
            next_row(*byte, b, &above, &mut row);
            std::mem::swap(&mut above, &mut row);
        }
        above[b.len()] as usize
    }

    fn of(a: &'s [u8], b: &'s [u8]) -> Lengths<'s> {
        let width = b.len() + 1;
        let mut table = vec![0; width * (a.len() + 1)];
        for (i, byte) in a.iter().enumerate() {
            let (done, rest) = table.split_at_mut(width * (i + 1));
            next_row(*byte, b, &done[width * i..], &mut rest[..width]);
        }
        Lengths { a, b, table }
    }

    fn at(&self, i: usize, j: usize) -> u32 {
        self.table[i * (self.b.len() + 1) + j]
    }

    /// The pieces of the subsequence, the last first.
    fn pieces(&self, mut found: impl FnMut(Piece)) {
        let (mut i, mut j, mut len) = (self.a.len(), self.b.len(), 0);
        while i > 0 && j > 0 {
            if self.a[i - 1] == self.b[j - 1] {
                (i, j, len) = (i - 1, j - 1, len + 1);
                continue;
            }
            if len > 0 {
                found(Piece { a: i, b: j, len });
                len = 0;
            }
            if self.at(i - 1, j) > self.at(i, j - 1) { i -= 1 } else { j -= 1 }
        }
        if len > 0 {
            found(Piece { a: i, b: j, len });
        }
    }

    /// The subsequence itself.
    fn common(&self) -> Vec<u8> {
        let mut reversed = Vec::new();
        self.pieces(|piece| reversed.extend(self.a[piece.a..piece.a + piece.len].iter().rev()));
        reversed.reverse();
        reversed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_subsequence(part: &[u8], whole: &[u8]) -> bool {
        let mut rest = whole.iter();
        part.iter().all(|byte| rest.any(|other| other == byte))
    }

    proptest! {
        #[test]
        fn is_common_and_as_long_as_said(a in "[a-d]{0,20}", b in "[a-d]{0,20}") {
            let (a, b) = (a.as_bytes(), b.as_bytes());
            let lengths = Lengths::of(a, b);
            let common = lengths.common();
            prop_assert!(is_subsequence(&common, a) && is_subsequence(&common, b));
            prop_assert_eq!(common.len(), Lengths::last(a, b));
            prop_assert_eq!(common.len(), lengths.at(a.len(), b.len()) as usize);
        }
    }

    #[test]
    fn needs_no_more_memory_than_a_string_may_have() {
        assert!(check_memory(10, 10, 484).is_ok());
        assert!(check_memory(10, 10, 483).is_err());
        assert!(check_memory(u32::MAX as usize - 2, u32::MAX as usize - 2, u64::MAX).is_err());
        assert!(check_memory(u32::MAX as usize, 1, u64::MAX).is_err());
    }
}
