//! FUNCTION: libraries of functions.

mod list;
pub(in crate::command) mod scan;

use crate::command::help::help;
use crate::command::*;

pub(super) const FUNCTION: Command = Command {
    name: "function",
    summary: "Look at function libraries.",
    since: "7.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Scripting,
    arity: Arity::AtLeast(2),
    subcommands: &[&HELP, &list::LIST],
    ..Command::BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "7.0.0",
    group: Group::Scripting,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    acl: acl::SCRIPTING,
    run: |ctx, _| {
        let lines = [("LIST [LIBRARYNAME <pattern>] [WITHCODE]", "The libraries and their functions.")];
        Ok(help(ctx, "FUNCTION", &lines))
    },
    ..Command::BASE
};
