//! A log's commands, run by the road of all commands: a session of its own, no gate, nobody who hears a reply.
//!
//! Nothing lapses meanwhile, as the log says itself what went; nothing blocks; nothing is logged, counted or slow.

use super::functions;
use crate::command::table::Row;
use crate::command::{ADMIN, Args, Ctx, WRITE};
use crate::engine::session::Peer;
use crate::engine::{Session, SessionId, State};
use crate::keyspace::{Db, Keyspace};
use crate::resp::{Out, OwnedArgs, Reply};
use crate::serve::dispatch::perform;
use crate::serve::gate::find_row;
use crate::serve::{Server, dispatch};
use crate::text::clock::Now;
use crate::warning;

/// Commands of a log in one file.
pub(in crate::serve) struct Replay<'a> {
    server: &'a Server,
    pub keyspace: &'a mut Keyspace,
    /// Is being loaded, and says so.
    pub state: &'a mut State,
    session: Session,
    out: Out,
    now: Now,
}

/// Why a command cannot be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nobody knows it.
    Unknown(String),
    /// Real servers would read beyond the arguments.
    Arity(String),
    /// It has no business in a log: SHUTDOWN, CONFIG and the like.
    Foreign(String),
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::Unknown(name) => write!(f, "unknown command '{name}'"),
            Refused::Arity(name) => write!(f, "wrong number of arguments for '{name}'"),
            Refused::Foreign(name) => write!(f, "'{name}' has no place in a log"),
        }
    }
}

impl<'a> Replay<'a> {
    /// A replay into these. `state.loading` must be set.
    pub fn new(server: &'a Server, keyspace: &'a mut Keyspace, state: &'a mut State) -> Replay<'a> {
        assert!(state.loading.is_some(), "handlers go by it: what is past its time must stay");
        let now = state.clock.now();
        let session = new_session(now);
        Replay { server, keyspace, state, session, out: Out::new(), now }
    }

    /// Another file begins: nothing of the last one's session stays.
    pub fn begin_file(&mut self) {
        self.session = new_session(self.now);
    }

    /// Looks at the clock.
    pub fn look_at_clock(&mut self) {
        self.now = self.state.clock.now();
    }

    /// Whether the last commands wait for their EXEC.
    pub fn in_transaction(&self) -> bool {
        self.session.queued.is_some()
    }

    /// Asks the processor for what commands with these keys will look up.
    #[inline]
    pub fn prefetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let database = self.keyspace.database(self.session.db);
        if database.len() < crate::value::table::COLD {
            return;
        }
        let mut hashes = [0; dispatch::GROUP];
        let mut count = 0;
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = database.prefetch(key);
            count += 1;
        }
        for hash in &hashes[..count] {
            database.prefetch_entries(*hash);
        }
    }

    /// Runs a command, or queues it in a transaction.
    #[inline]
    pub fn command(&mut self, args: Args<'_>) -> Result<(), Refused> {
        let target = target(&mut self.session, &args)?;
        match &mut self.session.queued {
            None => self.aim(target, args),
            Some(_) if args.name().eq_ignore_ascii_case(b"exec") => self.execute(),
            Some(queued) => queued.push(OwnedArgs::from(args)),
        }
        Ok(())
    }

    /// Runs a transaction.
    fn execute(&mut self) {
        self.session.executing = true;
        for request in self.session.queued.take().into_iter().flatten() {
            let args = request.args();
            if let Ok(target) = target(&mut self.session, &args) {
                self.aim(target, args);
            }
        }
        self.session.executing = false;
    }

    #[inline]
    fn aim(&mut self, target: Target, args: Args<'_>) {
        match target {
            Target::Row(row) => self.run(row, args),
            Target::Libraries => {
                let applied = functions::apply(&mut self.state.libraries, &args);
                self.state.saving.dirty += 1;
                if let Err(error) = applied {
                    let name = String::from_utf8_lossy(args.get(1).unwrap_or_default()).to_ascii_lowercase();
                    report(error.as_bytes(), &format!("function|{name}"));
                }
            }
        }
    }

    #[inline]
    fn run(&mut self, row: &Row, args: Args<'_>) {
        let db = Db::new(self.keyspace, self.session.db, self.now, false);
        let reply = Reply::new(&mut self.out, self.session.protocol);
        let start = reply.mark();
        let (session, state, host, now) = (&mut self.session, &mut *self.state, self.server, self.now);
        let mut ctx = Ctx { db, reply, session, state, host, now };
        let outcome = perform(&mut ctx, row, &args);
        dispatch::close_unit(self.state, row);
        if outcome.is_err() {
            let reply = self.out.take();
            let text = reply.strip_prefix(b"-").unwrap_or(&reply);
            report(text.strip_prefix(b"ERR ").unwrap_or(text).trim_ascii_end(), &row.full_name);
            return;
        }
        self.out.truncate(start);
    }
}

/// A command that was logged because it worked, and fails: the data set is not what it was.
#[cold]
fn report(error: &[u8], command: &str) {
    warning!(
        "== CRITICAL == This server is sending an error to its AOF-loading-client: '{}' after processing the command \
         '{command}'",
        String::from_utf8_lossy(error),
    );
}

/// Who runs a command.
#[derive(Clone, Copy)]
enum Target {
    Row(&'static Row),
    /// The function libraries, which are kept, though nothing here runs them.
    Libraries,
}

/// Finds out who runs a command, or why nobody does. Nothing refuses it later on.
#[inline]
fn target(session: &mut Session, args: &Args<'_>) -> Result<Target, Refused> {
    let Ok(row) = find_row(session, args) else {
        if functions::is_about_libraries(args) {
            return Ok(Target::Libraries);
        }
        return Err(Refused::Unknown(shown(args.name())));
    };
    session.last_command = Some(row.id.0);
    if !row.command.arity.admits(args.len()) {
        return Err(Refused::Arity(row.full_name.clone()));
    }
    if row.command.flags.has(ADMIN) && !row.command.flags.has(WRITE) {
        return Err(Refused::Foreign(row.full_name.clone()));
    }
    Ok(Target::Row(row))
}

/// Judges a log's commands without running them.
pub struct Examiner(Session);

impl Examiner {
    pub fn new(now: Now) -> Examiner {
        Examiner(new_session(now))
    }

    /// Whether a start would run the command.
    pub fn examine(&mut self, args: &Args<'_>) -> Result<(), Refused> {
        target(&mut self.0, args).map(drop)
    }
}

fn new_session(now: Now) -> Session {
    Session::new(SessionId(u64::MAX), Peer::Internal, now.mono_us)
}

/// The real server prints names as C strings: a zero ends them.
fn shown(name: &[u8]) -> String {
    let end = memchr::memchr(0, name).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end.min(128)]).into_owned()
}
