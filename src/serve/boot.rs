//! The road of a start: the data set is loaded aside, then put in place under the lock.

mod functions;
mod log;
mod replay;

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::process::{allocator, crash, huge_pages};
use super::{Server, discard_value, host, new_state};
use crate::command::{CmdError, Ctx};
use crate::engine::config::Config;
use crate::engine::stats::used_memory;
use crate::engine::{Libraries, Loading, Log, Progress, State};
use crate::keyspace::{Access, Arrivals, Keyspace, Lapse, Origin, Policy, Twice};
use crate::persist::rdb::{Item, LoadError, LoadErrorKind, LoadOptions, Loaded, Meta, Reader, StreamSource};
use crate::text::clock::Now;
use crate::value::Limits;
use crate::{notice, warning};
use replay::Replay;
pub use replay::{Examiner, Refused};

/// Why the data set was not loaded. `Display` is for the log and names file, offset, key and reason.
#[derive(Debug)]
pub enum BootError {
    /// The file is there and can't be opened.
    Open(PathBuf, io::Error),
    /// What it holds can't be loaded.
    Load(PathBuf, LoadError),
    /// The append log can't be opened for writing; why is in the log.
    Log,
    /// The append log can't be loaded.
    Append(log::Fault),
}

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BootError::Open(path, error) => {
                write!(f, "Fatal error: can't open the RDB file {} for reading: {error}", path.display())
            }
            BootError::Load(path, error) => {
                write!(f, "Fatal error loading the DB, {}: {error}. Exiting.", path.display())
            }
            BootError::Log => write!(f, "The append log can't be opened. Exiting."),
            BootError::Append(fault) => write!(f, "Fatal error loading the append log, {fault}. Exiting."),
        }
    }
}

impl BootError {
    /// Says it in the log, with the words and the lines that tools know from the real server.
    pub fn report(&self) {
        if let BootError::Load(_, error) = self {
            let sentence = error.kind.sentence();
            warning!("Internal error in RDB reading offset {} -> {sentence}", error.offset);
            warning!("--- RDB ERROR DETECTED ---");
            warning!("[offset {}] {sentence}", error.offset);
            if let Some(key) = &error.key {
                warning!("[additional info] Reading key '{}'", key[..key.len().min(128)].escape_ascii());
            }
        }
        warning!("{self}");
        if let BootError::Load(..) = self {
            warning!("Terminating server after rdb file reading failure.");
        }
    }
}

/// What is to be loaded, and how.
pub(super) struct Request {
    path: PathBuf,
    limits: Limits,
    databases: usize,
    checked: bool,
    now: Now,
    /// A key that is there already is no error.
    merge: bool,
    /// Keys past their time stay: what went is said by the log that follows.
    pub keep_expired: bool,
    /// Unix seconds; a snapshot that was written later is refused.
    pub not_after: i64,
    key_delay: i32,
    /// Bytes between two notes on the progress.
    note_every: u64,
}

impl Request {
    pub fn of(config: &Config, now: Now, merge: bool) -> Request {
        Request {
            path: config.dir.join(&config.dbfilename),
            limits: config.limits.clone(),
            databases: config.databases,
            checked: config.rdbchecksum,
            now,
            merge,
            keep_expired: false,
            not_after: i64::MAX,
            key_delay: config.key_load_delay,
            note_every: config.loading_process_events_interval_bytes.max(1),
        }
    }
}

/// What a load found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    pub keys: u64,
    pub expired: u64,
    pub skipped: u64,
}

/// Prepares what the first clients can do without, and what takes as long as a third of a start: the figures of an
/// allocator that was not asked before, its thread, and what a report of a crash needs.
pub fn prepare_beside(server: &Server) {
    let startup_memory = used_memory();
    let state = &mut server.lock().state;
    state.process.startup_memory = startup_memory;
    if !allocator::purge_in_thread(state.config.jemalloc_bg_thread) {
        crate::debug!("jemalloc has no thread to start or stop.");
    }
    crash::prepare_trace();
}

