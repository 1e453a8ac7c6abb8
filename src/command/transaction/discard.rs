//! DISCARD: forget what was queued.

use crate::command::*;

pub(super) const DISCARD: Command = Command {
    name: "discard",
    summary: "Forget the queued requests and all watches.",
    since: "2.0.0",
    cost: "O(N) in the number of queued requests",
    group: Group::Transactions,
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(ALLOW_BUSY),
    acl: acl::TRANSACTION,
    propagate: Propagate::Never,
    examples: &[("DISCARD", "ERR DISCARD without MULTI")],
    run: discard,
    ..Command::BASE
};

fn discard(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    if ctx.session.queued.take().is_none() {
        return Err(CmdError::text("ERR DISCARD without MULTI"));
    }
    ctx.session.queue_failed = false;
    ctx.state.watches.unwatch(ctx.session.id);
    Ok(ctx.reply.ok())
}
