//! The road of a command: one lookup, one gate, the handler, and what follows from what it did.

use super::evict_clients::{go_before_keys, may_go_on};
use super::gate::{admit, find_plain, find_row, is_about_subscriptions, is_calm};
use super::process::running;
use super::{Server, http};
use crate::command::keys::keys_to_track;
use crate::command::table::Row;
use crate::command::{
    ADMIN, Args, CmdError, Ctx, FAST, Flags, MAY_REPLICATE, Propagate, READONLY, SKIP_MONITOR, SKIP_SLOWLOG,
    TOUCHES_ARBITRARY_KEYS, WRITE,
};
use crate::engine::config::is_sensitive;
use crate::engine::session::{Peer, ReplyMode, Wrote};
use crate::engine::slow_log::{self, SlowEntry};
use crate::engine::{Engine, Session, State};
use crate::keyspace::{Ahead, Database, View, prefetch_items};
use crate::resp::{Batch, Mark, Out, OwnedArgs, Reply};
use crate::text::clock::Now;
use crate::text::words;
use std::ops::Range;

/// How far a batch came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batched {
    /// Requests that ran; less than there were if the session is to be closed or the output is too long.
    pub ran: usize,
}

/// Runs the requests of one read, one after the other, and writes their replies to `out`.
///
/// `buf` is what the batch was parsed from. With more than `most_output` bytes waiting nothing more is run.
pub fn run_batch(
    server: &Server,
    engine: &mut Engine,
    session: &mut Session,
    batch: &Batch,
    buf: &[u8],
    out: &mut Out,
    most_output: usize,
) -> Batched {
    let mut now = engine.state.clock.now();
    let start_us = now.mono_us;
    session.active_us = start_us;
    let (mut ran, mut ahead) = (0, Ahead::default());
    let mut calm = is_calm(engine, session);
    for i in 0..batch.len() {
        if session.closing || session.blocked || session.cut_off || out.len() > most_output {
            break;
        }
        if !calm && i > 0 && go_before_keys(&engine.state) && !may_go_on(&mut engine.state, session, out) {
            break;
        }
        if !calm
            && let Some(all) = engine.state.blocked.paused()
            && is_postponed(session, &batch.args(buf, i), all)
        {
            postpone(engine, session, &batch.args(buf, i));
            ran += 1;
            break;
        }
        let database = engine.keyspace.database(session.db);
        ahead.step(database, i, batch.len(), |i| batch.arg(buf, i, 1));
        if i.is_multiple_of(GROUP) {
            prefetch_members(database, batch, buf, i);
        }
        let args = batch.args(buf, i);
        if let Some(row) = calm.then(|| find_plain(session, &args)).flatten() {
            now = execute_plain(server, engine, session, row, &args, out, now);
        } else {
            now = execute(server, engine, session, args, out, now);
            calm = is_calm(engine, session);
        }
        out.seal();
        ran += 1;
    }
    engine.state.stats.turns.count(now.mono_us.saturating_sub(start_us), ran);
    Batched { ran }
}

/// Whether a request has to wait for a pause's end (CLIENT PAUSE). What is no request is refused at once.
#[cold]
pub(super) fn is_postponed(session: &Session, args: &Args<'_>, all: bool) -> bool {
    const WRITES: Flags = WRITE.or(MAY_REPLICATE);
    let Ok(row) = find_row(session, args) else { return false };
    let queued_write = || {
        let rows =
            session.queued.iter().flatten().filter_map(|request| find_row(session, &request.args()).ok());
        row.command.name == "exec" && rows.into_iter().any(|row| row.command.flags.has(WRITES))
    };
    row.command.arity.admits(args.len()) && (all || row.command.flags.has(WRITES) || queued_write())
}

/// Keeps a request until the pause's end.
#[cold]
pub(super) fn postpone(engine: &mut Engine, session: &mut Session, args: &Args<'_>) {
    session.blocked = true;
    engine.state.blocked.postpone(session.id, OwnedArgs::from(args));
}

/// Requests whose members are fetched together.
pub(super) const GROUP: usize = 16;

/// Asks the processor for the members of big aggregates that the next requests will look up. The first request of a
/// group tells whether it is about such.
#[inline]
fn prefetch_members(database: &Database, batch: &Batch, buf: &[u8], from: usize) {
    let until = batch.len().min(from + GROUP);
    if until - from > 1 && prefetch_member(database, &batch.args(buf, from)).is_some() {
        prefetch_group(database, batch, buf, from..until);
    }
}

#[inline(never)]
fn prefetch_group(database: &Database, batch: &Batch, buf: &[u8], group: Range<usize>) {
    let mut found = [const { None }; GROUP];
    for (found, i) in found.iter_mut().zip(group) {
        *found = prefetch_member(database, &batch.args(buf, i));
    }
    found.iter().flatten().for_each(|(view, hash)| prefetch_items(view, *hash));
}

