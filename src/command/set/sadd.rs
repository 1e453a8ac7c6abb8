//! SADD: put members into a set.

use crate::command::*;
use crate::value::set::Set;

pub(super) const SADD: Command = Command {
    name: "sadd",
    syntax: "key member [member ...]",
    summary: "Put members into a set, which is made if need be; counts those that are new.",
    since: "1.0.0",
    cost: "O(1) for each member",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("SADD s a b a", "(integer) 2")],
    run: sadd,
    ..Command::BASE
};

fn sadd(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (added, effect) = ctx.db.edit_set(key, Missing::Create, |set, limits| {
        let hint = args.remaining();
        if set.is_empty() {
            *set = Set::new(args.peek().unwrap_or_default(), hint, limits);
        } else {
            set.expect(hint, limits);
        }
        let added = args.filter(|member| set.add(*member, limits)).count();
        (added, Change::new("sadd", added))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(added.unwrap_or(0)))
}
