//! HELLO: choose the protocol, and learn who answers.

use super::auth::authenticate;
use super::client::checked_name;
use crate::command::*;
use crate::resp::Proto;
use crate::text::version;

pub(super) const HELLO: Command = Command {
    name: "hello",
    syntax: "[protover [AUTH username password] [SETNAME clientname]]",
    summary: "Choose the protocol's version, and learn about the server.",
    since: "6.0.0",
    group: Group::Connection,
    arity: Arity::AtLeast(1),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(NO_AUTH).or(ALLOW_BUSY),
    acl: acl::CONNECTION,
    examples: &[("HELLO 4", "NOPROTO unsupported protocol version")],
    run: hello,
    ..Command::BASE
};

fn hello(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let protocol = args.next().map(protocol).transpose()?;
    let (mut user, mut name) = (None, None);
    while let Some(option) = args.next() {
        match () {
            () if parse::is(option, "AUTH") && args.remaining() >= 2 => {
                user = args.next().zip(args.next());
            }
            () if parse::is(option, "SETNAME") && args.remaining() >= 1 => {
                name = Some(checked_name(args.arg()?)?);
            }
            () => {
                let option = shown(option);
                return Err(CmdError::text(format!("ERR Syntax error in HELLO option '{option}'")));
            }
        }
    }
    if let Some((user, password)) = user {
        authenticate(ctx, user, password)?;
    }
    check_authenticated(ctx)?;
    if let Some(name) = name {
        ctx.session.name = name.to_vec();
    }
    if let Some(protocol) = protocol {
        ctx.session.protocol = protocol;
        ctx.state.clients.note_protocol(ctx.session.id, protocol);
        ctx.reply.set_proto(protocol);
    }
    Ok(greet(ctx))
}

fn protocol(arg: &[u8]) -> Result<Proto, CmdError> {
    match parse::int(arg) {
        Ok(2) => Ok(Proto::Resp2),
        Ok(3) => Ok(Proto::Resp3),
        Ok(_) => Err(CmdError::text("NOPROTO unsupported protocol version")),
        Err(_) => Err(CmdError::text("ERR Protocol version is not an integer or out of range")),
    }
}

fn check_authenticated(ctx: &Ctx<'_>) -> Result<(), CmdError> {
    if !ctx.state.must_authenticate(ctx.session) {
        return Ok(());
    }
    Err(CmdError::text(
        "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> \
         <pass> option can be used to authenticate the client and select the RESP protocol version at the same time",
    ))
}

fn greet(ctx: &mut Ctx<'_>) -> Replied {
    let proto = if ctx.session.protocol == Proto::Resp3 { 3 } else { 2 };
    let id = i64::try_from(ctx.session.id.0).unwrap_or(i64::MAX);
    let reply = &mut ctx.reply;
    reply.map(7);
    for (name, value) in [("server", "redis"), ("version", version::REDIS)] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    for (name, value) in [("proto", proto), ("id", id)] {
        reply.bulk(name.as_bytes());
        reply.int(value);
    }
    for (name, value) in [("mode", "standalone"), ("role", "master")] {
        reply.bulk(name.as_bytes());
        reply.bulk(value.as_bytes());
    }
    reply.bulk(b"modules");
    reply.array(0)
}