/// The member is nearly always the argument behind the key; behind a score where one was given (ZADD, ZINCRBY).
#[inline]
fn prefetch_member<'e>(database: &'e Database, args: &Args<'_>) -> Option<(View<'e>, u64)> {
    let (key, next) = (args.get(1)?, args.get(2)?);
    let member =
        if args.name().first().is_some_and(|c| c.eq_ignore_ascii_case(&b'z')) { args.get(3) } else { None };
    database.prefetch_member(key, member.unwrap_or(next))
}

/// Runs one request of a plain command while nothing unusual is going on: what [`execute`] does, without what it
/// would look for in vain. Gives the time at its end.
#[inline]
fn execute_plain(
    server: &Server,
    engine: &mut Engine,
    session: &mut Session,
    row: &'static Row,
    args: &Args<'_>,
    out: &mut Out,
    now: Now,
) -> Now {
    session.last_command = Some(row.id.0);
    session.commands += 1;
    let outcome = run(server, engine, session, row, args, out, now);
    let end = engine.state.clock.now();
    account(&mut engine.state, session, row, args, now, end, outcome);
    if engine.state.blocked.has_ready() {
        super::unblock::serve_ready(server, engine, now.ms);
    }
    end
}

/// Runs one request and gives the time at its end.
#[inline]
pub(super) fn execute(
    server: &Server,
    engine: &mut Engine,
    session: &mut Session,
    args: Args<'_>,
    out: &mut Out,
    now: Now,
) -> Now {
    engine.state.tracking.current = Some(session.id);
    let about_client = engine.state.tracking.is_on() && {
        make_room_to_track(&mut engine.state, session, out);
        args.name().eq_ignore_ascii_case(b"client")
    };
    let mut silent = session.reply_mode != ReplyMode::On;
    let mut start = Reply::new(out, session.protocol).mark();
    let end = match admitted(engine, session, &args) {
        Ok(row) if queues(session, row) => {
            queue(session, args, out);
            now
        }
        Ok(row) => {
            if about_client || engine.state.tracking.is_on() {
                // Keys that had to make room: told before the reply, which may be about what is there then.
                out.extend(&engine.state.clients.take_pushed(session.id));
                start = Reply::new(out, session.protocol).mark();
            }
            let outcome = run(server, engine, session, row, &args, out, now);
            // What tells of subscriptions is pushed, and no reply.
            silent &= outcome.is_err() || !is_about_subscriptions(row);
            let end = engine.state.clock.now();
            // A request that waits counts when it is done.
            if !session.blocked {
                account(&mut engine.state, session, row, &args, now, end, outcome);
            }
            show(&mut engine.state, session, row, &args, now);
            end
        }
        Err((None, _)) if http::is_http(args.name()) => {
            http::send_away(engine, session);
            now
        }
        Err((row, error)) => {
            refuse(engine, session, row, &error, out);
            if let Some(row) = row.filter(|row| row.command.name == "exec") {
                show(&mut engine.state, session, row, &args, now);
            }
            now
        }
    };
    engine.state.tell_own_changes(session.id);
    if engine.state.blocked.has_ready() {
        super::unblock::serve_ready(server, engine, now.ms);
    }
    hush(session, silent, out, start);
    if engine.state.tracking.is_on() && !about_client && session.queued.is_none() {
        engine.state.tracking.end_caching(session.id);
    }
    let pushed = engine.state.clients.take_pushed(session.id);
    if !pushed.is_empty() {
        out.extend(&pushed);
    }
    end
}

/// `tracking-table-max-keys`: what a client hears for it comes before the reply.
#[cold]
fn make_room_to_track(state: &mut State, session: &Session, out: &mut Out) {
    state.limit_tracking();
    out.extend(&state.clients.take_pushed(session.id));
}

/// CLIENT TRACKING: remembers which keys the client reads.
#[cold]
fn remember_keys(ctx: &mut Ctx<'_>, row: &Row, request: &Args<'_>) {
    let id = ctx.session.id;
    if !row.command.flags.has(READONLY) || !ctx.state.tracking.remembers(id) {
        return;
    }
    for found in keys_to_track(row.command, request) {
        ctx.state.tracking.remember(id, request.get(found.at).unwrap_or_default());
    }
}

/// Runs a kept request of a blocked client again, as a unit of its own.
pub(super) fn run_kept(
    server: &Server,
    engine: &mut Engine,
    session: &mut Session,
    args: Args<'_>,
    out: &mut Out,
    now: Now,
) {
    let Ok(row) = find_row(session, &args) else { return };
    engine.state.tracking.current = Some(session.id);
    let outcome = run(server, engine, session, row, &args, out, now);
    let end = engine.state.clock.now();
    if !session.blocked {
        account(&mut engine.state, session, row, &args, now, end, outcome);
    }
    engine.state.tell_own_changes(session.id);
}

