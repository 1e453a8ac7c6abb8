//! WAIT, WAITAOF: wait until the caller's last write is elsewhere, too: with followers, or durable in the append log.
//!
//! What counts is the write that the client made last, whoever has written since. A wait ends with the count that there
//! is when its time is up; within MULTI at once.

use crate::command::*;
use crate::engine::LogState;
use crate::engine::blocked::WaitFor;

pub(super) const WAIT: Command = Command {
    name: "wait",
    syntax: "numreplicas timeout",
    summary: "Wait until so many replicas have what the client wrote last.",
    since: "3.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(3),
    flags: BLOCKING,
    acl: acl::CONNECTION,
    tips: &["request_policy:all_shards", "response_policy:agg_min"],
    propagate: Propagate::Never,
    examples: &[("WAIT 0 0", "(integer) 0"), ("WAIT 0 -1", "ERR timeout is negative")],
    run: wait,
    ..Command::BASE
};

pub(super) const WAITAOF: Command = Command {
    name: "waitaof",
    syntax: "numlocal numreplicas timeout",
    summary: "Wait until what the client wrote last is durable: in this server's append log, in those of so many replicas.",
    since: "7.2.0",
    arity: Arity::Exactly(4),
    examples: &[
        ("WAITAOF 2 0 0", "ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF 0 -1 0", "ERR value is out of range, must be positive"),
    ],
    run: wait_aof,
    ..WAIT
};

fn wait(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let wanted = args.int()?;
    let timeout_us = parse::timeout_ms(args.arg()?, ctx.now.ms)?;
    let there = ctx.state.followers.received(ctx.session.wrote.stream) as i64;
    if there < wanted
        && let Some(replied) = hold(ctx, &request, timeout_us)
    {
        return Ok(replied);
    }
    Ok(ctx.reply.int(there))
}

fn wait_aof(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let local = local(args.arg()?)?;
    let replicas = parse::not_negative(args.arg()?)?;
    let timeout_us = parse::timeout_ms(args.arg()?, ctx.now.ms)?;
    if local && !ctx.state.config.appendonly {
        let line = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
        return Err(CmdError::text(line));
    }
    let is_durable = is_durable(ctx);
    let there = ctx.state.followers.synced(ctx.session.wrote.stream);
    if ((local && !is_durable) || there < replicas)
        && let Some(replied) = hold(ctx, &request, timeout_us)
    {
        if local {
            ctx.host.tell_when_synced(ctx.session.wrote.log);
        }
        return Ok(replied);
    }
    ctx.reply.array(2);
    ctx.reply.int(i64::from(is_durable));
    Ok(ctx.reply.int(there as i64))
}

/// Whether the last write is in the log to stay.
fn is_durable(ctx: &Ctx<'_>) -> bool {
    ctx.state.log.state == LogState::On && ctx.host.log_vitals().synced >= ctx.session.wrote.log
}

/// Lets the client wait for followers and the log; `None` where nobody may, or no longer.
fn hold(ctx: &mut Ctx<'_>, request: &Args<'_>, timeout_us: u64) -> Option<Replied> {
    let replied = ctx.block(request, std::iter::empty(), WaitFor::Copies, timeout_us)?;
    if ctx.session.keeps_place.is_none() {
        ctx.state.followers.ask(&mut ctx.state.clients);
    }
    Some(replied)
}

/// Reads how many logs of this server's are meant: it has one.
fn local(bytes: &[u8]) -> Result<bool, CmdError> {
    match parse::int(bytes)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(CmdError::text("ERR value is out of range, value must between 0 and 1")),
    }
}
