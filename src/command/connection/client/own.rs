//! What a client says about itself, and how it wants to be treated.

use super::SUB;
use crate::command::*;
use crate::engine::session::ReplyMode;

const ADMIN_SUB: Command = Command { flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE), ..SUB };

pub(super) const ID: Command = Command {
    name: "id",
    summary: "Tell the number of this connection.",
    since: "5.0.0",
    arity: Arity::Exactly(2),
    run: |ctx, _| {
        let id = ctx.session.id.0;
        Ok(ctx.reply.int(i64::try_from(id).unwrap_or(i64::MAX)))
    },
    ..SUB
};

pub(super) const GETNAME: Command = Command {
    name: "getname",
    summary: "Tell the name of this connection.",
    since: "2.6.9",
    arity: Arity::Exactly(2),
    examples: &[("CLIENT GETNAME", "(nil)")],
    run: |ctx, _| {
        let name = Some(&ctx.session.name[..]).filter(|name| !name.is_empty());
        Ok(ctx.reply.bulk_or_null(name))
    },
    ..SUB
};

pub(super) const SETNAME: Command = Command {
    name: "setname",
    syntax: "connection-name",
    summary: "Name this connection.",
    since: "2.6.9",
    arity: Arity::Exactly(3),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    examples: &[("CLIENT SETNAME joe", "OK")],
    run: |ctx, args| {
        ctx.session.name = checked_name(args.get(2).unwrap_or_default())?.to_vec();
        Ok(ctx.reply.ok())
    },
    ..SUB
};

pub(super) const SETINFO: Command = Command {
    name: "setinfo",
    syntax: "LIB-NAME libname|LIB-VER libver",
    summary: "Say which library speaks, and its version.",
    since: "7.2.0",
    arity: Arity::Exactly(4),
    tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
    examples: &[("CLIENT SETINFO LIB-NAME mine", "OK")],
    run: setinfo,
    ..SUB
};

pub(super) const REPLY: Command = Command {
    name: "reply",
    syntax: "ON|OFF|SKIP",
    summary: "Say whether this connection wants replies.",
    since: "3.2.0",
    arity: Arity::Exactly(3),
    examples: &[("CLIENT REPLY ON", "OK")],
    run: reply,
    ..SUB
};

pub(super) const NO_TOUCH: Command = Command {
    name: "no-touch",
    syntax: "ON|OFF",
    summary: "Say whether this connection's reads count as a use of keys.",
    since: "7.2.0",
    arity: Arity::Exactly(3),
    examples: &[("CLIENT NO-TOUCH on", "OK")],
    run: |ctx, args| {
        ctx.session.no_touch = on_or_off(&args)?;
        Ok(ctx.reply.ok())
    },
    ..SUB
};

pub(super) const NO_EVICT: Command = Command {
    name: "no-evict",
    syntax: "ON|OFF",
    summary: "Say whether this connection is spared when clients' memory runs out.",
    since: "7.0.0",
    arity: Arity::Exactly(3),
    examples: &[("CLIENT NO-EVICT on", "OK")],
    run: |ctx, args| {
        ctx.session.no_evict = on_or_off(&args)?;
        Ok(ctx.reply.ok())
    },
    ..ADMIN_SUB
};

fn on_or_off(args: &Args<'_>) -> Result<bool, CmdError> {
    match args.get(2).unwrap_or_default() {
        word if parse::is(word, "ON") => Ok(true),
        word if parse::is(word, "OFF") => Ok(false),
        _ => Err(CmdError::Syntax),
    }
}

/// Names appear in CLIENT LIST, so nothing in them may look like the next field.
fn is_plain(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_graphic)
}

/// Refuses names that would garble CLIENT LIST. The empty one means none.
pub(in crate::command::connection) fn checked_name(name: &[u8]) -> Result<&[u8], CmdError> {
    if is_plain(name) {
        return Ok(name);
    }
    Err(CmdError::text("ERR Client names cannot contain spaces, newlines or special characters."))
}

fn setinfo(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (option, value) = (args.arg()?, args.arg()?);
    let word = shown(option);
    let field = match () {
        () if parse::is(option, "LIB-NAME") => &mut ctx.session.lib_name,
        () if parse::is(option, "LIB-VER") => &mut ctx.session.lib_ver,
        () => return Err(CmdError::text(format!("ERR Unrecognized option '{word}'"))),
    };
    if !is_plain(value) {
        let line = format!("ERR {word} cannot contain spaces, newlines or special characters.");
        return Err(CmdError::text(line));
    }
    *field = value.to_vec();
    Ok(ctx.reply.ok())
}

fn reply(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let mode = &mut ctx.session.reply_mode;
    match args.get(2).unwrap_or_default() {
        word if parse::is(word, "ON") => {
            *mode = ReplyMode::On;
            return Ok(ctx.reply.ok());
        }
        word if parse::is(word, "OFF") => *mode = ReplyMode::Off,
        word if parse::is(word, "SKIP") => {
            *mode = match *mode {
                ReplyMode::Off => ReplyMode::Off,
                ReplyMode::On => ReplyMode::Skip,
                // The end of this command, which is to be skipped itself, moves it on.
                ReplyMode::Skip | ReplyMode::SkipNext => ReplyMode::SkipNext,
            }
        }
        _ => return Err(CmdError::Syntax),
    }
    Ok(Replied::nothing())
}
