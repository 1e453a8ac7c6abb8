//! HDEL: delete fields.

use crate::command::*;

pub(super) const HDEL: Command = Command {
    name: "hdel",
    syntax: "key field [field ...]",
    summary: "Delete fields, and tell how many there were.",
    since: "2.0.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("HDEL nosuch f", "(integer) 0")],
    run: hdel,
    ..Command::BASE
};

fn hdel(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (removed, effect) = ctx.db.edit_hash(key, Missing::Leave, |hash, _| {
        let removed = args.filter(|field| hash.remove(field)).count();
        (removed, Change::new("hdel", removed))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(removed.unwrap_or(0)))
}
