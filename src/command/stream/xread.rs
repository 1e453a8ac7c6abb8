//! XREAD: read what came behind given ids, of several streams.

use std::borrow::Cow;

use super::{entry, id};
use crate::command::*;
use crate::engine::blocked::WaitFor;
use crate::keyspace::{Type, View};
use crate::resp::{Deferred, OwnedArgs, Reply};
use crate::value::stream::{Log, StreamId};

pub(super) const XREAD: Command = Command {
    name: "xread",
    syntax: "[COUNT count] [BLOCK milliseconds] STREAMS key [key ...] id [id ...]",
    summary: "Read the entries behind given ids of several streams.",
    since: "5.0.0",
    cost: "",
    group: Group::Stream,
    arity: Arity::AtLeast(4),
    flags: BLOCKING.or(READONLY).or(MOVABLE_KEYS),
    acl: acl::STREAM,
    keys: &[streams_from(1)],
    examples: &[("XREAD STREAMS nosuch 0", "(nil)")],
    run: xread,
    ..Command::BASE
};

/// The keys between STREAMS, searched from an argument on, and as many ids.
pub(super) const fn streams_from(from: i64) -> KeySpec {
    let find = Find::Range { last: -1, step: 1, limit: 2 };
    KeySpec { begin: Begin::Keyword("STREAMS", from), find, flags: RO.or(ACCESS), notes: "" }
}

/// The options of XREAD and XREADGROUP.
pub(super) struct Options<'a> {
    /// Entries of each stream.
    pub count: usize,
    /// Wait so long for entries if there are none, in microseconds; 0 for ever.
    pub block_us: Option<u64>,
    /// Names of the group and the consumer.
    pub group: Option<(&'a [u8], &'a [u8])>,
    /// What is read is not to be acknowledged.
    pub noack: bool,
    /// Keys and ids in turn.
    pub streams: Streams<'a>,
}

/// The keys and ids behind STREAMS.
#[derive(Clone)]
pub(super) struct Streams<'a> {
    args: Args<'a>,
    first: usize,
    len: usize,
}

impl<'a> Streams<'a> {
    /// Each key with its id.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let keys = parse::some_args(&self.args, self.first, self.len);
        keys.zip(parse::some_args(&self.args, self.first + self.len, self.len))
    }
}

impl<'a> Options<'a> {
    pub fn parse(mut args: Args<'a>, grouped: bool, now_ms: u64) -> Result<Options<'a>, CmdError> {
        let (mut count, mut block_us, mut group, mut noack) = (0, None, None, false);
        loop {
            let word = args.arg()?; // without STREAMS it is a syntax error
            let more = args.remaining();
            match () {
                () if parse::is(word, "BLOCK") && more > 0 => {
                    block_us = Some(parse::timeout_ms(args.arg()?, now_ms)?)
                }
                () if parse::is(word, "COUNT") && more > 0 => count = args.int()?.max(0) as usize,
                () if parse::is(word, "STREAMS") && more > 0 => break,
                () if parse::is(word, "GROUP") && more >= 2 => {
                    if !grouped {
                        return Err(only_grouped("GROUP"));
                    }
                    group = Some((args.arg()?, args.arg()?));
                }
                () if parse::is(word, "NOACK") => {
                    if !grouped {
                        return Err(only_grouped("NOACK"));
                    }
                    noack = true;
                }
                () => return Err(CmdError::Syntax),
            }
        }
        let (first, len) = (args.position(), args.remaining());
        if len % 2 != 0 {
            return Err(unbalanced(grouped));
        }
        let count = if count == 0 { usize::MAX } else { count };
        Ok(Options { count, block_us, group, noack, streams: Streams { args, first, len: len / 2 } })
    }
}

#[cold]
fn only_grouped(option: &str) -> CmdError {
    CmdError::Other(
        format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.").into(),
    )
}

#[cold]
fn unbalanced(grouped: bool) -> CmdError {
    let (name, ids) = if grouped { ("xreadgroup", "ID or '>'") } else { ("xread", "ID, '+', or '$'") };
    CmdError::Other(
        format!("ERR Unbalanced '{name}' list of streams: for each stream key an {ids} must be specified.")
            .into(),
    )
}

/// The reply of a read: nothing until the first stream has something.
#[derive(Default)]
pub(super) struct Answer {
    deferred: Option<Deferred>,
    streams: usize,
}

impl Answer {
    /// Begins a stream's part: its key; the entries follow.
    pub fn begin(&mut self, reply: &mut Reply<'_>, key: &[u8]) {
        let pairs = reply.is_resp3();
        self.deferred.get_or_insert_with(|| match pairs {
            true => reply.deferred_map(),
            false => reply.deferred_array(),
        });
        self.streams += 1;
        if !pairs {
            reply.array(2);
        }
        reply.bulk(key);
    }

