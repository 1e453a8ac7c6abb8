//! INCRBYFLOAT: add a number with decimals.

use crate::command::*;
use crate::keyspace::Made;
use crate::text::cfloat::{self, AddError};

pub(super) const INCRBYFLOAT: Command = Command {
    name: "incrbyfloat",
    syntax: "key increment",
    summary: "Add to the number at a key, which begins at 0.",
    since: "2.6.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    propagate: Propagate::Rewritten, // as what came out, so that a replay has nothing to round
    examples: &[("INCRBYFLOAT k 10.5", "\"10.5\""), ("INCRBYFLOAT k x", "ERR value is not a valid float")],
    run: incrbyfloat,
    ..Command::BASE
};

fn incrbyfloat(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let by = args.arg()?;
    let old = ctx.db.string_for_write(key)?.unwrap_or(b"0");
    let sum = cfloat::add_long_double(old, by).map_err(|error| match error {
        AddError::First | AddError::Second => CmdError::NotFloat,
        AddError::Sum => CmdError::text("ERR increment would produce NaN or Infinity"),
    })?;
    let effect = ctx.propagate(&[b"SET", key, &sum, b"KEEPTTL"]).db.update_string(
        key,
        &sum,
        Made::Text,
        "incrbyfloat",
    );
    ctx.record(effect);
    Ok(ctx.reply.bulk(&sum))
}
