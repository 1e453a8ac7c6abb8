//! PFADD: add elements to a HyperLogLog.

use super::check;
use crate::command::*;
use crate::keyspace::{Kind, Made};
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
    let sparse_max = ctx.state.config.hll_sparse_max_bytes;
    for element in args {
        let (at, value) = hll::place(element);
        raised += u64::from(hll::raise(&mut bytes, at, value, sparse_max)?);
    }
    if raised > 0 {
        hll::outdate(&mut bytes);
        let effect = ctx.db.update_string(key, &bytes, Made::Changed, "pfadd");
        ctx.record(effect.dirty(raised));
    } else if ctx.db.meta_for_write(key).is_some_and(|meta| meta.kind == Kind::StrEmb) {
        // One that came short from a file or by SET is made ready for changing, even if nothing changes.
        let unchanged = ctx.db.update_string(key, &bytes, Made::Changed, "");
        debug_assert!(!unchanged.created);
    }
    Ok(ctx.reply.int((raised > 0).into()))
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
