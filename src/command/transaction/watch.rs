//! WATCH, UNWATCH: let EXEC do nothing if one of these keys changes until then.

use crate::command::*;

pub(super) const WATCH: Command = Command {
    name: "watch",
    syntax: "key [key ...]",
    summary: "Let the next EXEC do nothing if one of these keys is changed before it.",
    since: "2.2.0",
    cost: "O(1) for each key",
    group: Group::Transactions,
    arity: Arity::AtLeast(2),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(ALLOW_BUSY),
    acl: acl::TRANSACTION,
    keys: &[KeySpec::range(1, -1, 1, RO)],
    propagate: Propagate::Never,
    examples: &[("WATCH k", "OK")],
    run: watch,
    ..Command::BASE
};

pub(super) const UNWATCH: Command = Command {
    name: "unwatch",
    syntax: "",
    summary: "Forget all watches of this connection.",
    cost: "O(1)",
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(ALLOW_BUSY),
    keys: &[],
    examples: &[("UNWATCH", "OK")],
    run: unwatch,
    ..WATCH
};

fn watch(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    // Such an error does not spoil the transaction.
    if ctx.session.queued.is_some() {
        return Err(CmdError::text("ERR WATCH inside MULTI is not allowed"));
    }
    // Watching after a change that would spoil the transaction anyhow adds nothing.
    if !ctx.state.watches.is_touched(ctx.session.id) {
        for key in args {
            let was_past = ctx.db.is_key_past(key);
            ctx.state.watches.watch(ctx.session.id, ctx.db.index(), key, was_past);
        }
    }
    Ok(ctx.reply.ok())
}

fn unwatch(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.state.watches.unwatch(ctx.session.id);
    Ok(ctx.reply.ok())
}
