//! What a request must pass before it runs.

use crate::command::table::{Row, table};
use crate::command::{self, Args, CmdError, Flags, shown};
use crate::engine::session::{Peer, ReplyMode};
use crate::engine::{Engine, Session};
use crate::resp::Proto;
use crate::text::os::reason;

/// Finds the row of a request, subcommands included, or says why there is none.
#[inline]
pub(super) fn find_row(session: &Session, args: &Args<'_>) -> Result<&'static Row, CmdError> {
    let table = table();
    let name = args.name();
    let row = match session.last_command.map(|id| table.row(crate::command::table::RowId(id))) {
        Some(row) if row.is_called(name) => row,
        _ => table.find(name).or_else(|| logged(session, name)).ok_or_else(|| unknown(args))?,
    };
    if !row.command.is_container() || args.len() == 1 {
        return Ok(row);
    }
    let sub = args.get(1).expect("more than one argument");
    table.find_sub(row, sub).ok_or_else(|| unknown_sub(sub, row))
}

/// A log may call commands by their own names, as the server itself does, whatever clients call them.
#[cold]
fn logged(session: &Session, name: &[u8]) -> Option<&'static Row> {
    if session.peer == Peer::Internal { table().find_own(name) } else { None }
}

/// The real server prints these as C strings: a zero ends them.
fn printable(bytes: &[u8], most: usize) -> String {
    shown(&bytes[..bytes.len().min(most)])
}

#[cold]
fn unknown(args: &Args<'_>) -> CmdError {
    let mut line =
        format!("ERR unknown command '{}', with args beginning with: ", printable(args.name(), 128));
    let mut length = 0;
    for i in 1..args.len() {
        if length >= 128 {
            break;
        }
        let word = printable(args.get(i).unwrap_or_default(), 128 - length);
        length += word.chars().count() + 3;
        line.push_str(&format!("'{word}' "));
    }
    CmdError::Other(line.into())
}

#[cold]
fn unknown_sub(sub: &[u8], row: &Row) -> CmdError {
    let container = row.command.name.to_ascii_uppercase();
    CmdError::Other(format!("ERR unknown subcommand '{}'. Try {container} HELP.", printable(sub, 128)).into())
}

