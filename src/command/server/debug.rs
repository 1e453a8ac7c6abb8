//! DEBUG: looking inside, for tests.

use crate::command::*;
use crate::resp::{Batch, Parser, ParserLimits};

pub(super) const DEBUG: Command = Command {
    name: "debug",
    syntax: "",
    summary: "Look inside the server, for tests.",
    since: "1.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE).or(PROTECTED),
    propagate: Propagate::Never,
    run: debug,
    ..Command::BASE
};

fn debug(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let word = args.arg()?;
    match () {
        () if parse::is(word, "RESNAP-FRAMES") => Ok(frames(ctx)),
        () if parse::is(word, "SET-ACTIVE-EXPIRE") && args.remaining() == 1 => {
            ctx.state.active_expire = args.int().is_ok_and(|on| on != 0);
            Ok(ctx.reply.ok())
        }
        () => Err(CmdError::Other(
            format!("ERR unknown subcommand or wrong number of arguments for '{}'. Try DEBUG HELP.", {
                String::from_utf8_lossy(word)
            })
            .into(),
        )),
    }
}

/// DEBUG RESNAP-FRAMES: what went to the log since the last call, each an array of the database and the words.
fn frames(ctx: &mut Ctx<'_>) -> Replied {
    let frames = ctx.state.unit.take_tapped();
    let mut replied = ctx.reply.array(frames.len());
    for frame in &frames {
        let words = words_of(&frame.bytes);
        ctx.reply.array(words.len() + 1);
        replied = ctx.reply.int(frame.db as i64);
        for word in words {
            replied = ctx.reply.bulk(&word);
        }
    }
    replied
}

/// Reads a frame back; it was rendered by ourselves.
fn words_of(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    Parser::new().parse(frame, &ParserLimits::default(), &mut batch);
    if batch.is_empty() {
        return Vec::new();
    }
    batch.args(frame, 0).all().map(<[u8]>::to_vec).collect()
}
