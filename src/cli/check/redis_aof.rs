//! redis-check-aof: its arguments, lines and exit codes, and its own rules, which are stricter than the server's.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{confirmed, cut, prompt, redis_rdb};
use crate::cli::help;
use crate::persist::aof::Manifest;
use crate::persist::rdb::Source;
use crate::text::num::{leading_i64, parse_i64};
use crate::text::os::reason;

/// The tool ends with status 1; why has been printed.
struct Leave;

type Step<T> = Result<T, Leave>;

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Job {
    path: PathBuf,
    fix: bool,
    /// Unix seconds; cut what comes after them.
    until: Option<i64>,
}

/// Does what the program of that name does.
pub fn main(argv: &[OsString]) -> ExitCode {
    let program = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let words: Vec<&OsStr> = argv.iter().skip(1).map(OsString::as_os_str).collect();
    let plain = |path: &OsStr| Job { path: path.into(), fix: false, until: None };
    let job = match words[..] {
        [word] if word == "-v" || word == "--version" => {
            println!("redis-check-aof {}", help::version());
            return ExitCode::SUCCESS;
        }
        [path] => plain(path),
        [option, path] if option == "--fix" => Job { fix: true, ..plain(path) },
        [option, time, path] if option == "--truncate-to-timestamp" => {
            let Some(time) = parse_i64(time.as_bytes()) else {
                println!("Invalid timestamp, aborting...");
                return ExitCode::FAILURE;
            };
            Job { until: Some(time).filter(|time| *time != 0), ..plain(path) }
        }
        _ => {
            println!("Usage: {program} [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>");
            return ExitCode::FAILURE;
        }
    };
    match run(&job) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Leave) => ExitCode::FAILURE,
    }
}

fn run(job: &Job) -> Step<()> {
    let mut checker = Checker { job, line: 1 };
    let head = head(&job.path)?;
    if is_manifest(&head) {
        return checker.multi_part();
    }
    println!("Start checking Old-Style AOF");
    let name = job.path.display().to_string();
    let verdict = checker.single(&name, &job.path, true, is_snapshot(&head))?;
    verdict.print("AOF", &name, job);
    Ok(())
}

/// The beginning of a file: enough to tell what it is.
fn head(path: &Path) -> Step<Vec<u8>> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64 << 10).read_to_end(&mut head));
    read.map_err(|error| {
        println!("Cannot open file {}: {}", path.display(), reason(&error));
        Leave
    })?;
    Ok(head)
}

/// The first line that is no comment begins with a keyword.
fn is_manifest(head: &[u8]) -> bool {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find(|line| line.first() != Some(&b'#')).is_some_and(|line| line.starts_with(b"file"))
}

fn is_snapshot(head: &[u8]) -> bool {
    head.len() >= 8 && (head.starts_with(b"REDIS") || head.starts_with(b"VALKEY"))
}

/// What became of a file.
enum Verdict {
    Valid,
    Empty,
    Truncated,
    TruncatedToTime,
}

impl Verdict {
    fn print(&self, what: &str, name: &str, job: &Job) {
        match self {
            Verdict::Valid => println!("{what} {name} is valid"),
            Verdict::Empty => println!("{what} {name} is empty"),
            Verdict::Truncated => println!("Successfully truncated AOF {name}"),
            Verdict::TruncatedToTime => {
                println!("Successfully truncated AOF {name} to timestamp {}", job.until.unwrap_or(0));
            }
        }
    }
}

struct Checker<'j> {
    job: &'j Job,
    /// Counted on over all files.
    line: i64,
}

