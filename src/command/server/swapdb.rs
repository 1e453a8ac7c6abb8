//! SWAPDB: exchange two databases.

use crate::command::*;

pub(super) const SWAPDB: Command = Command {
    name: "swapdb",
    syntax: "index1 index2",
    summary: "Exchange the contents of two databases.",
    since: "4.0.0",
    cost: "O(1)",
    group: Group::Server,
    arity: Arity::Exactly(3),
    flags: WRITE.or(FAST),
    acl: acl::KEYSPACE.or(acl::DANGEROUS),
    examples: &[("SWAPDB 0 1", "OK"), ("SWAPDB x 1", "ERR invalid first DB index")],
    run: swapdb,
    ..Command::BASE
};

fn swapdb(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let first = parse::int32(args.arg()?).map_err(|_| CmdError::text("ERR invalid first DB index"))?;
    let second = parse::int32(args.arg()?).map_err(|_| CmdError::text("ERR invalid second DB index"))?;
    let (first, second) = (ctx.db_number(i64::from(first))?, ctx.db_number(i64::from(second))?);
    if first != second {
        ctx.touch_watched(first, Some(second));
        ctx.touch_watched(second, Some(first));
    }
    let effect = ctx.db.swap_databases(first, second);
    ctx.record(effect);
    ctx.state.stats.cluster_incompatible += 1;
    Ok(ctx.reply.ok())
}
