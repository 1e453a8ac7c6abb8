//! XRANGE, XREVRANGE: read the entries between two ids.

use super::{entry, id};
use crate::command::*;

pub(super) const XRANGE: Command = Command {
    name: "xrange",
    syntax: "key start end [COUNT count]",
    summary: "Read the entries between two ids, both included unless with a `(`.",
    since: "5.0.0",
    cost: "O(N) in the number of entries read",
    group: Group::Stream,
    arity: Arity::AtLeast(4),
    flags: READONLY,
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("XRANGE nosuch - +", "(empty array)")],
    run: |ctx, args| xrange(ctx, args, false),
    ..Command::BASE
};

pub(super) const XREVRANGE: Command = Command {
    name: "xrevrange",
    syntax: "key end start [COUNT count]",
    summary: "Read the entries between two ids, the last one first.",
    examples: &[("XREVRANGE nosuch + -", "(empty array)")],
    run: |ctx, args| xrange(ctx, args, true),
    ..XRANGE
};

fn xrange(ctx: &mut Ctx<'_>, mut args: Args<'_>, rev: bool) -> Result<Replied, CmdError> {
    let (key, a, b) = (args.arg()?, args.arg()?, args.arg()?);
    let (start, end) = if rev { (b, a) } else { (a, b) };
    let (start, end) = (id::start(start)?, id::end(end)?);
    let count = count(&mut args)?;
    let Some(stream) = ctx.db.stream(key)? else {
        return Ok(ctx.reply.array(0));
    };
    if count == Some(0) {
        return Ok(ctx.reply.null_array());
    }
    let entries = stream.log.range(start, end, rev).take(count.unwrap_or(usize::MAX));
    Ok(entry::all(&mut ctx.reply, entries))
}

/// Reads the options; a negative COUNT is 0, and -1 is not "all".
fn count(args: &mut Args<'_>) -> Result<Option<usize>, CmdError> {
    let mut count = None;
    while let Some(word) = args.next() {
        let number = args.arg()?;
        if !parse::is(word, "COUNT") {
            return Err(CmdError::Syntax);
        }
        count = Some(parse::int(number)?.max(0) as usize);
    }
    Ok(count)
}
