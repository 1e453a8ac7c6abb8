//! SMOVE: move a member from one set to another.

use crate::command::*;
use crate::keyspace::Type;
use crate::value::set::Set;

pub(super) const SMOVE: Command = Command {
    name: "smove",
    syntax: "source destination member",
    summary: "Move a member from one set to another, which is made if need be.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Set,
    arity: Arity::Exactly(4),
    flags: WRITE.or(FAST),
    acl: acl::SET,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE)), KeySpec::at(2, RW.or(INSERT))],
    examples: &[("SMOVE nosuch s a", "(integer) 0")],
    run: smove,
    ..Command::BASE
};

fn smove(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (source, destination, member) = (args.arg()?, args.arg()?, args.arg()?);
    let (from, to) = (ctx.db.type_of(source), ctx.db.type_of(destination));
    if from.is_none() {
        return Ok(ctx.reply.int(0));
    }
    if from != Some(Type::Set) || to.is_some_and(|to| to != Type::Set) {
        return Err(CmdError::WrongType);
    }
    let stays = source == destination;
    let (found, removed) = ctx.db.edit_set(source, Missing::Leave, |set, _| {
        let found = if stays { set.contains(member) } else { set.remove(member) };
        (found, if stays { Change::NONE } else { Change::new("srem", usize::from(found)) })
    })?;
    // Unlike SREM it tells what happened before it tells who read the set.
    removed.split().into_iter().for_each(|effect| ctx.record(effect));
    if found == Some(true) && !stays {
        add(ctx, destination, member)?;
    }
    Ok(ctx.reply.int(i64::from(found == Some(true))))
}

fn add(ctx: &mut Ctx<'_>, key: &[u8], member: &[u8]) -> Result<(), CmdError> {
    let (_, added) = ctx.db.edit_set(key, Missing::Create, |set, limits| {
        if set.is_empty() {
            *set = Set::new(member, 1, limits);
        }
        ((), Change::new("sadd", usize::from(set.add(member, limits))))
    })?;
    ctx.record(added);
    Ok(())
}
