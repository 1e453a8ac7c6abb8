//! HGETEX: read fields and change when they expire.

use super::fields::{self, NO_COUNT, Unit};
use crate::command::answer::ReplyExt;
use crate::command::*;
use crate::value::Hash;

pub(super) const HGETEX: Command = Command {
    name: "hgetex",
    syntax: "key [EX seconds|PX milliseconds|EXAT unix-time-seconds|PXAT unix-time-milliseconds|PERSIST] FIELDS numfields field [field ...]",
    summary: "Read fields, and set, move or drop their expiries.",
    since: "8.0.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec {
        notes: "RW and UPDATE as the expiry may change",
        ..KeySpec::at(1, RW.or(ACCESS).or(UPDATE))
    }],
    propagate: Propagate::Rewritten, // as what it does to the expiries
    examples: &[("HGETEX nosuch FIELDS 1 f", "1) (nil)")],
    run: hgetex,
    ..Command::BASE
};

/// What is to become of the fields' expiries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expiry {
    Keep,
    Drop,
    /// Unix ms.
    At(u64),
    /// At a time that has passed: the fields go.
    Past,
}

impl Expiry {
    fn parse(ctx: &Ctx<'_>, args: &mut Args<'_>) -> Result<Expiry, CmdError> {
        let Some(word) = args.peek() else { return Ok(Expiry::Keep) };
        if parse::is(word, "PERSIST") {
            args.next();
            return Ok(Expiry::Drop);
        }
        let Some(unit) = Unit::of(word) else { return Ok(Expiry::Keep) };
        args.next();
        let at_ms = unit.deadline(args.arg()?, "hgetex", ctx)?;
        Ok(if ctx.already_past(at_ms) { Expiry::Past } else { Expiry::At(at_ms) })
    }

    /// Changes a field that is there; whether that changed anything.
    fn apply(self, hash: &mut Hash, field: &[u8], old: Option<u64>) -> bool {
        match self {
            Expiry::Keep => false,
            Expiry::Drop => old.is_some() && hash.set_deadline(field, None),
            Expiry::At(at_ms) => hash.set_deadline(field, Some(at_ms)),
            Expiry::Past => hash.remove(field),
        }
    }

    fn event(self) -> &'static str {
        match self {
            Expiry::Keep => "",
            Expiry::Drop => "hpersist",
            Expiry::At(_) => "hexpire",
            Expiry::Past => "hdel",
        }
    }
}

fn hgetex(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    fields::is_hash(ctx, key)?;
    let expiry = Expiry::parse(ctx, &mut args)?;
    if args.remaining() < 2 {
        return Err(CmdError::Arity("hgetex".into()));
    }
    let counted = args.clone();
    fields::counted(&mut args, NO_COUNT)?;
    ctx.db.lapse_fields(key, args.clone());
    let clock = ctx.db.field_clock();
    let replied = ctx.reply.array(args.remaining());
    let (changed, effect) = ctx.db.edit_hash(key, Missing::Leave, |hash, _| {
        if expiry != Expiry::Keep {
            hash.prepare_deadlines();
        }
        let mut changed = Vec::new();
        for field in args.clone() {
            let Some(item) = hash.get_live(field, clock) else {
                ctx.reply.null();
                continue;
            };
            ctx.reply.element(item.value);
            let old = item.deadline;
            if expiry.apply(hash, field, old) {
                changed.push(field);
            }
        }
        let change = Change::new(expiry.event(), changed.len());
        (changed, change)
    })?;
    match changed {
        None => args.for_each(|_| {
            ctx.reply.null();
        }),
        Some(changed) => propagate(ctx, key, expiry, &changed, counted),
    }
    ctx.record(effect);
    Ok(replied)
}

/// Tells the log what became of the expiries: of all the fields that were named, as the real server does.
fn propagate(ctx: &mut Ctx<'_>, key: &[u8], expiry: Expiry, changed: &[&[u8]], counted: Args<'_>) {
    let mut at = itoa::Buffer::new();
    let mut words: Vec<&[u8]> = match expiry {
        _ if changed.is_empty() => return,
        Expiry::Keep => return,
        Expiry::Past => return fields::propagate_deletions(ctx, key, changed),
        Expiry::Drop => vec![b"HPERSIST", key],
        Expiry::At(at_ms) => vec![b"HPEXPIREAT", key, at.format(at_ms).as_bytes()],
    };
    words.extend(counted);
    ctx.propagate(&words);
}
