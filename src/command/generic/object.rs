//! OBJECT: how a value is kept, and how recently it was used.

use crate::command::help::help;
use crate::command::*;
use crate::keyspace::{Kind, Meta, Policy, View};
use crate::text::num;

pub(super) const OBJECT: Command = Command {
    name: "object",
    summary: "How values are kept, and how recently they were used.",
    since: "2.2.3",
    cost: "Depends on the subcommand.",
    group: Group::Generic,
    arity: Arity::AtLeast(2),
    subcommands: &[&ENCODING, &FREQ, &HELP, &IDLETIME, &REFCOUNT],
    ..Command::BASE
};

const ENCODING: Command = Command {
    name: "encoding",
    syntax: "key",
    summary: "Tell in which form a value is kept.",
    since: "2.2.3",
    group: Group::Generic,
    arity: Arity::Exactly(3),
    flags: READONLY,
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(2, RO)],
    tips: &["nondeterministic_output"],
    examples: &[("OBJECT ENCODING nosuch", "(nil)")],
    run: encoding,
    ..Command::BASE
};

const FREQ: Command = Command {
    name: "freq",
    summary: "Tell the logarithmic count of a key's uses, under an LFU policy.",
    since: "4.0.0",
    examples: &[("OBJECT FREQ nosuch", "(nil)")],
    run: freq,
    ..ENCODING
};

const IDLETIME: Command = Command {
    name: "idletime",
    summary: "Tell the seconds since a key was used, unless under an LFU policy.",
    examples: &[("OBJECT IDLETIME nosuch", "(nil)")],
    run: idletime,
    ..ENCODING
};

const REFCOUNT: Command = Command {
    name: "refcount",
    summary: "Tell how many references there are to a value.",
    examples: &[("OBJECT REFCOUNT nosuch", "(nil)")],
    run: refcount,
    ..ENCODING
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "6.2.0",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    acl: acl::KEYSPACE,
    run: |ctx, _| {
        let lines = [
            ("ENCODING <key>", "The form in which the value is kept."),
            ("FREQ <key>", "The logarithmic count of the key's uses (LFU policies)."),
            ("IDLETIME <key>", "Seconds since the key was used (other policies)."),
            ("REFCOUNT <key>", "References to the value."),
        ];
        Ok(help(ctx, "OBJECT", &lines))
    },
    ..Command::BASE
};

/// The key is the argument behind the subcommand.
fn lookup(ctx: &mut Ctx<'_>, args: &Args<'_>) -> Option<Meta> {
    ctx.db.meta_unheard(args.get(2).unwrap_or_default())
}

fn encoding(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let encoding = lookup(ctx, &args).map(|meta| meta.kind.encoding());
    Ok(ctx.reply.bulk_or_null(encoding.map(str::as_bytes)))
}

fn freq(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(meta) = lookup(ctx, &args) else { return Ok(ctx.reply.null()) };
    let access = &ctx.db.all().access;
    if access.policy != Policy::Lfu {
        return Err(CmdError::text(
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let counter = access.counter(meta.clock, ctx.now.ms);
    Ok(ctx.reply.int(i64::from(counter)))
}

fn idletime(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(meta) = lookup(ctx, &args) else { return Ok(ctx.reply.null()) };
    let access = &ctx.db.all().access;
    if access.policy == Policy::Lfu {
        return Err(CmdError::text(
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        ));
    }
    let idle = access.idle_seconds(meta.clock, ctx.now.ms);
    Ok(ctx.reply.int(i64::try_from(idle).unwrap_or(i64::MAX)))
}

/// What the real server answers for a value that it shares for ever: it keeps one of each small integer.
const SHARED: i64 = i32::MAX as i64;
const SHARED_INTEGERS: std::ops::Range<i64> = 0..10_000;

fn refcount(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(meta) = lookup(ctx, &args) else { return Ok(ctx.reply.null()) };
    let count = references(ctx, meta.kind, args.get(2).unwrap_or_default());
    Ok(ctx.reply.int(count))
}

/// How many the real server would count for the value at `key`.
pub(in crate::command) fn references(ctx: &Ctx<'_>, kind: Kind, key: &[u8]) -> i64 {
    if kind == Kind::StrInt && shares_integers(ctx) && is_small(ctx, key) { SHARED } else { 1 }
}

/// Not where each value needs an access clock of its own.
fn shares_integers(ctx: &Ctx<'_>) -> bool {
    let config = &ctx.state.config;
    config.maxmemory == 0 || !(config.maxmemory_policy.is_lru() || config.maxmemory_policy.is_lfu())
}

fn is_small(ctx: &Ctx<'_>, key: &[u8]) -> bool {
    match ctx.db.peek(key) {
        Some(View::Str(text)) => num::parse_i64(text).is_some_and(|n| SHARED_INTEGERS.contains(&n)),
        _ => false,
    }
}
