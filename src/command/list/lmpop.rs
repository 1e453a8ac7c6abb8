//! LMPOP: take elements from the first list that there is.

use super::end;
use crate::command::*;

pub(super) const LMPOP: Command = Command {
    name: "lmpop",
    syntax: "numkeys key [key ...] <LEFT|RIGHT> [COUNT count]",
    summary: "Take elements from an end of the first list that has any, and say which it was.",
    since: "7.0.0",
    cost: "O(N+M): N keys, M elements taken",
    group: Group::List,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(MOVABLE_KEYS),
    acl: acl::LIST,
    keys: &[KeySpec::counted(1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as a pop of the one key, so that a replay need not look for it
    examples: &[
        ("LMPOP 1 nosuch LEFT", "(nil)"),
        ("LMPOP 1 nosuch LEFT COUNT 0", "ERR count should be greater than 0"),
    ],
    run: lmpop,
    ..Command::BASE
};

fn lmpop(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let numkeys = parse::at_least(1, args.arg()?, "ERR numkeys should be greater than 0")? as usize;
    let keys = parse::some_args(&args, 2, numkeys);
    args.seek(numkeys.saturating_add(2));
    let from = end::parse(args.arg()?)?;
    let count = parse::pop_count(&mut args)?;
    for key in keys {
        let (popped, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
            let replied = ctx.reply.array(2);
            ctx.reply.bulk(key);
            let (_, n) = end::pop_range(list, from, count, limits, &mut ctx.reply);
            ((replied, n), Change::new(end::popped(from), n))
        })?;
        if let Some((replied, n)) = popped {
            let name = end::popped(from).to_ascii_uppercase();
            ctx.propagate(&[name.as_bytes(), key, itoa::Buffer::new().format(n).as_bytes()]);
            ctx.record(effect);
            return Ok(replied);
        }
    }
    Ok(ctx.reply.null_array())
}
