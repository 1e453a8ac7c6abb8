//! HPERSIST: let fields expire no more.

use super::fields::{self, NO_COUNT};
use crate::command::*;
use crate::value::Hash;

pub(super) const HPERSIST: Command = Command {
    name: "hpersist",
    syntax: "key FIELDS numfields field [field ...]",
    summary: "Let fields expire no more.",
    since: "7.4.0",
    cost: "O(N) in the number of fields named",
    group: Group::Hash,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(FAST),
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[("HPERSIST nosuch FIELDS 1 f", "1) (integer) -2")],
    run: hpersist,
    ..Command::BASE
};

const MISSING: i64 = -2;
const HAD_NONE: i64 = -1;
const PERSISTED: i64 = 1;

fn hpersist(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    fields::is_hash(ctx, key)?;
    fields::counted(&mut args, NO_COUNT)?;
    let clock = ctx.db.field_clock();
    let replied = ctx.reply.array(args.remaining());
    let (found, effect) = ctx.db.edit_hash(key, Missing::Leave, |hash, _| {
        let mut changed = false;
        for field in args.clone() {
            let outcome = persist(hash, field, clock);
            changed |= outcome == PERSISTED;
            ctx.reply.int(outcome);
        }
        ((), Change::new("hpersist", changed.into()))
    })?;
    if found.is_none() {
        args.for_each(|_| {
            ctx.reply.int(MISSING);
        });
    }
    // Unlike HGETEX it tells what happened before it tells who read the hash.
    effect.split().into_iter().for_each(|effect| ctx.record(effect));
    Ok(replied)
}

fn persist(hash: &mut Hash, field: &[u8], clock: u64) -> i64 {
    match hash.get_live(field, clock) {
        None => MISSING,
        Some(item) if item.deadline.is_none() => HAD_NONE,
        Some(_) => {
            hash.set_deadline(field, None);
            PERSISTED
        }
    }
}
