//! SINTERCARD: how many members several sets have in common.

use super::algebra::{intersection, operands};
use crate::command::*;

pub(super) const SINTERCARD: Command = Command {
    name: "sintercard",
    syntax: "numkeys key [key ...] [LIMIT limit]",
    summary: "Count the members that all of several sets have, up to a limit.",
    since: "7.0.0",
    cost: "O(N*M): N members of the smallest of M sets",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: READONLY.or(MOVABLE_KEYS),
    acl: acl::SET,
    keys: &[KeySpec::counted(1, RO.or(ACCESS))],
    examples: &[
        ("SINTERCARD 1 nosuch", "(integer) 0"),
        ("SINTERCARD 0 a", "ERR numkeys should be greater than 0"),
    ],
    run: sintercard,
    ..Command::BASE
};

fn sintercard(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let numkeys = parse::at_least(1, args.arg()?, "ERR numkeys should be greater than 0")? as usize;
    if numkeys > args.remaining() {
        return Err(CmdError::text("ERR Number of keys can't be greater than number of args"));
    }
    args.seek(numkeys + 2);
    let limit = limit(&mut args)?;
    let mut sets = operands(&mut ctx.db, parse::some_args(&args, 2, numkeys))?;
    let n = intersection(&mut sets).take(limit).count();
    Ok(ctx.reply.count(n))
}

/// Reads the options: the last LIMIT counts, and 0 is none.
fn limit(args: &mut Args<'_>) -> Result<usize, CmdError> {
    let mut limit = 0;
    while let Some(word) = args.next() {
        let number = args.arg()?;
        if !parse::is(word, "LIMIT") {
            return Err(CmdError::Syntax);
        }
        limit = parse::at_least(0, number, "ERR LIMIT can't be negative")? as usize;
    }
    Ok(if limit == 0 { usize::MAX } else { limit })
}
