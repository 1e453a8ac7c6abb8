//! SELECT: work on another database.

use crate::command::*;

pub(super) const SELECT: Command = Command {
    name: "select",
    syntax: "index",
    summary: "Work on another database from now on.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Connection,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE).or(FAST),
    acl: acl::CONNECTION,
    examples: &[("SELECT 1", "OK"), ("SELECT 16", "ERR DB index is out of range")],
    run: select,
    ..Command::BASE
};

fn select(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let index = parse::int32(args.arg()?)?;
    ctx.state.stats.cluster_incompatible += u64::from(index != 0);
    let index = ctx.db_number(i64::from(index))?;
    ctx.select(index);
    Ok(ctx.reply.ok())
}
