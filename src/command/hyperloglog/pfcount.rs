//! PFCOUNT: estimate how many elements were added.

use super::check;
use crate::command::*;
use crate::value::hll;

pub(super) const PFCOUNT: Command = Command {
    name: "pfcount",
    syntax: "key [key ...]",
    summary: "Estimate how many different elements were added, to one or to several together.",
    since: "2.8.9",
    cost: "O(1) for one key, O(N) for N keys, each a thousand times dearer",
    group: Group::HyperLogLog,
    arity: Arity::AtLeast(2),
    flags: READONLY.or(MAY_REPLICATE),
    acl: acl::HYPERLOGLOG,
    keys: &[KeySpec {
        notes: "RW because the estimate that is kept with the registers may be renewed",
        ..KeySpec::range(1, -1, 1, RW.or(ACCESS))
    }],
    examples: &[("PFCOUNT nosuch", "(integer) 0")],
    run: pfcount,
    ..Command::BASE
};

fn pfcount(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 2 {
        return count_together(ctx, args);
    }
    let key = args.arg()?;
    let Some(bytes) = ctx.db.string(key)? else { return Ok(ctx.reply.int(0)) };
    check(bytes)?;
    let (len, cached) = (bytes.len(), hll::cached(bytes));
    let count = match cached {
        Some(count) => Ok(count),
        None => hll::histogram(bytes).map(|of| hll::estimate(&of)),
    };
    // So that the count can be kept: even where it is already, or cannot be had.
    ctx.db.make_raw(key);
    let count = count?;
    if cached.is_none() {
        let ((), effect) = ctx.db.edit_string(key, len, "", |bytes| hll::cache(bytes, count))?;
        ctx.record(effect);
    }
    Ok(reply(ctx, count))
}

fn reply(ctx: &mut Ctx<'_>, count: u64) -> Replied {
    ctx.reply.int(count.cast_signed())
}

fn count_together(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let mut registers = Box::new([0; hll::REGISTERS]);
    for key in args {
        if let Some(bytes) = ctx.db.string(key)? {
            check(bytes)?;
            hll::merge(&mut registers, bytes)?;
        }
    }
    Ok(reply(ctx, hll::estimate(&hll::histogram_of(&registers))))
}
