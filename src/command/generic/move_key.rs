//! MOVE, COPY: put a key into another database, or twice.

use crate::command::*;

pub(super) const MOVE: Command = Command {
    name: "move",
    syntax: "key db",
    summary: "Move a key to another database, if it has none of that name.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(3),
    flags: WRITE.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    examples: &[
        ("MOVE nosuch 1", "(integer) 0"),
        ("MOVE k 0", "ERR source and destination objects are the same"),
    ],
    run: move_key,
    ..Command::BASE
};

pub(super) const COPY: Command = Command {
    name: "copy",
    syntax: "source destination [DB destination-db] [REPLACE]",
    summary: "Copy a value to another key, with its expiry.",
    since: "6.2.0",
    cost: "O(N) in the number of elements",
    group: Group::Generic,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RO.or(ACCESS)), KeySpec::at(2, OW.or(UPDATE))],
    examples: &[
        ("COPY nosuch k", "(integer) 0"),
        ("COPY k k", "ERR source and destination objects are the same"),
    ],
    run: copy,
    ..Command::BASE
};

const SAME: &str = "ERR source and destination objects are the same";

fn database(ctx: &Ctx<'_>, number: &[u8]) -> Result<usize, CmdError> {
    ctx.db_number(i64::from(parse::int32(number)?))
}

fn move_key(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let other = database(ctx, args.arg()?)?;
    if other == ctx.db.index() {
        return Err(CmdError::text(SAME));
    }
    ctx.state.stats.cluster_incompatible += 1;
    let Some(effects) = ctx.db.move_to(key, other) else {
        return Ok(ctx.reply.int(0));
    };
    effects.into_iter().for_each(|(db, effect)| ctx.record_in(db, effect));
    Ok(ctx.reply.int(1))
}

fn copy(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (from, to) = (args.arg()?, args.arg()?);
    let (mut other, mut replace) = (ctx.db.index(), false);
    while let Some(word) = args.next() {
        match () {
            () if parse::is(word, "REPLACE") => replace = true,
            () if parse::is(word, "DB") && args.remaining() > 0 => other = database(ctx, args.arg()?)?,
            () => return Err(CmdError::Syntax),
        }
    }
    if other == ctx.db.index() && from == to {
        return Err(CmdError::text(SAME));
    }
    ctx.state.stats.cluster_incompatible += u64::from(other != 0 || ctx.db.index() != 0);
    ctx.db.touch([from]);
    if ctx.db.peek(from).is_none() || is_taken(ctx, to, other) && !replace {
        return Ok(ctx.reply.int(0));
    }
    let effect = ctx.db.copy_to(from, to, other);
    ctx.record_in(other, effect);
    Ok(ctx.reply.int(1))
}

fn is_taken(ctx: &mut Ctx<'_>, key: &[u8], db: usize) -> bool {
    let here = ctx.db.index();
    ctx.db.select(db);
    let taken = ctx.db.contains_for_write(key);
    ctx.db.select(here);
    taken
}
