//! CLIENT LIST, CLIENT INFO: a line per connection.

use super::SUB;
use super::tracking::redirection;
use crate::command::table::{RowId, table};
use crate::command::*;
use crate::engine::session::{OWN_OUTPUT, Peer};
use crate::engine::tracking::Mode;
use crate::engine::{Session, SessionId, State};
use crate::resp::Proto;
use crate::text::clock::Now;
use std::fmt::Write;

pub(super) const INFO: Command = Command {
    name: "info",
    summary: "Tell all about this connection.",
    since: "6.2.0",
    arity: Arity::Exactly(2),
    tips: &["nondeterministic_output"],
    run: |ctx, args| {
        let mut text = String::new();
        describe(&mut text, ctx.session, ctx.state, ctx.now, Some(&args));
        Ok(ctx.reply.verbatim("txt", text.as_bytes()))
    },
    ..SUB
};

pub(super) const LIST: Command = Command {
    name: "list",
    syntax: "[TYPE <NORMAL|MASTER|REPLICA|PUBSUB>] [ID client-id [client-id ...]]",
    summary: "Tell all about connections.",
    since: "2.4.0",
    cost: "O(N) in the number of connections",
    arity: Arity::AtLeast(2),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    tips: &["nondeterministic_output"],
    examples: &[("CLIENT LIST TYPE foo", "ERR Unknown client type 'foo'")],
    run: list,
    ..SUB
};

/// The kinds of clients. We follow nobody, so there is no master among them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientType {
    Normal,
    Replica,
    Master,
    PubSub,
}

impl ClientType {
    /// What a session is.
    pub fn of(session: &Session, state: &State) -> ClientType {
        match () {
            () if state.followers.has(session.id) => ClientType::Replica,
            () if state.pubsub.is_subscribed(session.id) => ClientType::PubSub,
            () => ClientType::Normal,
        }
    }

    /// Reads a type's name, or answers as the real server.
    pub fn parse(word: &[u8]) -> Result<ClientType, CmdError> {
        match () {
            () if parse::is(word, "NORMAL") => Ok(ClientType::Normal),
            () if parse::is(word, "SLAVE") || parse::is(word, "REPLICA") => Ok(ClientType::Replica),
            () if parse::is(word, "MASTER") => Ok(ClientType::Master),
            () if parse::is(word, "PUBSUB") => Ok(ClientType::PubSub),
            () => {
                let word = shown(word);
                Err(CmdError::text(format!("ERR Unknown client type '{word}'")))
            }
        }
    }
}

