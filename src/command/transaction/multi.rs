//! MULTI: queue what follows, until EXEC.

use crate::command::*;

pub(super) const MULTI: Command = Command {
    name: "multi",
    summary: "Queue the requests that follow, to be run as one by EXEC.",
    since: "1.2.0",
    group: Group::Transactions,
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(ALLOW_BUSY),
    acl: acl::TRANSACTION,
    propagate: Propagate::Never,
    examples: &[("MULTI", "OK")],
    run: multi,
    ..Command::BASE
};

fn multi(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    if ctx.session.queued.is_some() {
        return Err(CmdError::text("ERR MULTI calls can not be nested"));
    }
    (ctx.session.queued, ctx.session.queued_bytes) = (Some(Vec::new()), 0);
    ctx.session.queue_failed = false;
    Ok(ctx.reply.ok())
}
