//! LTRIM: keep a part of a list.

use crate::command::*;

pub(super) const LTRIM: Command = Command {
    name: "ltrim",
    syntax: "key start stop",
    summary: "Remove all elements but those between two indexes, both included.",
    since: "1.0.0",
    cost: "O(N) in the number of elements removed",
    group: Group::List,
    arity: Arity::Exactly(4),
    flags: WRITE,
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("LTRIM nosuch 0 -1", "OK")],
    run: ltrim,
    ..Command::BASE
};

fn ltrim(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, start, stop) = (args.arg()?, args.int()?, args.int()?);
    let (removed, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let removed = list.trim(start, stop, limits);
        // Watchers and events hear of it even if nothing went.
        (removed, Change { event: "ltrim", dirty: removed as u64, ..Change::NONE }.told_first())
    })?;
    if removed == Some(0) {
        ctx.propagate_nothing();
    }
    ctx.record(effect);
    Ok(ctx.reply.ok())
}
