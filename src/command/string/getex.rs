//! GETEX, GETDEL: read a string, and change when it expires or delete it.

use crate::command::expiry::ExpiryOption;
use crate::command::*;

pub(super) const GETEX: Command = Command {
    name: "getex",
    syntax: "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST]",
    summary: "Read a string, and set, move or drop its expiry.",
    since: "6.2.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec {
        notes: "RW and UPDATE, as the expiry changes",
        ..KeySpec::at(1, RW.or(ACCESS).or(UPDATE))
    }],
    propagate: Propagate::Rewritten, // a relative expiry never reaches the log
    examples: &[("GETEX nosuch EX abc", "(nil)"), ("GETEX nosuch EX 1 PX 1", "ERR syntax error")],
    run: getex,
    ..Command::BASE
};

pub(super) const GETDEL: Command = Command {
    name: "getdel",
    syntax: "key",
    summary: "Read a string and delete it.",
    since: "6.2.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::Exactly(2),
    flags: WRITE.or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten,
    examples: &[("GETDEL nosuch", "(nil)")],
    run: getdel,
    ..Command::BASE
};

/// What becomes of the expiry; the number is not judged yet.
enum Wish<'a> {
    Nothing,
    Persist,
    Expire(ExpiryOption<'a>),
}

impl<'a> Wish<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Wish<'a>, CmdError> {
        let mut wish = Wish::Nothing;
        while let Some(word) = args.next() {
            wish = match wish {
                Wish::Nothing | Wish::Persist if parse::is(word, "PERSIST") => Wish::Persist,
                Wish::Nothing => Wish::Expire(ExpiryOption::parse(word, args)?),
                Wish::Expire(first) => Wish::Expire(
                    ExpiryOption::parse(word, args)
                        .ok()
                        .filter(|o| o.unit == first.unit)
                        .ok_or(CmdError::Syntax)?,
                ),
                Wish::Persist => return Err(CmdError::Syntax),
            };
        }
        Ok(wish)
    }
}

fn getex(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let wish = Wish::parse(&mut args)?;
    let Some(value) = ctx.db.string(key)? else {
        return Ok(ctx.reply.null());
    };
    // Judged after the lookup, so that a missing key answers nil even to a malformed number.
    let when = match &wish {
        Wish::Expire(expiry) => Some(expiry.resolve("getex", ctx.now)?),
        _ => None,
    };
    let replied = ctx.reply.bulk(value); // before the key can go away below
    let effect = match when {
        // A span is positive and so never over at once; it has nothing to check.
        Some(when) if ctx.already_past(when.at_ms) => {
            let verb = ctx.state.expiry_verb();
            ctx.propagate(&[verb, key]).db.remove(key)
        }
        Some(when) => {
            let mut digits = itoa::Buffer::new();
            let when_text = digits.format(when.at_ms).as_bytes();
            ctx.propagate(&[b"PEXPIREAT", key, when_text]).db.expire_at(key, when.at_ms)
        }
        None if matches!(wish, Wish::Persist) => persist(ctx, key),
        None => Effect::NONE,
    };
    ctx.record(effect);
    Ok(replied)
}

fn persist<'k>(ctx: &mut Ctx<'_>, key: &'k [u8]) -> Effect<'k> {
    let effect = ctx.db.persist(key);
    if !effect.is_none() {
        ctx.propagate(&[b"PERSIST", key]);
    }
    effect
}

fn getdel(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let Some(value) = ctx.db.string(key)? else {
        return Ok(ctx.reply.null());
    };
    let replied = ctx.reply.bulk(value);
    let effect = ctx.propagate(&[b"DEL", key]).db.remove(key);
    ctx.record(effect);
    Ok(replied)
}
