//! SAVE, BGSAVE: write the snapshot. BGREWRITEAOF: write the append log anew.

use crate::command::*;

pub(super) const SAVE: Command = Command {
    name: "save",
    summary: "Save a snapshot; nobody is served meanwhile.",
    since: "1.0.0",
    cost: "O(N) in the number of keys of all databases",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: NO_ASYNC_LOADING.or(ADMIN).or(NOSCRIPT).or(NO_MULTI),
    run: save,
    ..Command::BASE
};

pub(super) const BGSAVE: Command = Command {
    name: "bgsave",
    syntax: "[SCHEDULE]",
    summary: "Save a snapshot in the background.",
    since: "1.0.0",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: NO_ASYNC_LOADING.or(ADMIN).or(NOSCRIPT),
    examples: &[("BGSAVE NOW", "ERR syntax error")],
    run: bgsave,
    ..Command::BASE
};

pub(super) const BGREWRITEAOF: Command = Command {
    name: "bgrewriteaof",
    summary: "Write the append log anew in the background, as short as it can be.",
    since: "1.0.0",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: NO_ASYNC_LOADING.or(ADMIN).or(NOSCRIPT),
    run: bgrewriteaof,
    ..Command::BASE
};

fn bgrewriteaof(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let host = ctx.host;
    match host.rewrite_log(ctx) {
        Ok(Rewriting::Started) => Ok(ctx.reply.simple("Background append only file rewriting started")),
        Ok(Rewriting::Scheduled) => Ok(ctx.reply.simple("Background append only file rewriting scheduled")),
        Err(RewriteError::Running) => {
            Err(CmdError::text("ERR Background append only file rewriting already in progress"))
        }
        Err(RewriteError::Failed) => Err(CmdError::text(
            "ERR Can't execute an AOF background rewriting. Please check the server logs for more information.",
        )),
    }
}

fn refused(error: SaveError) -> CmdError {
    let text = match error {
        SaveError::Running => "ERR Background save already in progress",
        SaveError::Busy => {
            "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to \
             schedule a BGSAVE whenever possible."
        }
        // The reason is in the log.
        SaveError::Failed(_) => "ERR",
        SaveError::Refused(reason) => return CmdError::Other(format!("ERR {reason}").into()),
    };
    CmdError::text(text)
}

fn save(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let host = ctx.host;
    host.save(ctx).map_err(refused)?;
    Ok(ctx.reply.ok())
}

fn bgsave(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let schedule = match (args.next(), args.len()) {
        (None, _) => false,
        (Some(word), 2) if parse::is(word, "SCHEDULE") => true,
        _ => return Err(CmdError::Syntax),
    };
    let host = ctx.host;
    let scheduled = host.bgsave(ctx, schedule).map_err(refused)?;
    Ok(ctx.reply.simple(if scheduled { "Background saving scheduled" } else { "Background saving started" }))
}
