//! `resnap check`: what a start here would make of a file, or of the files of a directory.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::snapshot::{self, Counts, check};
use super::{confirmed, cut, is_free, prompt};
use crate::cli::help;
use crate::persist::aof::reader::timestamp;
use crate::persist::aof::{Entry, Head, LogError, LogErrorKind, LogReader, Manifest, Part};
use crate::persist::rdb::{Source, StreamSource};
use crate::serve::Examiner;
use crate::text::clock::Clock;
use crate::text::os::reason;

/// What was asked for.
struct Job {
    fix: bool,
    yes: bool,
    until: Option<i64>,
}

/// Runs the command; 0 if everything is good (by now).
pub fn main(argv: &[OsString]) -> ExitCode {
    let words = std::iter::once(OsString::from("resnap check")).chain(argv.iter().skip(2).cloned());
    let matches = help::check().get_matches_from(words);
    let path: &PathBuf = matches.get_one("path").expect("it is required");
    let until = matches.get_one("until").copied();
    let job = Job { fix: matches.get_flag("fix"), yes: matches.get_flag("yes"), until };
    match job.path(path) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What is good of a log's file.
#[derive(Debug, Default)]
struct Good {
    snapshot: Option<Counts>,
    commands: u64,
    transactions: u64,
    /// Bytes.
    bytes: u64,
    /// The last annotation's time.
    time: Option<i64>,
}

impl fmt::Display for Good {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(counts) = &self.snapshot {
            write!(f, "{}, ", Shown(counts))?;
        }
        write!(f, "{} commands", self.commands)?;
        if self.transactions > 0 {
            write!(f, " ({} transactions)", self.transactions)?;
        }
        if let Some(time) = self.time {
            write!(f, ", last time noted {time}")?;
        }
        write!(f, ", {} bytes", self.bytes)
    }
}

struct Shown<'c>(&'c Counts);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { keys, expires, expired, databases, functions, .. } = self.0;
        write!(f, "{keys} keys in {databases} databases ({expires} with an expiry, {expired} past it)")?;
        if *functions > 0 { write!(f, ", {functions} function libraries") } else { Ok(()) }
    }
}

/// Where a log's file is bad.
struct Bad {
    offset: u64,
    why: String,
    /// Cutting the file helps: it is not that a whole command is not understood.
    torn: bool,
}

impl Job {
    /// Checks whatever is at a path.
    fn path(&self, path: &Path) -> Result<bool, String> {
        let meta = fs::metadata(path).map_err(|error| cannot_open(path, &error))?;
        if meta.is_dir() {
            return self.dir(path);
        }
        let text = head_of(path)?;
        match kind_of(path, &text) {
            Kind::Manifest => self.manifest(path),
            Kind::Snapshot => self.snapshot(path),
            Kind::Log => self.log(path, true),
        }
    }

    /// Everything in a directory that a server could load.
    fn dir(&self, dir: &Path) -> Result<bool, String> {
        let mut found = self.files_of(dir)?;
        if found.is_empty() {
            return Err(format!("{}: there is neither a snapshot nor a log in it", dir.display()));
        }
        found.sort();
        let mut good = true;
        for path in found {
            good &= self.path(&path)?;
        }
        Ok(good)
    }

    /// Manifests, and where there is none snapshots and logs; of directories in it only manifests.
    fn files_of(&self, dir: &Path) -> Result<Vec<PathBuf>, String> {
        let manifests = with_extension(dir, "manifest")?;
        if !manifests.is_empty() {
            return Ok(manifests);
        }
        let mut found = with_extension(dir, "rdb")?;
        found.extend(with_extension(dir, "aof")?);
        let entries = fs::read_dir(dir).map_err(|error| cannot_open(dir, &error))?;
        for entry in entries.flatten().filter(|entry| entry.path().is_dir()) {
            found.extend(with_extension(&entry.path(), "manifest").unwrap_or_default());
        }
        Ok(found)
    }

