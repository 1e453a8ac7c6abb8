//! SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites.

use crate::command::*;
use crate::engine::pubsub::Kind;

pub(super) const SUBSCRIBE: Command = Command {
    name: "subscribe",
    syntax: "channel [channel ...]",
    summary: "Get the messages of these channels from now on.",
    since: "2.0.0",
    cost: "O(N) in the number of channels",
    group: Group::PubSub,
    arity: Arity::AtLeast(2),
    flags: PUBSUB.or(NOSCRIPT).or(LOADING).or(STALE),
    propagate: Propagate::Never,
    run: |ctx, args| subscribe(ctx, args, Kind::Channel),
    ..Command::BASE
};

pub(super) const PSUBSCRIBE: Command = Command {
    name: "psubscribe",
    syntax: "pattern [pattern ...]",
    summary: "Get the messages of all channels that match these patterns from now on.",
    run: |ctx, args| subscribe(ctx, args, Kind::Pattern),
    ..SUBSCRIBE
};

pub(super) const SSUBSCRIBE: Command = Command {
    name: "ssubscribe",
    syntax: "shardchannel [shardchannel ...]",
    summary: "Get the messages of these shard channels from now on.",
    since: "7.0.0",
    keys: &[KeySpec::range(1, -1, 1, NOT_KEY)],
    run: |ctx, args| subscribe(ctx, args, Kind::Shard),
    ..SUBSCRIBE
};

pub(super) const UNSUBSCRIBE: Command = Command {
    name: "unsubscribe",
    syntax: "[channel [channel ...]]",
    summary: "Get no more messages of these channels, or of any.",
    arity: Arity::AtLeast(1),
    run: |ctx, args| unsubscribe(ctx, args, Kind::Channel),
    ..SUBSCRIBE
};

pub(super) const PUNSUBSCRIBE: Command = Command {
    name: "punsubscribe",
    syntax: "[pattern [pattern ...]]",
    summary: "Get no more messages by these patterns, or by any.",
    arity: Arity::AtLeast(1),
    run: |ctx, args| unsubscribe(ctx, args, Kind::Pattern),
    ..SUBSCRIBE
};

pub(super) const SUNSUBSCRIBE: Command = Command {
    name: "sunsubscribe",
    syntax: "[shardchannel [shardchannel ...]]",
    summary: "Get no more messages of these shard channels, or of any.",
    since: "7.0.0",
    arity: Arity::AtLeast(1),
    keys: &[KeySpec::range(1, -1, 1, NOT_KEY)],
    run: |ctx, args| unsubscribe(ctx, args, Kind::Shard),
    ..SUBSCRIBE
};

/// How many subscriptions a confirmation tells: shard channels count on their own.
fn count(ctx: &Ctx<'_>, kind: Kind) -> usize {
    let (channels, patterns, shards) = ctx.state.pubsub.counts(ctx.session.id);
    if kind == Kind::Shard { shards } else { channels + patterns }
}

fn confirm(ctx: &mut Ctx<'_>, word: &str, name: Option<&[u8]>, kind: Kind) -> Replied {
    let count = count(ctx, kind);
    // Each is a reply of its own; the connection is owed only one, the others are unasked.
    let mut reply = ctx.reply.unasked();
    reply.push(3);
    reply.bulk(word.as_bytes());
    reply.bulk_or_null(name);
    reply.count(count)
}

fn subscribe(ctx: &mut Ctx<'_>, args: Args<'_>, kind: Kind) -> Result<Replied, CmdError> {
    // Inside a transaction a RESP2 client could not tell the confirmations from the replies.
    if ctx.session.executing && !ctx.reply.is_resp3() {
        let word = kind.words().0;
        return Err(CmdError::Other(
            format!("ERR {} isn't allowed for a DENY BLOCKING client", word.to_ascii_uppercase()).into(),
        ));
    }
    for name in args {
        ctx.state.pubsub.subscribe(ctx.session.id, kind, name);
        confirm(ctx, kind.words().0, Some(name), kind);
    }
    Ok(ctx.reply.settled())
}

fn unsubscribe(ctx: &mut Ctx<'_>, args: Args<'_>, kind: Kind) -> Result<Replied, CmdError> {
    let word = kind.words().1;
    if args.remaining() > 0 {
        for name in args {
            ctx.state.pubsub.unsubscribe(ctx.session.id, kind, name);
            confirm(ctx, word, Some(name), kind);
        }
        return Ok(ctx.reply.settled());
    }
    let names = ctx.state.pubsub.names(ctx.session.id, kind);
    for name in &names {
        ctx.state.pubsub.unsubscribe(ctx.session.id, kind, name);
        confirm(ctx, word, Some(name), kind);
    }
    if names.is_empty() {
        confirm(ctx, word, None, kind);
    }
    Ok(ctx.reply.settled())
}
