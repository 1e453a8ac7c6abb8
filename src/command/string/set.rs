//! SET: make a key a string, under conditions, with an expiry.
//! Source: the recording `fixtures/oracle/set.txt`.

use crate::command::expiry::{ExpiryOption, When};
use crate::command::*;
use crate::keyspace::{New, Ttl};

pub(super) const SET: Command = Command {
    name: "set",
    syntax: "key value [NX|XX] [GET] [EX seconds|PX milliseconds|EXAT unix-time-seconds|\
             PXAT unix-time-milliseconds|KEEPTTL]",
    summary: "Store a string, whatever was there before; with conditions, an expiry, or the old value as reply.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::String,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM),
    acl: acl::STRING,
    keys: &[KeySpec {
        notes: "RW and ACCESS due to the optional GET",
        ..KeySpec::at(1, RW.or(ACCESS).or(UPDATE).or(VARIABLE_FLAGS))
    }],
    propagate: Propagate::AsIs, // but with a relative expiry, which is rewritten
    examples: &[("SET k v EX 0", "ERR invalid expire time in 'set' command"), ("SET k v XX", "(nil)")],
    run: set,
    ..Command::BASE
};

#[derive(Default)]
struct Options<'a> {
    only_new: bool,
    only_old: bool,
    get: bool,
    keep_ttl: bool,
    expiry: Option<ExpiryOption<'a>>,
}

impl<'a> Options<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Options<'a>, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.next() {
            match () {
                () if parse::is(word, "NX") && !o.only_old => o.only_new = true,
                () if parse::is(word, "XX") && !o.only_new => o.only_old = true,
                () if parse::is(word, "GET") => o.get = true,
                () if parse::is(word, "KEEPTTL") && o.expiry.is_none() => o.keep_ttl = true,
                () if !o.keep_ttl && o.expiry.is_none() => {
                    o.expiry = Some(ExpiryOption::parse(word, args)?);
                }
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(o)
    }
}

fn set(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let value = args.arg()?;
    if args.remaining() == 0 {
        let value = args.shared(2).map_or(New::Bytes(value), New::Shared);
        let effect = ctx.db.set(key, value, Ttl::Clear);
        ctx.record(effect);
        return Ok(ctx.reply.ok());
    }
    set_with_options(ctx, key, value, args)
}

fn set_with_options<'a>(
    ctx: &mut Ctx<'_>,
    key: &'a [u8],
    value: &'a [u8],
    mut args: Args<'a>,
) -> Result<Replied, CmdError> {
    let shared = args.shared(2);
    let options = Options::parse(&mut args)?;
    let when = options.expiry.as_ref().map(|expiry| expiry.resolve("set", ctx.now)).transpose()?;
    let old = if options.get { ctx.db.string(key)?.map(<[u8]>::to_vec) } else { None };
    let exists = ctx.db.type_of(key).is_some();
    if (options.only_new && exists) || (options.only_old && !exists) {
        return Ok(if options.get { ctx.reply.bulk_or_null(old.as_deref()) } else { ctx.reply.null() });
    }
    store(ctx, key, shared.map_or(New::Bytes(value), New::Shared), value, when, options.keep_ttl);
    Ok(if options.get { ctx.reply.bulk_or_null(old.as_deref()) } else { ctx.reply.ok() })
}

fn store(ctx: &mut Ctx<'_>, key: &[u8], new: New<'_>, value: &[u8], when: Option<When>, keep_ttl: bool) {
    let Some(when) = when else {
        let effect = ctx.db.set(key, new, if keep_ttl { Ttl::Keep } else { Ttl::Clear });
        return ctx.record(effect);
    };
    if ctx.already_past(when.at_ms) {
        let effect = ctx.propagate(&[b"DEL", key]).db.remove(key);
        return ctx.record(effect);
    }
    let effect =
        ctx.propagate(&[b"SET", key, value, b"PXAT", &when.ascii()]).db.set(key, new, Ttl::At(when.at_ms));
    ctx.record(effect);
    ctx.record(Effect::new(key, "expire").dirty(0));
}
