//! SUNION, SUNIONSTORE: the members of several sets together.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::algebra::{Operands, READ, STORE, answer, operands, store};
use crate::command::*;
use crate::resp::Reply;
use crate::value::limits::Limits;
use crate::value::listpack::Entry;
use crate::value::set::Set;

pub(super) const SUNION: Command = Command {
    name: "sunion",
    summary: "Read the members that any of several sets has.",
    cost: "O(N) in the number of members of all sets",
    examples: &[("SUNION nosuch", "(empty array)")],
    run: sunion,
    ..READ
};

pub(super) const SUNIONSTORE: Command = Command {
    name: "sunionstore",
    summary: "Store the members that any of several sets has as a set.",
    cost: SUNION.cost,
    examples: &[("SUNIONSTORE d nosuch", "(integer) 0")],
    run: sunionstore,
    ..STORE
};

fn sunion(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let limits = ctx.db.limits().clone();
    let sets = operands(&mut ctx.db, args.all().skip(1))?;
    if sets.iter().flatten().all(|set| matches!(**set, Set::Ints(_))) {
        return Ok(answer(&mut ctx.reply, union(&sets, &limits).iter())); // ascending, as in the real server
    }
    Ok(once_each(&sets, &mut ctx.reply))
}

fn sunionstore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let destination = args.arg()?;
    let limits = ctx.db.limits().clone();
    let sets = operands(&mut ctx.db, args.all().skip(2))?;
    let result = union(&sets, &limits);
    Ok(store(ctx, destination, result, "sunionstore"))
}

fn union(sets: &Operands<'_>, limits: &Limits) -> Set {
    let mut result = Set::default();
    for member in sets.iter().flatten().flat_map(|set| set.iter()) {
        result.add(member, limits);
    }
    result
}

/// Answers with the members straight from their sets, leaving out what was there before.
fn once_each(sets: &Operands<'_>, reply: &mut Reply<'_>) -> Replied {
    let mut seen = HashSet::<_, RandomState>::default();
    let members = sets.iter().flatten().flat_map(|set| set.iter());
    answer(reply, members.filter(|e| seen.insert(e.as_int().map_or(*e, Entry::Int))))
}
