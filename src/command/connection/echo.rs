//! ECHO: say it again.

use crate::command::*;

pub(super) const ECHO: Command = Command {
    name: "echo",
    syntax: "message",
    summary: "Answer the message.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Connection,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE).or(FAST),
    acl: acl::CONNECTION,
    examples: &[("ECHO hello", "\"hello\"")],
    run: echo,
    ..Command::BASE
};

fn echo(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let message = args.arg()?;
    Ok(ctx.reply.bulk(message))
}