/// From now on clients are answered -LOADING, if there is a file to load.
pub fn begin_loading(server: &Server) {
    let mut engine = server.lock();
    let state = &mut engine.state;
    super::save::remove_stale(&state.config.dir);
    let path = state.config.dir.join(&state.config.dbfilename);
    let bytes = if reads_log(&state.config) {
        Some(log::bytes_to_load(&state.config))
    } else {
        let bytes = std::fs::metadata(path).ok().map(|meta| meta.len());
        huge_pages::expect(&state.config, bytes.unwrap_or(0));
        bytes
    };
    if let Some(bytes) = bytes {
        let progress = Arc::new(Progress::default());
        progress.total_bytes.store(bytes, Ordering::Relaxed);
        let started = state.clock.now().ms / 1000;
        state.loading = Some(Loading { started, progress });
        server.loading.store(true, Ordering::Relaxed);
    }
}

/// Whether the data set comes from a log: it has everything that a snapshot has, and is newer.
fn reads_log(config: &Config) -> bool {
    config.appendonly || !config.aof_until.is_empty()
}

/// Loads the data set and puts it in place.
pub fn load_at_start(server: &Server) -> Result<(), BootError> {
    let (mut state, loading) = {
        let engine = server.lock();
        let State { config, clock, process, loading, .. } = &engine.state;
        (new_state(config.clone(), clock.clone(), process.clone(), Log::default()), loading.clone())
    };
    let Some(loading) = loading else { return Ok(()) };
    let config = state.config.clone();
    let mut keyspace = Keyspace::new(config.databases, config.limits.clone(), discard_value);
    host::apply_to_keyspace(&config, &mut keyspace);
    if reads_log(&config) {
        state.loading = Some(loading.clone());
        load_log(server, &mut keyspace, &mut state, &loading.progress)?;
    } else {
        load_snapshot(&mut keyspace, &mut state, &loading.progress)?;
    }
    put_in_place(server, keyspace, state)
}

fn load_snapshot(keyspace: &mut Keyspace, state: &mut State, progress: &Progress) -> Result<(), BootError> {
    let started = Instant::now();
    let request = Request::of(&state.config, state.clock.now(), false);
    let note = |bytes| progress.loaded_bytes.store(bytes, Ordering::Relaxed);
    let found = load_file(&request, keyspace, &mut state.libraries, &note)?;
    if let Some(found) = found {
        notice!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64());
        (state.saving.loaded_keys, state.saving.loaded_expired) = (found.keys, found.expired);
    }
    Ok(())
}

/// Loads the append log, in which nothing lapses that it does not say itself.
fn load_log(
    server: &Server,
    keyspace: &mut Keyspace,
    state: &mut State,
    progress: &Progress,
) -> Result<Option<log::Loaded>, BootError> {
    let lapse = std::mem::replace(&mut keyspace.lapse, Lapse::Ignore);
    let loaded = log::load(&mut Replay::new(server, keyspace, state), progress);
    keyspace.lapse = lapse;
    loaded
}

/// The data set as it was loaded, and what is known of it. From here on writes are logged, if they are to be.
fn put_in_place(server: &Server, mut keyspace: Keyspace, loaded: State) -> Result<(), BootError> {
    let mut engine = server.lock();
    let state = &mut engine.state;
    host::apply_to_keyspace(&state.config, &mut keyspace);
    if !state.config.aof_until.is_empty() {
        keyspace.lapse = Lapse::Ignore; // the state of a moment stays as it was then
        (state.config.appendonly, state.config.save) = (false, Vec::new());
    }
    state.libraries = loaded.libraries;
    let (from, to) = (loaded.saving, &mut state.saving);
    (to.loaded_keys, to.loaded_expired, to.dirty) = (from.loaded_keys, from.loaded_expired, from.dirty);
    engine.keyspace = keyspace;
    let logged = reads_log(&loaded.config);
    super::append::open_at_start(server, &mut engine, logged).map_err(|_| BootError::Log)?;
    engine.state.loading = None;
    server.loading.store(false, Ordering::Relaxed);
    Ok(())
}

