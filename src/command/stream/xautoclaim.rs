//! XAUTOCLAIM: take over whatever has been pending for too long.

use super::claim::{Changes, Told};
use super::{entry, id};
use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{AutoClaim, Claim, Claimed, Group as ConsumerGroup, Log, Stream, StreamId};

pub(super) const XAUTOCLAIM: Command = Command {
    name: "xautoclaim",
    syntax: "key group consumer min-idle-time start [COUNT count] [JUSTID]",
    summary: "Make entries pending for a consumer that were pending for some time, from an id on, and read them.",
    since: "6.2.0",
    cost: "O(1) for a small COUNT",
    group: Group::Stream,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(FAST),
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RW.or(DELETE))],
    tips: &["nondeterministic_output"],
    propagate: Propagate::Rewritten, // as what is pending afterwards
    examples: &[("XAUTOCLAIM nosuch g c 0 0", "NOGROUP No such key 'nosuch' or consumer group 'g'")],
    run: xautoclaim,
    ..Command::BASE
};

/// As many as the real server could look at without an overflow.
const MOST: i64 = i64::MAX / 16;

struct Request {
    min_idle_ms: i64,
    start: StreamId,
    count: usize,
    just_id: bool,
}

impl Request {
    fn parse(args: &mut Args<'_>) -> Result<Request, CmdError> {
        let min_idle_ms = parse::int(args.arg()?)
            .map_err(|_| CmdError::text("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?;
        let start = id::start(args.arg()?)?;
        let mut request = Request { min_idle_ms: min_idle_ms.max(0), start, count: 100, just_id: false };
        while let Some(word) = args.next() {
            match () {
                () if parse::is(word, "COUNT") && args.remaining() > 0 => {
                    let count = parse::at_least(1, args.arg()?, "ERR COUNT must be > 0")?;
                    if count > MOST {
                        return Err(CmdError::text("ERR COUNT must be > 0"));
                    }
                    request.count = count as usize;
                }
                () if parse::is(word, "JUSTID") => request.just_id = true,
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(request)
    }

    /// Claims, answers, and gives the reply and how many changes it made. `None`: there is no such group.
    fn run(
        &self,
        stream: &mut Stream,
        (group, consumer): (&[u8], &[u8]),
        now_ms: i64,
        reply: &mut Reply<'_>,
        told: &mut Told,
    ) -> Option<(Replied, Changes)> {
        let Stream { log, groups } = stream;
        let group = groups.get_mut(group)?;
        let (consumer, created) = group.create_consumer(consumer, now_ms);
        group.consumer_mut(consumer)?.seen_ms = now_ms;
        let how = Claim {
            consumer,
            now_ms,
            min_idle_ms: self.min_idle_ms,
            delivery_time_ms: now_ms,
            retry_count: None,
            just_id: self.just_id,
            force: false,
        };
        let result = group.auto_claim(log, self.start, self.count, &how);
        Some((self.answer(log, group, &result, reply, told), Changes { claims: result.done.len(), created }))
    }

    fn answer(
        &self,
        log: &Log,
        group: &ConsumerGroup,
        result: &AutoClaim,
        reply: &mut Reply<'_>,
        told: &mut Told,
    ) -> Replied {
        let replied = reply.array(3);
        entry::id(reply, result.next);
        let (array, mut taken) = (reply.deferred_array(), 0);
        for claimed in &result.done {
            if let Claimed::Taken(nack) | Claimed::Gone(nack) = claimed {
                told.nack(group, nack, &nack.id.text());
            }
            let Claimed::Taken(nack) = claimed else { continue };
            taken += 1;
            match log.get(nack.id).filter(|_| !self.just_id) {
                Some(e) => entry::one(reply, e),
                None => entry::id(reply, nack.id),
            };
        }
        reply.patch(array, taken);
        reply.array(result.done.len() - taken);
        for claimed in &result.done {
            if let Claimed::Gone(nack) = claimed {
                entry::id(reply, nack.id);
            }
        }
        replied
    }
}

fn xautoclaim(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, group, consumer) = (args.arg()?, args.arg()?, args.arg()?);
    let request = match Request::parse(&mut args) {
        Ok(request) => request,
        Err(error) => {
            ctx.db.meta(key); // the lookup comes first, and is counted
            return Err(error);
        }
    };
    let now_ms = id::now_ms(ctx);
    let mut told = Told::new(ctx);
    let edited = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
        let done = request.run(stream, (group, consumer), now_ms, &mut ctx.reply, &mut told);
        match done {
            Some((replied, changes)) => (Some(replied), changes.as_change()),
            None => (None, Change::NONE),
        }
    });
    ctx.db.count_lookup(key, !matches!(edited, Ok((None, _))));
    let (claimed, effect) = edited?;
    let replied = claimed.flatten().ok_or_else(|| id::no_key_or_group(key, group, ""))?;
    told.propagate(ctx, key, group);
    ctx.record(effect);
    Ok(replied)
}
