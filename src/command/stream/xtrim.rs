//! XTRIM: remove old entries from a stream.

use super::trim::{Options, propagate};
use crate::command::*;

pub(super) const XTRIM: Command = Command {
    name: "xtrim",
    syntax: "key <<MAXLEN|MINID> [=|~] threshold [LIMIT count]>",
    summary: "Remove a stream's oldest entries: beyond a number, or below an id; `~` leaves what is cheaper to leave.",
    since: "5.0.0",
    cost: "O(N) in the number of entries removed",
    group: Group::Stream,
    arity: Arity::AtLeast(4),
    flags: WRITE,
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    tips: &["nondeterministic_output"],
    propagate: Propagate::AsIs, // but for `~`, which is spelt out
    examples: &[
        ("XTRIM nosuch MAXLEN 0", "(integer) 0"),
        ("XTRIM s MAXLEN -1", "ERR The MAXLEN argument must be >= 0."),
    ],
    run: xtrim,
    ..Command::BASE
};

fn xtrim(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let obey = ctx.state.loading.is_some();
    let trim = Options::of_trim(&mut args, ctx.db.limits(), obey)?;
    let (trimmed, effect) = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        let (removed, exact) = trim.run(&mut stream.log);
        ((removed, exact), Change::new("xtrim", removed as usize).told_first())
    })?;
    let Some((removed, exact)) = trimmed else {
        return Ok(ctx.reply.int(0));
    };
    if removed > 0 && exact.is_some() {
        propagate(ctx, &args, exact, None);
    }
    ctx.record(effect);
    Ok(ctx.reply.int(removed as i64))
}
