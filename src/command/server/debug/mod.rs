//! DEBUG: looking inside, for tests.
//!
//! What is here of the real server's DEBUG is what its own tests and other people's call. Subcommands are words, not
//! rows: the real server tells them apart by hand, too, and answers one text to whatever is wrong.

mod digest;
mod frames;
mod object;
mod populate;
mod protocol;
mod switches;

use crate::command::help::help;
use crate::command::*;

pub(super) const DEBUG: Command = Command {
    name: "debug",
    syntax: "",
    summary: "Look inside the server, for tests.",
    since: "1.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE).or(PROTECTED),
    run: debug,
    ..Command::BASE
};

fn debug(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let word = args.arg()?;
    let rest = args.clone();
    let first = args.next().unwrap_or_default();
    match (word.to_ascii_uppercase().as_slice(), rest.remaining()) {
        (b"HELP", 0) => Ok(help(ctx, "DEBUG", LINES)),
        (b"RESNAP-FRAMES", 0) => Ok(frames::frames(ctx)),
        (b"DIGEST", 0) => Ok(digest::digest(ctx)),
        (b"DIGEST-VALUE", _) => Ok(digest::digest_value(ctx, rest)),
        (b"OBJECT", 1) => object::object(ctx, first),
        (b"LISTPACK", 1) => object::listpack(ctx, first),
        (b"QUICKLIST", 1 | 2) => object::quicklist(ctx, first),
        (b"HTSTATS", 1..) => object::htstats(ctx, rest),
        (b"HTSTATS-KEY", 1..) => object::htstats_key(ctx, rest),
        (b"PROTOCOL", 1) => protocol::protocol(ctx, first),
        (b"POPULATE", 1..=3) => populate::populate(ctx, rest),
        (b"RELOAD", _) => reload(ctx, rest),
        (b"LOADAOF", 0) => load_log(ctx),
        (b"SLEEP", 1) => sleep(ctx, first),
        (b"SEGFAULT", 0) => {
            ctx.host.fault();
            Ok(ctx.reply.ok())
        }
        (b"PANIC" | b"ASSERT", 0) => panic!("DEBUG asked for this"),
        (b"ERROR", 1) => Ok(ctx.reply.error(first)),
        (b"CONFIG-REWRITE-FORCE-ALL", 0) => {
            let host = ctx.host;
            host.config_rewrite(ctx, true)?;
            Ok(ctx.reply.ok())
        }
        (b"LOG", 1) => {
            crate::warning!("DEBUG LOG: {}", String::from_utf8_lossy(first));
            Ok(ctx.reply.ok())
        }
        _ => match switches::switch(ctx, word, rest)? {
            Some(replied) => Ok(replied),
            None => Err(unknown(word)),
        },
    }
}

fn unknown(word: &[u8]) -> CmdError {
    let word = shown(&word[..word.len().min(128)]);
    CmdError::text(format!(
        "ERR unknown subcommand or wrong number of arguments for '{word}'. Try DEBUG HELP."
    ))
}

const LINES: &[(&str, &str)] = &[
    ("ASSERT", "Crash by a failed assertion."),
    ("AOF-FLUSH-SLEEP <microseconds>", "Sleep so long before every write of the append log."),
    ("CHANGE-REPL-ID", "Take a new replication id."),
    ("CONFIG-REWRITE-FORCE-ALL", "As CONFIG REWRITE, with a line for every directive."),
    ("DICT-RESIZING (0|1)", "Let tables grow and shrink, or not."),
    ("DIGEST", "A digest of all databases."),
    ("DIGEST-VALUE <key> [<key> ...]", "Digests of the values at these keys."),
    ("ERROR <string>", "Answer this error."),
    ("HTSTATS <db> [full]", "How full a database's table is."),
    ("HTSTATS-KEY <key> [full]", "How full a value's table is."),
    ("LISTPACK <key>", "Look at a listpack."),
    ("LOADAOF", "Empty everything and load the append log."),
    ("LOG <message>", "Write into the log."),
    ("OBJECT <key>", "How a value is kept."),
    ("PAUSE-CRON (0|1)", "Stop the timers, or let them run."),
    ("PANIC", "Crash by a panic."),
    ("POPULATE <count> [<prefix>] [<size>]", "Make keys."),
    ("PROTOCOL <type>", "Answer something of this type."),
    ("QUICKLIST <key> [0|1]", "Look at a quicklist."),
    ("QUICKLIST-PACKED-THRESHOLD <size>", "From which size on an element has a node of its own."),
    ("RELOAD [MERGE] [NOFLUSH] [NOSAVE]", "Save, empty and load."),
    ("REPLYBUFFER (PEAK-RESET-TIME|RESIZING) <value>", "Accepted; there are no such buffers."),
    ("RESNAP-FRAMES", "What went to the log since the last call."),
    ("SEGFAULT", "Crash by a signal."),
    ("SET-ACTIVE-EXPIRE (0|1)", "Let keys expire by themselves, or not."),
    ("SET-DISABLE-DENY-SCRIPTS (0|1)", "Accepted; there are no scripts."),
    ("SET-SKIP-CHECKSUM-VALIDATION (0|1)", "Let RESTORE take any checksum, or not."),
    ("SLEEP <seconds>", "Let the whole server stand still."),
];

fn reload(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let mut how = Reload { save: true, flush: true, merge: false };
    for word in args {
        match () {
            () if parse::is(word, "MERGE") => how.merge = true,
            () if parse::is(word, "NOFLUSH") => how.flush = false,
            () if parse::is(word, "NOSAVE") => how.save = false,
            () => {
                return Err(CmdError::text(
                    "ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.",
                ));
            }
        }
    }
    let host = ctx.host;
    host.reload(ctx, how)?;
    crate::notice!("DB reloaded by DEBUG RELOAD");
    Ok(ctx.reply.ok())
}

fn load_log(ctx: &mut Ctx<'_>) -> Result<Replied, CmdError> {
    let host = ctx.host;
    host.load_log(ctx)?;
    crate::notice!("Append Only File loaded by DEBUG LOADAOF");
    Ok(ctx.reply.ok())
}

/// What is no number counts as 0.
fn sleep(ctx: &mut Ctx<'_>, seconds: &[u8]) -> Result<Replied, CmdError> {
    ctx.host.sleep(parse::float(seconds).unwrap_or(0.0));
    Ok(ctx.reply.ok())
}
