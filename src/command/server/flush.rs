//! FLUSHDB, FLUSHALL: empty one database, or all.

use crate::command::*;
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

fn free(ctx: &Ctx<'_>, databases: Vec<Database>, elsewhere: bool) {
    if elsewhere {
        ctx.host.discard(databases);
    }
}

fn flushdb(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let elsewhere = is_async(ctx, &mut args)?;
    ctx.touch_watched(ctx.db.index(), None);
    let (old, effect) = ctx.db.flush();
    ctx.record(effect);
    ctx.state.invalidate_all();
    ctx.note_whole_database();
    free(ctx, vec![old], elsewhere);
    Ok(ctx.reply.ok())
}

fn flushall(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
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
    free(ctx, olds, elsewhere);
    Ok(ctx.reply.ok())
}
