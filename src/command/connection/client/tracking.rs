//! What there is to say of client-side caching while nobody can ask for it.

use super::SUB;
use crate::command::*;

pub(super) const GETREDIR: Command = Command {
    name: "getredir",
    summary: "Tell which client gets the invalidations of this one.",
    since: "6.0.0",
    arity: Arity::Exactly(2),
    examples: &[("CLIENT GETREDIR", "(integer) -1")],
    run: |ctx, _| Ok(ctx.reply.int(-1)),
    ..SUB
};

pub(super) const TRACKINGINFO: Command = Command {
    name: "trackinginfo",
    summary: "Tell whether and how this connection's reads are tracked.",
    since: "6.2.0",
    arity: Arity::Exactly(2),
    run: trackinginfo,
    ..SUB
};

fn trackinginfo(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let reply = &mut ctx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(1);
    reply.bulk(b"off");
    reply.bulk(b"redirect");
    reply.int(-1);
    reply.bulk(b"prefixes");
    Ok(reply.array(0))
}
