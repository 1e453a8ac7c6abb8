//! HEXPIRE, HPEXPIRE, HEXPIREAT, HPEXPIREAT: let fields expire.

use super::fields::{self, Unit};
use crate::command::*;
use crate::value::Hash;

pub(super) const HEXPIRE: Command = Command {
    name: "hexpire",
    syntax: "key seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
    summary: "Let fields expire so many seconds from now on.",
    since: "7.4.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    propagate: Propagate::Rewritten, // an absolute time, and only the fields that it was set for
    examples: &[("HEXPIRE nosuch 100 FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| expire(ctx, args, "hexpire", Unit { seconds: true, absolute: false }),
    ..Command::BASE
};

pub(super) const HPEXPIRE: Command = Command {
    name: "hpexpire",
    syntax: "key milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
    summary: "Let fields expire so many milliseconds from now on.",
    examples: &[("HPEXPIRE nosuch 100 FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| expire(ctx, args, "hpexpire", Unit { seconds: false, absolute: false }),
    ..HEXPIRE
};

pub(super) const HEXPIREAT: Command = Command {
    name: "hexpireat",
    syntax: "key unix-time-seconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
    summary: "Let fields expire at a time given in unix seconds.",
    examples: &[("HEXPIREAT nosuch 100 FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| expire(ctx, args, "hexpireat", Unit { seconds: true, absolute: true }),
    ..HEXPIRE
};

pub(super) const HPEXPIREAT: Command = Command {
    name: "hpexpireat",
    syntax: "key unix-time-milliseconds [NX|XX|GT|LT] FIELDS numfields field [field ...]",
    summary: "Let fields expire at a time given in unix milliseconds.",
    examples: &[("HPEXPIREAT nosuch 100 FIELDS 1 f", "1) (integer) -2")],
    run: |ctx, args| expire(ctx, args, "hpexpireat", Unit { seconds: false, absolute: true }),
    ..HEXPIRE
};

/// Which fields are meant, by the expiry that they have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Only {
    Without,
    With,
    Earlier,
    Later,
}

impl Only {
    fn parse(word: &[u8]) -> Option<Only> {
        match () {
            () if parse::is(word, "NX") => Some(Only::Without),
            () if parse::is(word, "XX") => Some(Only::With),
            () if parse::is(word, "GT") => Some(Only::Earlier),
            () if parse::is(word, "LT") => Some(Only::Later),
            () => None,
        }
    }

    /// Whether a field that expires at `old` is to expire at `new`. No expiry is later than any.
    fn allows(self, old: Option<u64>, new: u64) -> bool {
        match (self, old) {
            (Only::Without, old) => old.is_none(),
            (Only::With, old) => old.is_some(),
            (Only::Earlier, old) => old.is_some_and(|old| old < new),
            (Only::Later, old) => old.is_none_or(|old| old > new),
        }
    }
}

/// What became of a field; the numbers are the answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Missing = -2,
    Refused = 0,
    Set = 1,
    Deleted = 2,
}

/// What is to be done to each field.
#[derive(Clone, Copy)]
struct Request {
    at_ms: u64,
    only: Option<Only>,
    /// The time has passed, so fields go at once.
    past: bool,
}

impl Request {
    /// A field past its time that nothing has removed yet counts as there, as in the real server.
    fn apply(self, hash: &mut Hash, field: &[u8]) -> Outcome {
        match hash.get(field) {
            None => return Outcome::Missing,
            Some(item) if !self.only.is_none_or(|only| only.allows(item.deadline, self.at_ms)) => {
                return Outcome::Refused;
            }
            Some(_) => {}
        }
        if self.past {
            hash.remove(field);
            return Outcome::Deleted;
        }
        hash.set_deadline(field, Some(self.at_ms));
        Outcome::Set
    }
}

fn expire(
    ctx: &mut Ctx<'_>,
    mut args: Args<'_>,
    name: &'static str,
    unit: Unit,
) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    fields::is_hash(ctx, key)?;
    let at_ms = unit.deadline(args.arg()?, name, ctx)?;
    let condition = args.peek().filter(|word| Only::parse(word).is_some());
    if condition.is_some() {
        args.next();
    }
    let fields_word = args.peek();
    fields::counted(&mut args, "ERR Parameter `numFields` should be greater than 0")?;

    let request = Request { at_ms, only: condition.and_then(Only::parse), past: ctx.already_past(at_ms) };
    let replied = ctx.reply.array(args.remaining());
    let (changed, effect) = ctx.db.edit_hash(key, Missing::Leave, |hash, _| {
        hash.prepare_deadlines();
        let mut changed = Vec::new();
        for field in args.clone() {
            let outcome = request.apply(hash, field);
            ctx.reply.int(outcome as i64);
            if matches!(outcome, Outcome::Set | Outcome::Deleted) {
                changed.push(field);
            }
        }
        let event = if request.past { "hdel" } else { "hexpire" };
        let change = Change::new(event, changed.len());
        (changed, change)
    })?;
    let Some(changed) = changed else {
        args.for_each(|_| {
            ctx.reply.int(Outcome::Missing as i64);
        });
        return Ok(replied);
    };
    if request.past {
        fields::propagate_deletions(ctx, key, &changed);
    } else if !changed.is_empty() {
        propagate(ctx, key, at_ms, condition, fields_word, &changed);
    }
    ctx.record(effect);
    Ok(replied)
}

/// Tells the log the time, and the fields that it was set for.
fn propagate(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    at_ms: u64,
    condition: Option<&[u8]>,
    fields_word: Option<&[u8]>,
    set: &[&[u8]],
) {
    let (mut at, mut count) = (itoa::Buffer::new(), itoa::Buffer::new());
    let mut words: Vec<&[u8]> = vec![b"HPEXPIREAT", key, at.format(at_ms).as_bytes()];
    words.extend(condition);
    words.extend(fields_word);
    words.push(count.format(set.len()).as_bytes());
    words.extend(set);
    ctx.propagate(&words);
}
