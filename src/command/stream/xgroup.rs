//! XGROUP: make, move and delete groups and their consumers.

use super::id;
use crate::command::help::help;
use crate::command::*;
use crate::value::stream::{ENTRIES_READ_UNKNOWN, Group as ConsumerGroup, Stream, StreamId};

pub(super) const XGROUP: Command = Command {
    name: "xgroup",
    summary: "Make, move and delete groups and their consumers.",
    since: "5.0.0",
    cost: "Depends on the subcommand.",
    group: Group::Stream,
    arity: Arity::AtLeast(2),
    subcommands: &[&CREATE, &CREATECONSUMER, &DELCONSUMER, &DESTROY, &HELP, &SETID],
    ..Command::BASE
};

const CREATE: Command = Command {
    name: "create",
    syntax: "key group <id|$> [MKSTREAM] [ENTRIESREAD entries-read]",
    summary: "Make a group that has read a stream up to an id.",
    since: "5.0.0",
    group: Group::Stream,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(DENYOOM),
    acl: acl::STREAM,
    keys: &[KeySpec::at(2, RW.or(INSERT))],
    examples: &[("XGROUP CREATE nosuch g $ MKSTREAM", "OK")],
    run: create,
    ..Command::BASE
};

const SETID: Command = Command {
    name: "setid",
    syntax: "key group <id|$> [ENTRIESREAD entries-read]",
    summary: "Set up to which id a group has read.",
    flags: WRITE,
    keys: &[KeySpec::at(2, RW.or(UPDATE))],
    examples: &[("XGROUP SETID nosuch g $", NEEDS_KEY)],
    run: setid,
    ..CREATE
};

const DESTROY: Command = Command {
    name: "destroy",
    syntax: "key group",
    summary: "Delete a group with all that is pending in it.",
    cost: "O(N) in the number of pending entries",
    arity: Arity::Exactly(4),
    flags: WRITE,
    keys: &[KeySpec::at(2, RW.or(DELETE))],
    examples: &[("XGROUP DESTROY nosuch g", NEEDS_KEY)],
    run: destroy,
    ..CREATE
};

const CREATECONSUMER: Command = Command {
    name: "createconsumer",
    syntax: "key group consumer",
    summary: "Make a consumer of a group.",
    since: "6.2.0",
    arity: Arity::Exactly(5),
    examples: &[("XGROUP CREATECONSUMER nosuch g c", NEEDS_KEY)],
    run: createconsumer,
    ..CREATE
};

const DELCONSUMER: Command = Command {
    name: "delconsumer",
    syntax: "key group consumer",
    summary: "Delete a consumer of a group, and count what was pending for it.",
    arity: Arity::Exactly(5),
    flags: WRITE,
    keys: &[KeySpec::at(2, RW.or(DELETE))],
    examples: &[("XGROUP DELCONSUMER nosuch g c", NEEDS_KEY)],
    run: delconsumer,
    ..CREATE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    group: Group::Stream,
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    acl: acl::STREAM,
    run: |ctx, _| {
        let lines = [
            (
                "CREATE <key> <groupname> <id|$> [option]",
                "Make a group. Options: MKSTREAM makes the stream, too;",
            ),
            ("       ENTRIESREAD entries_read", "sets what the group counts as read (internal)."),
            ("CREATECONSUMER <key> <groupname> <consumer>", "Make a consumer."),
            ("DELCONSUMER <key> <groupname> <consumer>", "Delete a consumer."),
            ("DESTROY <key> <groupname>", "Delete a group."),
            (
                "SETID <key> <groupname> <id|$> [ENTRIESREAD entries_read]",
                "Set up to where the group has read.",
            ),
        ];
        Ok(help(ctx, "XGROUP", &lines))
    },
    ..Command::BASE
};

const NEEDS_KEY: &str = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
                         use the MKSTREAM option to create an empty stream automatically.";

/// A change of groups, which who watches the key does not see.
fn moved(event: &'static str, dirty: usize) -> Change {
    match Change::new(event, dirty) {
        Change::NONE => Change::NONE,
        change => change.unwatched(),
    }
}

