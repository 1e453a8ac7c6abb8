//! HGETALL, HKEYS, HVALS: read a whole hash.

use crate::command::answer::ReplyExt;
use crate::command::*;
use crate::value::hash::{Hash, Item};

pub(super) const HGETALL: Command = Command {
    name: "hgetall",
    syntax: "key",
    summary: "All fields and their values.",
    since: "2.0.0",
    cost: "O(N) in the size of the hash",
    group: Group::Hash,
    arity: Arity::Exactly(2),
    flags: READONLY,
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output_order"],
    examples: &[("HGETALL nosuch", "(empty array)")],
    run: hgetall,
    ..Command::BASE
};

pub(super) const HKEYS: Command = Command {
    name: "hkeys",
    summary: "All fields.",
    examples: &[("HKEYS nosuch", "(empty array)")],
    run: |ctx, args| one_of_each(ctx, args, |item| item.field),
    ..HGETALL
};

pub(super) const HVALS: Command = Command {
    name: "hvals",
    summary: "All values.",
    examples: &[("HVALS nosuch", "(empty array)")],
    run: |ctx, args| one_of_each(ctx, args, |item| item.value),
    ..HGETALL
};

fn hgetall(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let clock = ctx.db.field_clock();
    let Some(hash) = ctx.db.hash(args.arg()?)? else {
        return Ok(ctx.reply.map(0));
    };
    let reply = &mut ctx.reply;
    let replied = reply.map(hash.len() - hash.count_due(clock));
    each_live(&hash, clock, |item| {
        reply.element(item.field);
        reply.element(item.value);
    });
    Ok(replied)
}

fn one_of_each(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    part: impl Fn(Item<'_>) -> crate::value::Entry<'_>,
) -> Result<Replied, CmdError> {
    let clock = ctx.db.field_clock();
    let Some(hash) = ctx.db.hash(args.arg()?)? else {
        return Ok(ctx.reply.array(0));
    };
    let replied = ctx.reply.array(hash.len() - hash.count_due(clock));
    each_live(&hash, clock, |item| {
        ctx.reply.element(part(item));
    });
    Ok(replied)
}

/// Visits the fields that are not past their time.
#[inline]
fn each_live(hash: &Hash, clock: u64, mut visit: impl FnMut(Item<'_>)) {
    for item in hash.iter() {
        if !item.expired(clock) {
            visit(item);
        }
    }
}
