//! PFADD: add elements to a HyperLogLog.

use super::check;
use crate::command::*;
use crate::keyspace::Made;
use crate::value::hll::{self, Encoding};

pub(super) const PFADD: Command = Command {
    name: "pfadd",
    syntax: "key [element [element ...]]",
    summary: "Add elements to an estimate of how many there are; make it if it is missing.",
    since: "2.8.9",
    cost: "O(1) for each element",
    group: Group::HyperLogLog,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::HYPERLOGLOG,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("PFADD k a b c", "(integer) 1"), ("PFADD k", "(integer) 1")],
    run: pfadd,
    ..Command::BASE
};

fn pfadd(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let found = ctx.db.string_for_write(key)?;
    if let Some(bytes) = found
        && check(bytes)? == Encoding::Dense
    {
        return add_in_place(ctx, key, args);
    }
    let (mut bytes, mut raised) = found.map_or_else(|| (hll::empty(), 1), |bytes| (bytes.to_vec(), 0));
    ctx.db.make_raw(key);
    let sparse_max = ctx.state.config.hll_sparse_max_bytes;
    for element in args {
        let (at, value) = hll::place(element);
        match hll::raise(&mut bytes, at, value, sparse_max) {
            Ok(higher) => raised += u64::from(higher),
            Err(damaged) => {
                keep_unheard(ctx, key, &bytes);
                return Err(damaged.into());
            }
        }
    }
    if raised > 0 {
        hll::outdate(&mut bytes);
        let effect = ctx.db.update_string(key, &bytes, Made::Changed, "pfadd");
        ctx.record(effect.dirty(raised));
    }
    Ok(ctx.reply.int((raised > 0).into()))
}

/// Keeps what was added to a damaged one before the damage was met, as the real server does, which tells nobody.
fn keep_unheard(ctx: &mut Ctx<'_>, key: &[u8], bytes: &[u8]) {
    let unheard = ctx.db.update_string(key, bytes, Made::Changed, "");
    debug_assert!(!unheard.created, "only what is there can be damaged");
}

fn add_in_place(ctx: &mut Ctx<'_>, key: &[u8], args: Args<'_>) -> Result<Replied, CmdError> {
    let (raised, effect) = ctx.db.edit_string(key, hll::DENSE, "pfadd", |bytes| {
        let mut raised = 0;
        for element in args {
            let (at, value) = hll::place(element);
            raised += u64::from(hll::dense_raise(bytes, at, value));
        }
        if raised > 0 {
            hll::outdate(bytes);
        }
        raised
    })?;
    if raised > 0 {
        ctx.record(effect.dirty(raised));
    }
    Ok(ctx.reply.int((raised > 0).into()))
}
