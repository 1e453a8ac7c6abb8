//! ZRANDMEMBER: random members.

use crate::command::answer::ReplyExt;
use crate::command::sample::{self, Draw};
use crate::command::*;
use crate::resp::Reply;
use crate::value::Zset;

pub(super) const ZRANDMEMBER: Command = Command {
    name: "zrandmember",
    syntax: "key [count [WITHSCORES]]",
    summary: "One random member, or several: different ones, or with a negative count any.",
    since: "6.2.0",
    cost: "O(N) in the number of members given",
    group: Group::SortedSet,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("ZRANDMEMBER nosuch", "(nil)"), ("ZRANDMEMBER nosuch 5", "(empty array)")],
    run: zrandmember,
    ..Command::BASE
};

fn zrandmember(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let draw = Draw::parse(&mut args, "WITHSCORES")?;
    let found = ctx.db.zset(key)?;
    let rng = &mut ctx.state.rng;
    let reply = &mut ctx.reply;
    let Some(draw) = draw else {
        return Ok(match found.as_ref().and_then(|set| set.random(rng)) {
            Some((member, _)) => reply.element(member),
            None => reply.null(),
        });
    };
    let Some(set) = found else { return Ok(reply.array(0)) };
    let n = draw.size(set.len(), reply.is_limited())?;
    let replied = if draw.pairs { reply.pairs(n) } else { reply.array(n) };
    let write = |reply: &mut Reply<'_>, (member, score)| match draw.pairs {
        true => reply.scored(member, score),
        false => {
            reply.element(member);
        }
    };
    if draw.repeat {
        for _ in 0..n {
            let Some(item) = set.random(rng).filter(|_| !reply.is_over()) else { break };
            write(reply, item);
        }
    } else if matches!(*set, Zset::Tree(_)) && sample::is_small(n, set.len()) {
        sample::distinct(n, || set.random(rng), |(member, _)| *member)
            .into_iter()
            .for_each(|item| write(reply, item));
    } else {
        sample::walk(set.iter(), set.len(), n, rng, |item| write(reply, item));
    }
    Ok(replied)
}
