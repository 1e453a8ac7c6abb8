//! PFDEBUG, PFSELFTEST: look into a HyperLogLog; see whether they work at all.

use std::fmt::Write as _;

use super::check;
use crate::command::*;
use crate::keyspace::Made;
use crate::value::hll::{self, Encoding, REGISTERS};

pub(super) const PFDEBUG: Command = Command {
    name: "pfdebug",
    syntax: "subcommand key",
    summary: "Look into a HyperLogLog (internal).",
    since: "2.8.9",
    cost: "N/A",
    group: Group::HyperLogLog,
    arity: Arity::Exactly(3),
    flags: WRITE.or(DENYOOM).or(ADMIN),
    acl: acl::HYPERLOGLOG,
    keys: &[KeySpec::at(2, RW.or(ACCESS))],
    examples: &[("PFDEBUG encoding nosuch", "ERR The specified key does not exist")],
    run: pfdebug,
    ..Command::BASE
};

pub(super) const PFSELFTEST: Command = Command {
    name: "pfselftest",
    summary: "See whether estimates are near the truth (internal).",
    since: "2.8.9",
    cost: "N/A",
    group: Group::HyperLogLog,
    arity: Arity::Exactly(1),
    flags: ADMIN,
    acl: acl::HYPERLOGLOG,
    examples: &[("PFSELFTEST", "OK")],
    run: pfselftest,
    ..Command::BASE
};

fn pfdebug(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (sub, key) = (args.arg()?, args.arg()?);
    if parse::is(sub, "SIMD") {
        return simd(ctx, key);
    }
    let Some(bytes) = ctx.db.string_for_write(key)? else {
        return Err(CmdError::text("ERR The specified key does not exist"));
    };
    let encoding = check(bytes)?;
    ctx.db.make_raw(key);
    match () {
        () if parse::is(sub, "GETREG") => getreg(ctx, key, encoding),
        () if parse::is(sub, "DECODE") => decode(ctx, key, encoding),
        () if parse::is(sub, "ENCODING") => {
            Ok(ctx.reply.simple(if encoding == Encoding::Dense { "dense" } else { "sparse" }))
        }
        () if parse::is(sub, "TODENSE") => {
            let converted = make_dense(ctx, key, encoding)?;
            Ok(ctx.reply.int(converted.into()))
        }
        () => {
            let sub = shown(sub);
            Err(CmdError::text(format!("ERR Unknown PFDEBUG subcommand '{sub}'")))
        }
    }
}

/// There is nothing to switch: always off.
fn simd(ctx: &mut Ctx<'_>, word: &[u8]) -> Result<Replied, CmdError> {
    if !parse::is(word, "ON") && !parse::is(word, "OFF") {
        return Err(CmdError::text("ERR Argument must be ON or OFF"));
    }
    Ok(ctx.reply.simple("disabled"))
}

fn make_dense(ctx: &mut Ctx<'_>, key: &[u8], encoding: Encoding) -> Result<bool, CmdError> {
    if encoding == Encoding::Dense {
        return Ok(false);
    }
    let dense = hll::to_dense(ctx.db.string_for_write(key)?.unwrap_or_default())?;
    let effect = ctx.db.update_string(key, &dense, Made::Changed, "");
    ctx.record(Effect { unwatched: true, ..effect }); // it means the same
    Ok(true)
}

fn getreg(ctx: &mut Ctx<'_>, key: &[u8], encoding: Encoding) -> Result<Replied, CmdError> {
    make_dense(ctx, key, encoding)?;
    let mut registers = Box::new([0; REGISTERS]);
    hll::merge(&mut registers, ctx.db.string_for_write(key)?.unwrap_or_default())?;
    let replied = ctx.reply.array(REGISTERS);
    registers.iter().for_each(|value| {
        ctx.reply.int((*value).into());
    });
    Ok(replied)
}

fn decode(ctx: &mut Ctx<'_>, key: &[u8], encoding: Encoding) -> Result<Replied, CmdError> {
    if encoding == Encoding::Dense {
        return Err(CmdError::text("ERR HLL encoding is not sparse"));
    }
    let mut text = String::new();
    for run in hll::runs(ctx.db.string_for_write(key)?.unwrap_or_default()) {
        let _ = match (run.value, run.size) {
            (0, 1) => write!(text, "z:{} ", run.len),
            (0, _) => write!(text, "Z:{} ", run.len),
            (value, _) => write!(text, "v:{value},{} ", run.len),
        };
    }
    Ok(ctx.reply.bulk(text.trim_end().as_bytes()))
}

fn pfselftest(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let (seed, mut bytes) = (ctx.state.rng.u64(..), hll::empty());
    for n in 1..=100_000u64 {
        let (at, value) = hll::place(&(n ^ seed).to_le_bytes());
        hll::raise(&mut bytes, at, value, 3000)?;
        if matches!(n, 100 | 1000 | 10_000 | 100_000) {
            let count = hll::estimate(&hll::histogram(&bytes)?);
            if count.abs_diff(n) * 20 > n {
                return Err(CmdError::text(format!("ERR TESTFAILED Too big error. card:{n} count:{count}")));
            }
        }
    }
    Ok(ctx.reply.ok())
}
