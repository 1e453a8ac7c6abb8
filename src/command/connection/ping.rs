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
    Ok(match args.next() {
        None => ctx.reply.simple("PONG"),
        Some(message) => ctx.reply.bulk(message),
    })
}
