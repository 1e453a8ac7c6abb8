//! SRANDMEMBER: read random members of a set.

use crate::command::*;

pub(super) const SRANDMEMBER: Command = Command {
    name: "srandmember",
    syntax: "key [count]",
    summary: "Read a random member of a set; with a count several different ones, with a negative one any.",
    since: "1.0.0",
    cost: "O(1) for each member read",
    group: Group::Set,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("SRANDMEMBER nosuch", "(nil)"), ("SRANDMEMBER nosuch -5", "(empty array)")],
    run: srandmember,
    ..Command::BASE
};

fn srandmember(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        return Err(CmdError::Syntax);
    }
    let key = args.arg()?;
    if let Some(count) = args.next() {
        return match parse::int(count)? {
            i64::MIN => Err(parse::beyond_symmetric()),
            count if count < 0 => repeated(ctx, key, count.unsigned_abs()),
            count => different(ctx, key, count as usize),
        };
    }
    let set = ctx.db.set_members(key)?;
    let member = set.as_ref().and_then(|set| set.random(&mut ctx.state.rng));
    Ok(match member {
        Some(member) => ctx.reply.element(member),
        None => ctx.reply.null(),
    })
}

fn different(ctx: &mut Ctx<'_>, key: &[u8], count: usize) -> Result<Replied, CmdError> {
    let set = ctx.db.set_members(key)?;
    let Some(set) = set.filter(|_| count > 0) else {
        return Ok(ctx.reply.array(0));
    };
    let replied = ctx.reply.array(count.min(set.len()));
    if count >= set.len() {
        for member in set.iter() {
            ctx.reply.element(member);
        }
        return Ok(replied);
    }
    for member in set.sample(count, &mut ctx.state.rng) {
        ctx.reply.element(member);
    }
    Ok(replied)
}

fn repeated(ctx: &mut Ctx<'_>, key: &[u8], count: u64) -> Result<Replied, CmdError> {
    let Some(set) = ctx.db.set_members(key)? else {
        return Ok(ctx.reply.array(0));
    };
    let count = parse::repetitions(count, ctx.reply.is_limited())?;
    let replied = ctx.reply.array(count);
    for _ in 0..count {
        let Some(member) = set.random(&mut ctx.state.rng).filter(|_| !ctx.reply.is_over()) else { break };
        ctx.reply.element(member);
    }
    Ok(replied)
}
