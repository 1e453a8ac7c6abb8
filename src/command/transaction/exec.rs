//! EXEC: run what was queued, as one.

use crate::command::*;

pub(super) const EXEC: Command = Command {
    name: "exec",
    summary: "Run the queued requests as one.",
    since: "1.2.0",
    cost: "That of the queued requests.",
    group: Group::Transactions,
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(SKIP_SLOWLOG),
    acl: acl::TRANSACTION,
    propagate: Propagate::Never, // its requests go to the log, with MULTI and EXEC around several
    examples: &[("EXEC", "ERR EXEC without MULTI")],
    run: exec,
    ..Command::BASE
};

fn exec(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let Some(queued) = ctx.session.queued.take() else {
        return Err(CmdError::text("ERR EXEC without MULTI"));
    };
    let failed = std::mem::take(&mut ctx.session.queue_failed);
    let spoiled = is_spoiled(ctx);
    ctx.state.watches.unwatch(ctx.session.id);
    if failed {
        return Err(CmdError::text("EXECABORT Transaction discarded because of previous errors."));
    }
    if spoiled {
        return Ok(ctx.reply.null_array());
    }
    let host = ctx.host;
    let mut replied = ctx.reply.array(queued.len());
    ctx.session.executing = true;
    for request in &queued {
        host.run(ctx, request.args());
        replied = Replied::nothing();
    }
    ctx.session.executing = false;
    Ok(replied)
}

/// Whether a watched key changed, or went because its time passed.
fn is_spoiled(ctx: &mut Ctx<'_>) -> bool {
    let id = ctx.session.id;
    if ctx.state.watches.is_touched(id) {
        return true;
    }
    let home = ctx.db.index();
    let mut past = false;
    for watched in ctx.state.watches.of(id) {
        ctx.db.select(watched.db);
        past |= !watched.was_past && ctx.db.is_key_past(&watched.key);
    }
    ctx.db.select(home);
    past
}
