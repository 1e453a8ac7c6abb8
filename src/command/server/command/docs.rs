//! COMMAND DOCS: what commands do, and their arguments, for help and completion.

use super::SUB;
use super::info::subcommands;
use crate::command::docs::{Arg, arguments};
use crate::command::table::{Row, table};
use crate::command::*;
use crate::resp::Reply;

pub(super) const DOCS: Command = Command {
    name: "docs",
    syntax: "[command-name [command-name ...]]",
    summary: "Tell what commands do, and their arguments.",
    since: "7.0.0",
    cost: "O(N) in the number of commands that are asked for",
    arity: Arity::AtLeast(2),
    tips: &["nondeterministic_output_order"],
    run: docs,
    ..SUB
};

fn docs(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let rows: Vec<&Row> = match args.remaining() {
        0 => table().rows().filter(|row| row.container.is_none()).collect(),
        _ => args.filter_map(|name| table().find_full(name)).collect(),
    };
    let replied = ctx.reply.map(rows.len());
    for row in rows {
        ctx.reply.bulk(row.full_name.as_bytes());
        describe(&mut ctx.reply, row);
    }
    Ok(replied)
}

fn pair(reply: &mut Reply<'_>, name: &str, value: &str) {
    reply.bulk(name.as_bytes());
    reply.bulk(value.as_bytes());
}

/// Commands that nobody but the server's own tests should use.
const OF_THE_SYSTEM: &[&str] = &["debug", "pfdebug", "pfselftest", "replconf", "restore-asking"];

fn describe(reply: &mut Reply<'_>, row: &Row) {
    let command = row.command;
    let arguments = arguments(row);
    let fields = reply.deferred_map();
    let mut count = 3;
    pair(reply, "summary", command.summary);
    pair(reply, "since", command.since);
    pair(reply, "group", command.group.name());
    if !command.cost.is_empty() {
        pair(reply, "complexity", command.cost);
        count += 1;
    }
    let flag = match command.deprecated {
        Some(_) => Some("deprecated"),
        None => OF_THE_SYSTEM.contains(&command.name).then_some("syscmd"),
    };
    if let Some(flag) = flag {
        reply.bulk(b"doc_flags");
        reply.set(1);
        reply.simple(flag);
        count += 1;
    }
    if let Some((since, instead)) = command.deprecated {
        pair(reply, "deprecated_since", since);
        pair(reply, "replaced_by", instead);
        count += 2;
    }
    if !arguments.is_empty() {
        reply.bulk(b"arguments");
        list(reply, &arguments);
        count += 1;
    }
    if command.is_container() {
        reply.bulk(b"subcommands");
        let subcommands = subcommands(row);
        reply.map(subcommands.len());
        for sub in subcommands {
            reply.bulk(sub.full_name.as_bytes());
            describe(reply, sub);
        }
        count += 1;
    }
    reply.patch(fields, count);
}

fn list(reply: &mut Reply<'_>, args: &[Arg]) {
    reply.array(args.len());
    args.iter().for_each(|arg| argument(reply, arg));
}

/// The tree is as deep as our own rows are nested.
fn argument(reply: &mut Reply<'_>, arg: &Arg) {
    let fields = reply.deferred_map();
    let mut count = 2;
    pair(reply, "name", &arg.name);
    pair(reply, "type", arg.kind.name());
    if !arg.kind.is_group() {
        pair(reply, "display_text", &arg.display);
        count += 1;
    }
    if let Some(spec) = arg.key_spec {
        reply.bulk(b"key_spec_index");
        reply.count(spec);
        count += 1;
    }
    let texts = [("token", &arg.token), ("since", &arg.since), ("deprecated_since", &arg.deprecated_since)];
    for (name, text) in texts {
        if let Some(text) = text {
            pair(reply, name, text);
            count += 1;
        }
    }
    let flags = arg.flags();
    if !flags.is_empty() {
        reply.bulk(b"flags");
        reply.set(flags.len());
        for flag in flags {
            reply.simple(flag);
        }
        count += 1;
    }
    if arg.kind.is_group() {
        reply.bulk(b"arguments");
        list(reply, &arg.args);
        count += 1;
    }
    reply.patch(fields, count);
}
