//! The road of a start: the data set is loaded aside, then put in place under the lock.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{Server, discard_value, host};
use crate::engine::config::Config;
use crate::engine::{Libraries, Loading, Progress};
use crate::keyspace::{Access, Arrivals, Keyspace, Origin, Policy, Twice};
use crate::persist::rdb::{Item, LoadError, LoadErrorKind, LoadOptions, Loaded, Meta, Reader, StreamSource};
use crate::text::clock::Now;
use crate::value::Limits;
use crate::{notice, warning};

/// Why the data set was not loaded. `Display` is for the log and names file, offset, key and reason.
#[derive(Debug)]
pub enum BootError {
    /// The file is there and can't be opened.
    Open(PathBuf, io::Error),
    /// What it holds can't be loaded.
    Load(PathBuf, LoadError),
    /// The append log can't be opened for writing; why is in the log.
    Log,
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

/// From now on clients are answered -LOADING, if there is a file to load.
pub fn begin_loading(server: &Server) {
    let mut engine = server.lock();
    let state = &mut engine.state;
    super::save::remove_stale(&state.config.dir);
    let path = state.config.dir.join(&state.config.dbfilename);
    let bytes = std::fs::metadata(path).map(|meta| meta.len());
    // A log is opened in any case, before anybody writes.
    if bytes.is_ok() || state.config.appendonly {
        let progress = Arc::new(Progress::default());
        let started = state.clock.now().ms / 1000;
        state.loading = Some(Loading { started, total_bytes: bytes.unwrap_or(0), progress });
        server.loading.store(true, Ordering::Relaxed);
    }
}

/// Loads the data set and puts it in place.
pub fn load_at_start(server: &Server) -> Result<(), BootError> {
    let (config, now, loading) = {
        let engine = server.lock();
        (engine.state.config.clone(), engine.state.clock.now(), engine.state.loading.clone())
    };
    let Some(loading) = loading else { return Ok(()) };
    let started = Instant::now();
    let mut keyspace = Keyspace::new(config.databases, config.limits.clone(), discard_value);
    host::apply_to_keyspace(&config, &mut keyspace);
    let mut libraries = Libraries::default();
    let request = Request::of(&config, now, false);
    let progress = |bytes| loading.progress.loaded_bytes.store(bytes, Ordering::Relaxed);
    // Where there is a log, what the snapshot says is in it, and is older.
    let found = match config.appendonly {
        true => None,
        false => load_file(&request, &mut keyspace, &mut libraries, &progress)?,
    };
    if let Some(found) = found {
        notice!("DB loaded from disk: {:.3} seconds", started.elapsed().as_secs_f64());
        server.lock().state.saving.loaded_keys = found.keys;
        server.lock().state.saving.loaded_expired = found.expired;
    }
    put_in_place(server, keyspace, libraries)
}

fn put_in_place(server: &Server, mut keyspace: Keyspace, libraries: Libraries) -> Result<(), BootError> {
    let mut engine = server.lock();
    host::apply_to_keyspace(&engine.state.config, &mut keyspace);
    engine.keyspace = keyspace;
    engine.state.libraries = libraries;
    super::append::open_at_start(server, &mut engine).map_err(|_| BootError::Log)?;
    engine.state.loading = None;
    server.loading.store(false, Ordering::Relaxed);
    Ok(())
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
    let source = if request.checked { source } else { source.unchecked() };
    let arrivals = Arrivals::new(keyspace);
    let mut load = Load { request, arrivals, db: 0, libraries, found: Found::default() };
    load.all(source, progress).map_err(|error| BootError::Load(request.path.clone(), error))?;
    let Found { keys, expired, skipped } = load.found;
    if skipped > 0 {
        notice!(
            "Done loading RDB, keys loaded: {keys}, keys expired: {expired}, empty keys skipped: {skipped}."
        );
    } else {
        notice!("Done loading RDB, keys loaded: {keys}, keys expired: {expired}.");
    }
    Ok(Some(load.found))
}

struct Load<'a> {
    request: &'a Request,
    arrivals: Arrivals<'a>,
    db: u32,
    libraries: &'a mut Libraries,
    found: Found,
}

impl Load<'_> {
    fn all(&mut self, source: StreamSource<File>, progress: &dyn Fn(u64)) -> Result<(), LoadError> {
        let limits = self.request.limits.clone();
        let options = LoadOptions { limits: &limits, strict: false };
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
                None | Some(Item::End { .. }) => return self.settle(),
                Some(Item::Aux(name, value)) => self.note(name, value),
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

    fn note(&self, name: &[u8], value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        match name {
            b"redis-ver" => notice!("Loading RDB produced by version {text}"),
            b"valkey-ver" => notice!("Loading RDB produced by Valkey version {text}"),
            b"ctime" => {
                let written: i64 = text.parse().unwrap_or(0);
                let age = (self.request.now.ms / 1000) as i64 - written;
                notice!("RDB age {} seconds", age.max(0));
            }
            b"used-mem" => {
                let bytes: f64 = text.parse().unwrap_or(0.0);
                notice!("RDB memory usage when created {:.2} Mb", bytes / (1024.0 * 1024.0));
            }
            _ => {}
        }
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
        if expiry.is_some_and(|when| when < self.request.now.ms) {
            self.found.expired += 1;
            return Ok(());
        }
        let clock = clock_of(&self.arrivals.keyspace().access, meta, self.request.now.ms);
        let origin = Origin { db: meta.db as usize, key: meta.key, expiry, clock, offset: meta.offset };
        let added = match loaded {
            Loaded::Bytes(bytes) => self.arrivals.add_bytes(&origin, bytes),
            Loaded::Value(value) => self.arrivals.add(&origin, value),
            Loaded::Empty => {
                self.found.skipped += 1;
                notice!("Load: skipping empty key: {}", meta.key.escape_ascii());
                return Ok(());
            }
        };
        added.or_else(|twice| self.twice(twice))?;
        self.found.keys += 1;
        self.dawdle();
        Ok(())
    }

    /// `key-load-delay`, for tests.
    fn dawdle(&self) {
        let micros = match self.request.key_delay {
            0 => return,
            delay if delay > 0 => delay as u64,
            every if self.found.keys.is_multiple_of(u64::from(every.unsigned_abs())) => 1,
            _ => return,
        };
        std::thread::sleep(std::time::Duration::from_micros(micros));
    }
}

fn clock_of(access: &Access, meta: &Meta<'_>, now_ms: u64) -> u32 {
    match (access.policy, meta.idle_s, meta.freq) {
        (Policy::Lru, Some(idle), _) => access.idle_since(idle, now_ms),
        (Policy::Lfu, _, Some(freq)) => access.with_counter(freq, now_ms),
        _ => access.fresh(now_ms),
    }
}
