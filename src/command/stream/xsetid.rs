//! XSETID: set a stream's last id and counters, as a replay of the log needs it.

use super::id::strict;
use crate::command::*;
use crate::value::stream::{SetIdError, StreamId};

pub(super) const XSETID: Command = Command {
    name: "xsetid",
    syntax: "key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id]",
    summary: "Set the last id of a stream, and perhaps what it counts of entries added and deleted.",
    since: "5.0.0",
    cost: "O(1)",
    group: Group::Stream,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("XSETID nosuch 1-1", "ERR no such key")],
    run: xsetid,
    ..Command::BASE
};

fn xsetid(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, id) = (args.arg()?, strict(args.arg()?)?);
    let (added, max_deleted) = options(&mut args, id)?;
    let (done, effect) = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        let done = stream.log.set_id(id, added, max_deleted).map_err(refused);
        let change = if done.is_ok() { Change::new("xsetid", 1).unwatched() } else { Change::NONE };
        (done, change)
    })?;
    done.ok_or(CmdError::NoSuchKey)??;
    ctx.record(effect);
    Ok(ctx.reply.ok())
}

fn options(args: &mut Args<'_>, id: StreamId) -> Result<(Option<u64>, Option<StreamId>), CmdError> {
    let (mut added, mut max_deleted) = (None, None);
    while let Some(word) = args.next() {
        let value = args.arg()?;
        match () {
            () if parse::is(word, "ENTRIESADDED") => {
                let value = u64::try_from(parse::int(value)?);
                added = Some(value.map_err(|_| CmdError::text("ERR entries_added must be positive"))?);
            }
            () if parse::is(word, "MAXDELETEDID") => {
                let value = strict(value)?;
                if id < value {
                    return Err(CmdError::text(
                        "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                    ));
                }
                max_deleted = Some(value);
            }
            () => return Err(CmdError::Syntax),
        }
    }
    Ok((added, max_deleted))
}

fn refused(why: SetIdError) -> CmdError {
    CmdError::text(match why {
        SetIdError::BelowMaxDeleted => {
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id"
        }
        SetIdError::BelowTop => "ERR The ID specified in XSETID is smaller than the target stream top item",
        SetIdError::AddedBelowLength => {
            "ERR The entries_added specified in XSETID is smaller than the target stream length"
        }
    })
}
