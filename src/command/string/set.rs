//! SET: make a key a string, under conditions, with an expiry.
//! Source: the recording `fixtures/oracle/set.txt`.

use crate::command::expiry::{ExpiryOption, Unit, When};
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
                () if !o.keep_ttl => {
                    let expiry = ExpiryOption::parse(word, args)?;
                    // The same option again replaces the first, another one is one too many.
                    if o.expiry.is_some_and(|first| first.unit != expiry.unit) {
                        return Err(CmdError::Syntax);
                    }
                    o.expiry = Some(expiry);
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
    set_with_options(ctx, key, args)
}

fn set_with_options<'a>(ctx: &mut Ctx<'_>, key: &'a [u8], mut args: Args<'a>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let options = Options::parse(&mut args)?;
    let when = options.expiry.as_ref().map(|expiry| expiry.resolve("set", ctx.now)).transpose()?;
    let mut replied = None;
    if options.get {
        let old = ctx.db.string(key)?;
        replied = Some(ctx.reply.bulk_or_null(old));
    }
    if options.only_new || options.only_old {
        let exists = ctx.db.contains_for_write(key);
        if (options.only_new && exists) || (options.only_old && !exists) {
            return Ok(replied.unwrap_or_else(|| ctx.reply.null()));
        }
    }
    match (when, options.expiry) {
        (Some(when), Some(expiry)) => store_until(ctx, key, &request, 2, when, expiry.unit),
        _ => store(ctx, key, &request, &options),
    }
    Ok(replied.unwrap_or_else(|| ctx.reply.ok()))
}

/// Stores without a new expiry. The log need not hear of GET.
fn store(ctx: &mut Ctx<'_>, key: &[u8], request: &Args<'_>, options: &Options<'_>) {
    if options.get {
        let is_get = |word: &[u8]| parse::is(word, "GET");
        let words: Vec<&[u8]> = request
            .all()
            .enumerate()
            .filter(|(i, word)| *i < 3 || !is_get(word))
            .map(|(_, word)| word)
            .collect();
        ctx.propagate(&words);
    }
    let ttl = if options.keep_ttl { Ttl::Keep } else { Ttl::Clear };
    let effect = ctx.db.set(key, argument(request, 2), ttl);
    ctx.record(effect);
}

/// Argument `i` on its way into the database.
fn argument<'a>(request: &Args<'a>, i: usize) -> New<'a> {
    request.shared(i).map_or_else(|| New::Bytes(request.get(i).unwrap_or_default()), New::Shared)
}

/// Stores argument `i` of the request with an expiry, which may lie in the past: then the next lookup finds nothing.
///
/// Logged as SET with PXAT, or as it came if it said that itself.
pub(super) fn store_until(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    request: &Args<'_>,
    i: usize,
    when: When,
    unit: Unit,
) {
    // Before the log hears what came: what was there may have been past its time, and must be heard to go first.
    let effect = ctx.db.set(key, argument(request, i), Ttl::At(when.at_ms));
    if unit.seconds || !unit.absolute {
        let mut digits = itoa::Buffer::new();
        let value = request.get(i).unwrap_or_default();
        ctx.propagate(&[b"SET", key, value, b"PXAT", digits.format(when.at_ms).as_bytes()]);
    }
    ctx.record(effect);
    ctx.record(Effect::new(key, "expire").dirty(0));
}