fn list(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let request = args.clone();
    args.seek(2);
    let option = args.next();
    let mut text = String::new();
    match option {
        None => every(ctx, None, &mut text, &request),
        Some(word) if parse::is(word, "TYPE") && args.len() == 4 => {
            let of_type = ClientType::parse(args.arg()?)?;
            every(ctx, Some(of_type), &mut text, &request);
        }
        Some(word) if parse::is(word, "ID") && args.remaining() > 0 => {
            for arg in args {
                let id = parse::int(arg).map_err(|_| CmdError::text("ERR Invalid client ID"))?;
                one(ctx, id, &mut text, &request);
            }
        }
        Some(_) => return Err(CmdError::Syntax),
    }
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

/// Everybody (of a type), in the order in which they came; the caller is not among those that rest.
fn every(ctx: &Ctx<'_>, of_type: Option<ClientType>, text: &mut String, request: &Args<'_>) {
    let own = ctx.session.id;
    let wanted = |session: &&Session| of_type.is_none_or(|kind| ClientType::of(session, ctx.state) == kind);
    let (earlier, later): (Vec<_>, Vec<_>) = ctx.state.clients.resting().partition(|s| s.id < own);
    for session in earlier.into_iter().chain([&*ctx.session]).chain(later).filter(wanted) {
        let running = (session.id == own).then_some(request);
        describe(text, session, ctx.state, ctx.now, running);
    }
}

fn one(ctx: &Ctx<'_>, id: i64, text: &mut String, request: &Args<'_>) {
    let Ok(id) = u64::try_from(id) else { return };
    if ctx.session.id.0 == id {
        describe(text, ctx.session, ctx.state, ctx.now, Some(request));
    } else if let Some(session) = ctx.state.clients.get(SessionId(id)) {
        describe(text, session, ctx.state, ctx.now, None);
    }
}

/// A connection's line, for the log.
pub fn client_line(session: &Session, state: &State) -> String {
    let mut text = String::new();
    describe(&mut text, session, state, state.clock.now(), None);
    text.truncate(text.trim_end().len());
    text
}

/// Adds one connection's line; `running` is the request that asks for it, if that is the connection's.
fn describe(text: &mut String, session: &Session, state: &State, now: Now, running: Option<&Args<'_>>) {
    let seconds_since = |us: u64| now.mono_us.saturating_sub(us) / 1_000_000;
    let mirror = session.mirror;
    let listed = session.listed_output();
    let in_buffer = mirror.output.min(OWN_OUTPUT);
    let argument_bytes = running.map_or(mirror.arguments, Args::total_bytes);
    // While a request runs the real server has its bytes in the buffer still.
    let query = mirror.query + running.and_then(|args| args.raw()).map_or(0, <[u8]>::len);
    let queued = session.queued.as_ref();
    let queued_bytes: usize = queued.iter().flat_map(|q| q.iter()).map(|request| request.memory()).sum();
    let total = state.client_memory(session) - mirror.arguments + argument_bytes;
    let multi = queued.map_or(-1, |q| i64::try_from(q.len()).unwrap_or(i64::MAX));
    let command = session.last_command.map_or("NULL", |id| &table().row(RowId(id)).full_name);
    let protocol = if session.protocol == Proto::Resp3 { 3 } else { 2 };
    let (channels, patterns, shards) = state.pubsub.counts(session.id);
    let watched = state.watches.of(session.id).len();
    let tracking = state.tracking.of(session.id);
    let name = |bytes| String::from_utf8_lossy(bytes);
    writeln!(
        text,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={channels} psub={patterns} \
         ssub={shards} multi={multi} watch={watched} qbuf={} qbuf-free={} argv-mem={argument_bytes} multi-mem={queued_bytes} rbs=0 rbp=0 obl={in_buffer} oll={} \
         omem={listed} tot-mem={total} events={} cmd={command} user={} redir={} resp={protocol} lib-name={} \
         lib-ver={} io-thread={}",
        session.id.0,
        session.peer.addr(),
        session.peer.laddr(),
        session.fd,
        name(&session.name),
        seconds_since(session.created_us),
        seconds_since(session.active_us),
        flags(session, state),
        session.db,
        query,
        mirror.query_capacity.saturating_sub(mirror.query),
        session.output_blocks(),
        if mirror.output > 0 { "rw" } else { "r" },
        session.user,
        redirection(tracking),
        name(&session.lib_name),
        name(&session.lib_ver),
        session.worker,
    )
    .expect("a String takes all");
}

/// The letters of `flags`; none is `N`.
fn flags(session: &Session, state: &State) -> String {
    let tracking = state.tracking.of(session.id);
    let letters = [
        (state.followers.has(session.id), 'S'),
        (state.monitors.has(session.id), 'O'),
        (state.pubsub.is_subscribed(session.id), 'P'),
        (session.queued.is_some(), 'x'),
        (session.blocked, 'b'),
        (tracking.is_some(), 't'),
        (tracking.is_some_and(|tracking| tracking.broken), 'R'),
        (tracking.is_some_and(|tracking| tracking.mode == Mode::Broadcast), 'B'),
        (state.watches.is_touched(session.id), 'd'),
        (session.closing, 'c'),
        (matches!(session.peer, Peer::Unix { .. }), 'U'),
        (session.no_evict, 'e'),
        (session.no_touch, 'T'),
    ];
    let flags: String = letters.iter().filter(|(on, _)| *on).map(|(_, letter)| *letter).collect();
    if flags.is_empty() { "N".into() } else { flags }
}
