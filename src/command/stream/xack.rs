//! XACK: an entry has been dealt with.

use super::claim::quiet;
use super::id;
use crate::command::*;

pub(super) const XACK: Command = Command {
    name: "xack",
    syntax: "key group id [id ...]",
    summary: "Take entries off a group's list of those delivered and not dealt with yet.",
    since: "5.0.0",
    cost: "O(1) for each entry",
    group: Group::Stream,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("XACK nosuch g abc", "(integer) 0")],
    run: xack,
    ..Command::BASE
};

fn xack(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, name) = (args.arg()?, args.arg()?);
    let edited = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        let Some(group) = stream.groups.get_mut(name) else {
            return (Ok(0), Change::NONE);
        };
        // All ids are judged before any entry goes.
        if let Err(error) = args.clone().try_for_each(|text| id::strict(text).map(drop)) {
            return (Err(error), Change::NONE);
        }
        let ids = args.filter_map(|text| id::strict(text).ok());
        let acknowledged = ids.filter_map(|id| group.ack(id)).count();
        (Ok(acknowledged), quiet(acknowledged))
    });
    ctx.db.count_lookup(key, !matches!(edited, Ok((None, _))));
    let (acknowledged, effect) = edited?;
    let acknowledged = acknowledged.transpose()?.unwrap_or(0);
    ctx.record(effect);
    Ok(ctx.reply.count(acknowledged))
}
