//! BLPOP, BRPOP: take an element from the first list that has one, or wait for one.

use super::end;
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::keyspace::Type;
use crate::value::list::End;

pub(super) const BLPOP: Command = Command {
    name: "blpop",
    syntax: "key [key ...] timeout",
    summary: "Take the first element of the first list that has one; wait for one if none has.",
    since: "2.0.0",
    cost: "O(N) in the number of keys",
    group: Group::List,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(BLOCKING),
    acl: acl::LIST,
    keys: &[KeySpec::range(1, -2, 1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as LPOP, without the wait
    examples: &[
        ("BLPOP k -1", "ERR timeout is negative"),
        ("BLPOP k x", "ERR timeout is not a float or out of range"),
    ],
    run: |ctx, args| blocking_pop(ctx, args, b"LPOP", End::Head),
    ..Command::BASE
};

pub(super) const BRPOP: Command = Command {
    name: "brpop",
    summary: "Take the last element of the first list that has one; wait for one if none has.",
    examples: &[("BRPOP k -1", "ERR timeout is negative")],
    run: |ctx, args| blocking_pop(ctx, args, b"RPOP", End::Tail),
    ..BLPOP
};

fn blocking_pop(
    ctx: &mut Ctx<'_>,
    args: Args<'_>,
    word: &'static [u8],
    from: End,
) -> Result<Replied, CmdError> {
    let last = args.len() - 1;
    let timeout_us = parse::timeout(args.get(last).unwrap_or_default())?;
    let keys = || args.all().skip(1).take(last - 1);
    for key in keys() {
        match ctx.db.type_of(key) {
            None => continue,
            Some(Type::List) => return pop(ctx, key, word, from),
            Some(_) => return Err(CmdError::WrongType),
        }
    }
    let blocked = ctx.block(&args, keys(), WaitFor::Elements(Type::List), timeout_us);
    Ok(blocked.unwrap_or_else(|| ctx.reply.null_array()))
}

fn pop(ctx: &mut Ctx<'_>, key: &[u8], word: &[u8], from: End) -> Result<Replied, CmdError> {
    ctx.reply.array(2);
    ctx.reply.bulk(key);
    let (replied, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let replied = list.pop_with(from, limits, |e| ctx.reply.element(e));
        (replied, end::popped(from, usize::from(replied.is_some())))
    })?;
    ctx.propagate(&[word, key]);
    ctx.record(effect);
    Ok(replied.flatten().expect("a list that is there has an element"))
}
