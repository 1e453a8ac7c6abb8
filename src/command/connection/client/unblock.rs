//! CLIENT UNBLOCK: end another client's wait.

use super::SUB;
use crate::command::*;
use crate::engine::SessionId;

pub(super) const UNBLOCK: Command = Command {
    name: "unblock",
    syntax: "client-id [TIMEOUT|ERROR]",
    summary: "End another connection's wait for keys, as if its time were up or with an error.",
    since: "5.0.0",
    cost: "O(log N) in the number of connections",
    arity: Arity::AtLeast(3),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    examples: &[
        ("CLIENT UNBLOCK 0", "(integer) 0"),
        ("CLIENT UNBLOCK 0 no", "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
    ],
    run: unblock,
    ..SUB
};

fn unblock(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 4 {
        return Err(CmdError::Syntax);
    }
    args.seek(2);
    let id = args.arg()?;
    let with_error = match args.next() {
        None => false,
        Some(word) if parse::is(word, "TIMEOUT") => false,
        Some(word) if parse::is(word, "ERROR") => true,
        Some(_) => return Err(CmdError::text("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")),
    };
    let id = u64::try_from(parse::int(id)?).map(SessionId);
    let host = ctx.host;
    let ended = id.is_ok_and(|id| host.unblock(ctx, id, with_error));
    Ok(ctx.reply.int(ended.into()))
}
