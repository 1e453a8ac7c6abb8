//! TTL, PTTL, EXPIRETIME, PEXPIRETIME, PERSIST: see when a key expires, and call it off.

use crate::command::*;

pub(super) const TTL: Command = Command {
    name: "ttl",
    syntax: "key",
    summary: "Tell in how many seconds a key expires: -1 never, -2 no such key.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("TTL nosuch", "(integer) -2")],
    run: |ctx, args| ttl(ctx, args, Shown { seconds: true, absolute: false }),
    ..Command::BASE
};

pub(super) const PTTL: Command = Command {
    name: "pttl",
    summary: "Tell in how many milliseconds a key expires: -1 never, -2 no such key.",
    since: "2.6.0",
    examples: &[("PTTL nosuch", "(integer) -2")],
    run: |ctx, args| ttl(ctx, args, Shown { seconds: false, absolute: false }),
    ..TTL
};

pub(super) const EXPIRETIME: Command = Command {
    name: "expiretime",
    summary: "Tell at which point in time a key expires, in seconds: -1 never, -2 no such key.",
    since: "7.0.0",
    tips: &[],
    examples: &[("EXPIRETIME nosuch", "(integer) -2")],
    run: |ctx, args| ttl(ctx, args, Shown { seconds: true, absolute: true }),
    ..TTL
};

pub(super) const PEXPIRETIME: Command = Command {
    name: "pexpiretime",
    summary: "Tell at which point in time a key expires, in milliseconds: -1 never, -2 no such key.",
    since: "7.0.0",
    tips: &[],
    examples: &[("PEXPIRETIME nosuch", "(integer) -2")],
    run: |ctx, args| ttl(ctx, args, Shown { seconds: false, absolute: true }),
    ..TTL
};

pub(super) const PERSIST: Command = Command {
    name: "persist",
    syntax: "key",
    summary: "Let a key stay that would have expired.",
    since: "2.2.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: WRITE.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("PERSIST nosuch", "(integer) 0")],
    run: persist,
    ..Command::BASE
};

struct Shown {
    seconds: bool,
    absolute: bool,
}

impl Shown {
    fn number(&self, when_ms: u64, now_ms: u64) -> i64 {
        let ms = if self.absolute { when_ms } else { when_ms.saturating_sub(now_ms) };
        let ms = i64::try_from(ms).unwrap_or(i64::MAX);
        if self.seconds { ms.saturating_add(500) / 1000 } else { ms }
    }
}

fn ttl(ctx: &mut Ctx<'_>, mut args: Args<'_>, shown: Shown) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let number = match ctx.db.meta(key).map(|meta| meta.expiry) {
        None => -2,
        Some(None) => -1,
        Some(Some(when_ms)) => shown.number(when_ms, ctx.now.ms),
    };
    Ok(ctx.reply.int(number))
}

fn persist(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let effect = ctx.db.persist(key);
    let dropped = !effect.is_none();
    ctx.record(effect);
    Ok(ctx.reply.int(i64::from(dropped)))
}
