//! FLUSHDB, FLUSHALL: empty one database, or all.

use crate::command::*;
use crate::engine::session::Peer;
use crate::keyspace::Database;

pub(super) const FLUSHDB: Command = Command {
    name: "flushdb",
    syntax: "[ASYNC|SYNC]",
    summary: "Delete all keys of the selected database.",
    since: "1.0.0",
    cost: "O(N) in the number of keys, on a thread of its own with ASYNC",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: WRITE,
    acl: acl::KEYSPACE.or(acl::DANGEROUS),
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    examples: &[("FLUSHDB", "OK"), ("FLUSHDB NOW", "ERR syntax error")],
    run: flushdb,
    ..Command::BASE
};

pub(super) const FLUSHALL: Command = Command {
    name: "flushall",
    summary: "Delete all keys of all databases.",
    examples: &[("FLUSHALL ASYNC", "OK")],
    run: flushall,
    ..FLUSHDB
};

/// Whether to free what goes on another thread.
fn is_async(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<bool, CmdError> {
    if args.len() > 2 {
        return Err(CmdError::Syntax);
    }
    match args.next() {
        None => Ok(ctx.state.config.lazyfree_lazy_user_flush),
        Some(word) if parse::is(word, "ASYNC") => Ok(true),
        Some(word) if parse::is(word, "SYNC") => Ok(false),
        Some(_) => Err(CmdError::Syntax),
    }
}

/// Frees what was thrown away, and answers.
///
/// Nobody but the client waits for that: it is done elsewhere in any case, and the answer comes when it is done. In
/// a transaction it must come at once.
fn free(ctx: &mut Ctx<'_>, request: &Args<'_>, databases: Vec<Database>, elsewhere: bool) -> Replied {
    let may_wait = !ctx.session.executing && ctx.session.peer != Peer::Internal;
    if elsewhere || may_wait {
        ctx.host.discard(databases);
    }
    if elsewhere || !may_wait {
        return ctx.reply.ok();
    }
    let host = ctx.host;
    host.answer_when_free(ctx, request);
    Replied::nothing()
}

fn flushdb(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let elsewhere = is_async(ctx, &mut args)?;
    ctx.touch_watched(ctx.db.index(), None);
    let (old, effect) = ctx.db.flush();
    ctx.record(effect);
    ctx.state.invalidate_all();
    ctx.note_whole_database();
    Ok(free(ctx, &request, vec![old], elsewhere))
}

fn flushall(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let elsewhere = is_async(ctx, &mut args)?;
    let home = ctx.db.index();
    let mut olds = Vec::new();
    for index in 0..ctx.db.all().count() {
        ctx.db.select(index);
        ctx.touch_watched(index, None);
        let (old, effect) = ctx.db.flush();
        ctx.record(effect);
        olds.push(old);
    }
    ctx.db.select(home);
    ctx.state.invalidate_all();
    ctx.note_whole_database();
    let host = ctx.host;
    host.flushed_all(ctx);
    Ok(free(ctx, &request, olds, elsewhere))
}
