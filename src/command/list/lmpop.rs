//! LMPOP, BLMPOP: take elements from the first list that there is, or wait for one.

use super::end;
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::keyspace::Type;
use crate::value::list::End;

pub(super) const LMPOP: Command = Command {
    name: "lmpop",
    syntax: "numkeys key [key ...] <LEFT|RIGHT> [COUNT count]",
    summary: "Take elements from an end of the first list that has any, and say which it was.",
    since: "7.0.0",
    cost: "O(N+M): N keys, M elements taken",
    group: Group::List,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(MOVABLE_KEYS),
    acl: acl::LIST,
    keys: &[KeySpec::counted(1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as a pop of the one key, so that a replay need not look for it
    examples: &[
        ("LMPOP 1 nosuch LEFT", "(nil)"),
        ("LMPOP 1 nosuch LEFT COUNT 0", "ERR count should be greater than 0"),
    ],
    run: lmpop,
    ..Command::BASE
};

pub(super) const BLMPOP: Command = Command {
    name: "blmpop",
    syntax: "timeout numkeys key [key ...] <LEFT|RIGHT> [COUNT count]",
    summary: "Take elements from an end of the first list that has any; wait for one if none has.",
    arity: Arity::AtLeast(5),
    flags: WRITE.or(BLOCKING).or(MOVABLE_KEYS),
    keys: &[KeySpec::counted(2, RW.or(ACCESS).or(DELETE))],
    examples: &[
        ("BLMPOP -1 1 nosuch LEFT", "ERR timeout is negative"),
        ("BLMPOP 0 1 nosuch LEFT COUNT 0", "ERR count should be greater than 0"),
    ],
    run: blmpop,
    ..LMPOP
};

/// What was asked for: keys, an end, how many elements.
struct Wanted<'a> {
    args: Args<'a>,
    first: usize,
    numkeys: usize,
    from: End,
    count: usize,
}

impl<'a> Wanted<'a> {
    /// Reads the arguments from the number of keys on.
    fn parse(mut args: Args<'a>, at: usize) -> Result<Wanted<'a>, CmdError> {
        args.seek(at);
        let numkeys = parse::at_least(1, args.arg()?, "ERR numkeys should be greater than 0")? as usize;
        args.seek(numkeys.saturating_add(at + 1));
        let from = end::parse(args.arg()?)?;
        let count = parse::pop_count(&mut args)?;
        Ok(Wanted { args, first: at + 1, numkeys, from, count })
    }

    fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        parse::some_args(&self.args, self.first, self.numkeys)
    }

    /// Pops from the first list that there is, and answers.
    fn pop(&self, ctx: &mut Ctx<'_>) -> Result<Option<Replied>, CmdError> {
        for key in self.keys() {
            let (popped, effect) = ctx.db.edit_list(key, Missing::Leave, |list, limits| {
                let replied = ctx.reply.array(2);
                ctx.reply.bulk(key);
                let (_, n) = end::pop_range(list, self.from, self.count, limits, &mut ctx.reply);
                ((replied, n), end::popped(self.from, n))
            })?;
            if let Some((replied, n)) = popped {
                let name = effect.event.to_ascii_uppercase();
                ctx.propagate(&[name.as_bytes(), key, itoa::Buffer::new().format(n).as_bytes()]);
                ctx.record(effect);
                return Ok(Some(replied));
            }
        }
        Ok(None)
    }
}

fn lmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let popped = Wanted::parse(args, 1)?.pop(ctx)?;
    Ok(popped.unwrap_or_else(|| ctx.reply.null_array()))
}

fn blmpop(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let wanted = Wanted::parse(args.clone(), 2)?;
    let timeout_us = parse::timeout(args.get(1).unwrap_or_default())?;
    if let Some(popped) = wanted.pop(ctx)? {
        return Ok(popped);
    }
    let blocked = ctx.block(&args, wanted.keys(), WaitFor::Elements(Type::List), timeout_us);
    Ok(blocked.unwrap_or_else(|| ctx.reply.null_array()))
}