    /// Whether no stream had anything.
    pub fn is_empty(&self) -> bool {
        self.streams == 0
    }

    /// Ends the reply.
    pub fn end(self, reply: &mut Reply<'_>) -> Replied {
        match self.deferred {
            Some(deferred) => reply.patch(deferred, self.streams),
            None => reply.null_array(),
        }
    }
}

fn xread(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    let options = Options::parse(args, false, ctx.now.ms)?;
    for (key, text) in options.streams.iter() {
        let stream = ctx.db.stream(key)?;
        after(stream.as_ref().map(|stream| &stream.log), text)?;
    }
    let mut answer = Answer::default();
    for (key, text) in options.streams.iter() {
        let Some(stream) = ctx.db.stream(key)? else { continue };
        let log = &stream.log;
        let after = after(Some(log), text)?;
        if log.length == 0 || log.edge(true, false).is_none_or(|last| last <= after) {
            continue;
        }
        let start = after.next().unwrap_or(StreamId::MAX);
        answer.begin(&mut ctx.reply, key);
        entry::all(&mut ctx.reply, log.range(start, StreamId::MAX, false).take(options.count));
    }
    if answer.is_empty()
        && let Some(timeout_us) = options.block_us
        && let Some(replied) = wait(ctx, &request, &options.streams, timeout_us)
    {
        return Ok(replied);
    }
    Ok(answer.end(&mut ctx.reply))
}

/// Keeps the request until there is something behind its ids; `$` is from now on the last id that there is now.
fn wait(ctx: &mut Ctx<'_>, request: &Args<'_>, streams: &Streams<'_>, timeout_us: u64) -> Option<Replied> {
    let mut fixed = Vec::with_capacity(request.len());
    fixed.extend(request.all().take(streams.first + streams.len).map(Cow::Borrowed));
    for (key, text) in streams.iter() {
        let last = || match ctx.db.peek(key) {
            Some(View::Stream(stream)) => stream.log.last_id,
            _ => StreamId::MIN,
        };
        fixed.push(if text == b"$" { Cow::Owned(last().text().to_vec()) } else { Cow::Borrowed(text) });
    }
    let fixed: Vec<&[u8]> = fixed.iter().map(AsRef::as_ref).collect();
    let kept = OwnedArgs::from_slices(&fixed);
    let keys = streams.iter().map(|(key, _)| key);
    ctx.block(&kept.args(), keys, WaitFor::Elements(Type::Stream), timeout_us)
}

/// The id behind which to read: as given, `$` the last one, `+` the one before the last entry's.
fn after(log: Option<&Log>, text: &[u8]) -> Result<StreamId, CmdError> {
    let last_entry = || log.filter(|log| log.length > 0).and_then(|log| log.edge(true, false));
    match text {
        b"$" => Ok(log.map_or(StreamId::MIN, |log| log.last_id)),
        b"+" => Ok(last_entry().and_then(StreamId::prev).unwrap_or(StreamId::MIN)),
        b">" => Err(CmdError::text(
            "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
        )),
        _ => id::strict(text),
    }
}
