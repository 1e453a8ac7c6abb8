//! HSETNX: set a field that is not there.

use crate::command::*;
use crate::value::hash::Ttl;

pub(super) const HSETNX: Command = Command {
    name: "hsetnx",
    syntax: "key field value",
    summary: "Set a field, unless it is there.",
    since: "2.0.0",
    group: Group::Hash,
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("HSETNX h f v", "(integer) 1")],
    run: hsetnx,
    ..Command::BASE
};

fn hsetnx(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, field, value) = (args.arg()?, args.arg()?, args.arg()?);
    ctx.db.lapse_fields(key, [field]);
    let clock = ctx.db.field_clock();
    let (set, effect) = ctx.db.edit_hash(key, Missing::Create, |hash, limits| {
        if hash.get_live(field, clock).is_some() {
            return (false, Change::NONE);
        }
        hash.set(field, value, Ttl::Clear, limits);
        (true, Change::new("hset", 1))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.int(set.unwrap_or(false).into()))
}
