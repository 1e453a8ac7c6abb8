//! XADD: put an entry at the end of a stream.

use super::trim::{Logged, Options, propagate};
use super::{entry, trim};
use crate::command::*;
use crate::value::limits::Limits;
use crate::value::stream::{AppendError, Log, Stream, StreamId};

pub(super) const XADD: Command = Command {
    name: "xadd",
    syntax: "key [NOMKSTREAM] [<MAXLEN|MINID> [=|~] threshold [LIMIT count]] <*|id> field value [field value ...]",
    summary: "Put an entry at the end of a stream, which is made if need be, and perhaps trim it at the start.",
    since: "5.0.0",
    cost: "O(1), and O(N) in the number of entries that trimming removes",
    group: Group::Stream,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec { notes: "UPDATE and not INSERT, as it may trim", ..KeySpec::at(1, RW.or(UPDATE)) }],
    tips: &["nondeterministic_output"],
    propagate: Propagate::AsIs, // but for an id or a length that we chose, which are spelt out
    examples: &[
        ("XADD s 0-0 f v", "ERR The ID specified in XADD must be greater than 0-0"),
        ("XADD s NOMKSTREAM * f v", "(nil)"),
    ],
    run: xadd,
    ..Command::BASE
};

/// What came of adding.
struct Added {
    id: StreamId,
    trimmed: bool,
    exact: Option<Logged>,
}

fn xadd(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let obey = ctx.state.loading.is_some();
    let options = Options::of_add(&mut args, ctx.db.limits(), obey)?;
    let id_at = args.position();
    args.next();
    if args.remaining() < 2 || args.remaining() % 2 == 1 {
        return Err(CmdError::Arity("xadd".into()));
    }
    if options.id == Some((StreamId::MIN, true)) {
        return Err(CmdError::text("ERR The ID specified in XADD must be greater than 0-0"));
    }
    let missing = if options.no_mkstream { Missing::Leave } else { Missing::Create };
    let now_ms = ctx.now.ms;
    let (added, effect) = ctx.db.edit_stream(key, missing, |stream, limits| {
        let added = add(stream, &options, args.clone(), now_ms, limits);
        let change = Change::new("xadd", usize::from(added.is_ok())).ready().told_first();
        (added, change)
    })?;
    let Some(added) = added.transpose()? else {
        return Ok(ctx.reply.null());
    };
    let chosen = !matches!(options.id, Some((_, true)));
    if chosen || added.exact.is_some() {
        propagate(ctx, &args, added.exact, chosen.then_some((id_at, added.id)));
    }
    // Who read the stream hears of both at once, behind them.
    ctx.record(Effect { unwatched: added.trimmed, ..effect });
    if added.trimmed {
        ctx.record(Effect::new(key, "xtrim").dirty(0).told_first());
    }
    Ok(entry::id(&mut ctx.reply, added.id))
}

fn add(
    stream: &mut Stream,
    options: &trim::Options,
    fields: Args<'_>,
    now_ms: u64,
    limits: &Limits,
) -> Result<Added, CmdError> {
    let log = &mut stream.log;
    if log.last_id == StreamId::MAX {
        return Err(CmdError::text(
            "ERR The stream has exhausted the last possible ID, unable to add more items",
        ));
    }
    let id = new_id(log, options.id, now_ms).ok_or_else(not_greater)?;
    log.append(id, fields, limits).map_err(|error| match error {
        AppendError::NotGreater => not_greater(),
        AppendError::TooBig => CmdError::text("ERR Elements are too large to be stored"),
    })?;
    let (removed, exact) = options.trim.map_or((0, None), |trim| trim.run(log));
    Ok(Added { id, trimmed: removed > 0, exact })
}

#[cold]
fn not_greater() -> CmdError {
    CmdError::text("ERR The ID specified in XADD is equal or smaller than the target stream top item")
}

/// The id as given, or as chosen by the time or the last one; `None` if there is none left.
fn new_id(log: &Log, given: Option<(StreamId, bool)>, now_ms: u64) -> Option<StreamId> {
    match given {
        None => log.next_id(now_ms),
        Some((id, true)) => Some(id),
        Some((id, false)) => log.auto_seq(id.ms),
    }
}
