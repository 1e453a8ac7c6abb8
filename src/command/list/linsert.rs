//! LINSERT: put an element beside another.

use crate::command::*;

pub(super) const LINSERT: Command = Command {
    name: "linsert",
    syntax: "key <BEFORE|AFTER> pivot element",
    summary: "Put an element right before or behind the first one that equals the pivot.",
    since: "2.2.0",
    cost: "O(N) in the number of elements before the pivot",
    group: Group::List,
    arity: Arity::Exactly(5),
    flags: WRITE.or(DENYOOM),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("LINSERT nosuch BEFORE a b", "(integer) 0"), ("LINSERT l BESIDE a b", "ERR syntax error")],
    run: linsert,
    ..Command::BASE
};

fn linsert(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, place) = (args.arg()?, args.arg()?);
    let after = match () {
        () if parse::is(place, "AFTER") => true,
        () if parse::is(place, "BEFORE") => false,
        () => return Err(CmdError::Syntax),
    };
    let (pivot, element) = (args.arg()?, args.arg()?);
    let (len, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let inserted = list.insert(pivot, after, element, limits);
        let len = if inserted { list.len() as i64 } else { -1 };
        (len, Change::new("linsert", usize::from(inserted)))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.int(len.unwrap_or(0)))
}
