//! SCRIPT: the scripts that were loaded. Nothing loads one yet, so there is none.

use crate::command::help::help;
use crate::command::*;

pub(super) const SCRIPT: Command = Command {
    name: "script",
    summary: "Look at loaded scripts.",
    since: "2.6.0",
    cost: "Depends on the subcommand.",
    group: Group::Scripting,
    arity: Arity::AtLeast(2),
    subcommands: &[&EXISTS, &FLUSH, &HELP],
    ..Command::BASE
};

const EXISTS: Command = Command {
    name: "exists",
    syntax: "sha1 [sha1 ...]",
    summary: "Tell which scripts are loaded.",
    since: "2.6.0",
    cost: "O(N) in the number of scripts asked for",
    group: Group::Scripting,
    arity: Arity::AtLeast(3),
    flags: NOSCRIPT,
    acl: acl::SCRIPTING,
    tips: &["request_policy:all_shards", "response_policy:agg_logical_and"],
    examples: &[("SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "1) (integer) 0")],
    run: exists,
    ..Command::BASE
};

const FLUSH: Command = Command {
    name: "flush",
    syntax: "[ASYNC|SYNC]",
    summary: "Forget all scripts.",
    since: "2.6.0",
    cost: "O(N) in the number of scripts",
    group: Group::Scripting,
    arity: Arity::AtLeast(2),
    flags: NOSCRIPT,
    acl: acl::SCRIPTING,
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    examples: &[
        ("SCRIPT FLUSH", "OK"),
        ("SCRIPT FLUSH SYNC", "OK"),
        ("SCRIPT FLUSH x", "ERR SCRIPT FLUSH only support SYNC|ASYNC option"),
    ],
    run: flush,
    ..Command::BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    group: Group::Scripting,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    acl: acl::SCRIPTING,
    run: |ctx, _| {
        let lines = [
            ("EXISTS <sha1> [<sha1> ...]", "Which scripts are loaded: none."),
            ("FLUSH [ASYNC|SYNC]", "Forget all scripts."),
        ];
        Ok(help(ctx, "SCRIPT", &lines))
    },
    ..Command::BASE
};

fn exists(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let asked = args.len() - 2;
    let replied = ctx.reply.array(asked);
    for _ in 0..asked {
        ctx.reply.int(0);
    }
    Ok(replied)
}

fn flush(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let how = args.next();
    if args.next().is_some() || how.is_some_and(|how| !parse::is(how, "SYNC") && !parse::is(how, "ASYNC")) {
        return Err(CmdError::text("ERR SCRIPT FLUSH only support SYNC|ASYNC option"));
    }
    Ok(ctx.reply.ok())
}
