//! SINTER, SINTERSTORE: the members that several sets have in common.

use super::algebra::{READ, STORE, answer, intersection, operands, store};
use crate::command::*;
use crate::value::set::Set;

pub(super) const SINTER: Command = Command {
    name: "sinter",
    summary: "Read the members that all of several sets have.",
    cost: "O(N*M): N members of the smallest of M sets",
    examples: &[("SINTER nosuch", "(empty array)")],
    run: sinter,
    ..READ
};

pub(super) const SINTERSTORE: Command = Command {
    name: "sinterstore",
    summary: "Store the members that all of several sets have as a set.",
    cost: SINTER.cost,
    examples: &[("SINTERSTORE d nosuch", "(integer) 0")],
    run: sinterstore,
    ..STORE
};

fn sinter(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let mut sets = operands(&mut ctx.db, args.all().skip(1))?;
    if sets.iter().any(Option::is_none) {
        return Ok(ctx.reply.set(0));
    }
    Ok(answer(&mut ctx.reply, intersection(&mut sets)))
}

fn sinterstore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let destination = args.arg()?;
    let limits = ctx.db.limits().clone();
    let mut sets = operands(&mut ctx.db, args.all().skip(2))?;
    // The real server begins with an intset if the smallest set is one, and makes one of a listpack at the end.
    let ints =
        sets.iter().flatten().min_by_key(|set| set.len()).is_some_and(|set| matches!(**set, Set::Ints(_)));
    let mut result = if ints { Set::default() } else { Set::packed() };
    intersection(&mut sets).for_each(|member| {
        result.add(member, &limits);
    });
    result.make_ints(&limits);
    Ok(store(ctx, destination, result, "sinterstore"))
}
