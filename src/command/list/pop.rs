//! LPOP, RPOP: take elements from an end of a list.

use super::end;
use crate::command::*;
use crate::value::list::End;

pub(super) const LPOP: Command = Command {
    name: "lpop",
    syntax: "key [count]",
    summary: "Take the first element of a list, or several; an emptied list goes.",
    since: "1.0.0",
    cost: "O(N) in the number of elements taken",
    group: Group::List,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(FAST),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE))],
    examples: &[("LPOP nosuch", "(nil)"), ("LPOP nosuch -1", "ERR value is out of range, must be positive")],
    run: |ctx, args| pop(ctx, args, "lpop", End::Head),
    ..Command::BASE
};

pub(super) const RPOP: Command = Command {
    name: "rpop",
    summary: "Take the last element of a list, or several, the last one first; an emptied list goes.",
    examples: &[("RPOP nosuch", "(nil)")],
    run: |ctx, args| pop(ctx, args, "rpop", End::Tail),
    ..LPOP
};

fn pop(ctx: &mut Ctx<'_>, mut args: Args<'_>, name: &'static str, from: End) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        return Err(CmdError::Arity(name.into()));
    }
    let key = args.arg()?;
    match args.next() {
        None => pop_one(ctx, key, from),
        Some(count) => pop_some(ctx, key, parse::not_negative(count)?, from),
    }
}

fn pop_one(ctx: &mut Ctx<'_>, key: &[u8], from: End) -> Result<Replied, CmdError> {
    let (replied, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let replied = list.pop_with(from, limits, |e| ctx.reply.element(e));
        (replied, end::popped(from, usize::from(replied.is_some())))
    })?;
    ctx.record(effect);
    Ok(replied.flatten().unwrap_or_else(|| ctx.reply.null()))
}

fn pop_some(ctx: &mut Ctx<'_>, key: &[u8], count: usize, from: End) -> Result<Replied, CmdError> {
    let (replied, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let (replied, n) = end::pop_range(list, from, count, limits, &mut ctx.reply);
        (replied, end::popped(from, n))
    })?;
    ctx.record(effect);
    Ok(replied.unwrap_or_else(|| ctx.reply.null_array()))
}
