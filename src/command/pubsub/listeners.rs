//! PUBSUB: who listens to what.

use crate::command::*;
use crate::engine::pubsub::Kind;
use crate::text::glob;

pub(super) const LISTENERS: Command = Command {
    name: "pubsub",
    summary: "Tell who listens to what.",
    since: "2.8.0",
    cost: "Depends on subcommand.",
    group: Group::PubSub,
    arity: Arity::AtLeast(2),
    flags: Flags::NONE,
    subcommands: &[&CHANNELS, &HELP, &NUMPAT, &NUMSUB, &SHARDCHANNELS, &SHARDNUMSUB],
    propagate: Propagate::Never,
    ..Command::BASE
};

const SUB: Command = Command {
    since: "2.8.0",
    group: Group::PubSub,
    flags: PUBSUB.or(LOADING).or(STALE),
    propagate: Propagate::Never,
    ..Command::BASE
};

const CHANNELS: Command = Command {
    name: "channels",
    syntax: "[pattern]",
    summary: "Channels that somebody listens to.",
    cost: "O(N) in the number of channels",
    arity: Arity::AtLeast(2),
    run: |ctx, args| channels(ctx, args, Kind::Channel),
    ..SUB
};

const SHARDCHANNELS: Command = Command {
    name: "shardchannels",
    syntax: "[pattern]",
    summary: "Shard channels that somebody listens to.",
    since: "7.0.0",
    cost: "O(N) in the number of channels",
    arity: Arity::AtLeast(2),
    run: |ctx, args| channels(ctx, args, Kind::Shard),
    ..SUB
};

const NUMSUB: Command = Command {
    name: "numsub",
    syntax: "[channel [channel ...]]",
    summary: "How many listen to each of these channels.",
    cost: "O(N) in the number of channels asked for",
    arity: Arity::AtLeast(2),
    run: |ctx, args| numsub(ctx, args, Kind::Channel),
    ..SUB
};

const SHARDNUMSUB: Command = Command {
    name: "shardnumsub",
    syntax: "[shardchannel [shardchannel ...]]",
    summary: "How many listen to each of these shard channels.",
    since: "7.0.0",
    cost: "O(N) in the number of channels asked for",
    arity: Arity::AtLeast(2),
    run: |ctx, args| numsub(ctx, args, Kind::Shard),
    ..SUB
};

const NUMPAT: Command = Command {
    name: "numpat",
    summary: "How many different patterns are subscribed to.",
    arity: Arity::Exactly(2),
    run: numpat,
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "What there is to ask.",
    since: "6.2.0",
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    run: help,
    ..SUB
};

fn channels(ctx: &mut Ctx<'_>, args: Args<'_>, kind: Kind) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        return Err(bad_subcommand(&args));
    }
    let pattern = args.get(2);
    let deferred = ctx.reply.deferred_array();
    let mut count = 0;
    for (name, _) in ctx.state.pubsub.channels(kind) {
        if pattern.is_none_or(|pattern| glob::matches(pattern, name, false)) {
            ctx.reply.bulk(name);
            count += 1;
        }
    }
    Ok(ctx.reply.patch(deferred, count))
}

fn numsub(ctx: &mut Ctx<'_>, args: Args<'_>, kind: Kind) -> Result<Replied, CmdError> {
    let mut replied = ctx.reply.array((args.len() - 2) * 2);
    for name in args.all().skip(2) {
        let count = ctx.state.pubsub.listener_count(kind, name);
        ctx.reply.bulk(name);
        replied = ctx.reply.count(count);
    }
    Ok(replied)
}

fn numpat(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    Ok(ctx.reply.count(ctx.state.pubsub.pattern_count()))
}

const HELP_LINES: &[&str] = &[
    "PUBSUB <subcommand> [<arg> [value] [opt] ...]. subcommands are:",
    "CHANNELS [<pattern>]",
    "    Channels with listeners (all, or those that match).",
    "NUMPAT",
    "    Number of different patterns.",
    "NUMSUB [<channel> ...]",
    "    Number of listeners of each channel, patterns left aside.",
    "SHARDCHANNELS [<pattern>]",
    "    Shard channels with listeners (all, or those that match).",
    "SHARDNUMSUB [<shardchannel> ...]",
    "    Number of listeners of each shard channel.",
    "HELP",
    "    Print this help.",
];

fn help(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let mut replied = ctx.reply.array(HELP_LINES.len());
    for line in HELP_LINES {
        replied = ctx.reply.simple(line);
    }
    Ok(replied)
}
