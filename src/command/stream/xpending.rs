//! XPENDING: what was delivered to a group's consumers and not acknowledged.

use super::claim::owner;
use super::{entry, id};
use crate::command::*;
use crate::resp::Reply;
use crate::value::stream::{Group as ConsumerGroup, Nack, StreamId};

pub(super) const XPENDING: Command = Command {
    name: "xpending",
    syntax: "key group [[IDLE min-idle-time] start end count [consumer]]",
    summary: "Tell how many entries are pending in a group and for whom, or which ones.",
    since: "5.0.0",
    cost: "O(N) in the number of entries told of, and O(M) in that looked at with IDLE",
    group: Group::Stream,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::STREAM,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("XPENDING nosuch g", "NOGROUP No such key 'nosuch' or consumer group 'g'")],
    run: xpending,
    ..Command::BASE
};

/// Which entries to tell of.
struct Filter<'a> {
    min_idle_ms: i64,
    start: StreamId,
    end: StreamId,
    count: usize,
    consumer: Option<&'a [u8]>,
}

impl<'a> Filter<'a> {
    /// Reads what is behind the group's name.
    fn parse(args: &mut Args<'a>) -> Result<Option<Filter<'a>>, CmdError> {
        match args.len() {
            3 => return Ok(None),
            6..=9 => {}
            _ => return Err(CmdError::Syntax),
        }
        let mut min_idle_ms = 0;
        if args.peek().is_some_and(|word| parse::is(word, "IDLE")) {
            args.next();
            min_idle_ms = args.int()?;
            if args.remaining() < 3 {
                return Err(CmdError::Syntax);
            }
        }
        let (start, end, count) = (args.arg()?, args.arg()?, args.int()?);
        let (start, end) = (id::start(start)?, id::end(end)?);
        Ok(Some(Filter { min_idle_ms, start, end, count: count.max(0) as usize, consumer: args.next() }))
    }
}

fn xpending(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, name) = (args.arg()?, args.arg()?);
    let filter = Filter::parse(&mut args)?;
    let now_ms = id::now_ms(ctx);
    let stream = ctx.db.stream(key)?;
    let group = stream.as_ref().and_then(|stream| stream.groups.get(name));
    let group = group.ok_or_else(|| id::no_key_or_group(key, name, ""))?;
    Ok(match filter {
        None => summary(&mut ctx.reply, group),
        Some(filter) => entries(&mut ctx.reply, group, &filter, now_ms),
    })
}

fn summary(reply: &mut Reply<'_>, group: &ConsumerGroup) -> Replied {
    let replied = reply.array(4);
    reply.count(group.pending_len());
    let mut pending = group.pending();
    let Some(first) = pending.next() else {
        reply.null();
        reply.null();
        reply.null_array();
        return replied;
    };
    entry::id(reply, first.id);
    entry::id(reply, pending.next_back().unwrap_or(first).id);
    let array = reply.deferred_array();
    let mut n = 0;
    for (_, consumer) in group.consumers().filter(|(_, consumer)| consumer.pending_len() > 0) {
        reply.array(2);
        reply.bulk(consumer.name());
        reply.bulk_int(consumer.pending_len() as i64);
        n += 1;
    }
    reply.patch(array, n)
}

fn entries(reply: &mut Reply<'_>, group: &ConsumerGroup, filter: &Filter<'_>, now_ms: i64) -> Replied {
    let array = reply.deferred_array();
    let idle = |nack: &Nack| now_ms.saturating_sub(nack.delivery_time_ms);
    let wanted = |nack: &&Nack| filter.min_idle_ms == 0 || idle(nack) >= filter.min_idle_ms;
    let mut show = |nack: &Nack| {
        reply.array(4);
        entry::id(reply, nack.id);
        reply.bulk(owner(group, nack));
        reply.int(idle(nack).max(0));
        reply.int(nack.delivery_count as i64);
    };
    let n = match filter.consumer.map(|name| group.find_consumer(name)) {
        None if filter.start <= filter.end => {
            let pending = group.pending_in(filter.start..=filter.end);
            pending.filter(wanted).take(filter.count).map(&mut show).count()
        }
        Some(Some(consumer)) => {
            let ids = group.consumer(consumer).into_iter().flat_map(|c| c.pending_from(filter.start));
            let pending = ids.take_while(|id| *id <= filter.end).filter_map(|id| group.nack(id));
            pending.filter(wanted).take(filter.count).map(&mut show).count()
        }
        None | Some(None) => 0,
    };
    reply.patch(array, n)
}
