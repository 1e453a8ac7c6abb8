//! CONFIG: the directives, read and set while the server runs.
//!
//! Source: `src/config.c` of Redis 8.0.6; recording `fixtures/oracle/config.txt`.

use crate::command::help::help;
use crate::command::*;

pub(super) const CONFIG: Command = Command {
    name: "config",
    summary: "Read and set directives.",
    since: "2.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&GET, &HELP, &RESETSTAT, &REWRITE, &SET],
    ..Command::BASE
};

const SUB: Command = Command {
    group: Group::Server,
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    since: "2.0.0",
    ..Command::BASE
};

const GET: Command = Command {
    name: "get",
    syntax: "parameter [parameter ...]",
    summary: "Tell the values of the directives that match.",
    cost: "O(N) in the number of patterns",
    arity: Arity::AtLeast(3),
    examples: &[("CONFIG GET nosuch", "(empty array)")],
    run: get,
    ..SUB
};

const SET: Command = Command {
    name: "set",
    syntax: "parameter value [parameter value ...]",
    summary: "Set directives, all of them or none.",
    cost: "O(N) in the number of directives",
    arity: Arity::AtLeast(4),
    tips: ALL_NODES,
    examples: &[
        ("CONFIG SET timeout 0", "OK"),
        ("CONFIG SET nosuch 1", "ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'"),
    ],
    run: set,
    ..SUB
};

const RESETSTAT: Command = Command {
    name: "resetstat",
    summary: "Set the counters of INFO back.",
    arity: Arity::Exactly(2),
    tips: ALL_NODES,
    examples: &[("CONFIG RESETSTAT", "OK")],
    run: resetstat,
    ..SUB
};

const REWRITE: Command = Command {
    name: "rewrite",
    summary: "Write the present directives into the configuration file.",
    since: "2.8.0",
    arity: Arity::Exactly(2),
    tips: ALL_NODES,
    run: |ctx, _| {
        let host = ctx.host;
        host.config_rewrite(ctx, false)?;
        Ok(ctx.reply.ok())
    },
    ..SUB
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    run: |ctx, _| {
        let lines = [
            ("GET <pattern>", "The values of the directives whose names match."),
            ("SET <directive> <value>", "Set a directive."),
            ("RESETSTAT", "Set the counters of INFO back."),
            ("REWRITE", "Write the directives into the configuration file."),
        ];
        Ok(help(ctx, "CONFIG", &lines))
    },
    ..SUB
};

const ALL_NODES: &[&str] = &["request_policy:all_nodes", "response_policy:all_succeeded"];

fn get(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let patterns: Vec<&[u8]> = args.collect();
    let found = ctx.state.config.get(&patterns);
    let mut replied = ctx.reply.map(found.len());
    for (name, value) in &found {
        ctx.reply.bulk(name);
        replied = ctx.reply.bulk(value);
    }
    Ok(replied)
}

fn set(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    if args.remaining() % 2 == 1 {
        return Err(CmdError::Syntax);
    }
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (args.next(), args.next()) {
        pairs.push((name, value));
    }
    let host = ctx.host;
    host.config_set(ctx, &pairs)?;
    Ok(ctx.reply.ok())
}

fn resetstat(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.state.stats.reset();
    ctx.host.forget_discarded();
    ctx.db.keyspace().stats = crate::keyspace::KeyStats::default();
    let saving = &mut ctx.state.saving;
    (saving.forks, saving.last_fork_us, saving.saves) = (0, 0, 0);
    let rewriting = &mut ctx.state.log.rewriting;
    (rewriting.begun, rewriting.failures) = (0, 0);
    Ok(ctx.reply.ok())
}
