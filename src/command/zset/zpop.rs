//! ZPOPMIN, ZPOPMAX, ZMPOP: take the lowest or the highest members out; BZPOPMIN, BZPOPMAX, BZMPOP wait for one.

use crate::command::answer::ReplyExt;
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::keyspace::Type;
use crate::resp::Reply;
use crate::value::Zset;

pub(super) const ZPOPMIN: Command = Command {
    name: "zpopmin",
    syntax: "key [count]",
    summary: "Take the members with the lowest scores out, and give them.",
    since: "5.0.0",
    cost: "O(M*log(N)): M members of a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE))],
    examples: &[
        ("ZPOPMIN nosuch", "(empty array)"),
        ("ZPOPMIN nosuch -1", "ERR value is out of range, must be positive"),
    ],
    run: |ctx, args| pop(ctx, args, End::Min),
    ..Command::BASE
};

pub(super) const ZPOPMAX: Command = Command {
    name: "zpopmax",
    summary: "Take the members with the highest scores out, and give them.",
    examples: &[("ZPOPMAX nosuch", "(empty array)")],
    run: |ctx, args| pop(ctx, args, End::Max),
    ..ZPOPMIN
};

pub(super) const ZMPOP: Command = Command {
    name: "zmpop",
    syntax: "numkeys key [key ...] <MIN|MAX> [COUNT count]",
    summary: "Take members from an end of the first sorted set that has any, and say which it was.",
    since: "7.0.0",
    cost: "O(K)+O(M*log(N)): K keys, M members of a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(MOVABLE_KEYS),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::counted(1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as a pop of the one key, so that a replay need not look for it
    examples: &[
        ("ZMPOP 1 nosuch MIN", "(nil)"),
        ("ZMPOP 1 nosuch MIN COUNT 0", "ERR count should be greater than 0"),
    ],
    run: zmpop,
    ..Command::BASE
};

pub(super) const BZPOPMIN: Command = Command {
    name: "bzpopmin",
    syntax: "key [key ...] timeout",
    summary: "Take the lowest member of the first sorted set that has one; wait for one if none has.",
    cost: "O(log(N)): N members of the set",
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST).or(BLOCKING),
    keys: &[KeySpec::range(1, -2, 1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as a pop of the one key, without the wait
    examples: &[("BZPOPMIN nosuch -1", "ERR timeout is negative")],
    run: |ctx, args| bzpop(ctx, args, End::Min),
    ..ZPOPMIN
};

pub(super) const BZPOPMAX: Command = Command {
    name: "bzpopmax",
    summary: "Take the highest member of the first sorted set that has one; wait for one if none has.",
    examples: &[("BZPOPMAX nosuch -1", "ERR timeout is negative")],
    run: |ctx, args| bzpop(ctx, args, End::Max),
    ..BZPOPMIN
};

pub(super) const BZMPOP: Command = Command {
    name: "bzmpop",
    syntax: "timeout numkeys key [key ...] <MIN|MAX> [COUNT count]",
    summary: "Take members from an end of the first sorted set that has any; wait for one if none has.",
    arity: Arity::AtLeast(5),
    flags: WRITE.or(BLOCKING).or(MOVABLE_KEYS),
    keys: &[KeySpec::counted(2, RW.or(ACCESS).or(DELETE))],
    examples: &[("BZMPOP -1 1 nosuch MIN", "ERR timeout is negative")],
    run: bzmpop,
    ..ZMPOP
};

/// From which end members are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Min,
    Max,
}

impl End {
    /// What taking `n` members amounts to.
    fn change(self, n: usize) -> Change {
        let event = match self {
            End::Min => "zpopmin",
            End::Max => "zpopmax",
        };
        Change::new(event, n).told_first()
    }

    fn command(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }

    /// Takes the outermost `n` members, of which there are so many, and writes each by `write`.
    fn take(self, set: &mut Zset, n: usize, reply: &mut Reply<'_>, write: Write) {
        let ranks = match self {
            End::Min => 0..n,
            End::Max => set.len() - n..set.len(),
        };
        set.range(ranks.clone(), self == End::Max).for_each(|(member, score)| write(reply, member, score));
        set.remove_range(ranks);
    }
}

/// How a member and its score are written.
type Write = fn(&mut Reply<'_>, crate::value::Entry<'_>, f64);

