//! LMOVE, RPOPLPUSH, BLMOVE, BRPOPLPUSH: take an element from an end of one list and put it at an end of another;
//! the last two wait for one if there is none.

use super::end;
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::keyspace::Type;
use crate::value::list::End;

pub(super) const LMOVE: Command = Command {
    name: "lmove",
    syntax: "source destination <LEFT|RIGHT> <LEFT|RIGHT>",
    summary: "Take an element from an end of a list, put it at an end of another or the same, and read it.",
    since: "6.2.0",
    cost: "O(1)",
    group: Group::List,
    arity: Arity::Exactly(5),
    flags: WRITE.or(DENYOOM),
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE)), KeySpec::at(2, RW.or(INSERT))],
    examples: &[("LMOVE nosuch l LEFT RIGHT", "(nil)"), ("LMOVE a b UP DOWN", "ERR syntax error")],
    run: lmove,
    ..Command::BASE
};

pub(super) const RPOPLPUSH: Command = Command {
    name: "rpoplpush",
    syntax: "source destination",
    summary: "Take the last element of a list, put it at the head of another or the same, and read it.",
    since: "1.2.0",
    arity: Arity::Exactly(3),
    deprecated: Some(("6.2.0", "`LMOVE` with the `RIGHT` and `LEFT` arguments")),
    examples: &[("RPOPLPUSH nosuch l", "(nil)")],
    run: rpoplpush,
    ..LMOVE
};

pub(super) const BLMOVE: Command = Command {
    name: "blmove",
    syntax: "source destination <LEFT|RIGHT> <LEFT|RIGHT> timeout",
    summary: "Take an element from an end of a list, put it at an end of another or the same; wait for one if \
              there is none.",
    arity: Arity::Exactly(6),
    flags: WRITE.or(DENYOOM).or(BLOCKING),
    propagate: Propagate::Rewritten, // as LMOVE, without the wait
    examples: &[
        ("BLMOVE a b UP DOWN 0", "ERR syntax error"),
        ("BLMOVE a b LEFT LEFT -1", "ERR timeout is negative"),
    ],
    run: blmove,
    ..LMOVE
};

pub(super) const BRPOPLPUSH: Command = Command {
    name: "brpoplpush",
    syntax: "source destination timeout",
    summary: "Take the last element of a list, put it at the head of another or the same; wait for one if there is \
              none.",
    since: "2.2.0",
    arity: Arity::Exactly(4),
    deprecated: Some(("6.2.0", "`BLMOVE` with the `RIGHT` and `LEFT` arguments")),
    examples: &[("BRPOPLPUSH a b -1", "ERR timeout is negative")],
    run: brpoplpush,
    ..BLMOVE
};

fn blmove(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (source, destination, left, right) = (args.arg()?, args.arg()?, args.arg()?, args.arg()?);
    let (from, to) = (end::parse(left)?, end::parse(right)?);
    let timeout_us = parse::timeout(args.arg()?)?;
    if let Some(replied) = wait_for_source(ctx, &args, source, timeout_us)? {
        return Ok(replied);
    }
    let moved = move_element(ctx, source, destination, from, to)?;
    ctx.propagate(&[b"LMOVE", source, destination, left, right]);
    Ok(moved)
}

fn brpoplpush(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (source, destination) = (args.arg()?, args.arg()?);
    let timeout_us = parse::timeout(args.arg()?)?;
    if let Some(replied) = wait_for_source(ctx, &args, source, timeout_us)? {
        return Ok(replied);
    }
    let moved = move_element(ctx, source, destination, End::Tail, End::Head)?;
    ctx.propagate(&[b"RPOPLPUSH", source, destination]);
    Ok(moved)
}

/// Without a source the client waits for it; where it may not, it hears of nothing.
fn wait_for_source(
    ctx: &mut Ctx<'_>,
    request: &Args<'_>,
    source: &[u8],
    timeout_us: u64,
) -> Result<Option<Replied>, CmdError> {
    if ctx.db.type_of(source).is_some() {
        return Ok(None);
    }
    let blocked = ctx.block(request, std::iter::once(source), WaitFor::Elements(Type::List), timeout_us);
    Ok(Some(blocked.unwrap_or_else(|| ctx.reply.null())))
}

fn lmove(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (source, destination) = (args.arg()?, args.arg()?);
    let (from, to) = (end::parse(args.arg()?)?, end::parse(args.arg()?)?);
    move_element(ctx, source, destination, from, to)
}

fn rpoplpush(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (source, destination) = (args.arg()?, args.arg()?);
    move_element(ctx, source, destination, End::Tail, End::Head)
}

fn move_element(
    ctx: &mut Ctx<'_>,
    source: &[u8],
    destination: &[u8],
    from: End,
    to: End,
) -> Result<Replied, CmdError> {
    if source == destination {
        return rotate(ctx, source, from, to);
    }
    match ctx.db.type_of(source) {
        None => return Ok(ctx.reply.null()),
        Some(Type::List) => {}
        Some(_) => return Err(CmdError::WrongType),
    }
    if ctx.db.type_of(destination).is_some_and(|of| of != Type::List) {
        return Err(CmdError::WrongType);
    }
    let (element, popped) = ctx
        .db
        .edit_list(source, Missing::Leave, |list, limits| (list.pop(from, limits), end::popped(from, 1)))?;
    let element = element.flatten().expect("a list that is there has an element");
    let ((), pushed) = push(ctx, destination, &element, to)?;
    // One change in all, and the push is heard of first, as in the real server.
    ctx.record(pushed.dirty(0));
    ctx.record(popped);
    Ok(ctx.reply.bulk(&element))
}

fn push<'k>(ctx: &mut Ctx<'_>, key: &'k [u8], element: &[u8], to: End) -> Result<((), Effect<'k>), CmdError> {
    let (_, effect) = ctx.db.edit_list(key, Missing::Create, |list, limits| {
        list.push(to, element, limits);
        ((), Change::new(end::pushed(to), 1))
    })?;
    Ok(((), effect))
}

/// Source and destination are one list, which never goes in between.
fn rotate(ctx: &mut Ctx<'_>, key: &[u8], from: End, to: End) -> Result<Replied, CmdError> {
    let (replied, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
        let replied = list.rotate(from, to, limits, |e| ctx.reply.element(e));
        (replied, end::popped(from, 1))
    })?;
    let Some(replied) = replied.flatten() else {
        return Ok(ctx.reply.null());
    };
    ctx.record(Effect::new(key, end::pushed(to)).dirty(0));
    ctx.record(effect);
    Ok(replied)
}
