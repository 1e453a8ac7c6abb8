//! ACL: there is one user, whom everybody is.

use crate::command::help::help;
use crate::command::*;

pub(super) const ACL: Command = Command {
    name: "acl",
    summary: "Look at users.",
    since: "6.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&HELP, &WHOAMI],
    ..Command::BASE
};

const WHOAMI: Command = Command {
    name: "whoami",
    summary: "Tell the user of this connection.",
    since: "6.0.0",
    group: Group::Server,
    arity: Arity::Exactly(2),
    flags: NOSCRIPT.or(LOADING).or(STALE),
    examples: &[("ACL WHOAMI", "\"default\"")],
    run: |ctx, _| Ok(ctx.reply.bulk(ctx.session.user.as_bytes())),
    ..Command::BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    flags: LOADING.or(STALE),
    examples: &[],
    run: |ctx, _| Ok(help(ctx, "ACL", &[("WHOAMI", "The user of this connection.")])),
    ..WHOAMI
};
