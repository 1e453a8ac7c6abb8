//! MODULE: there are none.

use crate::command::help::help;
use crate::command::*;

pub(super) const MODULE: Command = Command {
    name: "module",
    summary: "Look at modules.",
    since: "4.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&HELP, &LIST],
    ..Command::BASE
};

const LIST: Command = Command {
    name: "list",
    summary: "Tell which modules are loaded.",
    since: "4.0.0",
    cost: "O(N) in the number of modules",
    group: Group::Server,
    arity: Arity::Exactly(2),
    flags: ADMIN.or(NOSCRIPT),
    tips: &["nondeterministic_output_order"],
    examples: &[("MODULE LIST", "(empty array)")],
    run: |ctx, _| Ok(ctx.reply.array(0)),
    ..Command::BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    flags: LOADING.or(STALE),
    tips: &[],
    cost: "O(1)",
    examples: &[],
    run: |ctx, _| Ok(help(ctx, "MODULE", &[("LIST", "The modules: none can be loaded.")])),
    ..LIST
};
