//! LPUSH, RPUSH: put elements at an end of a list; LPUSHX, RPUSHX: only of one that is there.

use super::end;
use crate::command::*;
use crate::value::list::End;

pub(super) const LPUSH: Command = Command {
    name: "lpush",
    syntax: "key element [element ...]",
    summary: "Put elements at the head of a list, one before the other; the list is made if need be.",
    since: "1.0.0",
    cost: "O(1) for each element",
    group: Group::List,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("LPUSH l a b c", "(integer) 3")],
    run: |ctx, args| push(ctx, args, End::Head, Missing::Create),
    ..Command::BASE
};

pub(super) const RPUSH: Command = Command {
    name: "rpush",
    summary: "Put elements at the tail of a list, one behind the other; the list is made if need be.",
    examples: &[("RPUSH l a b c", "(integer) 3")],
    run: |ctx, args| push(ctx, args, End::Tail, Missing::Create),
    ..LPUSH
};

pub(super) const LPUSHX: Command = Command {
    name: "lpushx",
    summary: "Put elements at the head of a list, if there is one.",
    since: "2.2.0",
    examples: &[("LPUSHX nosuch a", "(integer) 0")],
    run: |ctx, args| push(ctx, args, End::Head, Missing::Leave),
    ..LPUSH
};

pub(super) const RPUSHX: Command = Command {
    name: "rpushx",
    summary: "Put elements at the tail of a list, if there is one.",
    examples: &[("RPUSHX nosuch a", "(integer) 0")],
    run: |ctx, args| push(ctx, args, End::Tail, Missing::Leave),
    ..LPUSHX
};

fn push(ctx: &mut Ctx<'_>, mut args: Args<'_>, end: End, missing: Missing) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (len, effect) = ctx.db.edit_list(key, missing, |list, limits| {
        let n = args.remaining();
        list.push_all(end, args, limits);
        (list.len(), Change::new(end::pushed(end), n))
    })?;
    ctx.record(effect);
    Ok(ctx.reply.count(len.unwrap_or(0)))
}