fn pop(ctx: &mut Ctx<'_>, mut args: Args<'_>, end: End) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        return Err(CmdError::Syntax);
    }
    let key = args.arg()?;
    let count = args.next().map(parse::not_negative).transpose()?;
    let (replied, effect) = ctx.db.edit_zset(key, Missing::Leave, |set, _| {
        let n = count.unwrap_or(1).min(set.len());
        // One member without a count is a pair of its own in both protocols.
        let replied = if count.is_some() { ctx.reply.pairs(n) } else { ctx.reply.array(2 * n) };
        let write: Write =
            if count.is_some() { |reply, member, score| reply.scored(member, score) } else { flat };
        end.take(set, n, &mut ctx.reply, write);
        (replied, end.change(n))
    })?;
    ctx.record(effect);
    Ok(replied.unwrap_or_else(|| ctx.reply.array(0)))
}

fn flat(reply: &mut Reply<'_>, member: crate::value::Entry<'_>, score: f64) {
    reply.element(member);
    reply.double(score);
}

fn nested(reply: &mut Reply<'_>, member: crate::value::Entry<'_>, score: f64) {
    reply.array(2);
    flat(reply, member, score);
}

/// What was asked for: keys, an end, how many members.
struct Wanted<'a> {
    args: Args<'a>,
    first: usize,
    numkeys: usize,
    end: End,
    count: usize,
}

impl<'a> Wanted<'a> {
    /// Reads the arguments from the number of keys on.
    fn parse(mut args: Args<'a>, at: usize) -> Result<Wanted<'a>, CmdError> {
        args.seek(at);
        let numkeys = parse::at_least(1, args.arg()?, "ERR numkeys should be greater than 0")? as usize;
        args.seek(numkeys.saturating_add(at + 1));
        let end = match args.arg()? {
            word if parse::is(word, "MIN") => End::Min,
            word if parse::is(word, "MAX") => End::Max,
            _ => return Err(CmdError::Syntax),
        };
        let count = parse::pop_count(&mut args)?;
        Ok(Wanted { args, first: at + 1, numkeys, end, count })
    }

    fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        parse::some_args(&self.args, self.first, self.numkeys)
    }

    /// Pops from the first sorted set that there is, and answers.
    fn pop(&self, ctx: &mut Ctx<'_>) -> Result<Option<Replied>, CmdError> {
        for key in self.keys() {
            let (popped, effect) = ctx.db.edit_zset(key, Missing::Leave, |set, _| {
                let n = self.count.min(set.len());
                let replied = ctx.reply.array(2);
                ctx.reply.bulk(key);
                ctx.reply.array(n);
                self.end.take(set, n, &mut ctx.reply, nested);
                ((replied, n), self.end.change(n))
            })?;
            if let Some((replied, n)) = popped {
                ctx.propagate(&[self.end.command(), key, itoa::Buffer::new().format(n).as_bytes()]);
                ctx.record(effect);
                return Ok(Some(replied));
            }
        }
        Ok(None)
    }
}

fn zmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let popped = Wanted::parse(args, 1)?.pop(ctx)?;
    Ok(popped.unwrap_or_else(|| ctx.reply.null_array()))
}

fn bzmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let wanted = Wanted::parse(args.clone(), 2)?;
    let timeout_us = parse::timeout(args.get(1).unwrap_or_default())?;
    match wanted.pop(ctx)? {
        Some(popped) => Ok(popped),
        None => wait(ctx, &args, wanted.keys(), timeout_us),
    }
}

fn bzpop(ctx: &mut Ctx<'_>, args: Args<'_>, end: End) -> Result<Replied, CmdError> {
    let last = args.len() - 1;
    let timeout_us = parse::timeout(args.get(last).unwrap_or_default())?;
    for key in parse::some_args(&args, 1, last - 1) {
        let (popped, effect) = ctx.db.edit_zset(key, Missing::Leave, |set, _| {
            let replied = ctx.reply.array(3);
            ctx.reply.bulk(key);
            end.take(set, 1, &mut ctx.reply, flat);
            (replied, end.change(1))
        })?;
        if let Some(replied) = popped {
            ctx.propagate(&[end.command(), key]);
            ctx.record(effect);
            return Ok(replied);
        }
    }
    wait(ctx, &args, parse::some_args(&args, 1, last - 1), timeout_us)
}

fn wait<'k>(
    ctx: &mut Ctx<'_>,
    request: &Args<'_>,
    keys: impl Iterator<Item = &'k [u8]>,
    timeout_us: u64,
) -> Result<Replied, CmdError> {
    let blocked = ctx.block(request, keys, WaitFor::Elements(Type::Zset), timeout_us);
    Ok(blocked.unwrap_or_else(|| ctx.reply.null_array()))
}
