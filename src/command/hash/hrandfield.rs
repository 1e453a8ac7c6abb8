//! HRANDFIELD: random fields.
//!
//! Fields past their time are deleted first, with HDELs in the log.

use crate::command::answer::ReplyExt;
use crate::command::sample::{self, Draw};
use crate::command::*;
use crate::resp::Reply;
use crate::value::Hash;
use crate::value::hash::Item;

pub(super) const HRANDFIELD: Command = Command {
    name: "hrandfield",
    syntax: "key [count [WITHVALUES]]",
    summary: "One random field, or several: different ones, or with a negative count any.",
    since: "6.2.0",
    cost: "O(N) in the number of fields given",
    group: Group::Hash,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("HRANDFIELD nosuch", "(nil)"), ("HRANDFIELD nosuch 5", "(empty array)")],
    run: hrandfield,
    ..Command::BASE
};

fn hrandfield(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let draw = Draw::parse(&mut args, "WITHVALUES")?;
    ctx.db.lapse_all_fields(key);
    let found = ctx.db.hash(key)?;
    let rng = &mut ctx.state.rng;
    let reply = &mut ctx.reply;
    let Some(draw) = draw else {
        return Ok(match found.as_ref().and_then(|hash| hash.random(rng)) {
            Some(item) => reply.element(item.field),
            None => reply.null(),
        });
    };
    let Some(hash) = found else { return Ok(reply.array(0)) };
    let n = draw.size(hash.len(), reply.is_limited())?;
    let replied = if draw.pairs { reply.pairs(n) } else { reply.array(n) };
    let write = |reply: &mut Reply<'_>, item: Item<'_>| {
        if draw.pairs {
            reply.pair();
        }
        reply.element(item.field);
        if draw.pairs {
            reply.element(item.value);
        }
    };
    if draw.repeat {
        for _ in 0..n {
            let Some(item) = hash.random(rng).filter(|_| !reply.is_over()) else { break };
            write(reply, item);
        }
    } else if matches!(*hash, Hash::Table(_)) && sample::is_small(n, hash.len()) {
        sample::distinct(n, || hash.random(rng), |item| item.field)
            .into_iter()
            .for_each(|item| write(reply, item));
    } else {
        sample::walk(hash.iter(), hash.len(), n, rng, |item| write(reply, item));
    }
    Ok(replied)
}
