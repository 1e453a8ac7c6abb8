//! TIME, LASTSAVE: moments.

use crate::command::*;

pub(super) const TIME: Command = Command {
    name: "time",
    summary: "Tell the server's time: Unix seconds, and microseconds.",
    since: "2.6.0",
    group: Group::Server,
    arity: Arity::Exactly(1),
    flags: LOADING.or(STALE).or(FAST),
    tips: &["nondeterministic_output"],
    run: time,
    ..Command::BASE
};

pub(super) const LASTSAVE: Command = Command {
    name: "lastsave",
    summary: "Tell when the last snapshot was saved, in Unix seconds.",
    since: "1.0.0",
    acl: acl::ADMIN.or(acl::DANGEROUS),
    run: |ctx, _| {
        let when = ctx.state.saving.last_save;
        Ok(ctx.reply.int(i64::try_from(when).unwrap_or(i64::MAX)))
    },
    ..TIME
};

fn time(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let us = ctx.now.us;
    let parts = [us / 1_000_000, us % 1_000_000];
    Ok(ctx.reply.bulks(parts.iter().map(u64::to_string)))
}
