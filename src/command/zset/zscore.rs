//! ZSCORE, ZMSCORE: the scores of members.

use crate::command::*;

pub(super) const ZSCORE: Command = Command {
    name: "zscore",
    syntax: "key member",
    summary: "The score of a member.",
    since: "1.2.0",
    group: Group::SortedSet,
    arity: Arity::Exactly(3),
    flags: READONLY.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("ZSCORE nosuch a", "(nil)")],
    run: zscore,
    ..Command::BASE
};

pub(super) const ZMSCORE: Command = Command {
    name: "zmscore",
    syntax: "key member [member ...]",
    summary: "The scores of several members.",
    since: "6.2.0",
    cost: "O(N) in the number of members asked for",
    arity: Arity::AtLeast(3),
    examples: &[(
        "ZMSCORE nosuch a b",
        "1) (nil)
2) (nil)",
    )],
    run: zmscore,
    ..ZSCORE
};

fn zscore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, member) = (args.arg()?, args.arg()?);
    let score = ctx.db.zset(key)?.and_then(|set| set.score(member));
    Ok(answer(ctx, score))
}

fn zmscore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let set = ctx.db.zset(args.arg()?)?;
    let replied = ctx.reply.array(args.remaining());
    for member in args {
        match set.as_ref().and_then(|set| set.score(member)) {
            Some(score) => ctx.reply.double(score),
            None => ctx.reply.null(),
        };
    }
    Ok(replied)
}

#[inline]
fn answer(ctx: &mut Ctx<'_>, score: Option<f64>) -> Replied {
    match score {
        Some(score) => ctx.reply.double(score),
        None => ctx.reply.null(),
    }
}
