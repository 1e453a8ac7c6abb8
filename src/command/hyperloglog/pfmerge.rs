//! PFMERGE: make one HyperLogLog of several.

use super::check;
use crate::command::*;
use crate::keyspace::Made;
use crate::value::hll::{self, Encoding};

pub(super) const PFMERGE: Command = Command {
    name: "pfmerge",
    syntax: "destkey [sourcekey [sourcekey ...]]",
    summary: "Add what was added to others to an estimate.",
    since: "2.8.9",
    cost: "O(N) for N keys, at a high price for each",
    group: Group::HyperLogLog,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(DENYOOM),
    acl: acl::HYPERLOGLOG,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(INSERT)), KeySpec::range(2, -1, 1, RO.or(ACCESS))],
    examples: &[("PFMERGE k nosuch", "OK")],
    run: pfmerge,
    ..Command::BASE
};

fn pfmerge(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let mut registers = Box::new([0; hll::REGISTERS]);
    let mut dense = false;
    for key in args.clone() {
        if let Some(bytes) = ctx.db.string(key)? {
            dense |= check(bytes)? == Encoding::Dense;
            hll::merge(&mut registers, bytes)?;
        }
    }
    let to = args.arg()?;
    let mut bytes = ctx.db.string_for_write(to)?.map_or_else(hll::empty, <[u8]>::to_vec);
    if dense {
        bytes = hll::to_dense(&bytes)?;
        hll::fill_dense(&mut bytes, &registers);
    } else {
        let sparse_max = ctx.state.config.hll_sparse_max_bytes;
        for (at, value) in registers.iter().enumerate().filter(|(_, value)| **value > 0) {
            hll::raise(&mut bytes, at, *value, sparse_max)?;
        }
    }
    hll::outdate(&mut bytes);
    let effect = ctx.db.update_string(to, &bytes, Made::Changed, "pfadd");
    ctx.record(effect);
    Ok(ctx.reply.ok())
}
