//! HTTL, HPTTL, HEXPIRETIME, HPEXPIRETIME: when fields expire.

use super::fields::{self, NO_COUNT, Unit};
use crate::command::*;
use crate::value::hash::Item;

pub(super) const HTTL: Command = Command {
    name: "httl",
    syntax: "key FIELDS numfields field [field ...]",
    summary: "In how many seconds fields expire, rounded up.",
    since: "7.4.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(5),
    flags: READONLY.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("HTTL nosuch FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| ttl(ctx, args, Unit { seconds: true, absolute: false }),
    ..Command::BASE
};

pub(super) const HPTTL: Command = Command {
    name: "hpttl",
    summary: "In how many milliseconds fields expire.",
    examples: &[("HPTTL nosuch FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| ttl(ctx, args, Unit { seconds: false, absolute: false }),
    ..HTTL
};

pub(super) const HEXPIRETIME: Command = Command {
    name: "hexpiretime",
    summary: "When fields expire, in unix seconds, rounded up.",
    tips: &[],
    examples: &[("HEXPIRETIME nosuch FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| ttl(ctx, args, Unit { seconds: true, absolute: true }),
    ..HTTL
};

pub(super) const HPEXPIRETIME: Command = Command {
    name: "hpexpiretime",
    summary: "When fields expire, in unix milliseconds.",
    tips: &[],
    examples: &[("HPEXPIRETIME nosuch FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| ttl(ctx, args, Unit { seconds: false, absolute: true }),
    ..HTTL
};

fn ttl(ctx: &mut Ctx<'_>, mut args: Args<'_>, unit: Unit) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (clock, now_ms) = (ctx.db.field_clock(), ctx.now.ms);
    let hash = ctx.db.hash(key)?;
    fields::counted(&mut args, NO_COUNT)?;
    let replied = ctx.reply.array(args.remaining());
    for field in args {
        let item = hash.as_ref().and_then(|hash| hash.get_live(field, clock));
        ctx.reply.int(answer(item, unit, now_ms));
    }
    Ok(replied)
}

/// -2 without the field, -1 without an expiry.
fn answer(item: Option<Item<'_>>, unit: Unit, now_ms: u64) -> i64 {
    let Some(item) = item else { return -2 };
    let Some(deadline) = item.deadline else { return -1 };
    let ms = if unit.absolute { deadline } else { deadline.saturating_sub(now_ms) };
    let number = if unit.seconds { ms.div_ceil(1000) } else { ms };
    i64::try_from(number).unwrap_or(i64::MAX)
}
