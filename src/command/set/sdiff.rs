//! SDIFF, SDIFFSTORE: the members of one set that others don't have.

use super::algebra::{
    Operands, READ, STORE, answer, difference, difference_by_removal, is_lookup_cheaper, operands, store,
};
use crate::command::*;
use crate::keyspace::Db;
use crate::value::set::Set;

pub(super) const SDIFF: Command = Command {
    name: "sdiff",
    summary: "Read the members of the first set that none of the others has.",
    cost: "O(N) in the number of members of all sets",
    examples: &[("SDIFF nosuch", "(empty array)")],
    run: sdiff,
    ..READ
};

pub(super) const SDIFFSTORE: Command = Command {
    name: "sdiffstore",
    summary: "Store the members of the first set that none of the others has as a set.",
    cost: SDIFF.cost,
    examples: &[("SDIFFSTORE d nosuch", "(integer) 0")],
    run: sdiffstore,
    ..STORE
};

/// The operands; the first one is empty if it is to be taken from itself.
fn minuend_first<'d, 'k>(
    db: &'d mut Db<'_>,
    mut keys: impl Iterator<Item = &'k [u8]> + Clone,
) -> Result<Operands<'d>, CmdError> {
    let mut sets = operands(db, keys.clone())?;
    let first = keys.next();
    if keys.any(|key| Some(key) == first) {
        sets[0] = None;
    }
    Ok(sets)
}

fn sdiff(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let limits = ctx.db.limits().clone();
    let mut sets = minuend_first(&mut ctx.db, args.all().skip(1))?;
    if is_lookup_cheaper(&sets) {
        return Ok(answer(&mut ctx.reply, difference(&mut sets)));
    }
    let result = difference_by_removal(&sets, &limits);
    Ok(answer(&mut ctx.reply, result.iter()))
}

fn sdiffstore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let destination = args.arg()?;
    let limits = ctx.db.limits().clone();
    let mut sets = minuend_first(&mut ctx.db, args.all().skip(2))?;
    let result = if is_lookup_cheaper(&sets) {
        let mut result = Set::default();
        difference(&mut sets).for_each(|member| {
            result.add(member, &limits);
        });
        result
    } else {
        difference_by_removal(&sets, &limits)
    };
    Ok(store(ctx, destination, result, "sdiffstore"))
}
