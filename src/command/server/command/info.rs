//! COMMAND, COMMAND INFO: arity, flags, categories, keys.

use super::SUB;
use crate::command::spec::{Begin, CATEGORIES, Find, KeySpec};
use crate::command::table::{Row, table};
use crate::command::*;
use crate::resp::Reply;

pub(super) const INFO: Command = Command {
    name: "info",
    syntax: "[command-name [command-name ...]]",
    summary: "Tell arity, flags, categories and keys of commands.",
    cost: "O(N) in the number of commands that are asked for",
    arity: Arity::AtLeast(2),
    tips: &["nondeterministic_output_order"],
    run: info,
    ..SUB
};

fn info(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    if args.remaining() == 0 {
        return Ok(every(ctx));
    }
    let replied = ctx.reply.array(args.remaining());
    for name in args {
        match table().find_full(name) {
            Some(row) => describe(&mut ctx.reply, row),
            None => ctx.reply.null(),
        };
    }
    Ok(replied)
}

/// All commands, subcommands within their containers.
pub(super) fn every(ctx: &mut Ctx<'_>) -> Replied {
    let rows = || table().rows().filter(|row| row.container.is_none());
    let replied = ctx.reply.array(rows().count());
    rows().for_each(|row| {
        describe(&mut ctx.reply, row);
    });
    replied
}

fn describe(reply: &mut Reply<'_>, row: &Row) -> Replied {
    let command = row.command;
    let (first, last, step) = plain_range(command);
    reply.array(10);
    reply.bulk(row.full_name.as_bytes());
    reply.int(command.arity.number());
    simple_set(reply, command.flags.names());
    for number in [first, last, step] {
        reply.int(number);
    }
    let categories = command.categories();
    let named = CATEGORIES.iter().filter(|(category, _)| categories.has(*category));
    simple_set(reply, named.map(|(_, name)| format!("@{name}")));
    reply.set(command.tips.len());
    for tip in command.tips {
        reply.bulk(tip.as_bytes());
    }
    reply.set(command.keys.len());
    for spec in command.keys {
        key_spec(reply, spec);
    }
    let subcommands = subcommands(row);
    let replied = reply.set(subcommands.len());
    for sub in subcommands {
        describe(reply, sub);
    }
    replied
}

/// The rows of a container's subcommands.
pub(super) fn subcommands(row: &Row) -> Vec<&'static Row> {
    let find = |sub: &&Command| table().find_sub(row, sub.name.as_bytes());
    row.command.subcommands.iter().filter_map(find).collect()
}

fn simple_set<T: AsRef<str>>(reply: &mut Reply<'_>, names: impl Iterator<Item = T>) {
    let names: Vec<T> = names.collect();
    reply.set(names.len());
    for name in &names {
        reply.simple(name.as_ref());
    }
}

fn key_spec(reply: &mut Reply<'_>, spec: &KeySpec) {
    reply.map(3 + usize::from(!spec.notes.is_empty()));
    if !spec.notes.is_empty() {
        reply.bulk(b"notes");
        reply.bulk(spec.notes.as_bytes());
    }
    reply.bulk(b"flags");
    simple_set(reply, spec.flags.names());
    reply.bulk(b"begin_search");
    match spec.begin {
        Begin::Index(at) => part(reply, "index", &[("index", at as i64)]),
        Begin::Keyword(word, from) => {
            heading(reply, "keyword");
            reply.map(2);
            reply.bulk(b"keyword");
            reply.bulk(word.as_bytes());
            reply.bulk(b"startfrom");
            reply.int(from);
        }
        Begin::Unknown => part(reply, "unknown", &[]),
    }
    reply.bulk(b"find_keys");
    match spec.find {
        Find::Range { last, step, limit } => {
            part(reply, "range", &[("lastkey", last), ("keystep", step as i64), ("limit", limit as i64)]);
        }
        Find::KeyNum { num, first, step } => {
            let fields = [("keynumidx", num as i64), ("firstkey", first as i64), ("keystep", step as i64)];
            part(reply, "keynum", &fields);
        }
        Find::Unknown => part(reply, "unknown", &[]),
    }
}

fn heading(reply: &mut Reply<'_>, kind: &str) {
    reply.map(2);
    reply.bulk(b"type");
    reply.bulk(kind.as_bytes());
    reply.bulk(b"spec");
}

fn part(reply: &mut Reply<'_>, kind: &str, fields: &[(&str, i64)]) {
    heading(reply, kind);
    reply.map(fields.len());
    for (name, value) in fields {
        reply.bulk(name.as_bytes());
        reply.int(*value);
    }
}

/// What old clients go by: first key, last key (negative: from the end), step. Specifications that follow each other
/// without a gap are told as one.
fn plain_range(command: &Command) -> (i64, i64, i64) {
    let plain = |spec: &KeySpec| match (spec.begin, spec.find) {
        (Begin::Index(at), Find::Range { last, step, .. }) => {
            let first = at as i64;
            Some((first, if last >= 0 { first + last } else { last }, step as i64))
        }
        _ => None,
    };
    if let [only] = command.keys {
        return plain(only).unwrap_or((0, 0, 0));
    }
    let (mut first, mut last) = (0, 0);
    for (from, to, step) in command.keys.iter().filter_map(plain) {
        if step != 1 || (last != 0 && last != from - 1) {
            continue;
        }
        if first == 0 {
            first = from;
        }
        // From the end is further than any index.
        last = if last < 0 || to < 0 { last.min(to) } else { last.max(to) };
    }
    if first == 0 { (0, 0, 0) } else { (first, last, 1) }
}