/// Loads the log again, in place of what there is (DEBUG LOADAOF).
pub(super) fn reload_log(server: &Server, ctx: &mut Ctx<'_>) -> Result<(), CmdError> {
    super::append::hand_over(server.tail(), ctx.state);
    server.tail().finish();
    // What is wrong with it the load will say.
    let _ = super::append::reread(server, ctx.state);
    let is_taking = ctx.state.log.is_taking();
    ctx.state.log.take_frames(false);
    let all = (0..ctx.db.all().count()).map(|index| ctx.db.keyspace().take_database(index)).collect();
    super::trash::discard_databases(all);
    ctx.state.libraries = Libraries::default();
    let progress = Arc::new(Progress::default());
    let started = ctx.now.ms / 1000;
    ctx.state.loading = Some(Loading { started, progress: progress.clone() });
    let loaded = load_log(server, ctx.db.keyspace(), ctx.state, &progress);
    ctx.state.loading = None;
    ctx.state.log.take_frames(is_taking);
    ctx.state.unit.begin_command(); // what the log's commands did is no change of this one's
    ctx.state.saving.dirty = 0;
    match loaded {
        Ok(loaded) if loaded.is_some_and(|loaded| !loaded.torn) => Ok(()),
        Ok(_) => Err(()),
        Err(error) => {
            error.report();
            Err(())
        }
    }
    .map_err(|()| CmdError::text("ERR Error trying to load the AOF files, check server logs."))
}

/// Loads a snapshot file into a keyspace. `None` if there is no such file.
pub(super) fn load_file(
    request: &Request,
    keyspace: &mut Keyspace,
    libraries: &mut Libraries,
    progress: &dyn Fn(u64),
) -> Result<Option<Found>, BootError> {
    let file = match File::open(&request.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BootError::Open(request.path.clone(), error)),
        Ok(file) => file,
    };
    let source = StreamSource::file(file).map_err(|error| BootError::Open(request.path.clone(), error))?;
    let loaded = load_source(request, keyspace, libraries, source, progress);
    loaded.map(|(found, _)| Some(found)).map_err(|error| BootError::Load(request.path.clone(), error))
}

/// Loads a snapshot into a keyspace, and gives the source behind it.
fn load_source(
    request: &Request,
    keyspace: &mut Keyspace,
    libraries: &mut Libraries,
    source: StreamSource<File>,
    progress: &dyn Fn(u64),
) -> Result<(Found, StreamSource<File>), LoadError> {
    let source = if request.checked { source } else { source.unchecked() };
    let arrivals = Arrivals::new(keyspace);
    let mut load = Load { request, arrivals, db: 0, libraries, found: Found::default() };
    let source = load.all(source, progress)?;
    let Found { keys, expired, skipped } = load.found;
    if skipped > 0 {
        notice!(
            "Done loading RDB, keys loaded: {keys}, keys expired: {expired}, empty keys skipped: {skipped}."
        );
    } else {
        notice!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}.");
    }
    Ok((load.found, source))
}

struct Load<'a> {
    request: &'a Request,
    arrivals: Arrivals<'a>,
    db: u32,
    libraries: &'a mut Libraries,
    found: Found,
}

