//! SYNC, REPLCONF: follow every change from now on, after a snapshot of what there is.
//!
//! Tools (redis-cli --replica, --rdb) and replicas that know no better speak so. Of resuming (PSYNC) nothing is here.

use crate::command::*;
use crate::engine::session::Wanted;

pub(super) const SYNC: Command = Command {
    name: "sync",
    syntax: "",
    summary: "Send a snapshot, and every change that follows it.",
    since: "1.0.0",
    cost: "O(N) in the number of keys",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: NO_ASYNC_LOADING.or(ADMIN).or(NO_MULTI).or(NOSCRIPT),
    run: sync,
    ..Command::BASE
};

pub(super) const REPLCONF: Command = Command {
    name: "replconf",
    syntax: "",
    summary: "Say what one can take, before SYNC.",
    since: "3.0.0",
    cost: "O(1)",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE).or(ALLOW_BUSY),
    run: replconf,
    ..Command::BASE
};

/// Answered by the snapshot, once there is one.
fn sync(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    if ctx.state.followers.add(ctx.session.id) {
        let host = ctx.host;
        host.send_snapshots(ctx);
    }
    // A second time is not answered at all.
    Ok(Replied::nothing())
}

/// Pairs of a name and a value; what we have no use for is taken all the same.
fn replconf(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.remaining() % 2 == 1 {
        return Err(CmdError::Syntax);
    }
    while let Some(name) = args.next() {
        let value = args.arg()?;
        match () {
            () if parse::is(name, "LISTENING-PORT") => {
                parse::int(value)?;
            }
            () if parse::is(name, "IP-ADDRESS") || parse::is(name, "CAPA") => {}
            () if parse::is(name, "RDB-FILTER-ONLY") => ctx.session.wanted = wanted(value)?,
            () if parse::is(name, "ACK") => return Ok(acknowledge(ctx, value, &mut args)),
            () => {
                let name = shown(name);
                return Err(CmdError::text(format!("ERR Unrecognized REPLCONF option: {name}")));
            }
        }
    }
    Ok(ctx.reply.ok())
}

/// What a follower has taken so far (`ACK offset [FACK offset]`, the second of its own log). It expects no answer.
fn acknowledge(ctx: &mut Ctx<'_>, received: &[u8], args: &mut Args<'_>) -> Replied {
    let offset =
        |bytes: &[u8]| parse::int(bytes).ok().and_then(|offset| u64::try_from(offset).ok()).unwrap_or(0);
    let synced = args.next().filter(|word| parse::is(word, "FACK")).and_then(|_| args.next());
    ctx.state.followers.acknowledge(ctx.session.id, offset(received), synced.map_or(0, offset));
    ctx.host.rearm();
    Replied::nothing()
}

/// The parts of a snapshot that are wanted, by name; keys have none.
fn wanted(list: &[u8]) -> Result<Wanted, CmdError> {
    let mut wanted = Wanted::Nothing;
    for part in list.split(|b| *b == b' ').filter(|part| !part.is_empty()) {
        if !parse::is(part, "FUNCTIONS") {
            let part = String::from_utf8_lossy(part);
            return Err(CmdError::text(format!("ERR Unsupported rdb-filter-only option: {part}")));
        }
        wanted = Wanted::Functions;
    }
    Ok(wanted)
}
