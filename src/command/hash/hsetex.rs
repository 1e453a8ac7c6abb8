//! HSETEX: set fields and when they expire.

use super::fields::{self, Unit};
use crate::command::*;
use crate::value::hash::{Hash, Ttl};

pub(super) const HSETEX: Command = Command {
    name: "hsetex",
    syntax: "key [FNX|FXX] [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|KEEPTTL] FIELDS numfields field value [field value ...]",
    summary: "Set fields and their expiries, if all of them are there, or none.",
    since: "8.0.0",
    cost: "O(N) in the number of fields set",
    group: Group::Hash,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[
        ("HSETEX h EX 100 FIELDS 1 f v", "(integer) 1"),
        ("HSETEX h FXX FIELDS 1 f v", "(integer) 0"),
    ],
    run: hsetex,
    ..Command::BASE
};

/// What is to become of the fields' expiries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Clear,
    Keep,
    /// Unix ms, and which argument gave it.
    At(u64, usize),
}

struct Options {
    /// Only if all fields are there (true), or none (false).
    only: Option<bool>,
    expiry: Expiry,
}

impl Options {
    /// Reads up to `FIELDS numfields`, and leaves the cursor at the first field.
    fn parse(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Options, CmdError> {
        let mut options = Options { only: None, expiry: Expiry::Clear };
        while let Some(word) = args.next() {
            match () {
                () if parse::is(word, "FIELDS") => return counted(args).map(|()| options),
                () if parse::is(word, "FXX") || parse::is(word, "FNX") => {
                    if options.only.replace(parse::is(word, "FXX")).is_some() {
                        let line = "ERR Only one of FXX or FNX arguments can be specified";
                        return Err(CmdError::text(line));
                    }
                }
                () => options.expiry = options.expiry(ctx, word, args)?,
            }
        }
        Err(arity())
    }

    fn expiry(&self, ctx: &Ctx<'_>, word: &[u8], args: &mut Args<'_>) -> Result<Expiry, CmdError> {
        let unit = Unit::of(word);
        if unit.is_none() && !parse::is(word, "KEEPTTL") {
            let line = format!("ERR unknown argument: {}", shown(word));
            return Err(CmdError::text(line));
        }
        if self.expiry != Expiry::Clear {
            let line = "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
            return Err(CmdError::text(line));
        }
        let Some(unit) = unit else { return Ok(Expiry::Keep) };
        let at = Args::position(args); // not the iterator's
        let number = args.next().ok_or(CmdError::text("ERR missing expire time"))?;
        Ok(Expiry::At(unit.deadline(number, "hsetex", ctx)?, at))
    }
}

fn arity() -> CmdError {
    CmdError::Arity("hsetex".into())
}

/// Reads the number of fields, of which there must be so many with a value each, and nothing else.
fn counted(args: &mut Args<'_>) -> Result<(), CmdError> {
    if args.remaining() < 3 {
        return Err(arity());
    }
    let count = parse::at_least(1, args.arg()?, "ERR invalid number of fields")?;
    if count > i64::from(i32::MAX) {
        return Err(CmdError::text("ERR invalid number of fields"));
    }
    let fits = args.remaining().is_multiple_of(2) && args.remaining() as i64 / 2 == count;
    fits.then_some(()).ok_or_else(arity)
}

fn hsetex(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let options = Options::parse(ctx, &mut args)?;
    fields::is_hash(ctx, key)?;
    if options.only.is_some_and(|all| !condition_holds(ctx, key, all, &args)) {
        return Ok(ctx.reply.int(0));
    }
    ctx.db.take_back_emptied(key);
    let past = matches!(options.expiry, Expiry::At(at_ms, _) if ctx.already_past(at_ms));
    let pairs = args.remaining() / 2;
    // A hash that is made and emptied at once is new all the same.
    let appears = past && !ctx.db.contains(key);
    let (emptied, effect) = ctx.db.edit_hash(key, Missing::Create, |hash, limits| {
        hash.expect(pairs, args.clone().map(<[u8]>::len), limits);
        if matches!(options.expiry, Expiry::At(..)) {
            hash.prepare_deadlines();
        }
        let ttl = if options.expiry == Expiry::Clear { Ttl::Clear } else { Ttl::Keep };
        let mut rest = args.clone();
        while let (Some(field), Some(value)) = (rest.next(), rest.next()) {
            hash.set(field, value, ttl, limits);
            expire(hash, field, options.expiry, past);
        }
        (hash.is_empty(), Change::new("hset", pairs))
    })?;
    propagate(ctx, key, options.expiry, past, &args);
    let effect = Effect { created: effect.created || appears, ..effect };
    record(ctx, key, options.expiry, past, pairs, effect, emptied == Some(true));
    Ok(ctx.reply.int(1))
}

fn expire(hash: &mut Hash, field: &[u8], expiry: Expiry, past: bool) {
    match expiry {
        Expiry::At(..) if past => {
            hash.remove(field);
        }
        Expiry::At(at_ms, _) => {
            hash.set_deadline(field, Some(at_ms));
        }
        Expiry::Clear | Expiry::Keep => {}
    }
}

/// Whether all fields are there, or none. Fields past their time that are met on the way are deleted.
fn condition_holds(ctx: &mut Ctx<'_>, key: &[u8], all: bool, pairs: &Args<'_>) -> bool {
    let clock = ctx.db.field_clock();
    let mut seen = 0;
    let mut holds = true;
    {
        let hash = match ctx.db.peek(key) {
            Some(crate::keyspace::View::Hash(hash)) => hash,
            _ => return !all,
        };
        for field in pairs.clone().step_by(2) {
            seen += 1;
            holds = hash.get_live(field, clock).is_some() == all;
            if !holds {
                break;
            }
        }
    }
    ctx.db.lapse_fields(key, pairs.clone().step_by(2).take(seen));
    holds
}

/// Tells the log the fields that went at once, or the time as it is, if it was given in another way.
fn propagate(ctx: &mut Ctx<'_>, key: &[u8], expiry: Expiry, past: bool, pairs: &Args<'_>) {
    let Expiry::At(at_ms, at) = expiry else { return };
    if past {
        let gone: Vec<_> = pairs.clone().step_by(2).collect();
        return fields::propagate_deletions(ctx, key, &gone);
    }
    if pairs.get(at - 1).is_some_and(|word| parse::is(word, "PXAT")) {
        return;
    }
    let mut buf = itoa::Buffer::new();
    let mut words: Vec<_> = pairs.all().collect();
    (words[at - 1], words[at]) = (b"PXAT", buf.format(at_ms).as_bytes());
    ctx.propagate(&words);
}

/// Records the values, and then the expiries.
fn record<'k>(
    ctx: &mut Ctx<'_>,
    key: &'k [u8],
    expiry: Expiry,
    past: bool,
    pairs: usize,
    effect: Effect<'k>,
    emptied: bool,
) {
    let Expiry::At(..) = expiry else { return ctx.record(effect) };
    let created = effect.created;
    ctx.record(Effect { created, dirty: pairs as u64, ..Effect::new(key, "hset") });
    let event = if past { "hdel" } else { "hexpire" };
    ctx.record(Effect { emptied, dirty: 0, ..Effect::new(key, event) });
}
