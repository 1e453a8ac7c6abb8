//! EXPIRE, PEXPIRE, EXPIREAT, PEXPIREAT: let a key expire.
//!
//! The log always gets a PEXPIREAT with the point in time, so that a replay means the same; a point that has
//! passed deletes the key at once.

use crate::command::expiry::Unit;
use crate::command::*;

pub(super) const EXPIRE: Command = Command {
    name: "expire",
    syntax: "key seconds [NX|XX|GT|LT]",
    summary: "Let a key expire after so many seconds.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    propagate: Propagate::Rewritten,
    examples: &[("EXPIRE nosuch 10", "(integer) 0"), ("EXPIRE k 10 FOO", "ERR Unsupported option FOO")],
    run: |ctx, args| expire(ctx, args, "expire", Unit { seconds: true, absolute: false }),
    ..Command::BASE
};

pub(super) const PEXPIRE: Command = Command {
    name: "pexpire",
    syntax: "key milliseconds [NX|XX|GT|LT]",
    summary: "Let a key expire after so many milliseconds.",
    since: "2.6.0",
    examples: &[("PEXPIRE nosuch 10", "(integer) 0")],
    run: |ctx, args| expire(ctx, args, "pexpire", Unit { seconds: false, absolute: false }),
    ..EXPIRE
};

pub(super) const EXPIREAT: Command = Command {
    name: "expireat",
    syntax: "key unix-time-seconds [NX|XX|GT|LT]",
    summary: "Let a key expire at a point in time, in seconds.",
    since: "1.2.0",
    examples: &[("EXPIREAT nosuch 10", "(integer) 0")],
    run: |ctx, args| expire(ctx, args, "expireat", Unit { seconds: true, absolute: true }),
    ..EXPIRE
};

pub(super) const PEXPIREAT: Command = Command {
    name: "pexpireat",
    syntax: "key unix-time-milliseconds [NX|XX|GT|LT]",
    summary: "Let a key expire at a point in time, in milliseconds.",
    since: "2.6.0",
    propagate: Propagate::AsIs, // but a deletion, if the point has passed
    examples: &[("PEXPIREAT nosuch 10", "(integer) 0")],
    run: |ctx, args| expire(ctx, args, "pexpireat", Unit { seconds: false, absolute: true }),
    ..EXPIRE
};

/// Under which of the present expiries the new one is set.
#[derive(Default)]
struct Condition {
    none: bool,
    some: bool,
    later: bool,
    sooner: bool,
}

impl Condition {
    fn parse(args: Args<'_>) -> Result<Condition, CmdError> {
        let mut c = Condition::default();
        for word in args {
            match () {
                () if parse::is(word, "NX") => c.none = true,
                () if parse::is(word, "XX") => c.some = true,
                () if parse::is(word, "GT") => c.later = true,
                () if parse::is(word, "LT") => c.sooner = true,
                () => {
                    let word = shown(word);
                    return Err(CmdError::Other(format!("ERR Unsupported option {word}").into()));
                }
            }
        }
        if c.none && (c.some || c.later || c.sooner) {
            let line = "ERR NX and XX, GT or LT options at the same time are not compatible";
            return Err(CmdError::text(line));
        }
        if c.later && c.sooner {
            return Err(CmdError::text("ERR GT and LT options at the same time are not compatible"));
        }
        Ok(c)
    }

    /// No expiry counts as one that never comes.
    fn admits(&self, present: Option<u64>, when: i64) -> bool {
        let present = present.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
        !(self.none && present.is_some()
            || self.some && present.is_none()
            || self.later && present.is_none_or(|present| when <= present)
            || self.sooner && present.is_some_and(|present| when >= present))
    }
}

/// The point in unix ms that the number means, which may be negative; `None` beyond the representable.
fn point(unit: Unit, number: i64, now_ms: u64) -> Option<i64> {
    let ms = if unit.seconds { number.checked_mul(1000)? } else { number };
    if unit.absolute { Some(ms) } else { ms.checked_add_unsigned(now_ms) }
}

fn expire(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    name: &'static str,
    unit: Unit,
) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let number = args.arg()?;
    let options = args.clone();
    let condition = Condition::parse(args)?;
    let when = point(unit, parse::int(number)?, ctx.now.ms).ok_or(CmdError::InvalidExpire(name))?;
    let Some(meta) = ctx.db.meta_for_write(key) else {
        return Ok(ctx.reply.int(0));
    };
    if !condition.admits(meta.expiry, when) {
        return Ok(ctx.reply.int(0));
    }
    let when_ms = u64::try_from(when).unwrap_or(0);
    if ctx.already_past(when_ms) {
        let verb = ctx.state.expiry_verb();
        let effect = ctx.propagate(&[verb, key]).db.remove(key);
        ctx.record(effect);
        return Ok(ctx.reply.int(1));
    }
    if unit.seconds || !unit.absolute {
        rewrite(ctx, key, when_ms, options);
    }
    let effect = ctx.db.expire_at(key, when_ms);
    ctx.record(effect);
    Ok(ctx.reply.int(1))
}

/// Logs a PEXPIREAT; the options stay, though they were judged.
fn rewrite(ctx: &mut Ctx<'_>, key: &[u8], when_ms: u64, options: Args<'_>) {
    let mut digits = itoa::Buffer::new();
    let when = digits.format(when_ms).as_bytes();
    if options.remaining() == 0 {
        ctx.propagate(&[b"PEXPIREAT", key, when]);
        return;
    }
    let words: Vec<&[u8]> = [b"PEXPIREAT", key, when].into_iter().chain(options).collect();
    ctx.propagate(&words);
}