    fn manifest(&self, path: &Path) -> Result<bool, String> {
        let text = fs::read(path).map_err(|error| cannot_open(path, &error))?;
        let manifest = Manifest::parse(&text).map_err(|error| format!("{}: bad: {error}", path.display()))?;
        let parts: Vec<&Part> = manifest.parts().collect();
        println!("{}: {} files, {} of history", path.display(), parts.len(), manifest.history().len());
        let dir = path.parent().unwrap_or(Path::new(""));
        let mut good = true;
        for (number, part) in parts.iter().enumerate() {
            let path = part.path_in(dir);
            good &= match fs::metadata(&path) {
                Ok(_) => self.log(&path, number + 1 == parts.len())?,
                Err(error) => {
                    println!("{}", cannot_open(&path, &error));
                    false
                }
            };
        }
        Ok(good)
    }

    fn snapshot(&self, path: &Path) -> Result<bool, String> {
        let open = |path| File::open(path).and_then(StreamSource::file);
        let source = open(path).map_err(|error| cannot_open(path, &error))?;
        let shown = path.display();
        match check_snapshot(source) {
            (counts, Ok(source)) => {
                println!("{shown}: good: {}, {} bytes", Shown(&counts), source.offset());
                Ok(true)
            }
            (counts, Err((_, why))) => {
                println!("{shown}: bad: {why}");
                println!("{shown}: good before it: {}", Shown(&counts));
                Ok(false)
            }
        }
    }

    /// Checks a file of a log. Only of the last one a tail may be cut.
    fn log(&self, path: &Path, last: bool) -> Result<bool, String> {
        let size = fs::metadata(path).map_err(|error| cannot_open(path, &error))?.len();
        let file = File::open(path).map_err(|error| cannot_open(path, &error))?;
        let mut good = Good::default();
        let shown = path.display();
        let outcome = match Head::of(file).map_err(|error| cannot_open(path, &error))? {
            Head::Commands(reader) => self.commands(reader, &mut good),
            Head::Snapshot(source) => match check_snapshot(source) {
                (counts, Ok(source)) => {
                    good.snapshot = Some(counts);
                    self.commands(LogReader::behind(source), &mut good)
                }
                (counts, Err((offset, why))) => {
                    good.snapshot = Some(counts);
                    let why = why.split_once(": ").map_or(why.clone(), |(_, why)| why.to_owned());
                    Err(Bad { offset, why, torn: false })
                }
            },
        };
        match outcome {
            Ok(None) => {
                println!("{shown}: good: {good}");
                Ok(true)
            }
            Ok(Some(later)) => self.cut_at_time(path, later, size, last, &good),
            Err(bad) => {
                println!("{shown}: bad: offset {}: {}", bad.offset, bad.why);
                println!("{shown}: good before it: {good}");
                self.mend(path, &bad, good.bytes, size, last)
            }
        }
    }

    /// Reads commands. Where an annotation names a later time than is wanted, if one does.
    fn commands<R: Read>(&self, mut reader: LogReader<R>, good: &mut Good) -> Result<Option<u64>, Bad> {
        good.bytes = reader.offset();
        let (mut open, mut queued) = (false, 0);
        let mut examiner = Examiner::new(Clock::real().now());
        loop {
            let (span, entry) = match reader.next_entry() {
                Ok(Some(entry)) => entry,
                Ok(None) if open => {
                    let why = "the file ends inside a transaction".to_owned();
                    return Err(Bad { offset: reader.offset(), why, torn: true });
                }
                Ok(None) => return Ok(None),
                Err(LogError { offset, kind, .. }) => {
                    return Err(Bad {
                        offset,
                        why: kind.to_string(),
                        torn: !matches!(kind, LogErrorKind::Io(_)),
                    });
                }
            };
            match entry {
                Entry::Note(note) => {
                    let time = timestamp(note);
                    if time.zip(self.until).is_some_and(|(time, until)| time > until) {
                        return Ok(Some(span.start));
                    }
                    good.time = time.or(good.time);
                }
                Entry::Command(args) => {
                    examiner.examine(&args).map_err(|refused| {
                        let why = refused.to_string();
                        Bad { offset: span.start, why, torn: false }
                    })?;
                    queued += 1;
                    if args.name().eq_ignore_ascii_case(b"multi") {
                        open = true;
                    } else if args.name().eq_ignore_ascii_case(b"exec") && open {
                        open = false;
                        good.transactions += 1;
                    }
                }
            }
            if !open {
                (good.commands, good.bytes) = (good.commands + queued, span.end);
                queued = 0;
            }
        }
    }

