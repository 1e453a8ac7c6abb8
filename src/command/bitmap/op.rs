//! BITOP: combine strings bit by bit.

use crate::command::*;
use crate::keyspace::{New, Ttl, Type, View};

pub(super) const BITOP: Command = Command {
    name: "bitop",
    syntax: "<AND|OR|XOR|NOT> destkey key [key ...]",
    summary: "Combine strings bit by bit and store the result; short ones count as filled up with zeros.",
    since: "2.6.0",
    cost: "O(N) in the number of bytes",
    group: Group::Bitmap,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(DENYOOM),
    acl: acl::BITMAP,
    keys: &[KeySpec::at(2, OW.or(UPDATE)), KeySpec::range(3, -1, 1, RO.or(ACCESS))],
    examples: &[
        ("BITOP AND d nosuch", "(integer) 0"),
        ("BITOP NOT d a b", "ERR BITOP NOT must be called with a single source key."),
    ],
    run: bitop,
    ..Command::BASE
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Op {
    And,
    Or,
    Xor,
    Not,
}

impl Op {
    fn parse(word: &[u8]) -> Result<Op, CmdError> {
        let ops = [("AND", Op::And), ("OR", Op::Or), ("XOR", Op::Xor), ("NOT", Op::Not)];
        let found = ops.into_iter().find(|(name, _)| parse::is(word, name));
        found.map(|(_, op)| op).ok_or(CmdError::Syntax)
    }

    /// Combines the next string into the result, which is as long as the longest.
    fn fold(self, result: &mut [u8], next: &[u8]) {
        let (head, tail) = result.split_at_mut(next.len());
        let pairs = head.iter_mut().zip(next);
        match self {
            Op::And => {
                pairs.for_each(|(a, b)| *a &= b);
                tail.fill(0);
            }
            Op::Or => pairs.for_each(|(a, b)| *a |= b),
            Op::Xor => pairs.for_each(|(a, b)| *a ^= b),
            Op::Not => {}
        }
    }
}

fn bitop(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let op = Op::parse(args.arg()?)?;
    let target = args.arg()?;
    if op == Op::Not && args.remaining() != 1 {
        return Err(CmdError::text("ERR BITOP NOT must be called with a single source key."));
    }
    ctx.db.touch_while(args.clone(), &[Type::String]);
    let result = combined(ctx, op, args)?;
    let effect = if result.is_empty() {
        ctx.db.remove_as_it_is(target)
    } else {
        ctx.db.set(target, New::Raw(&result), Ttl::Clear)
    };
    ctx.record(effect);
    Ok(ctx.reply.count(result.len()))
}

/// A missing key is an empty string.
fn source<'c>(ctx: &'c Ctx<'_>, key: &[u8]) -> Result<&'c [u8], CmdError> {
    match ctx.db.peek(key) {
        None => Ok(b""),
        Some(View::Str(bytes)) => Ok(bytes),
        Some(_) => Err(CmdError::WrongType),
    }
}

fn combined(ctx: &Ctx<'_>, op: Op, keys: Args<'_>) -> Result<Vec<u8>, CmdError> {
    let mut longest = 0;
    for key in keys.clone() {
        longest = longest.max(source(ctx, key)?.len());
    }
    let mut result = Vec::new();
    for (i, key) in keys.enumerate() {
        let next = source(ctx, key)?;
        if i == 0 {
            result = next.to_vec();
            result.resize(longest, 0);
        } else {
            op.fold(&mut result, next);
        }
    }
    if op == Op::Not {
        result.iter_mut().for_each(|byte| *byte = !*byte);
    }
    Ok(result)
}
