//! XREADGROUP: read new entries as one of a group of consumers, or again what one has not acknowledged.

use super::claim::{Changes, Told};
use super::xread::{Answer, Options, streams_from};
use super::{entry, id};
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::resp::Reply;
use crate::value::stream::{ConsumerId, Group as ConsumerGroup, Log, Stream, StreamId};

pub(super) const XREADGROUP: Command = Command {
    name: "xreadgroup",
    syntax: "GROUP group consumer [COUNT count] [BLOCK milliseconds] [NOACK] STREAMS key [key ...] id [id ...]",
    summary: "Read new entries of several streams for a group, or those pending for a consumer.",
    since: "5.0.0",
    cost: "O(N) in the number of entries read of each stream",
    group: Group::Stream,
    arity: Arity::AtLeast(7),
    flags: BLOCKING.or(WRITE).or(MOVABLE_KEYS),
    acl: acl::STREAM,
    keys: &[streams_from(4)],
    propagate: Propagate::Rewritten, // as what is pending afterwards, and the group's position
    examples: &[(
        "XREADGROUP GROUP g c STREAMS nosuch >",
        "NOGROUP No such key 'nosuch' or consumer group 'g' in XREADGROUP with GROUP option",
    )],
    run: xreadgroup,
    ..Command::BASE
};

fn xreadgroup(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let now_ms = id::now_ms(ctx);
    let request = args.clone();
    let options = Options::parse(args, true, ctx.now.ms)?;
    let (group, consumer) = options.group.ok_or(CmdError::text("ERR Missing GROUP option for XREADGROUP"))?;
    for (key, text) in options.streams.iter() {
        let stream = ctx.db.stream(key)?;
        if stream.is_none_or(|stream| stream.groups.get(group).is_none()) {
            return Err(id::no_key_or_group(key, group, " in XREADGROUP with GROUP option"));
        }
        Wanted::parse(text)?;
    }
    ctx.propagate_nothing();
    let mut answer = Answer::default();
    for (key, text) in options.streams.iter() {
        let mut told = Told::new(ctx);
        let read = Read { wanted: Wanted::parse(text)?, count: options.count, noack: options.noack, now_ms };
        let (found, effect) = ctx.db.edit_stream(key, Missing::Leave, |stream, _| {
            let changes = read.run(stream, (key, group, consumer), &mut ctx.reply, &mut answer, &mut told);
            ((), changes.map_or(Change::NONE, |changes| changes.as_change()))
        })?;
        ctx.db.count_lookup(key, found.is_some());
        told.propagate(ctx, key, group);
        ctx.record(effect);
    }
    if answer.is_empty()
        && let Some(timeout_us) = options.block_us
        && let Some(replied) =
            ctx.block(&request, options.streams.iter().map(|(key, _)| key), WaitFor::Change, timeout_us)
    {
        return Ok(replied);
    }
    Ok(answer.end(&mut ctx.reply))
}

/// What to read of a stream.
enum Wanted {
    /// What nobody in the group has read yet.
    New,
    /// What is pending for the consumer behind an id.
    PendingAfter(StreamId),
}

impl Wanted {
    fn parse(text: &[u8]) -> Result<Wanted, CmdError> {
        match text {
            b">" => return Ok(Wanted::New),
            b"$" | b"+" => return Err(meaningless(text[0])),
            _ => {}
        }
        match id::strict(text)? {
            StreamId::MAX => Ok(Wanted::New), // the real server's own mark for it
            id => Ok(Wanted::PendingAfter(id)),
        }
    }
}

#[cold]
fn meaningless(id: u8) -> CmdError {
    let id = char::from(id);
    CmdError::Other(
        format!(
            "ERR The {id} ID is meaningless in the context of XREADGROUP: you want to read the history of this \
             consumer by specifying a proper ID, or use the > ID to get new messages. The {id} ID would just \
             return an empty result set."
        )
        .into(),
    )
}

struct Read {
    wanted: Wanted,
    count: usize,
    noack: bool,
    now_ms: i64,
}

impl Read {
    /// Reads one stream and says what that changed; `None`: there is no such group.
    fn run(
        &self,
        stream: &mut Stream,
        (key, group, name): (&[u8], &[u8], &[u8]),
        reply: &mut Reply<'_>,
        answer: &mut Answer,
        told: &mut Told,
    ) -> Option<Changes> {
        let Stream { log, groups } = stream;
        let group = groups.get_mut(group)?;
        let (consumer, created) = group.create_consumer(name, self.now_ms);
        if created && self.noack {
            told.consumer = Some(name.to_vec());
        }
        group.consumer_mut(consumer)?.seen_ms = self.now_ms;
        let mut changed = false;
        match self.wanted {
            Wanted::PendingAfter(id) => {
                answer.begin(reply, key);
                self.again(log, group, consumer, id, reply);
            }
            Wanted::New if has_new(log, group) => {
                answer.begin(reply, key);
                changed = self.new_entries(log, group, consumer, reply, told);
            }
            Wanted::New => {}
        }
        Some(Changes { claims: usize::from(changed), created })
    }

    /// Answers with entries that nobody has read; whether the log must hear of it.
    fn new_entries(
        &self,
        log: &Log,
        group: &mut ConsumerGroup,
        consumer: ConsumerId,
        reply: &mut Reply<'_>,
        told: &mut Told,
    ) -> bool {
        let start = group.last_id.next().unwrap_or(StreamId::MAX);
        let (array, mut n, mut moved) = (reply.deferred_array(), 0, false);
        for e in log.range(start, StreamId::MAX, false).take(self.count) {
            let id = e.id;
            moved |= group.advance(log, id);
            entry::one(reply, e);
            n += 1;
            if !self.noack {
                let nack = group.deliver(id, consumer, self.now_ms);
                told.nack(group, &nack, &id.text());
            }
        }
        reply.patch(array, n);
        if moved {
            told.position = Some((group.last_id, group.entries_read));
        }
        moved || (n > 0 && !self.noack)
    }

    /// Answers with entries pending for the consumer; of those that are gone with the id alone.
    fn again(
        &self,
        log: &Log,
        group: &mut ConsumerGroup,
        consumer: ConsumerId,
        after: StreamId,
        reply: &mut Reply<'_>,
    ) {
        let start = after.next().unwrap_or(StreamId::MAX);
        let pending = group.consumer(consumer).into_iter().flat_map(|c| c.pending_from(start));
        let ids: Vec<StreamId> = pending.take(self.count).collect();
        reply.array(ids.len());
        for id in ids {
            match log.get(id) {
                Some(e) => {
                    entry::one(reply, e);
                    group.redeliver(id, self.now_ms);
                }
                None => {
                    reply.array(2);
                    entry::id(reply, id);
                    reply.null_array();
                }
            }
        }
    }
}

fn has_new(log: &Log, group: &ConsumerGroup) -> bool {
    log.length > 0 && log.edge(true, false).is_some_and(|last| last > group.last_id)
}