impl Load<'_> {
    fn all(
        &mut self,
        source: StreamSource<File>,
        progress: &dyn Fn(u64),
    ) -> Result<StreamSource<File>, LoadError> {
        let limits = self.request.limits.clone();
        let options = LoadOptions { limits: &limits, strict: false, salvage: false };
        let mut reader = Reader::new(source)?;
        let mut next_note = 0;
        loop {
            let offset = reader.offset();
            if offset >= next_note {
                progress(offset);
                next_note = offset + self.request.note_every;
            }
            let most_keys = reader.most_keys().unwrap_or(0);
            match reader.next_item()? {
                None | Some(Item::End { .. }) => break,
                Some(Item::Aux(name, value)) => self.note(name, value, offset)?,
                Some(Item::Select(db)) => self.select(db, offset)?,
                Some(Item::Resize { keys, .. }) => {
                    self.arrivals.expect(self.db as usize, keys.min(most_keys) as usize)
                }
                Some(Item::Function(code)) => self.libraries.functions.push(code.to_vec()),
                Some(Item::ModuleAux(aux)) => self.libraries.module_aux.push(aux.raw.to_vec()),
                Some(Item::SlotInfo { .. } | Item::SlotImport(_)) => {}
                Some(Item::Key(pending)) => {
                    let (meta, loaded) = pending.load(&options)?;
                    self.key(&meta, loaded)?;
                }
            }
        }
        self.settle()?;
        Ok(reader.into_source())
    }

    /// Lets the keys in that wait.
    fn settle(&mut self) -> Result<(), LoadError> {
        loop {
            match self.arrivals.finish() {
                Ok(()) => return Ok(()),
                Err(twice) => self.twice(twice)?,
            }
        }
    }

    fn twice(&self, Twice { key, offset }: Twice) -> Result<(), LoadError> {
        if self.request.merge {
            return Ok(());
        }
        let kind = LoadErrorKind::Sink("the key is in the file twice");
        Err(LoadError { offset, key: Some(key), kind })
    }

    fn note(&self, name: &[u8], value: &[u8], offset: u64) -> Result<(), LoadError> {
        let text = String::from_utf8_lossy(value);
        match name {
            b"redis-ver" => notice!("Loading RDB produced by version {text}"),
            b"valkey-ver" => notice!("Loading RDB produced by Valkey version {text}"),
            b"ctime" => {
                let written: i64 = text.parse().unwrap_or(0);
                if written > self.request.not_after {
                    let kind =
                        LoadErrorKind::Sink("the snapshot was written after the time that is asked for");
                    return Err(LoadError { offset, key: None, kind });
                }
                let age = (self.request.now.ms / 1000) as i64 - written;
                notice!("RDB age {} seconds", age.max(0));
            }
            b"aof-base" if &*text != "0" => notice!("RDB is base AOF"),
            b"aof-preamble" if &*text != "0" => notice!("RDB has an AOF tail"),
            b"used-mem" => {
                let bytes: f64 = text.parse().unwrap_or(0.0);
                notice!("RDB memory usage when created {:.2} Mb", bytes / (1024.0 * 1024.0));
            }
            _ => {}
        }
        Ok(())
    }

    fn select(&mut self, db: u32, offset: u64) -> Result<(), LoadError> {
        self.db = db;
        if (db as usize) < self.request.databases {
            return Ok(());
        }
        let kind = LoadErrorKind::Sink("the file has more databases than the directive 'databases' allows");
        Err(LoadError { offset, key: None, kind })
    }

    fn key(&mut self, meta: &Meta<'_>, loaded: Loaded<'_>) -> Result<(), LoadError> {
        let expiry = meta.expire_at_ms.map(|ms| u64::try_from(ms).unwrap_or(0));
        if !self.request.keep_expired && expiry.is_some_and(|when| when < self.request.now.ms) {
            self.found.expired += 1;
            return Ok(());
        }
        let clock = clock_of(&self.arrivals.keyspace().access, meta, self.request.now.ms);
        let origin = Origin { db: meta.db as usize, key: meta.key, expiry, clock, offset: meta.offset };
        let added = match loaded {
            Loaded::Bytes(bytes) => self.arrivals.add_bytes(&origin, bytes),
            Loaded::Packed(packed) => self.arrivals.add_packed(&origin, packed),
            Loaded::Value(value) => self.arrivals.add(&origin, value),
            Loaded::Empty => {
                self.found.skipped += 1;
                notice!("Load: skipping empty key: {}", meta.key.escape_ascii());
                return Ok(());
            }
        };
        added.or_else(|twice| self.twice(twice))?;
        self.found.keys += 1;
        dawdle(self.request.key_delay, self.found.keys);
        Ok(())
    }
}

/// `key-load-delay`, for tests: after each key or command, or after each so many.
fn dawdle(delay: i32, count: u64) {
    let micros = match delay {
        0 => return,
        delay if delay > 0 => delay as u64,
        every if count.is_multiple_of(u64::from(every.unsigned_abs())) => 1,
        _ => return,
    };
    std::thread::sleep(std::time::Duration::from_micros(micros));
}

fn clock_of(access: &Access, meta: &Meta<'_>, now_ms: u64) -> u32 {
    match (access.policy, meta.idle_s, meta.freq) {
        (Policy::Lru, Some(idle), _) => access.idle_since(idle, now_ms),
        (Policy::Lfu, _, Some(freq)) => access.with_counter(freq, now_ms),
        _ => access.fresh(now_ms),
    }
}
