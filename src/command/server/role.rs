//! ROLE, LOLWUT: what this server is.

use crate::command::*;
use crate::text::version;

pub(super) const ROLE: Command = Command {
    name: "role",
    summary: "Tell the server's part in replication.",
    since: "2.8.12",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST),
    acl: acl::ADMIN.or(acl::DANGEROUS),
    run: role,
    ..Command::BASE
};

pub(super) const LOLWUT: Command = Command {
    name: "lolwut",
    syntax: "[VERSION version]",
    summary: "Tell the server's version.",
    since: "5.0.0",
    cost: "",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: READONLY.or(FAST),
    run: lolwut,
    ..Command::BASE
};

/// A master; who follows has told us neither its port nor how far it is.
fn role(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.reply.array(3);
    ctx.reply.bulk(b"master");
    ctx.reply.int(ctx.state.followers.offset as i64);
    let online: Vec<String> = ctx
        .state
        .followers
        .iter()
        .map(|follower| {
            let session = ctx.state.clients.get(follower.id);
            session.map_or_else(String::new, |session| session.peer.addr())
        })
        .collect();
    let replied = ctx.reply.array(online.len());
    for addr in &online {
        ctx.reply.array(3);
        ctx.reply.bulk(addr.rsplit_once(':').map_or("", |(ip, _)| ip).as_bytes());
        ctx.reply.bulk(b"0");
        ctx.reply.bulk(b"0");
    }
    Ok(replied)
}

fn lolwut(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() >= 3 && args.next().is_some_and(|word| parse::is(word, "VERSION")) {
        args.int()?;
    }
    let line = format!("Redis ver. {}\n", version::REDIS);
    Ok(ctx.reply.verbatim("txt", line.as_bytes()))
}
