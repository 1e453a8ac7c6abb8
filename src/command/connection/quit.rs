//! QUIT: leave.

use crate::command::*;

pub(super) const QUIT: Command = Command {
    name: "quit",
    syntax: "",
    summary: "Close the connection.",
    since: "1.0.0",
    group: Group::Connection,
    arity: Arity::AtLeast(1),
    flags: ALLOW_BUSY.or(NOSCRIPT).or(LOADING).or(STALE).or(FAST).or(NO_AUTH),
    acl: acl::CONNECTION,
    deprecated: Some(("7.2.0", "just closing the connection")),
    examples: &[("QUIT", "OK")],
    run: |ctx, _| {
        ctx.session.closing = true;
        Ok(ctx.reply.ok())
    },
    ..Command::BASE
};
