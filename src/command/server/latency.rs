//! LATENCY: how long commands take. Of other delays nothing is recorded, so there is nothing to tell, in the shapes
//! that clients expect.

use crate::command::help::help;
use crate::command::table::{Row, table};
use crate::command::*;

pub(super) const LATENCY: Command = Command {
    name: "latency",
    summary: "Look at delays.",
    since: "2.8.13",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&DOCTOR, &GRAPH, &HELP, &HISTOGRAM, &HISTORY, &LATEST, &RESET],
    ..Command::BASE
};

const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const SUB: Command = Command {
    since: "2.8.13",
    group: Group::Server,
    arity: Arity::Exactly(2),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    tips: TIPS,
    ..Command::BASE
};

const DOCTOR: Command = Command {
    name: "doctor",
    summary: "Tell in words what delays there were.",
    run: |ctx, _| Ok(ctx.reply.verbatim("txt", b"Delays are not recorded by this server.\n")),
    ..SUB
};

const GRAPH: Command = Command {
    name: "graph",
    syntax: "event",
    summary: "Draw the delays of an event.",
    arity: Arity::Exactly(3),
    examples: &[("LATENCY GRAPH x", "ERR No samples available for event 'x'")],
    run: |_, args| {
        let event = String::from_utf8_lossy(args.get(2).unwrap_or_default()).into_owned();
        Err(CmdError::text(format!("ERR No samples available for event '{event}'")))
    },
    ..SUB
};

const HISTOGRAM: Command = Command {
    name: "histogram",
    syntax: "[command [command ...]]",
    summary: "Tell how long commands take.",
    since: "7.0.0",
    cost: "O(N) in the number of commands",
    arity: Arity::AtLeast(2),
    run: histogram,
    ..SUB
};

/// Rows of the table that are asked for: all, or commands with their subcommands. Unknown ones are left out.
fn asked<'t>(mut args: Args<'_>) -> Vec<&'t Row> {
    args.seek(2);
    if args.remaining() == 0 {
        return table().rows().iter().collect();
    }
    let named = args.filter_map(|name| table().find_full(name));
    named.flat_map(|row| [row].into_iter().chain(subs(row))).collect()
}

fn subs(row: &Row) -> impl Iterator<Item = &'static Row> {
    let of =
        |sub: &Row, container: &'static Command| sub.container.is_some_and(|it| std::ptr::eq(it, container));
    let container = row.command;
    table().rows().iter().filter(move |sub| of(sub, container))
}

fn histogram(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let latencies = &ctx.state.stats.latencies;
    let known = |row: &'static Row| Some((row, latencies.of(usize::from(row.id.0))?));
    let all: Vec<_> = asked(args).into_iter().filter_map(known).collect();
    let mut replied = ctx.reply.map(all.len());
    for (row, histogram) in all {
        let steps = histogram.cumulative();
        ctx.reply.bulk(row.full_name.as_bytes());
        ctx.reply.map(2);
        ctx.reply.bulk(b"calls");
        ctx.reply.int(histogram.count() as i64);
        ctx.reply.bulk(b"histogram_usec");
        replied = ctx.reply.map(steps.len());
        for (bound_ns, count) in steps {
            ctx.reply.int((bound_ns / 1000) as i64);
            replied = ctx.reply.int(count as i64);
        }
    }
    Ok(replied)
}

const HISTORY: Command = Command {
    name: "history",
    syntax: "event",
    summary: "Tell the delays of an event.",
    arity: Arity::Exactly(3),
    examples: &[("LATENCY HISTORY x", "(empty array)")],
    run: |ctx, _| Ok(ctx.reply.array(0)),
    ..SUB
};

const LATEST: Command = Command {
    name: "latest",
    summary: "Tell the latest delay of each event.",
    examples: &[("LATENCY LATEST", "(empty array)")],
    run: |ctx, _| Ok(ctx.reply.array(0)),
    ..SUB
};

const RESET: Command = Command {
    name: "reset",
    syntax: "[event [event ...]]",
    summary: "Forget delays.",
    arity: Arity::AtLeast(2),
    tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
    examples: &[("LATENCY RESET", "(integer) 0")],
    run: |ctx, _| Ok(ctx.reply.int(0)),
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    flags: LOADING.or(STALE),
    tips: &[],
    run: |ctx, _| {
        let lines = [
            ("DOCTOR", "What delays there were, in words."),
            ("GRAPH <event>", "The delays of an event, drawn."),
            ("HISTOGRAM [<command> ...]", "How long commands take."),
            ("HISTORY <event>", "The delays of an event."),
            ("LATEST", "The latest delay of each event."),
            ("RESET [<event> ...]", "Forget delays."),
        ];
        Ok(help(ctx, "LATENCY", &lines))
    },
    ..SUB
};
