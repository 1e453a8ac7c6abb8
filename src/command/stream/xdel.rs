//! XDEL: delete entries of a stream.

use super::id;
use crate::command::*;

pub(super) const XDEL: Command = Command {
    name: "xdel",
    syntax: "key id [id ...]",
    summary: "Delete entries of a stream by their ids, and count those that were there.",
    since: "5.0.0",
    cost: "O(1) for each entry",
    group: Group::Stream,
    arity: Arity::AtLeast(3),
    flags: WRITE.or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    examples: &[("XDEL nosuch abc", "(integer) 0")],
    run: xdel,
    ..Command::BASE
};

fn xdel(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let (deleted, effect) = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        // All ids are judged before any entry goes.
        if let Err(error) = args.clone().try_for_each(|text| id::strict(text).map(drop)) {
            return (Err(error), Change::NONE);
        }
        let deleted =
            args.filter_map(|text| id::strict(text).ok()).filter(|id| stream.log.delete(*id)).count();
        (Ok(deleted), Change::new("xdel", deleted))
    })?;
    let deleted = deleted.transpose()?.unwrap_or(0);
    ctx.record(effect);
    Ok(ctx.reply.count(deleted))
}
