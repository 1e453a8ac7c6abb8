//! Loading the append log: its files by the manifest, in order, each to its end or to where it is torn.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::replay::{Refused, Replay};
use super::{BootError, Request, dawdle, load_source};
use crate::engine::Progress;
use crate::engine::config::Config;
use crate::persist::aof::{Entry, Head, LogError, LogErrorKind, LogReader, Manifest, Names, Part, Until};
use crate::serve::process::system::reason;
use crate::{notice, warning};

/// Commands between two looks at the clock.
const LOOK_EVERY: u64 = 1024;

/// Why a log was not loaded. `Display` names file, offset and reason.
#[derive(Debug)]
pub struct Fault {
    path: PathBuf,
    offset: Option<u64>,
    why: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.path.display())?;
        match self.offset {
            Some(offset) => write!(f, "offset {offset}: {}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

fn fault(path: &Path, offset: Option<u64>, why: impl fmt::Display) -> BootError {
    BootError::Append(Fault { path: path.to_owned(), offset, why: why.to_string() })
}

/// What there was to load.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::serve) struct Loaded {
    /// A torn tail was cut off, or left out.
    pub torn: bool,
}

/// How a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// There is nothing in it.
    Empty,
    /// Its tail is torn; what comes before is loaded.
    Torn,
    /// The moment is reached at which the data set is wanted.
    Reached,
}

/// Where the log's files are.
pub(in crate::serve) struct Place {
    dir: PathBuf,
    log_dir: PathBuf,
    names: Names,
}

impl Place {
    pub fn of(config: &Config) -> Place {
        use std::os::unix::ffi::OsStrExt;
        let names = Names::of(config.appendfilename.as_os_str().as_bytes());
        Place { dir: config.dir.clone(), log_dir: config.dir.join(&config.appenddirname), names }
    }