impl Checker<'_> {
    fn multi_part(&mut self) -> Step<()> {
        println!("Start checking Multi Part AOF");
        let path = &self.job.path;
        let text = fs::read(path).map_err(|error| {
            println!("Cannot open file {}: {}", path.display(), reason(&error));
            Leave
        })?;
        let manifest = Manifest::parse(&text).map_err(|error| {
            error.notes().iter().for_each(|note| println!("{note}"));
            Leave
        })?;
        let dir = path.parent().unwrap_or(Path::new(""));
        let mut left = manifest.parts().count();
        if let Some(base) = manifest.base() {
            left -= 1;
            let path = base.path_in(dir);
            let snapshot = is_snapshot(&head(&path)?);
            println!("Start to check BASE AOF ({} format).", if snapshot { "RDB" } else { "RESP" });
            let verdict = self.single(&base.shown(), &path, left == 0, snapshot)?;
            verdict.print("BASE AOF", &base.shown(), self.job);
        }
        if !manifest.incrs().is_empty() {
            println!("Start to check INCR files.");
        }
        for incr in manifest.incrs() {
            left -= 1;
            let verdict = self.single(&incr.shown(), &incr.path_in(dir), left == 0, false)?;
            verdict.print("INCR AOF", &incr.shown(), self.job);
        }
        println!("All AOF files and manifest are valid");
        Ok(())
    }

    fn single(&mut self, name: &str, path: &Path, last: bool, snapshot: bool) -> Step<Verdict> {
        let cannot_open = |error: io::Error| {
            println!("Cannot open file {}: {}, aborting...", path.display(), reason(&error));
            Leave
        };
        let mut file = File::options().read(true).write(true).open(path).map_err(cannot_open)?;
        let size = file.metadata().map_err(cannot_open)?.len();
        if size == 0 {
            return Ok(Verdict::Empty);
        }
        let mut begin = 0;
        if snapshot {
            let source =
                file.try_clone().ok().and_then(|file| redis_rdb::preamble(path, file)).ok_or_else(|| {
                    println!("RDB preamble of AOF file is not sane, aborting.");
                    Leave
                })?;
            begin = source.offset();
            println!("RDB preamble is OK, proceeding with AOF tail...");
        }
        file.seek(SeekFrom::Start(begin)).map_err(cannot_open)?;
        let input = BufReader::with_capacity(256 << 10, file);
        let mut reader = Strict { input, at: begin, line: self.line, ended: false, multi: 0 };
        let found = self.commands(&mut reader, path, last)?;
        self.line = reader.line;
        match found {
            Found::Later(at) => self.cut_to_time(path, at),
            Found::UpTo(good) => self.judge(name, path, last, size, good),
        }
    }

    /// Reads commands until the end or an error, which is printed.
    fn commands(&self, reader: &mut Strict, path: &Path, last: bool) -> Step<Found> {
        let mut good = reader.at;
        let shown = path.display();
        let error = loop {
            if reader.multi == 0 {
                good = reader.at;
            }
            match reader.peek() {
                Ok(None) => break None,
                Ok(Some(b'#')) => {
                    if let Some(at) = self.annotation(reader, path, last)? {
                        return Ok(Found::Later(at));
                    }
                }
                Ok(Some(b'*')) => {
                    if let Err(error) = reader.command(path) {
                        break Some(error);
                    }
                }
                Ok(Some(_)) => {
                    println!("AOF {shown} format error");
                    break None;
                }
                Err(_) => {
                    println!("Failed to read from AOF {shown}, aborting...");
                    return Err(Leave);
                }
            }
        };
        match error {
            Some(Bad::Says(text)) => println!("{text}"),
            _ if reader.ended && reader.multi != 0 => {
                println!("0x{:16x}: Reached EOF before reading EXEC for MULTI", reader.at);
            }
            _ => {}
        }
        Ok(Found::UpTo(good))
    }

    /// Passes an annotation; where it begins, if it names a later time than is wanted.
    fn annotation(&self, reader: &mut Strict, path: &Path, last: bool) -> Step<Option<u64>> {
        let (begin, shown) = (reader.at, path.display());
        let line = reader.line(1023).unwrap_or_default();
        let Some(until) = self.job.until else { return Ok(None) };
        let Some(number) = line.strip_prefix(b"#TS:") else { return Ok(None) };
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'-').count();
        if number.get(digits) != Some(&b'\r') {
            println!("Invalid timestamp annotation");
            return Err(Leave);
        }
        if leading_i64(number) <= until {
            return Ok(None);
        }
        if begin == 0 {
            println!("AOF {shown} has nothing before timestamp {until}, aborting...");
            return Err(Leave);
        }
        if !last {
            println!(
                "Failed to truncate AOF {shown} to timestamp {until} to offset {begin} because it is not the last file."
            );
            println!(
                "If you insist, please delete all files after this file according to the manifest file and delete the \
                 corresponding records in manifest file manually. Then re-run redis-check-aof."
            );
            return Err(Leave);
        }
        Ok(Some(begin))
    }

    fn cut_to_time(&self, path: &Path, at: u64) -> Step<Verdict> {
        let until = self.job.until.unwrap_or(0);
        cut(path, at).map_err(|_| {
            println!("Failed to truncate AOF {} to timestamp {until}", path.display());
            Leave
        })?;
        Ok(Verdict::TruncatedToTime)
    }

    fn judge(&self, name: &str, path: &Path, last: bool, size: u64, good: u64) -> Step<Verdict> {
        let bad = size.saturating_sub(good);
        if let Some(until) = self.job.until
            && bad == 0
        {
            println!("Truncate nothing in AOF {name} to timestamp {until}");
            return Ok(Verdict::Valid);
        }
        println!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={good}, ok_up_to_line={}, diff={bad}",
            self.line
        );
        if bad == 0 {
            return Ok(Verdict::Valid);
        }
        if !self.job.fix {
            println!("AOF {name} is not valid. Use the --fix option to try fixing it.");
            return Err(Leave);
        }
        if !last {
            println!("Failed to truncate AOF {name} because it is not the last file");
            return Err(Leave);
        }
        println!("This will shrink the AOF {name} from {size} bytes, with {bad} bytes, to {good} bytes");
        prompt("Continue? [y/N]: ");
        if !confirmed() {
            println!("Aborting...");
            return Err(Leave);
        }
        cut(path, good).map_err(|_| {
            println!("Failed to truncate AOF {name}");
            Leave
        })?;
        Ok(Verdict::Truncated)
    }
}

