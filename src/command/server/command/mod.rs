//! COMMAND: the table of commands, for clients.
//!
//! Everything is derived from the rows. Recordings: `fixtures/oracle/command.txt`, `command_info.json`,
//! `command_docs.json`.

mod docs;
mod getkeys;
mod info;
mod list;

use crate::command::help::help;
use crate::command::table::table;
use crate::command::*;

pub(super) const COMMAND: Command = Command {
    name: "command",
    summary: "Tell what commands there are.",
    since: "2.8.13",
    cost: "O(N) in the number of commands",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: LOADING.or(STALE),
    acl: acl::CONNECTION,
    tips: &["nondeterministic_output_order"],
    subcommands: &[
        &COUNT,
        &docs::DOCS,
        &getkeys::GETKEYS,
        &getkeys::GETKEYSANDFLAGS,
        &HELP,
        &info::INFO,
        &list::LIST,
    ],
    run: |ctx, _| Ok(info::every(ctx)),
    ..Command::BASE
};

const SUB: Command = Command {
    since: "2.8.13",
    group: Group::Server,
    flags: LOADING.or(STALE),
    acl: acl::CONNECTION,
    ..Command::BASE
};

const COUNT: Command = Command {
    name: "count",
    summary: "Tell how many commands there are.",
    arity: Arity::Exactly(2),
    run: |ctx, _| {
        let count = table().rows().filter(|row| row.container.is_none()).count();
        Ok(ctx.reply.count(count))
    },
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    arity: Arity::Exactly(2),
    run: |ctx, _| {
        let lines = [
            ("(no subcommand)", "All about all commands."),
            ("COUNT", "How many commands there are."),
            ("LIST [FILTERBY (MODULE <module>|ACLCAT <category>|PATTERN <pattern>)]", "The commands' names."),
            ("INFO [<command> ...]", "Arity, flags, categories and keys of commands."),
            ("DOCS [<command> ...]", "What commands do, and their arguments."),
            ("GETKEYS <request>", "The keys of a request."),
            ("GETKEYSANDFLAGS <request>", "The keys of a request, and what it does with them."),
        ];
        Ok(help(ctx, "COMMAND", &lines))
    },
    ..SUB
};