    fn in_log_dir(&self, name: &[u8]) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        self.log_dir.join(std::ffi::OsStr::from_bytes(name))
    }

    /// The single file that servers before 7.0 wrote.
    fn single(&self) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        self.dir.join(std::ffi::OsStr::from_bytes(self.names.single()))
    }

    /// The manifest on disk; an empty one if there is none.
    fn manifest(&self) -> Result<Manifest, BootError> {
        let path = self.in_log_dir(&self.names.manifest());
        let text = match read_small(&path) {
            Ok(text) => text,
            Err(error) if is_missing(&error) => return Ok(Manifest::default()),
            Err(error) => {
                let why = reason(&error);
                warning!(
                    "Fatal error: can't open the AOF manifest file {} for reading: {why}",
                    path.display()
                );
                return Err(fault(&path, None, why));
            }
        };
        Manifest::parse(&text).map_err(|error| {
            error.notes().iter().for_each(|note| warning!("{}", note.trim()));
            // In small letters: tools count the lines with the real server's words.
            fault(&path, None, error.to_string().to_lowercase())
        })
    }

    /// Moves the single file into the log's directory, as its base. A crash at any point leaves what the next start
    /// takes over.
    fn take_over(&self, manifest: &mut Manifest) -> Result<(), BootError> {
        let (from, to) = (self.single(), self.in_log_dir(self.names.single()));
        let (file, dir) = (shown(self.names.single()), self.log_dir.display());
        fs::create_dir(&self.log_dir).or_else(if_there).map_err(|error| {
            let why = reason(&error);
            warning!("Can't open or create append-only dir {dir}: {why}");
            fault(&self.log_dir, None, why)
        })?;
        manifest.take_over(&self.names);
        self.write_manifest(manifest).map_err(|error| {
            let why = reason(&error);
            warning!("Error trying to write the AOF manifest file in {dir}: {why}");
            fault(&self.log_dir, None, why)
        })?;
        // Whoever wrote it need not have synced it, and others will follow it.
        let synced = File::open(&from).and_then(|file| file.sync_all());
        let moved = synced
            .and_then(|()| fs::rename(&from, &to))
            .and_then(|()| sync_dir(&self.log_dir))
            .and_then(|()| sync_dir(&self.dir));
        moved.map_err(|error| {
            let why = reason(&error);
            warning!("Error trying to move the old AOF file {file} into dir {dir}: {why}");
            fault(&from, None, why)
        })?;
        notice!(
            "Successfully migrated an old-style AOF file ({file}) into the AOF directory ({}).",
            self.shown_dir()
        );
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest) -> io::Result<()> {
        use std::io::Write;
        let temporary = self.in_log_dir(&self.names.temp_manifest());
        let mut file = File::create(&temporary)?;
        file.write_all(&manifest.print())?;
        file.sync_all()?;
        fs::rename(&temporary, self.in_log_dir(&self.names.manifest()))?;
        sync_dir(&self.log_dir)
    }

    fn shown_dir(&self) -> String {
        self.log_dir.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Bytes that a load will read, for those who ask before it has begun; 0 where something is wrong, as the load will tell.
pub(super) fn bytes_to_load(config: &Config) -> u64 {
    let place = Place::of(config);
    let size = |path: PathBuf| fs::metadata(path).map_or(0, |meta| meta.len());
    match read_small(&place.in_log_dir(&place.names.manifest())).map(|text| Manifest::parse(&text)) {
        Ok(Ok(manifest)) => manifest.parts().map(|part| size(place.in_log_dir(&part.name))).sum(),
        Ok(Err(_)) => 0,
        Err(_) => size(place.single()),
    }
}

/// No manifest is longer; what else may be under its name is not read into memory.
const MANIFEST_MAX: u64 = 16 << 20;

fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    File::open(path)?.take(MANIFEST_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn if_there(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::AlreadyExists { Ok(()) } else { Err(error) }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// One file of the log.
struct Piece {
    name: String,
    path: PathBuf,
    bytes: u64,
    /// `base` or `incr`, as log lines call it.
    kind: &'static str,
    last: bool,
    /// Where to stop within it.
    most: u64,
}

/// Loads the log. `None` if there is none.
pub(in crate::serve) fn load(
    replay: &mut Replay<'_>,
    progress: &Progress,
) -> Result<Option<Loaded>, BootError> {
    let config = replay.state.config.clone();
    let started = Instant::now();
    let until = Until::parse(config.aof_until.as_bytes());
    let place = Place::of(&config);
    let mut manifest = place.manifest()?;
    let moved = place.in_log_dir(place.names.single()).exists();
    let takes_over = place.single().exists() && manifest.wants_single(&place.names, moved);
    if takes_over && until.is_none() {
        place.take_over(&mut manifest)?;
    } else if takes_over {
        manifest.take_over(&place.names);
    }
    if manifest.is_empty() {
        return Ok(None);
    }
    // Nothing is moved where nothing may change.
    let single = (takes_over && until.is_some()).then(|| place.single());
    let pieces = pieces(&place, &manifest, single, until.as_ref())?;
    let total = pieces.iter().map(|piece| piece.bytes).sum();
    progress.total_bytes.store(total, Ordering::Relaxed);
    let mut loaded = Loaded::default();
    if total > 0 {
        let mut load = Load { replay, config: &config, until, progress, before: 0 };
        loaded.torn = load.all(&place, &pieces)?;
    }
    notice!("DB loaded from append only file: {:.3} seconds", started.elapsed().as_secs_f64());
    Ok(Some(loaded))
}

/// The files up to where the log is wanted, with their sizes: one that is missing is no log.
fn pieces(
    place: &Place,
    manifest: &Manifest,
    single: Option<PathBuf>,
    until: Option<&Until>,
) -> Result<Vec<Piece>, BootError> {
    let parts: Vec<&Part> = manifest.parts().collect();
    let mut pieces = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let path = single.clone().unwrap_or_else(|| place.in_log_dir(&part.name));
        let meta = fs::metadata(&path).map_err(|error| {
            let why = reason(&error);
            warning!("Unable to obtain the AOF file {} length. stat: {why}", part.shown());
            fault(&path, None, why)
        })?;
        let is_base = manifest.base().is_some_and(|base| base.name == part.name);
        let kind = if is_base { "base" } else { "incr" };
        let last = number + 1 == parts.len();
        pieces.push(Piece { name: part.shown(), path, bytes: meta.len(), kind, last, most: u64::MAX });
    }
    if let Some(Until::Offset { file, offset }) = until {
        let at = match file {
            None => pieces.len() - 1,
            Some(file) => parts.iter().position(|part| part.name == *file).ok_or_else(|| {
                let why = format!("no file of the log is called {}, which aof-until names", shown(file));
                fault(&place.log_dir, None, why)
            })?,
        };
        pieces.truncate(at + 1);
        pieces[at].most = *offset;
    }
    Ok(pieces)
}

struct Load<'r, 'a> {
    replay: &'r mut Replay<'a>,
    config: &'r Config,
    until: Option<Until>,
    progress: &'r Progress,
    /// Bytes of the files that are done.
    before: u64,
}

impl Load<'_, '_> {
    /// Loads all files; whether a tail was torn.
    fn all(&mut self, place: &Place, pieces: &[Piece]) -> Result<bool, BootError> {
        let mut torn = false;
        for piece in pieces {
            let started = Instant::now();
            self.replay.begin_file();
            let end = self.piece(place, piece)?;
            if end == End::Torn && !piece.last {
                warning!("Fatal error: the truncated file is not the last file");
                return Err(fault(&piece.path, None, "its tail is torn, and other files follow it"));
            }
            if end != End::Empty {
                let seconds = started.elapsed().as_secs_f64();
                notice!("DB loaded from {} file {}: {seconds:.3} seconds", piece.kind, piece.name);
            }
            torn |= end == End::Torn;
            self.before += piece.bytes;
            self.note_progress(0);
            if end == End::Reached {
                break;
            }
        }
        Ok(torn)
    }

    fn note_progress(&self, offset: u64) {
        self.progress.loaded_bytes.store(self.before + offset, Ordering::Relaxed);
    }

    fn piece(&mut self, place: &Place, piece: &Piece) -> Result<End, BootError> {
        let (name, path) = (&piece.name, &piece.path);
        let cannot_open = |error: io::Error| {
            let why = reason(&error);
            warning!("Fatal error: can't open the append log file {name} for reading: {why}");
            fault(path, None, why)
        };
        let file = File::open(path).map_err(cannot_open)?;
        if piece.bytes == 0 {
            return Ok(End::Empty);
        }
        match Head::of(file).map_err(cannot_open)? {
            Head::Commands(reader) => self.commands(reader, piece),
            Head::Snapshot(source) => {
                let single = piece.name.as_bytes() == place.names.single();
                match single {
                    true => notice!("Reading RDB preamble from AOF file..."),
                    false => notice!("Reading RDB base file on AOF loading..."),
                }
                let source = self.snapshot(source, piece).inspect_err(|_| {
                    let what = if single { "RDB preamble of the AOF file" } else { "RDB base file" };
                    warning!("Error reading the {what} {name}, AOF loading aborted");
                })?;
                if single {
                    notice!("Reading the remaining AOF tail...");
                }
                self.commands(LogReader::behind(source), piece)
            }
        }
    }

    fn snapshot(
        &mut self,
        source: crate::persist::rdb::StreamSource<File>,
        piece: &Piece,
    ) -> Result<crate::persist::rdb::StreamSource<File>, BootError> {
        let mut request = Request::of(self.config, self.replay.state.clock.now(), false);
        request.keep_expired = true;
        if let Some(Until::Time(until)) = self.until {
            request.not_after = until;
        }
        let (before, progress) = (self.before, self.progress);
        let note = |offset| progress.loaded_bytes.store(before + offset, Ordering::Relaxed);
        let libraries = &mut self.replay.state.libraries;
        let loaded = load_source(&request, self.replay.keyspace, libraries, source, &note);
        let (found, source) = loaded.map_err(|error| BootError::Load(piece.path.clone(), error))?;
        let saving = &mut self.replay.state.saving;
        (saving.loaded_keys, saving.loaded_expired) = (found.keys, found.expired);
        Ok(source)
    }

    fn commands<R: Read>(&mut self, mut reader: LogReader<R>, piece: &Piece) -> Result<End, BootError> {
        let begin = reader.offset();
        if begin > piece.most {
            return Err(fault(&piece.path, Some(piece.most), "aof-until points into the snapshot"));
        }
        let (mut whole, mut before_multi) = (begin, begin);
        let mut count: u64 = 0;
        let delay = self.config.key_load_delay;
        loop {
            if count.is_multiple_of(LOOK_EVERY) {
                self.note_progress(reader.offset());
                self.replay.look_at_clock();
            }
            count += 1;
            if reader.offset() >= piece.most {
                return Ok(End::Reached);
            }
            if reader.look_ahead() {
                self.replay.prefetch(reader.keys());
            }
            let (span, args) = match reader.next_entry() {
                Ok(None) => break,
                Ok(Some((span, _))) if span.end > piece.most => return Ok(End::Reached),
                Ok(Some((span, Entry::Note(note)))) => {
                    if self.until.as_ref().is_some_and(|until| until.is_over_at(note)) {
                        return self.reached(span.start, piece);
                    }
                    continue;
                }
                Ok(Some((span, Entry::Command(args)))) => (span, args),
                // What was queued does not count, and what is written next must not be queued behind it.
                Err(LogError { offset, kind: LogErrorKind::Truncated, .. }) => {
                    let whole = if self.replay.in_transaction() { before_multi } else { whole };
                    return self.torn(piece, whole, offset);
                }
                Err(error) if error.offset >= piece.most => return Ok(End::Reached),
                Err(error) => return Err(broken(piece, error)),
            };
            let was_in_transaction = self.replay.in_transaction();
            self.replay.command(args).map_err(|refused| foreign(piece, span.start, &refused))?;
            if !was_in_transaction {
                before_multi = whole;
            }
            whole = span.end;
            if delay != 0 {
                dawdle(delay, count);
            }
        }
        if self.replay.in_transaction() {
            warning!("Revert incomplete MULTI/EXEC transaction in AOF file {}", piece.name);
            return self.torn(piece, before_multi, whole);
        }
        Ok(End::Whole)
    }

    /// An annotation names a later time than is wanted.
    fn reached(&self, offset: u64, piece: &Piece) -> Result<End, BootError> {
        if offset == 0 && self.before == 0 {
            return Err(fault(&piece.path, Some(0), "the log begins after the time that aof-until names"));
        }
        Ok(End::Reached)
    }

    /// The file's tail is torn behind `whole`.
    fn torn(&mut self, piece: &Piece, whole: u64, offset: u64) -> Result<End, BootError> {
        let name = &piece.name;
        let mut why = "the file ends inside a command or a transaction".to_owned();
        if self.config.aof_load_truncated {
            warning!("!!! Warning: short read while loading the AOF file {name}!!!");
            if self.until.is_some() {
                warning!("AOF {name} is good up to offset {whole}; it is left as it is");
                return Ok(End::Torn);
            }
            warning!("!!! Truncating the AOF {name} at offset {whole} !!!");
            match cut(&piece.path, whole) {
                Ok(()) => {
                    warning!("AOF {name} loaded anyway because aof-load-truncated is enabled");
                    return Ok(End::Torn);
                }
                Err(error) => {
                    why = format!("{why}, and cannot be cut at {whole}: {}", reason(&error));
                    warning!("Error truncating the AOF file {name}: {}", reason(&error));
                }
            }
        }
        warning!(
            "Unexpected end of file reading the append only file {name}. You can: 1) Make a backup of your AOF file, then \
             use ./redis-check-aof --fix <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' \
             configuration option to yes and restart the server."
        );
        Err(fault(&piece.path, Some(offset), why))
    }
}

fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = File::options().write(true).open(path)?;
    file.set_len(len)?;
    file.sync_all()
}

#[cold]
fn broken(piece: &Piece, error: LogError) -> BootError {
    let name = &piece.name;
    match &error.kind {
        LogErrorKind::Io(error) => {
            warning!("Unrecoverable error reading the append only file {name}: {}", reason(error));
        }
        _ => warning!(
            "Bad file format reading the append only file {name}: make a backup of your AOF file, then use \
             ./redis-check-aof --fix <filename.manifest>"
        ),
    }
    fault(&piece.path, Some(error.offset), error.kind)
}

#[cold]
fn foreign(piece: &Piece, offset: u64, refused: &Refused) -> BootError {
    if let Refused::Unknown(command) = refused {
        warning!("Unknown command '{command}' reading the append only file {}", piece.name);
    }
    fault(&piece.path, Some(offset), refused)
}