/// Finds a request's row and lets it pass the gate.
#[inline]
fn admitted(
    engine: &mut Engine,
    session: &mut Session,
    args: &Args<'_>,
) -> Result<&'static Row, (Option<&'static Row>, CmdError)> {
    let row = find_row(session, args).map_err(|error| (None, error))?;
    session.last_command = Some(row.id.0);
    session.commands += 1;
    admit(engine, session, row, args).map_err(|error| (Some(row), error))?;
    Ok(row)
}

/// Whether the request waits for EXEC.
#[inline]
fn queues(session: &Session, row: &Row) -> bool {
    session.queued.is_some()
        && !matches!(row.command.name, "exec" | "discard" | "multi" | "watch" | "quit" | "reset")
}

fn queue(session: &mut Session, args: Args<'_>, out: &mut Out) {
    if let Some(queued) = &mut session.queued {
        session.queued_bytes += args.total_bytes();
        queued.push(OwnedArgs::from(args));
    }
    let _ = Reply::new(out, session.protocol).simple("QUEUED");
}

/// Runs a request inside another one: its reply is one element of the other's, its frames are of the same unit.
pub(super) fn run_inside(ctx: &mut Ctx<'_>, args: Args<'_>) {
    let row = match find_row(ctx.session, &args) {
        Ok(row) => row,
        Err(error) => {
            let _ = ctx.reply.error(error.bytes());
            return;
        }
    };
    let start = ctx.state.clock.now();
    let outcome = perform(ctx, row, &args);
    let end = ctx.state.clock.now();
    account(ctx.state, ctx.session, row, &args, start, end, outcome);
    show(ctx.state, ctx.session, row, &args, start);
}

/// CLIENT REPLY OFF and SKIP: takes back what was written.
#[inline]
fn hush(session: &mut Session, silent: bool, out: &mut Out, start: Mark) {
    if !silent {
        return;
    }
    match session.reply_mode {
        ReplyMode::On => {}
        ReplyMode::Off => out.truncate(start),
        ReplyMode::SkipNext => session.reply_mode = ReplyMode::Skip,
        ReplyMode::Skip => {
            out.truncate(start);
            session.reply_mode = ReplyMode::On;
        }
    }
}

fn run(
    server: &Server,
    engine: &mut Engine,
    session: &mut Session,
    row: &Row,
    args: &Args<'_>,
    out: &mut Out,
    now: Now,
) -> Result<(), String> {
    let reply = Reply::new(out, session.protocol);
    let mut ctx = Ctx::new(engine, session, reply, server, now);
    let outcome = perform(&mut ctx, row, args);
    close_unit(ctx.state, row);
    if !ctx.session.blocked {
        ctx.session.wrote = Wrote { log: ctx.state.log.lsn(), stream: ctx.state.followers.offset };
    }
    outcome
}

/// What the command changed goes to the log, as a transaction if it is more than one thing.
#[inline]
pub(super) fn close_unit(state: &mut State, row: &Row) {
    state.close_unit(!row.command.flags.has(TOUCHES_ARBITRARY_KEYS));
}

/// Runs the handler, answers its error, and adds what it did to the unit.
#[inline]
pub(super) fn perform(ctx: &mut Ctx<'_>, row: &Row, request: &Args<'_>) -> Result<(), String> {
    ctx.state.unit.begin_command();
    let mark = ctx.reply.mark();
    let (id, db) = (ctx.session.id.0, ctx.session.db);
    let outcome = running::during(id, db, request, || (row.command.run)(ctx, request.clone()));
    ctx.record_lapsed();
    let answered = match outcome {
        Ok(_) => Ok(()),
        Err(error) => {
            ctx.reply.truncate(mark);
            let _ = ctx.reply.error(error.bytes());
            Err(error.code())
        }
    };
    if ctx.state.tracking.is_on() {
        remember_keys(ctx, row, request);
    }
    add_frames(ctx, row, request);
    answered
}

/// The log hears what the command did, in the form that its row names.
#[inline]
fn add_frames(ctx: &mut Ctx<'_>, row: &Row, request: &Args<'_>) {
    let unit = &ctx.state.unit;
    if !unit.changed() && !unit.rewritten() {
        return;
    }
    match row.command.propagate {
        Propagate::AsIs if !unit.rewritten() => {
            if ctx.state.listens() {
                // Not as it came: what stands between the words may be anything.
                ctx.state.add_frame(ctx.db.index(), request.all());
            }
        }
        Propagate::AsIs | Propagate::Never => {}
        Propagate::Rewritten => {
            assert!(
                unit.rewritten(),
                "'{}' changed something and did not say how it is logged",
                row.full_name
            );
        }
    }
}

