//! APPEND: add bytes to the end of a string.

use super::check_length;
use crate::command::*;
use crate::keyspace::Made;

pub(super) const APPEND: Command = Command {
    name: "append",
    syntax: "key value",
    summary: "Add bytes to the end of a string, and tell how long it is then.",
    since: "2.0.0",
    cost: "O(1), not counting the bytes added",
    group: Group::String,
    arity: Arity::Exactly(3),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STRING,
    keys: &[KeySpec::at(1, RW.or(INSERT))],
    examples: &[("APPEND k abc", "(integer) 3")],
    run: append,
    ..Command::BASE
};

fn append(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let more = args.arg()?;
    let Some(old) = ctx.db.string_for_write(key)?.map(<[u8]>::len) else {
        let effect = ctx.db.update_string(key, more, Made::Whole, "append");
        ctx.record(effect);
        return Ok(ctx.reply.count(more.len()));
    };
    let len = check_length(ctx, old, more.len())?;
    let ((), effect) = ctx.db.edit_string(key, len, "append", |bytes| bytes[old..].copy_from_slice(more))?;
    ctx.record(effect);
    Ok(ctx.reply.count(len))
}
