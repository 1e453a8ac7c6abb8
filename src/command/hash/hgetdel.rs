//! HGETDEL: read fields and delete them.

use super::fields::{self, NO_COUNT};
use crate::command::answer::ReplyExt;
use crate::command::*;

pub(super) const HGETDEL: Command = Command {
    name: "hgetdel",
    syntax: "key FIELDS numfields field [field ...]",
    summary: "Read fields and delete them.",
    since: "8.0.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(DELETE))],
    propagate: Propagate::Rewritten, // as the deletion that it is
    examples: &[("HGETDEL nosuch FIELDS 1 f", "1) (nil)")],
    run: hgetdel,
    ..Command::BASE
};

fn hgetdel(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    fields::is_hash(ctx, key)?;
    fields::counted(&mut args, NO_COUNT)?;
    ctx.db.lapse_fields(key, args.clone());
    let clock = ctx.db.field_clock();
    let replied = ctx.reply.array(args.remaining());
    let (found, effect) = ctx.db.edit_hash(key, Missing::Leave, |hash, _| {
        let mut deleted = 0;
        for field in args.clone() {
            match hash.get_live(field, clock) {
                Some(item) => ctx.reply.element(item.value),
                None => {
                    ctx.reply.null();
                    continue;
                }
            };
            hash.remove(field);
            deleted += 1;
        }
        ((), Change::new("hdel", deleted))
    })?;
    if found.is_none() {
        args.for_each(|_| {
            ctx.reply.null();
        });
    } else if !effect.is_none() {
        let words: Vec<&[u8]> = [b"HDEL", key].into_iter().chain(args).collect();
        ctx.propagate(&words);
    }
    ctx.record(effect);
    Ok(replied)
}
