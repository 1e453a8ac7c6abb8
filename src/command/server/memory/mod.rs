//! MEMORY: where the memory goes.

mod doctor;
pub(super) mod overhead;
mod stats;
mod usage;

use crate::command::help::help;
use crate::command::*;

pub(super) const MEMORY: Command = Command {
    name: "memory",
    summary: "Look at where the memory goes.",
    since: "4.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&doctor::DOCTOR, &HELP, &MALLOC_STATS, &PURGE, &stats::STATS, &usage::USAGE],
    ..Command::BASE
};

const SUB: Command =
    Command { since: "4.0.0", group: Group::Server, arity: Arity::Exactly(2), ..Command::BASE };

/// What each shard would say for itself.
const EACH_SHARD: &[&str] =
    &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"];

const MALLOC_STATS: Command = Command {
    name: "malloc-stats",
    summary: "Tell what the allocator knows.",
    cost: "Depends on how much memory is allocated",
    tips: EACH_SHARD,
    run: |ctx, _| {
        let text = ctx.host.allocator_report();
        Ok(ctx.reply.verbatim("txt", text.as_bytes()))
    },
    ..SUB
};

const PURGE: Command = Command {
    name: "purge",
    summary: "Give freed memory back to the system.",
    cost: "Depends on how much memory is allocated",
    tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
    examples: &[("MEMORY PURGE", "OK")],
    run: |ctx, _| {
        ctx.host.purge_memory();
        Ok(ctx.reply.ok())
    },
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    flags: LOADING.or(STALE),
    run: |ctx, _| {
        let lines = [
            ("DOCTOR", "What is odd about the memory."),
            ("MALLOC-STATS", "What the allocator knows."),
            ("PURGE", "Give freed memory back to the system."),
            ("STATS", "Where the memory goes."),
            (
                "USAGE <key> [SAMPLES <count>]",
                "The bytes that a key and its value take; of a list so many parts are looked at (5 unless told, 0 is \
                 all).",
            ),
        ];
        Ok(help(ctx, "MEMORY", &lines))
    },
    ..SUB
};
