//! XINFO: what a stream, its groups and their consumers are like.

use super::{entry, id, xinfo_stream};
use crate::command::help::help;
use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{ENTRIES_READ_UNKNOWN, Group as ConsumerGroup, Log};

pub(super) const XINFO: Command = Command {
    name: "xinfo",
    summary: "What streams, groups and consumers are like.",
    since: "5.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Stream,
    arity: Arity::AtLeast(2),
    subcommands: &[&CONSUMERS, &GROUPS, &HELP, &xinfo_stream::STREAM],
    ..Command::BASE
};

const CONSUMERS: Command = Command {
    name: "consumers",
    syntax: "key group",
    summary: "Tell of each consumer of a group what is pending and when it was last there.",
    since: "5.0.0",
    group: Group::Stream,
    arity: Arity::Exactly(4),
    flags: READONLY,
    acl: acl::STREAM,
    keys: &[KeySpec::at(2, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("XINFO CONSUMERS nosuch g", "ERR no such key")],
    run: consumers,
    ..Command::BASE
};

const GROUPS: Command = Command {
    name: "groups",
    syntax: "key",
    summary: "Tell of each group of a stream how far it is.",
    arity: Arity::Exactly(3),
    tips: &[],
    examples: &[("XINFO GROUPS nosuch", "ERR no such key")],
    run: groups,
    ..CONSUMERS
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    group: Group::Stream,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    acl: acl::STREAM,
    run: |ctx, _| {
        let lines = [
            ("CONSUMERS <key> <groupname>", "The consumers of the group."),
            ("GROUPS <key>", "The groups of the stream."),
            ("STREAM <key> [FULL [COUNT <count>]", "The stream, with FULL all that belongs to it."),
        ];
        Ok(help(ctx, "XINFO", &lines))
    },
    ..Command::BASE
};

fn consumers(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, name) = (args.get(2).unwrap_or_default(), args.get(3).unwrap_or_default());
    let now_ms = id::now_ms(ctx);
    let stream = ctx.db.stream(key)?.ok_or(CmdError::NoSuchKey)?;
    let group = stream.groups.get(name).ok_or_else(|| id::no_group(key, name))?;
    let replied = ctx.reply.array(group.consumers_len());
    for (_, consumer) in group.consumers() {
        ctx.reply.map(4);
        ctx.reply.bulk(b"name");
        ctx.reply.bulk(consumer.name());
        ctx.reply.bulk(b"pending");
        ctx.reply.count(consumer.pending_len());
        ctx.reply.bulk(b"idle");
        ctx.reply.int(now_ms.saturating_sub(consumer.seen_ms).max(0));
        ctx.reply.bulk(b"inactive");
        ctx.reply.int(match consumer.active_ms {
            -1 => -1,
            active_ms => now_ms.saturating_sub(active_ms),
        });
    }
    Ok(replied)
}

fn groups(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let stream = ctx.db.stream(args.get(2).unwrap_or_default())?.ok_or(CmdError::NoSuchKey)?;
    let replied = ctx.reply.array(stream.groups.len());
    for group in stream.groups.iter() {
        ctx.reply.map(6);
        ctx.reply.bulk(b"name");
        ctx.reply.bulk(group.name());
        ctx.reply.bulk(b"consumers");
        ctx.reply.count(group.consumers_len());
        ctx.reply.bulk(b"pending");
        ctx.reply.count(group.pending_len());
        progress(&mut ctx.reply, &stream.log, group);
    }
    Ok(replied)
}

/// How far a group is: three pairs of a map.
pub(super) fn progress(reply: &mut Reply<'_>, log: &Log, group: &ConsumerGroup) {
    reply.bulk(b"last-delivered-id");
    entry::id(reply, group.last_id);
    reply.bulk(b"entries-read");
    int_or_null(reply, Some(group.entries_read).filter(|read| *read != ENTRIES_READ_UNKNOWN));
    reply.bulk(b"lag");
    int_or_null(reply, log.lag(group));
}

fn int_or_null(reply: &mut Reply<'_>, n: Option<i64>) {
    match n {
        Some(n) => reply.int(n),
        None => reply.null(),
    };
}
