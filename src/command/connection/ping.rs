//! PING: is anybody there?

use crate::command::*;

pub(super) const PING: Command = Command {
    name: "ping",
    syntax: "[message]",
    summary: "Answer PONG, or the message.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Connection,
    arity: Arity::AtLeast(1),
    flags: FAST,
    acl: acl::CONNECTION,
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    examples: &[("PING", "PONG"), ("PING hello", "\"hello\"")],
    run: ping,
    ..Command::BASE
};

fn ping(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 2 {
        return Err(CmdError::Arity("ping".into()));
    }
    if ctx.state.pubsub.is_subscribed(ctx.session.id) && !ctx.reply.is_resp3() {
        return Ok(pong_to_listener(ctx, args.next()));
    }
    Ok(match args.next() {
        None => ctx.reply.simple("PONG"),
        Some(message) => ctx.reply.bulk(message),
    })
}

/// A RESP2 client that listens gets it in the form of a message.
fn pong_to_listener(ctx: &mut Ctx<'_>, message: Option<&[u8]>) -> Replied {
    ctx.reply.array(2);
    ctx.reply.bulk(b"pong");
    ctx.reply.bulk(message.unwrap_or_default())
}
