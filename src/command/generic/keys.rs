//! KEYS, SCAN, RANDOMKEY: which keys there are.

use super::type_of;
use crate::command::scan::{self, Found, ScanOptions, Scanned};
use crate::command::*;
use crate::keyspace::Type;
use crate::text::glob;

pub(super) const KEYS: Command = Command {
    name: "keys",
    syntax: "pattern",
    summary: "List all keys whose names fit a pattern.",
    since: "1.0.0",
    cost: "O(N) in the number of keys of the database",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: READONLY,
    acl: acl::KEYSPACE.or(acl::DANGEROUS),
    tips: &["request_policy:all_shards", "nondeterministic_output_order"],
    examples: &[("KEYS *", "(empty array)")],
    run: keys,
    ..Command::BASE
};

pub(super) const SCAN: Command = Command {
    name: "scan",
    syntax: "cursor [MATCH pattern] [COUNT count] [TYPE type]",
    summary: "Walk through the keys in steps.",
    since: "2.8.0",
    cost: "O(1) for a step, O(N) for all",
    group: Group::Generic,
    arity: Arity::AtLeast(2),
    flags: READONLY.or(TOUCHES_ARBITRARY_KEYS),
    acl: acl::KEYSPACE,
    tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
    examples: &[("SCAN x", "ERR invalid cursor")],
    run: scan,
    ..Command::BASE
};

pub(super) const RANDOMKEY: Command = Command {
    name: "randomkey",
    syntax: "",
    summary: "Name any key.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(1),
    flags: READONLY.or(TOUCHES_ARBITRARY_KEYS),
    acl: acl::KEYSPACE,
    tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
    examples: &[("RANDOMKEY", "(nil)")],
    run: randomkey,
    ..Command::BASE
};

fn keys(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let pattern = args.arg()?;
    let (all, mut found) = (pattern == b"*", 0);
    let array = ctx.reply.deferred_array();
    ctx.db.each_key(|key, _| {
        if (all || glob::matches(pattern, key, false)) && !ctx.reply.is_over() {
            ctx.reply.bulk(key);
            found += 1;
        }
    });
    Ok(ctx.reply.patch(array, found))
}

/// What TYPE asks for: a type that nothing has is no error.
fn wanted(name: &[u8]) -> Option<Type> {
    let types = [Type::String, Type::List, Type::Set, Type::Zset, Type::Hash, Type::Stream];
    types.into_iter().find(|of| parse::is(name, type_of::name(*of)))
}

fn scan(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let cursor = scan::cursor(args.arg()?)?;
    let options = ScanOptions::parse(&mut args, Scanned::Keys)?;
    let of = options.type_name.map(wanted);
    let mut found = Found::default();
    let (mut hits, mut misses) = (0, 0);
    let cursor = options.run(cursor, |cursor, seen| {
        let wanted = |key: &[u8]| {
            *seen += 1;
            options.matches(key)
        };
        let (next, lapsed) = ctx.db.scan(cursor, wanted, |key, type_of| {
            hits += 1;
            if of.is_none_or(|of| of == Some(type_of)) {
                found.push(key);
            }
        });
        misses += lapsed;
        next
    });
    if of.is_some() {
        ctx.db.count_lookups(hits, misses); // each key is looked up for its type
    }
    Ok(found.reply(&mut ctx.reply, cursor))
}

fn randomkey(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let key = ctx.db.random_key(&mut ctx.state.rng);
    Ok(ctx.reply.bulk_or_null(key.as_deref()))
}
