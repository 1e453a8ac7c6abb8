//! SHUTDOWN: save what is to be saved, and end the process.

use crate::command::*;

pub(super) const SHUTDOWN: Command = Command {
    name: "shutdown",
    syntax: "[NOSAVE|SAVE] [NOW] [FORCE] [ABORT]",
    summary: "End the server, after a save if so configured or told.",
    since: "1.0.0",
    cost: "O(N) in the number of keys when it saves",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE).or(NO_MULTI).or(ALLOW_BUSY),
    examples: &[
        ("SHUTDOWN ABORT", "ERR No shutdown in progress."),
        ("SHUTDOWN SAVE NOSAVE", "ERR syntax error"),
    ],
    run: shutdown,
    ..Command::BASE
};

fn shutdown(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let mut how = Shutdown::default();
    let mut abort = false;
    while let Some(word) = args.next() {
        match () {
            () if parse::is(word, "NOSAVE") => how.nosave = true,
            () if parse::is(word, "SAVE") => how.save = true,
            () if parse::is(word, "NOW") => how.now = true,
            () if parse::is(word, "FORCE") => how.force = true,
            () if parse::is(word, "ABORT") => abort = true,
            () => return Err(CmdError::Syntax),
        }
    }
    if (abort && how != Shutdown::default()) || (how.save && how.nosave) {
        return Err(CmdError::Syntax);
    }
    let host = ctx.host;
    if abort {
        return match host.abort_shutdown() {
            true => Ok(ctx.reply.ok()),
            false => Err(CmdError::text("ERR No shutdown in progress.")),
        };
    }
    host.shutdown(ctx, how)?;
    // Nobody is answered any more: the connection just ends.
    ctx.session.closing = true;
    Ok(Replied::nothing())
}
