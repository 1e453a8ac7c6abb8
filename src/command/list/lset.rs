//! LSET: replace the element at an index.

use crate::command::*;

pub(super) const LSET: Command = Command {
    name: "lset",
    syntax: "key index element",
    summary: "Put another element at an index; negative ones count from the tail.",
    since: "1.0.0",
    cost: "O(N) in the number of nodes between the element and the nearer end",
    group: Group::List,
    arity: Arity::Exactly(4),
    flags: WRITE.or(DENYOOM),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("LSET nosuch 0 a", "ERR no such key")],
    run: lset,
    ..Command::BASE
};

fn lset(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (index, element) = (args.arg()?, args.arg()?);
    let (done, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let done = parse::int(index).and_then(|index| {
            let found = list.set(index, element, limits);
            if found { Ok(()) } else { Err(CmdError::IndexOutOfRange) }
        });
        let change = Change::new("lset", usize::from(done.is_ok()));
        (done, change)
    })?;
    done.ok_or(CmdError::NoSuchKey)??;
    ctx.record(effect);
    Ok(ctx.reply.ok())
}
