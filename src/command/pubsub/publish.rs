//! PUBLISH, SPUBLISH: send a message to who listens.

use crate::command::*;

pub(super) const PUBLISH: Command = Command {
    name: "publish",
    syntax: "channel message",
    summary: "Send a message to a channel; how many got it.",
    since: "2.0.0",
    cost: "O(N+M) in the channel's listeners and all patterns",
    group: Group::PubSub,
    arity: Arity::Exactly(3),
    flags: PUBSUB.or(LOADING).or(STALE).or(FAST).or(MAY_REPLICATE),
    propagate: Propagate::Never,
    examples: &[("PUBLISH news hello", "(integer) 0")],
    run: publish,
    ..Command::BASE
};

pub(super) const SPUBLISH: Command = Command {
    name: "spublish",
    syntax: "shardchannel message",
    summary: "Send a message to a shard channel; how many got it.",
    since: "7.0.0",
    cost: "O(N) in the channel's listeners",
    keys: &[KeySpec::at(1, NOT_KEY)],
    examples: &[("SPUBLISH news hello", "(integer) 0")],
    run: spublish,
    ..PUBLISH
};

fn publish(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (channel, message) = (args.arg()?, args.arg()?);
    let heard = ctx.state.pubsub.publish(&mut ctx.state.clients, channel, message);
    ctx.state.tell_followers(ctx.session.db, &[b"PUBLISH", channel, message]);
    Ok(ctx.reply.count(heard))
}

fn spublish(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (channel, message) = (args.arg()?, args.arg()?);
    let heard = ctx.state.pubsub.publish_shard(&mut ctx.state.clients, channel, message);
    ctx.state.tell_followers(ctx.session.db, &[b"SPUBLISH", channel, message]);
    Ok(ctx.reply.count(heard))
}
