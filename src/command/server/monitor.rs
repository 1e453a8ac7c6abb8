//! MONITOR: be shown every command from now on.

use crate::command::*;

pub(super) const MONITOR: Command = Command {
    name: "monitor",
    syntax: "",
    summary: "Show every command that runs, until the connection ends.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    run: monitor,
    ..Command::BASE
};

fn monitor(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    if ctx.session.executing {
        return Err(CmdError::text("ERR MONITOR isn't allowed for DENY BLOCKING client"));
    }
    // A second time is not answered at all.
    match ctx.state.monitors.add(ctx.session.id) {
        true => Ok(ctx.reply.ok()),
        false => Ok(Replied::nothing()),
    }
}