    fn cut_at_time(&self, path: &Path, at: u64, size: u64, last: bool, good: &Good) -> Result<bool, String> {
        let shown = path.display();
        println!("{shown}: offset {at}: from here on it is later; before it: {good}");
        if !last {
            println!(
                "{shown}: it is not the last file, so it cannot be cut: remove the later ones, and their lines from the manifest"
            );
            return Ok(false);
        }
        if at == 0 {
            println!("{shown}: there is nothing before that time");
            return Ok(false);
        }
        self.shorten(path, at, size)
    }

    fn mend(&self, path: &Path, bad: &Bad, good: u64, size: u64, last: bool) -> Result<bool, String> {
        let shown = path.display();
        if !self.fix {
            return Ok(false);
        }
        if !bad.torn {
            println!("{shown}: cutting it there would not mend it: --fix leaves it as it is");
            return Ok(false);
        }
        if !last {
            println!("{shown}: it is not the last file, so it cannot be cut");
            return Ok(false);
        }
        self.shorten(path, good, size)
    }

    /// Cuts a file, after a copy of what goes is safe.
    fn shorten(&self, path: &Path, to: u64, size: u64) -> Result<bool, String> {
        let shown = path.display();
        println!("{shown}: this cuts {} of {size} bytes off, from offset {to} on", size.saturating_sub(to));
        if !self.yes {
            prompt("Continue? [y/N]: ");
            if !confirmed() {
                println!("Aborting...");
                return Ok(false);
            }
        }
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".cut-{to}"));
        let kept = PathBuf::from(name);
        is_free(path)
            .and_then(|()| keep_tail(path, to, &kept))
            .and_then(|()| cut(path, to))
            .map_err(|error| format!("{shown}: cannot be cut: {}", reason(&error)))?;
        println!("{shown}: cut at offset {to}; what was behind it is in {}", kept.display());
        Ok(true)
    }
}

/// Copies what is behind an offset into a new file, durably.
fn keep_tail(path: &Path, from: u64, kept: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut copy = File::create_new(kept)?;
    io::copy(&mut file, &mut copy)?;
    copy.sync_all()?;
    let dir = kept.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()
}

/// What was found, and the source behind it, or where and why it is bad (the reason begins with the offset).
fn check_snapshot(source: StreamSource<File>) -> (Counts, Result<StreamSource<File>, (u64, String)>) {
    let now_ms = Clock::real().now().ms as i64;
    let snapshot::Check { counts, result, .. } = check(source, now_ms, &mut |_, _| ());
    (counts, result.map_err(|bad| (bad.0.offset, bad.0.to_string())))
}

enum Kind {
    Manifest,
    Snapshot,
    Log,
}

fn kind_of(path: &Path, head: &[u8]) -> Kind {
    let named = |extension| path.extension().is_some_and(|e| e == extension);
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.find(|line| line.first() != Some(&b'#')).unwrap_or_default();
    match head {
        _ if named("manifest") || first.starts_with(b"file ") => Kind::Manifest,
        [b'R', b'E', b'D', b'I', b'S', ..] | [b'V', b'A', b'L', b'K', b'E', b'Y', ..] if !named("aof") => {
            Kind::Snapshot
        }
        _ if named("rdb") => Kind::Snapshot,
        _ => Kind::Log,
    }
}

fn head_of(path: &Path) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64 << 10).read_to_end(&mut head));
    read.map_err(|error| cannot_open(path, &error))?;
    Ok(head)
}

fn with_extension(dir: &Path, extension: &str) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(dir).map_err(|error| cannot_open(dir, &error))?;
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_file() && path.extension().is_some_and(|e| e == extension)).collect())
}

fn cannot_open(path: &Path, error: &io::Error) -> String {
    format!("{}: cannot be opened: {}", path.display(), reason(error))
}
