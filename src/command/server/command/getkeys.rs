//! COMMAND GETKEYS, GETKEYSANDFLAGS: the keys of a request that is not run.

use super::SUB;
use crate::command::keys::{FoundKey, has_keys, keys_of};
use crate::command::table::{Row, table};
use crate::command::*;
use crate::resp::OwnedArgs;

pub(super) const GETKEYS: Command = Command {
    name: "getkeys",
    syntax: "command [arg [arg ...]]",
    summary: "Tell the keys of a request.",
    cost: "O(N) in the number of the request's arguments",
    arity: Arity::AtLeast(3),
    examples: &[("COMMAND GETKEYS PING", "ERR The command has no key arguments")],
    run: |ctx, args| {
        let found = find(&args)?;
        Ok(ctx.reply.bulks(found.iter().map(|key| args.get(key.at + 2).unwrap_or_default())))
    },
    ..SUB
};

pub(super) const GETKEYSANDFLAGS: Command = Command {
    name: "getkeysandflags",
    summary: "Tell the keys of a request, and what it does with each.",
    since: "7.0.0",
    examples: &[("COMMAND GETKEYSANDFLAGS nosuch", "ERR Invalid command specified")],
    run: getkeysandflags,
    ..GETKEYS
};

fn getkeysandflags(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let found = find(&args)?;
    let mut replied = ctx.reply.array(found.len());
    for key in found {
        ctx.reply.array(2);
        ctx.reply.bulk(args.get(key.at + 2).unwrap_or_default());
        let flags: Vec<&str> = key.flags.names().collect();
        replied = ctx.reply.set(flags.len());
        for flag in flags {
            replied = ctx.reply.simple(flag);
        }
    }
    Ok(replied)
}

/// The keys of the request behind our own two words.
fn find(args: &Args<'_>) -> Result<Vec<FoundKey>, CmdError> {
    let words: Vec<&[u8]> = args.all().skip(2).collect();
    let row = row(&words).ok_or(CmdError::text("ERR Invalid command specified"))?;
    if !has_keys(row.command) {
        return Err(CmdError::text("ERR The command has no key arguments"));
    }
    if !row.command.arity.admits(words.len()) {
        return Err(CmdError::text("ERR Invalid number of arguments specified for command"));
    }
    match keys_of(row.command, &OwnedArgs::from_slices(&words).args()) {
        Ok(found) => Ok(found),
        Err(_) if row.command.flags.has(NO_MANDATORY_KEYS) => Ok(Vec::new()),
        Err(_) => Err(CmdError::text("ERR Invalid arguments specified for command")),
    }
}

fn row(words: &[&[u8]]) -> Option<&'static Row> {
    let row = table().find(words.first()?)?;
    match words.get(1) {
        Some(sub) if row.command.is_container() => table().find_sub(row, sub),
        _ => Some(row),
    }
}
