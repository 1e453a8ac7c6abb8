//! RESET: be as if just connected.

use crate::command::*;
use crate::engine::session::ReplyMode;
use crate::resp::Proto;

pub(super) const RESET: Command = Command {
    name: "reset",
    syntax: "",
    summary: "Make the connection as if it had just come.",
    since: "6.2.0",
    group: Group::Connection,
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(NO_AUTH).or(ALLOW_BUSY),
    acl: acl::CONNECTION,
    examples: &[("RESET", "RESET")],
    run: reset,
    ..Command::BASE
};

/// What the client's library calls itself stays.
fn reset(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.state.watches.unwatch(ctx.session.id);
    ctx.state.pubsub.forget(ctx.session.id);
    ctx.state.monitors.remove(ctx.session.id);
    ctx.state.tracking.disable(ctx.session.id);
    ctx.state.clients.note_protocol(ctx.session.id, Proto::Resp2);
    let session = &mut *ctx.session;
    session.queue_failed = false;
    session.queued = None;
    session.name = Vec::new();
    session.authenticated = ctx.state.config.requirepass.is_empty();
    session.reply_mode = ReplyMode::On;
    (session.no_touch, session.no_evict) = (false, false);
    session.protocol = Proto::Resp2;
    ctx.reply.set_proto(Proto::Resp2);
    ctx.select(0);
    Ok(ctx.reply.simple("RESET"))
}
