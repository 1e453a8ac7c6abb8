//! XCLAIM: take over entries that are pending for another consumer.

use super::claim::{Changes, Told};
use super::{entry, id};
use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{Claim, Claimed, Stream, StreamId};

pub(super) const XCLAIM: Command = Command {
    name: "xclaim",
    syntax: "key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds] \
             [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID lastid]",
    summary: "Make entries pending for a consumer that were pending for another for some time, and read them.",
    since: "5.0.0",
    cost: "O(log N) for each entry, N being pending",
    group: Group::Stream,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    tips: &["nondeterministic_output"],
    propagate: Propagate::Rewritten, // as what is pending afterwards
    examples: &[("XCLAIM nosuch g c 0 1-1", "NOGROUP No such key 'nosuch' or consumer group 'g'")],
    run: xclaim,
    ..Command::BASE
};

#[derive(Default)]
struct Options {
    /// Unix ms; -1: not given.
    delivery_time_ms: i64,
    retry_count: Option<u64>,
    force: bool,
    just_id: bool,
    last_id: StreamId,
}

impl Options {
    fn parse(args: &mut Args<'_>, now_ms: i64) -> Result<Options, CmdError> {
        let mut o = Options { delivery_time_ms: -1, ..Options::default() };
        while let Some(word) = args.next() {
            let more = args.remaining() > 0;
            match () {
                () if parse::is(word, "FORCE") => o.force = true,
                () if parse::is(word, "JUSTID") => o.just_id = true,
                () if parse::is(word, "IDLE") && more => {
                    let idle_ms = int(args.arg()?, "ERR Invalid IDLE option argument for XCLAIM")?;
                    o.delivery_time_ms = now_ms.wrapping_sub(idle_ms);
                }
                () if parse::is(word, "TIME") && more => {
                    o.delivery_time_ms = int(args.arg()?, "ERR Invalid TIME option argument for XCLAIM")?;
                }
                () if parse::is(word, "RETRYCOUNT") && more => {
                    let count = int(args.arg()?, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
                    o.retry_count = u64::try_from(count).ok();
                }
                () if parse::is(word, "LASTID") && more => o.last_id = id::strict(args.arg()?)?,
                () => return Err(unrecognized(word)),
            }
        }
        if o.delivery_time_ms < 0 || o.delivery_time_ms > now_ms {
            o.delivery_time_ms = now_ms; // no time, or one that cannot be
        }
        Ok(o)
    }
}

fn int(text: &[u8], line: &'static str) -> Result<i64, CmdError> {
    parse::int(text).map_err(|_| CmdError::text(line))
}

#[cold]
fn unrecognized(word: &[u8]) -> CmdError {
    CmdError::Other(format!("ERR Unrecognized XCLAIM option '{}'", shown(word)).into())
}

fn xclaim(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, group, consumer) = (args.arg()?, args.arg()?, args.arg()?);
    let now_ms = id::now_ms(ctx);
    let mut told = Told::new(ctx);
    let edited = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        if stream.groups.get(group).is_none() {
            return (Ok(None), Change::NONE);
        }
        let request = match Request::parse(&mut args, now_ms) {
            Ok(request) => request,
            Err(error) => return (Err(error), Change::NONE),
        };
        let (replied, changes) = request.run(stream, group, consumer, now_ms, &mut ctx.reply, &mut told);
        (Ok(Some(replied)), changes.as_change())
    });
    ctx.db.count_lookup(key, !matches!(edited, Ok((None, _))));
    let (claimed, effect) = edited?;
    let replied = claimed.transpose()?.flatten().ok_or_else(|| id::no_key_or_group(key, group, ""))?;
    told.propagate(ctx, key, group);
    ctx.record(effect);
    Ok(replied)
}

/// What is behind the consumer's name.
struct Request<'a> {
    min_idle_ms: i64,
    ids: Args<'a>,
    count: usize,
    options: Options,
}

impl<'a> Request<'a> {
    /// What does not read as an id ends the ids and begins the options.
    fn parse(args: &mut Args<'a>, now_ms: i64) -> Result<Request<'a>, CmdError> {
        let min_idle_ms = int(args.arg()?, "ERR Invalid min-idle-time argument for XCLAIM")?.max(0);
        let ids = args.clone();
        let count = ids.clone().take_while(|text| StreamId::parse_strict(text, 0).is_some()).count();
        args.seek(Args::position(args) + count);
        Ok(Request { min_idle_ms, ids, count, options: Options::parse(args, now_ms)? })
    }

    /// Claims, answers, and gives the reply and how many changes it made.
    fn run(
        self,
        stream: &mut Stream,
        group: &[u8],
        consumer: &[u8],
        now_ms: i64,
        reply: &mut Reply<'_>,
        told: &mut Told,
    ) -> (Replied, Changes) {
        let Stream { log, groups } = stream;
        let group = groups.get_mut(group).expect("the caller has seen it");
        let o = &self.options;
        if o.last_id > group.last_id {
            group.last_id = o.last_id;
            told.position = Some((group.last_id, group.entries_read));
        }
        let (consumer, created) = group.create_consumer(consumer, now_ms);
        group.consumer_mut(consumer).expect("just found or made").seen_ms = now_ms;
        let how = Claim {
            consumer,
            now_ms,
            min_idle_ms: self.min_idle_ms,
            delivery_time_ms: o.delivery_time_ms,
            retry_count: o.retry_count,
            just_id: o.just_id,
            force: o.force,
        };
        let (array, mut shown, mut changes) = (reply.deferred_array(), 0, 0);
        for text in self.ids.take(self.count) {
            let Some(id) = StreamId::parse_strict(text, 0) else { continue };
            match group.claim(log, id, &how) {
                Claimed::No => continue,
                Claimed::Gone(nack) => told.nack(group, &nack, text),
                Claimed::Taken(nack) => {
                    told.nack(group, &nack, text);
                    shown += 1;
                    if o.just_id {
                        entry::id(reply, id);
                    } else {
                        entry::one(reply, log.get(id).expect("what is claimed is there"));
                    }
                }
            }
            changes += 1;
            told.position = None; // the claims tell it
        }
        changes += usize::from(told.position.is_some());
        (reply.patch(array, shown), Changes { claims: changes, created })
    }
}
