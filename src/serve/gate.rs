//! What a request must pass before it runs.

use crate::command::table::{Row, RowId, table};
use crate::command::{self, Args, CmdError, Flags, shown};
use crate::engine::session::{Peer, ReplyMode};
use crate::engine::{Engine, Session};
use crate::resp::Proto;
use crate::text::os::reason;

/// Finds the row of a request, subcommands included, or says why there is none.
#[inline]
pub(super) fn find_row(session: &Session, args: &Args<'_>) -> Result<&'static Row, CmdError> {
    let (table, name) = (table(), args.name());
    let found = || table.find(name).or_else(|| logged(session, name));
    let row = same_as_last(session, name).or_else(found).ok_or_else(|| unknown(args))?;
    if !row.command.is_container() || args.len() == 1 {
        return Ok(row);
    }
    let sub = args.get(1).expect("more than one argument");
    table.find_sub(row, sub).ok_or_else(|| unknown_sub(sub, row))
}

/// The row of the session's last request, if this one is called so, too: clients repeat themselves.
#[inline]
fn same_as_last(session: &Session, name: &[u8]) -> Option<&'static Row> {
    let row = table().row(RowId(session.last_command?));
    row.is_called(name).then_some(row)
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

/// Finds the row of a request that no [`Question`] is about while [`is_calm`] holds, and whose arity is right: a
/// command about its keys and nothing else. `None` sends it the long way.
#[inline]
pub(super) fn find_plain(session: &Session, args: &Args<'_>) -> Option<&'static Row> {
    let row = same_as_last(session, args.name())?;
    (row.plain && row.command.arity.admits(args.len())).then_some(row)
}

/// Whether nothing is going on that a plain command could meet with on its way, or change: what [`admit`] and the road
/// behind it look for, looked for once for many requests.
pub(super) fn is_calm(engine: &Engine, session: &Session) -> bool {
    let state = &engine.state;
    let is_heard_by_none = state.pubsub.session_count() == 0
        && !state.tracking.is_on()
        && state.monitors.is_empty()
        && !state.clients.has_pushed();
    let runs_at_once = session.reply_mode == ReplyMode::On && state.blocked.paused().is_none();
    let arises = |question: &Question| question.arises(engine, session);
    is_heard_by_none && runs_at_once && !Question::OF_ALL.iter().any(arises)
}

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
    if command.flags.has(command::PROTECTED) && !protected_allowed(engine, session, row) {
        return Err(protected(row));
    }
    for question in Question::OF_ALL {
        if question.arises(engine, session) {
            question.ask(engine, session, row, args)?;
        }
    }
    Ok(())
}

/// What a request is asked at the gate, whatever its command, as long as something in the server or the session gives
/// rise to it. Nothing here can be asked on one road and forgotten on the other: both see the same list.
#[derive(Clone, Copy)]
enum Question {
    Authentication,
    Transaction,
    /// `cluster-compatibility-sample-ratio`
    Slots,
    /// `maxmemory`
    Memory,
    /// The last snapshot or the append log could not be written.
    Disk,
    /// A RESP2 client that is subscribed could not tell other replies from messages.
    Subscribed,
    Loading,
    /// A client that looks on (MONITOR) is like a replica.
    Onlooker,
    /// The state of an earlier moment (`aof-until`) is not changed.
    Moment,
}

impl Question {
    /// In the order in which the real server asks them.
    const OF_ALL: [Question; 9] = [
        Question::Authentication,
        Question::Transaction,
        Question::Slots,
        Question::Memory,
        Question::Disk,
        Question::Subscribed,
        Question::Loading,
        Question::Onlooker,
        Question::Moment,
    ];

    /// Whether there is reason to ask it of this session's requests.
    #[inline]
    fn arises(self, engine: &Engine, session: &Session) -> bool {
        let (state, config) = (&engine.state, &engine.state.config);
        match self {
            Question::Subscribed => {
                session.protocol == Proto::Resp2 && state.pubsub.is_subscribed(session.id)
            }
            Question::Authentication => state.must_authenticate(session),
            Question::Transaction => session.queued.is_some(),
            Question::Loading => state.loading.is_some(),
            Question::Slots => config.cluster_compatibility_sample_ratio > 0,
            Question::Memory => config.maxmemory > 0,
            Question::Onlooker => state.monitors.has(session.id),
            Question::Moment => !config.aof_until.is_empty(),
            Question::Disk => !state.saving.last_ok || state.log.error().is_some(),
        }
    }

    /// Asks it of a request; the error refuses it.
    #[inline(never)]
    fn ask(self, engine: &mut Engine, session: &Session, row: &Row, args: &Args<'_>) -> Result<(), CmdError> {
        let flags = row.command.flags;
        let refused = match self {
            Question::Subscribed => (!is_for_listeners(row)).then(|| only_for_listeners(row)),
            Question::Authentication => {
                (!flags.has(command::NO_AUTH)).then(|| CmdError::text("NOAUTH Authentication required."))
            }
            Question::Transaction => flags
                .has(command::NO_MULTI)
                .then(|| CmdError::text("ERR Command not allowed inside a transaction")),
            Question::Loading => (!flags.has(command::LOADING))
                .then(|| CmdError::text("LOADING Redis is loading the dataset in memory")),
            Question::Slots => {
                super::slots::check(&mut engine.state, session, row, args);
                None
            }
            Question::Memory => lacks_memory(engine, session, row)
                .then(|| CmdError::text("OOM command not allowed when used memory > 'maxmemory'.")),
            Question::Onlooker => flags
                .has(TOUCHES_KEYS)
                .then(|| CmdError::text("ERR Replica can't interact with the keyspace")),
            Question::Moment => {
                (flags.has(command::WRITE) || row.command.name == "bgrewriteaof").then(|| {
                    CmdError::text(
                        "READONLY You can't write: this is the state of an earlier moment (aof-until).",
                    )
                })
            }
            // PING, too: whoever watches a server by it should hear.
            Question::Disk => writes_or_pings(session, row).then(|| check_disk(engine)).flatten(),
        };
        refused.map_or(Ok(()), Err)
    }
}

/// Whether memory stays used up after making room, and the request needs some.
fn lacks_memory(engine: &mut Engine, session: &Session, row: &Row) -> bool {
    engine.state.loading.is_none()
        && !super::evict::make_room(&mut engine.keyspace, &mut engine.state)
        && needs_memory(session, row)
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

/// What is wrong with the disk, if requests are to be refused for it.
#[cold]
fn check_disk(engine: &Engine) -> Option<CmdError> {
    let state = &engine.state;
    let config = &state.config;
    if state.saving.last_ok || !config.stop_writes_on_bgsave_error || config.save.is_empty() {
        let why = reason(&std::io::Error::from_raw_os_error(state.log.error()?));
        return Some(CmdError::Other(format!("MISCONF Errors writing to the AOF file: {why}").into()));
    }
    Some(CmdError::text(
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
