//! LATENCY: nothing is recorded, so there is nothing to tell, in the shapes that clients expect.

use crate::command::help::help;
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
    run: |ctx, _| Ok(ctx.reply.map(0)),
    ..SUB
};

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