/// Counts a command that ended.
#[inline]
pub(super) fn account(
    state: &mut State,
    session: &Session,
    row: &Row,
    args: &Args<'_>,
    start: Now,
    end: Now,
    outcome: Result<(), String>,
) {
    let took_us = end.mono_us.saturating_sub(start.mono_us);
    // A negative limit: nothing is slow.
    if u64::try_from(state.config.slowlog_log_slower_than).is_ok_and(|limit_us| took_us >= limit_us) {
        keep_slow(state, session, row, args, end, took_us);
    }
    if state.config.latency_monitor_threshold > 0 {
        state.note_delay(if row.command.flags.has(FAST) { "fast-command" } else { "command" }, took_us);
    }
    let stats = &mut state.stats;
    stats.calls += 1;
    let of_command = &mut stats.commands[usize::from(row.id.0)];
    of_command.calls += 1;
    of_command.usec += took_us;
    if state.config.latency_tracking {
        stats.latencies.count(usize::from(row.id.0), took_us);
    }
    if let Err(code) = outcome {
        of_command.failed += 1;
        stats.count_error(code);
    }
}

/// Keeps a command that took long, without what is secret in it.
#[cold]
fn keep_slow(state: &mut State, session: &Session, row: &Row, args: &Args<'_>, end: Now, took_us: u64) {
    if row.command.flags.has(SKIP_SLOWLOG) || state.config.slowlog_max_len == 0 {
        return;
    }
    let words = slow_log::shorten(args, |at| is_secret(row, args, at));
    let (addr, name) = (session.peer.addr(), session.name.clone());
    let entry = SlowEntry { id: 0, when: end.ms / 1000, took_us, words, addr, name };
    state.slow_log.push(entry, state.config.slowlog_max_len);
}

/// Shows a command to those who asked for MONITOR.
#[inline]
fn show(state: &mut State, session: &Session, row: &Row, args: &Args<'_>, now: Now) {
    if !state.monitors.is_empty() && !row.command.flags.has(SKIP_MONITOR.or(ADMIN)) {
        show_now(state, session, row, args, now);
    }
}

#[cold]
fn show_now(state: &mut State, session: &Session, row: &Row, args: &Args<'_>, now: Now) {
    let from = match &session.peer {
        Peer::Unix { path } => format!("unix:{path}"),
        peer => peer.addr(),
    };
    let seconds = now.us / 1_000_000;
    let mut line = format!("+{seconds}.{:06} [{} {from}]", now.us % 1_000_000, session.db).into_bytes();
    for (at, word) in args.all().enumerate() {
        line.push(b' ');
        words::quote_into(if is_secret(row, args, at) { b"(redacted)" } else { word }, &mut line);
    }
    line.extend_from_slice(b"\r\n");
    state.monitors.show(&mut state.clients, &line);
}

/// Passwords, and directives that hold some.
fn is_secret(row: &Row, args: &Args<'_>, at: usize) -> bool {
    let before = |n: usize| at.checked_sub(n).and_then(|at| args.get(at)).unwrap_or_default();
    match row.full_name.as_str() {
        "auth" => at >= 1,
        "hello" => at >= 3 && [1, 2].iter().any(|n| before(*n).eq_ignore_ascii_case(b"AUTH")),
        "migrate" => {
            let is = |n: usize, word: &str| before(n).eq_ignore_ascii_case(word.as_bytes());
            at >= 7 && (is(1, "AUTH") || is(1, "AUTH2") || (at >= 8 && is(2, "AUTH2")))
        }
        "config|set" => at >= 3 && at % 2 == 1 && is_sensitive(before(1)),
        _ => false,
    }
}

/// Answers a request that does not run.
#[cold]
fn refuse(engine: &mut Engine, session: &mut Session, row: Option<&Row>, error: &CmdError, out: &mut Out) {
    // EXEC refused ends the transaction; of anything else EXEC will remember it.
    let ends = row.is_some_and(|row| row.command.name == "exec");
    if ends {
        (session.queued, session.queue_failed) = (None, false);
        engine.state.watches.unwatch(session.id);
    }
    if session.queued.is_some() {
        session.queue_failed = true;
    }
    let error = match ends {
        true => {
            let line = error.line();
            let reason = line.strip_prefix("ERR ").unwrap_or(&line);
            &CmdError::text(format!("EXECABORT Transaction discarded because of: {reason}"))
        }
        false => error,
    };
    let stats = &mut engine.state.stats;
    if let Some(row) = row {
        stats.commands[usize::from(row.id.0)].rejected += 1;
    }
    stats.count_error(error.code());
    let mut reply = Reply::new(out, session.protocol);
    let _ = reply.error(error.bytes());
}
