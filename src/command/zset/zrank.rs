//! ZRANK, ZREVRANK: at which place a member stands.

use crate::command::*;

pub(super) const ZRANK: Command = Command {
    name: "zrank",
    syntax: "key member [WITHSCORE]",
    summary: "The rank of a member, 0 for the lowest score, and the score too.",
    since: "2.0.0",
    cost: "O(log(N)), in a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(3),
    flags: READONLY.or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("ZRANK nosuch a", "(nil)")],
    run: |ctx, args| rank(ctx, args, "zrank", false),
    ..Command::BASE
};

pub(super) const ZREVRANK: Command = Command {
    name: "zrevrank",
    summary: "The rank of a member, 0 for the highest score, and the score too.",
    examples: &[("ZREVRANK nosuch a", "(nil)")],
    run: |ctx, args| rank(ctx, args, "zrevrank", true),
    ..ZRANK
};

fn rank(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    name: &'static str,
    reverse: bool,
) -> Result<Replied, CmdError> {
    if args.len() > 4 {
        return Err(CmdError::Arity(name.into()));
    }
    let (key, member) = (args.arg()?, args.arg()?);
    let with_score = match args.next() {
        Some(word) if !parse::is(word, "WITHSCORE") => return Err(CmdError::Syntax),
        word => word.is_some(),
    };
    let found = ctx.db.zset(key)?.and_then(|set| {
        let (rank, score) = set.rank(member)?;
        Some((if reverse { set.len() - 1 - rank } else { rank }, score))
    });
    Ok(match found {
        None if with_score => ctx.reply.null_array(),
        None => ctx.reply.null(),
        Some((rank, _)) if !with_score => ctx.reply.count(rank),
        Some((rank, score)) => {
            ctx.reply.array(2);
            ctx.reply.count(rank);
            ctx.reply.double(score)
        }
    })
}