/// Changes a stream that is there, or may be made.
fn edit<R>(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    missing: Missing,
    f: impl FnOnce(&mut Stream) -> Result<(R, Change), CmdError>,
) -> Result<R, CmdError> {
    let (done, effect) = ctx.db.edit_stream(key, missing, |stream, _| match f(stream) {
        Ok((result, change)) => (Ok(result), change),
        Err(error) => (Err(error), Change::NONE),
    })?;
    let result = done.ok_or(CmdError::text(NEEDS_KEY))??;
    ctx.record(effect);
    Ok(result)
}

/// Changes a group that is there.
fn edit_group<R>(
    ctx: &mut Ctx<'_>,
    key: &[u8],
    name: &[u8],
    f: impl FnOnce(&mut ConsumerGroup) -> (R, Change),
) -> Result<R, CmdError> {
    edit(ctx, key, Missing::Leave, |stream| {
        let group = stream.groups.get_mut(name).ok_or_else(|| id::no_group(key, name))?;
        Ok(f(group))
    })
}

struct Options {
    make_stream: bool,
    entries_read: i64,
}

impl Options {
    /// Reads what is behind the id.
    fn parse(args: &mut Args<'_>, create: bool) -> Result<Options, CmdError> {
        let request = args.clone();
        let mut o = Options { make_stream: false, entries_read: ENTRIES_READ_UNKNOWN };
        while let Some(word) = args.next() {
            match () {
                () if create && parse::is(word, "MKSTREAM") => o.make_stream = true,
                () if parse::is(word, "ENTRIESREAD") && args.remaining() > 0 => {
                    o.entries_read = args.int()?;
                    if o.entries_read < ENTRIES_READ_UNKNOWN {
                        return Err(CmdError::text("ERR value for ENTRIESREAD must be positive or -1"));
                    }
                }
                () => return Err(bad_subcommand(&request)),
            }
        }
        Ok(o)
    }
}

fn create(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (key, name, text) = (args.arg()?, args.arg()?, args.arg()?);
    let options = Options::parse(&mut args, true)?;
    let missing = if options.make_stream { Missing::Create } else { Missing::Leave };
    edit(ctx, key, missing, |stream| {
        if args.len() > 8 {
            return Err(bad_subcommand(&args));
        }
        let last_id = id::or_last(text, stream.log.last_id)?;
        let made = stream.groups.create(name, last_id, options.entries_read).is_some();
        let busy = CmdError::text("BUSYGROUP Consumer Group name already exists");
        if made { Ok(((), moved("xgroup-create", 1))) } else { Err(busy) }
    })?;
    Ok(ctx.reply.ok())
}

fn setid(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (key, name, text) = (args.arg()?, args.arg()?, args.arg()?);
    let options = Options::parse(&mut args, false)?;
    edit(ctx, key, Missing::Leave, |stream| {
        let last_id = stream.log.last_id;
        let group = stream.groups.get_mut(name).ok_or_else(|| id::no_group(key, name))?;
        if args.len() > 7 {
            return Err(bad_subcommand(&args));
        }
        // Unlike elsewhere, `-` and `+` are ids here.
        let id = if text == b"$" { last_id } else { StreamId::parse(text, 0).ok_or_else(id::invalid)? };
        (group.last_id, group.entries_read) = (id, options.entries_read);
        Ok(((), moved("xgroup-setid", 1)))
    })?;
    Ok(ctx.reply.ok())
}

fn destroy(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (key, name) = (args.arg()?, args.arg()?);
    let gone = edit(ctx, key, Missing::Leave, |stream| {
        let gone = stream.groups.destroy(name);
        // Ready: who waits in this group must hear that there is none.
        Ok((gone, moved("xgroup-destroy", usize::from(gone)).ready()))
    })?;
    Ok(ctx.reply.int(gone.into()))
}

fn createconsumer(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (key, name, consumer) = (args.arg()?, args.arg()?, args.arg()?);
    let now_ms = id::now_ms(ctx);
    let created = edit_group(ctx, key, name, |group| {
        let (_, created) = group.create_consumer(consumer, now_ms);
        (created, moved("xgroup-createconsumer", usize::from(created)))
    })?;
    Ok(ctx.reply.int(created.into()))
}

fn delconsumer(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (key, name, consumer) = (args.arg()?, args.arg()?, args.arg()?);
    let pending = edit_group(ctx, key, name, |group| {
        let pending = group.delete_consumer(consumer);
        (pending, moved("xgroup-delconsumer", usize::from(pending.is_some())))
    })?;
    Ok(ctx.reply.count(pending.unwrap_or(0)))
}