/// Finds the row of a request that [`admit`] has nothing to ask of but its arity, which is right, while
/// [`is_calm`] holds: a command about its keys and nothing else. `None` sends it the long way.
#[inline]
pub(super) fn find_plain(session: &Session, args: &Args<'_>) -> Option<&'static Row> {
    let row = table().row(crate::command::table::RowId(session.last_command?));
    (row.plain && row.is_called(args.name()) && row.command.arity.admits(args.len())).then_some(row)
}

/// Whether nothing is going on that a plain command could meet with on its way, or change: every question that
/// [`admit`] and the road behind it ask, once for many requests.
pub(super) fn is_calm(engine: &Engine, session: &Session) -> bool {
    let (state, config) = (&engine.state, &engine.state.config);
    let admits = !state.must_authenticate(session)
        && state.loading.is_none()
        && config.cluster_compatibility_sample_ratio == 0
        && config.maxmemory == 0
        && config.aof_until.is_empty()
        && state.saving.last_ok
        && state.log.error().is_none();
    let is_heard_by_none = state.pubsub.session_count() == 0
        && !state.tracking.is_on()
        && state.monitors.is_empty()
        && !state.clients.has_pushed();
    let runs_at_once =
        session.reply_mode == ReplyMode::On && session.queued.is_none() && state.blocked.paused().is_none();
    admits && is_heard_by_none && runs_at_once
}

const GUARDED: Flags = command::PROTECTED;

/// Whether the request may run now.
#[inline]
pub(super) fn admit(
    engine: &mut Engine,
    session: &Session,
    row: &Row,
    args: &Args<'_>,
) -> Result<(), CmdError> {
    let command = row.command;
    if !command.arity.admits(args.len()) {
        return Err(CmdError::Arity(row.full_name.clone().into()));
    }
    let state = &engine.state;
    if state.pubsub.is_subscribed(session.id) && session.protocol == Proto::Resp2 && !is_for_listeners(row) {
        return Err(only_for_listeners(row));
    }
    if session.queued.is_some() && command.flags.has(command::NO_MULTI) {
        return Err(CmdError::text("ERR Command not allowed inside a transaction"));
    }
    if command.flags.has(GUARDED) && !protected_allowed(engine, session, row) {
        return Err(protected(row));
    }
    if state.must_authenticate(session) && !command.flags.has(command::NO_AUTH) {
        return Err(CmdError::text("NOAUTH Authentication required."));
    }
    if state.loading.is_some() && !command.flags.has(command::LOADING) {
        return Err(CmdError::text("LOADING Redis is loading the dataset in memory"));
    }
    if engine.state.config.cluster_compatibility_sample_ratio > 0 {
        super::slots::check(&mut engine.state, session, row, args);
    }
    let state = &engine.state;
    if state.config.maxmemory > 0
        && state.loading.is_none()
        && !super::evict::make_room(&mut engine.keyspace, &mut engine.state)
        && needs_memory(session, row)
    {
        return Err(CmdError::text("OOM command not allowed when used memory > 'maxmemory'."));
    }
    let state = &engine.state;
    if state.monitors.has(session.id) && command.flags.has(TOUCHES_KEYS) {
        return Err(CmdError::text("ERR Replica can't interact with the keyspace"));
    }
    if !state.config.aof_until.is_empty()
        && (command.flags.has(command::WRITE) || command.name == "bgrewriteaof")
    {
        return Err(CmdError::text(
            "READONLY You can't write: this is the state of an earlier moment (aof-until).",
        ));
    }
    // PING, too: whoever watches a server by it should hear.
    if (!state.saving.last_ok || state.log.error().is_some()) && writes_or_pings(session, row) {
        check_disk(engine)?;
    }
    Ok(())
}

/// What a client that looks on (MONITOR) may not do, as if it were a replica.
const TOUCHES_KEYS: Flags = command::WRITE.or(command::READONLY).or(command::MAY_REPLICATE);

/// Whether it is refused when memory is used up: EXEC for any of its requests.
#[cold]
fn needs_memory(session: &Session, row: &Row) -> bool {
    let denied = |row: &Row| row.command.flags.has(command::DENYOOM);
    match (&session.queued, row.command.name) {
        (Some(queued), "exec") => queued.iter().any(|args| find_row(session, &args.args()).is_ok_and(denied)),
        _ => denied(row),
    }
}

#[cold]
fn writes_or_pings(session: &Session, row: &Row) -> bool {
    let writes = |row: &Row| row.command.flags.has(command::WRITE);
    match (&session.queued, row.command.name) {
        (Some(queued), "exec") => queued.iter().any(|args| find_row(session, &args.args()).is_ok_and(writes)),
        (_, "ping") => true,
        _ => writes(row),
    }
}

#[cold]
fn check_disk(engine: &Engine) -> Result<(), CmdError> {
    let state = &engine.state;
    let config = &state.config;
    if state.saving.last_ok || !config.stop_writes_on_bgsave_error || config.save.is_empty() {
        let Some(error) = state.log.error() else { return Ok(()) };
        let why = reason(&std::io::Error::from_raw_os_error(error));
        return Err(CmdError::Other(format!("MISCONF Errors writing to the AOF file: {why}").into()));
    }
    Err(CmdError::text(
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands \
         that may modify the data set are disabled, because this instance is configured to report errors during \
         writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for \
         details about the RDB error.",
    ))
}

#[cold]
fn protected_allowed(engine: &Engine, session: &Session, row: &Row) -> bool {
    use crate::engine::config::Protected;
    let config = &engine.state.config;
    let debug = row.command.name == "debug" || row.container.is_some_and(|c| c.name == "debug");
    // Modules are not loaded at all, whatever enable-module-command says.
    let setting = if debug { config.enable_debug_command } else { Protected::No };
    setting.allows(is_local(session))
}

fn is_local(session: &Session) -> bool {
    match &session.peer {
        Peer::Unix { .. } | Peer::Internal => true,
        Peer::Tcp { peer, .. } => peer.starts_with("127.0.0.1:") || peer.starts_with("[::1]:"),
    }
}

#[cold]
fn protected(row: &Row) -> CmdError {
    let name = row.container.unwrap_or(row.command).name;
    let (shown, option) = if name == "debug" { ("DEBUG", "debug") } else { ("MODULE", "module") };
    CmdError::Other(
        format!(
            "ERR {shown} command not allowed. If the enable-{option}-command option is set to \"local\", you can run \
             it from a local connection, otherwise you need to set this option in the configuration file, and then \
             restart the server."
        )
        .into(),
    )
}

/// What a RESP2 client may ask while it is subscribed: it could not tell other replies from messages.
fn is_for_listeners(row: &Row) -> bool {
    is_about_subscriptions(row) || matches!(row.command.name, "ping" | "quit" | "reset")
}

/// Whether it begins or ends subscriptions.
pub(super) fn is_about_subscriptions(row: &Row) -> bool {
    matches!(
        row.command.name,
        "subscribe" | "ssubscribe" | "psubscribe" | "unsubscribe" | "sunsubscribe" | "punsubscribe"
    )
}

#[cold]
fn only_for_listeners(row: &Row) -> CmdError {
    CmdError::Other(
        format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
             context",
            row.full_name
        )
        .into(),
    )
}
