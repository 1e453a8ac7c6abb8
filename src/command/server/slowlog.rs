//! SLOWLOG: what took long.

use crate::command::help::help;
use crate::command::*;

pub(super) const SLOWLOG: Command = Command {
    name: "slowlog",
    summary: "Look at what took long.",
    since: "2.2.12",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&GET, &HELP, &LEN, &RESET],
    ..Command::BASE
};

const SUB: Command = Command {
    since: "2.2.12",
    group: Group::Server,
    arity: Arity::Exactly(2),
    flags: ADMIN.or(LOADING).or(STALE),
    ..Command::BASE
};

const GET: Command = Command {
    name: "get",
    syntax: "[count]",
    summary: "Tell the latest commands that took long.",
    cost: "O(N) in the number of entries that are told",
    arity: Arity::AtLeast(2),
    tips: &["request_policy:all_nodes", "nondeterministic_output"],
    examples: &[("SLOWLOG GET -2", "ERR count should be greater than or equal to -1")],
    run: get,
    ..SUB
};

const LEN: Command = Command {
    name: "len",
    summary: "Tell how many entries there are.",
    tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
    run: |ctx, _| Ok(ctx.reply.count(ctx.state.slow_log.entries().len())),
    ..SUB
};

const RESET: Command = Command {
    name: "reset",
    summary: "Forget all entries.",
    cost: "O(N) in the number of entries",
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    examples: &[("SLOWLOG RESET", "OK")],
    run: |ctx, _| {
        ctx.state.slow_log.clear();
        Ok(ctx.reply.ok())
    },
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "6.2.0",
    flags: LOADING.or(STALE),
    run: |ctx, _| {
        let lines = [
            (
                "GET [<count>]",
                "The latest entries (10 unless told, -1 is all): number, Unix seconds, microseconds, words, the \
                 client's address and name.",
            ),
            ("LEN", "How many entries there are."),
            ("RESET", "Forget all entries."),
        ];
        Ok(help(ctx, "SLOWLOG", &lines))
    },
    ..SUB
};

fn get(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    if args.len() > 3 {
        let word = shown(args.get(1).unwrap_or_default());
        let line =
            format!("ERR unknown subcommand or wrong number of arguments for '{word}'. Try SLOWLOG HELP.");
        return Err(CmdError::text(line));
    }
    args.seek(2);
    let wanted = match args.next().map(parse::int) {
        None => 10,
        Some(Ok(-1)) => usize::MAX,
        Some(count) => count
            .ok()
            .and_then(|count| usize::try_from(count).ok())
            .ok_or(CmdError::text("ERR count should be greater than or equal to -1"))?,
    };
    let entries = ctx.state.slow_log.entries();
    let count = entries.len().min(wanted);
    let mut replied = ctx.reply.array(count);
    for entry in entries.take(count) {
        ctx.reply.array(6);
        for number in [entry.id, entry.when, entry.took_us] {
            ctx.reply.int(i64::try_from(number).unwrap_or(i64::MAX));
        }
        ctx.reply.bulks(entry.words.iter());
        ctx.reply.bulk(entry.addr.as_bytes());
        replied = ctx.reply.bulk(&entry.name);
    }
    Ok(replied)
}