enum Found {
    /// The bytes that are good; all of them, if the file is.
    UpTo(u64),
    /// Here an annotation names a later time than is wanted.
    Later(u64),
}

/// Why a command is bad.
enum Bad {
    Says(String),
    /// The file ends where a number should be, of which the tool says nothing.
    Ends,
}

/// Reads commands as the tool does.
struct Strict {
    input: BufReader<File>,
    at: u64,
    line: i64,
    /// The file's end was met.
    ended: bool,
    /// MULTIs without EXEC.
    multi: i32,
}

impl Strict {
    fn peek(&mut self) -> io::Result<Option<u8>> {
        let next = self.input.fill_buf()?.first().copied();
        self.ended |= next.is_none();
        Ok(next)
    }

    /// Up to `most` bytes, or a line; empty at the end.
    fn line(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.input.by_ref().take(most).read_until(b'\n', &mut line)?;
        self.at += line.len() as u64;
        self.ended |= line.len() as u64 != most && line.last() != Some(&b'\n');
        Ok(line)
    }

    fn command(&mut self, path: &Path) -> Result<(), Bad> {
        let count = self.number(b'*')?;
        for i in 0..count {
            let (begin, word) = self.string()?;
            if i > 0 {
                continue;
            }
            let unexpected =
                |what: &str| says(begin, &format!("Unexpected {what} in AOF {}", path.display()));
            if word.eq_ignore_ascii_case(b"multi") {
                self.multi += 1;
                if self.multi != 1 {
                    return Err(unexpected("MULTI"));
                }
            } else if word.eq_ignore_ascii_case(b"exec") {
                self.multi -= 1;
                if self.multi != 0 {
                    return Err(unexpected("EXEC"));
                }
            }
        }
        Ok(())
    }

    fn number(&mut self, mark: u8) -> Result<i64, Bad> {
        let begin = self.at;
        let line = self.line(127).map_err(|_| Bad::Ends)?;
        let Some((first, rest)) = line.split_first() else { return Err(Bad::Ends) };
        if *first != mark {
            let text = format!("Expected prefix '{}', got: '{}'", char::from(mark), char::from(*first));
            return Err(says(begin, &text));
        }
        let signs = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
        let digits = rest[signs..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.newline(begin, rest.get(signs + digits..).unwrap_or_default())?;
        Ok(leading_i64(rest))
    }

    fn newline(&mut self, begin: u64, text: &[u8]) -> Result<(), Bad> {
        if text.starts_with(b"\r\n") {
            self.line += 1;
            return Ok(());
        }
        // C's chars have a sign, and show it.
        let hex = |at: usize| format!("{:02x}", i32::from(text.get(at).map_or(0, |byte| *byte as i8)));
        Err(says(begin, &format!("Expected \\r\\n, got: {}{}", hex(0), hex(1))))
    }

    /// Where an argument's bytes begin, and the argument, if it is short.
    fn string(&mut self) -> Result<(u64, Vec<u8>), Bad> {
        let begin = self.at;
        let len = self.number(b'$')?;
        let Some(total) =
            u64::try_from(len).ok().filter(|len| *len <= i64::MAX as u64 - 2).map(|len| len + 2)
        else {
            let text = format!("Expected to read string of {len} bytes, which is not in the suitable range");
            return Err(says(begin, &text));
        };
        let begin = self.at;
        let mut word = Vec::new();
        let read = if total <= 64 {
            self.input.by_ref().take(total).read_to_end(&mut word).map(|read| read as u64)
        } else {
            let skipped = io::copy(&mut self.input.by_ref().take(total - 2), &mut io::sink());
            skipped.and_then(|n| Ok(n + self.input.by_ref().take(2).read_to_end(&mut word)? as u64))
        };
        let read = read.unwrap_or(0);
        self.at += read;
        if read != total {
            self.ended = true;
            return Err(says(begin, &format!("Expected to read {total} bytes, got {read} bytes")));
        }
        let end = word.split_off(word.len() - 2);
        self.newline(begin, &end)?;
        Ok((begin, word))
    }
}

fn says(at: u64, text: &str) -> Bad {
    Bad::Says(format!("0x{at:16x}: {text}"))
}
