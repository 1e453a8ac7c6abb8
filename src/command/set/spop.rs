//! SPOP: take random members out of a set.

use crate::command::*;
use crate::value::set::Set;

pub(super) const SPOP: Command = Command {
    name: "spop",
    syntax: "key [count]",
    summary: "Take a random member out of a set, or several different ones; an emptied set goes.",
    since: "1.0.0",
    cost: "O(1) for each member taken",
    group: Group::Set,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE))],
    tips: &["nondeterministic_output"],
    propagate: Propagate::Rewritten, // as removals of the very members that went
    examples: &[("SPOP nosuch", "(nil)"), ("SPOP nosuch 1 2", "ERR syntax error")],
    run: spop,
    ..Command::BASE
};

/// The log tells of a removal of many members in parts of so many.
const LOG_BATCH: usize = 1024;

fn spop(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        return Err(CmdError::Syntax);
    }
    let key = args.arg()?;
    match args.next() {
        None => pop_one(ctx, key),
        Some(count) => pop_some(ctx, key, parse::not_negative(count)?),
    }
}

fn pop_one(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<Replied, CmdError> {
    let logged = ctx.state.listens();
    let (popped, effect) = ctx.db.edit_set(key, Missing::Leave, |set, _| {
        let popped = set.pop_with(&mut ctx.state.rng, |e| {
            (ctx.reply.element(e), if logged { e.to_vec() } else { Vec::new() })
        });
        let change = Change::new("spop", usize::from(popped.is_some())).told_first();
        (popped, change)
    })?;
    let Some((replied, member)) = popped.flatten() else {
        return Ok(ctx.reply.null());
    };
    ctx.propagate(&[b"SREM", key, &member]);
    ctx.record(effect);
    Ok(replied)
}

/// What became of a set of which several members were asked for.
enum Popped {
    /// All members were shown; none is gone yet.
    All(Replied, usize),
    /// Some went: these, if the log wants to know.
    Some(Replied, Vec<Vec<u8>>),
}

fn pop_some(ctx: &mut Ctx<'_>, key: &[u8], count: usize) -> Result<Replied, CmdError> {
    let logged = ctx.state.listens();
    let (popped, effect) = ctx.db.edit_set(key, Missing::Leave, |set, limits| {
        if count >= set.len() {
            return (show_all(set, &mut ctx.reply), Change::NONE);
        }
        let replied = ctx.reply.set(count);
        let mut members = Vec::new();
        set.pop_many(count, limits, &mut ctx.state.rng, |e| {
            ctx.reply.element(e);
            if logged {
                members.push(e.to_vec());
            }
        });
        (Popped::Some(replied, members), Change::new("spop", count).told_first())
    })?;
    match popped {
        None => Ok(ctx.reply.set(0)),
        Some(Popped::Some(replied, members)) => {
            propagate(ctx, key, &members);
            ctx.record(effect);
            Ok(replied)
        }
        Some(Popped::All(replied, len)) => {
            ctx.db.count_lookup(key, true); // the members are shown as by SMEMBERS
            remove_all(ctx, key, len);
            Ok(replied)
        }
    }
}

fn show_all(set: &Set, reply: &mut crate::resp::Reply<'_>) -> Popped {
    let replied = reply.set(set.len());
    for member in set.iter() {
        reply.element(member);
    }
    Popped::All(replied, set.len())
}

/// The set goes as a whole, which is how the log says it, too.
fn remove_all(ctx: &mut Ctx<'_>, key: &[u8], len: usize) {
    let word: &[u8] = if ctx.state.config.lazyfree_lazy_server_del { b"UNLINK" } else { b"DEL" };
    let effect = ctx.propagate(&[word, key]).db.remove(key);
    ctx.record(Effect { emptied: true, ..effect.named("spop").dirty(len as u64).told_first() });
}

fn propagate(ctx: &mut Ctx<'_>, key: &[u8], members: &[Vec<u8>]) {
    if members.is_empty() {
        ctx.propagate_nothing(); // nobody listens, or nothing went
    }
    for batch in members.chunks(LOG_BATCH) {
        let words: Vec<&[u8]> = [b"SREM", key].into_iter().chain(batch.iter().map(Vec::as_slice)).collect();
        ctx.propagate(&words);
    }
}
