//! CLIENT PAUSE, CLIENT UNPAUSE: let clients wait before their commands run.

use super::SUB;
use crate::command::*;
use crate::keyspace::Lapse;

pub(super) const PAUSE: Command = Command {
    name: "pause",
    syntax: "timeout [WRITE|ALL]",
    summary: "Let clients wait for some milliseconds before their commands run: all of them, or those that write.",
    since: "3.0.0",
    arity: Arity::AtLeast(3),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    examples: &[
        ("CLIENT PAUSE -1", "ERR timeout is negative"),
        ("CLIENT PAUSE 1 no", "ERR CLIENT PAUSE mode must be WRITE or ALL"),
    ],
    run: pause,
    ..SUB
};

pub(super) const UNPAUSE: Command = Command {
    name: "unpause",
    syntax: "",
    summary: "Let no client wait any longer.",
    since: "6.2.0",
    cost: "O(N): N clients that wait",
    arity: Arity::Exactly(2),
    examples: &[("CLIENT UNPAUSE", "OK")],
    run: |ctx, _| {
        end_pause(ctx);
        Ok(ctx.reply.ok())
    },
    ..PAUSE
};

fn pause(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 4 {
        return Err(CmdError::Syntax);
    }
    args.seek(2);
    let timeout = args.arg()?;
    let all = match args.next() {
        None => true,
        Some(word) if parse::is(word, "ALL") => true,
        Some(word) if parse::is(word, "WRITE") => false,
        Some(_) => return Err(CmdError::text("ERR CLIENT PAUSE mode must be WRITE or ALL")),
    };
    let timeout_us = parse::timeout_ms(timeout, ctx.now.ms)?;
    let end_us = ctx.state.clock.mono_us().saturating_add(timeout_us);
    ctx.state.blocked.pause(end_us, all);
    // Nothing changes meanwhile, not even by its time having passed.
    ctx.db.keyspace().lapse = Lapse::Hide;
    ctx.host.rearm();
    Ok(ctx.reply.ok())
}

fn end_pause(ctx: &mut Ctx<'_>) {
    ctx.db.keyspace().lapse = Lapse::Delete;
    ctx.state.blocked.end_pause();
}
