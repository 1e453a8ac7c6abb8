//! The manifest: which files make up a log, in which order.
//!
//! Shape: one line a file, `file NAME seq NUMBER type b|h|i`, since Redis 8 followed by `startoffset N` and, for an
//! increment that was closed in order, `endoffset N` (counts of the replication stream). The pairs may come in any
//! order, unknown ones are skipped, keywords are matched without case. Names that do not print are quoted as in
//! [`crate::text::words`]. Lines that begin with `#` are comments. There is at most one base; the numbers of the
//! increments rise; history is what a rewrite made useless and somebody has yet to remove.
//!
//! Pure data: nothing here touches a file.
//! Source: what Redis 7.0 to 8.0.6 write and accept.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::text::num::leading_i64;
use crate::text::words;

/// What a file is to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Everything up to a rewrite: a snapshot or commands.
    Base,
    /// Was base or increment before a rewrite; not read any more.
    History,
    /// Commands since the base or the increment before.
    Incr,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Kind::Base => 'b',
            Kind::History => 'h',
            Kind::Incr => 'i',
        }
    }
}

/// One file of a log: one line of the manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Name within the log's directory; never a path.
    pub name: Vec<u8>,
    /// Bases and increments are counted apart, from 1.
    pub seq: i64,
    pub kind: Kind,
    /// Where in the replication stream the file begins. Redis 8 writes it, others skip it.
    pub start_offset: Option<i64>,
    /// Where it ends, of an increment that was closed in order.
    pub end_offset: Option<i64>,
}

impl Part {
    fn new(name: Vec<u8>, seq: i64, kind: Kind) -> Part {
        Part { name, seq, kind, start_offset: None, end_offset: None }
    }

    /// Where the file lies, in the log's directory.
    pub fn path_in(&self, dir: &Path) -> PathBuf {
        dir.join(OsStr::from_bytes(&self.name))
    }

    /// The name as it is shown in log lines.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    fn print(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"file ");
        if needs_quotes(&self.name) {
            words::quote_into(&self.name, out);
        } else {
            out.extend_from_slice(&self.name);
        }
        out.extend_from_slice(format!(" seq {} type {}", self.seq, self.kind.letter()).as_bytes());
        if let Some(start) = self.start_offset {
            out.extend_from_slice(format!(" startoffset {start}").as_bytes());
            if let Some(end) = self.end_offset {
                out.extend_from_slice(format!(" endoffset {end}").as_bytes());
            }
        }
        out.push(b'\n');
    }
}

/// Real servers leave a single quote bare, and then cannot read the line; quoted they can.
fn needs_quotes(name: &[u8]) -> bool {
    name.is_empty() || name.iter().any(|byte| !matches!(byte, b'!'..=b'~') || b"\\\"'".contains(byte))
}

/// The names of a log's files; all follow from `appendfilename`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    stem: Vec<u8>,
}

impl Names {
    /// Of this `appendfilename`.
    pub fn of(appendfilename: impl AsRef<[u8]>) -> Names {
        Names { stem: appendfilename.as_ref().to_vec() }
    }

    /// The single file of servers before 7.0.
    pub fn single(&self) -> &[u8] {
        &self.stem
    }

    /// `appendonly.aof.manifest`
    pub fn manifest(&self) -> Vec<u8> {
        [&self.stem, &b".manifest"[..]].concat()
    }

    /// What a new manifest is called until it takes the old one's place: `temp-appendonly.aof.manifest`.
    pub fn temp_manifest(&self) -> Vec<u8> {
        [b"temp-", &self.stem[..], b".manifest"].concat()
    }

    /// The increment written while the log is turned on and its base is not there: `temp-appendonly.aof.incr`.
    pub fn temp_incr(&self) -> Vec<u8> {
        [b"temp-", &self.stem[..], b".incr"].concat()
    }

    /// `appendonly.aof.1.base.rdb`, or `.aof` of a base that consists of commands.
    pub fn base(&self, seq: i64, snapshot: bool) -> Vec<u8> {
        let format = if snapshot { "rdb" } else { "aof" };
        [&self.stem, format!(".{seq}.base.{format}").as_bytes()].concat()
    }

    /// `appendonly.aof.1.incr.aof`
    pub fn incr(&self, seq: i64) -> Vec<u8> {
        [&self.stem, format!(".{seq}.incr.aof").as_bytes()].concat()
    }
}

/// Which files make up a log. An empty one is that of a directory without a manifest.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    base: Option<Part>,
    /// The newest first, as they are printed.
    history: Vec<Part>,
    incrs: Vec<Part>,
    base_seq: i64,
    incr_seq: i64,
}

impl Manifest {
    /// Reads a manifest's text. Every line must be understood: a log with a part missing is no log.
    pub fn parse(text: &[u8]) -> Result<Manifest, ManifestError> {
        let mut manifest = Manifest::default();
        let mut rest = text;
        let mut number = 0;
        while !rest.is_empty() {
            number += 1;
            let line = take_line(&mut rest);
            if line[0] == b'#' {
                continue;
            }
            // A zero byte ends a line for real servers, so they do not see the line's end behind it.
            if line.last() != Some(&b'\n') || line.contains(&0) {
                return Err(ManifestError { reason: TOO_LONG, line: None });
            }
            let line = line.trim_ascii();
            parse_line(line).and_then(|part| manifest.add(part)).map_err(|reason| ManifestError {
                reason,
                line: Some((number, String::from_utf8_lossy(line).into_owned())),
            })?;
        }
        if number == 0 {
            return Err(ManifestError { reason: EMPTY, line: None });
        }
        Ok(manifest)
    }

    fn add(&mut self, part: Part) -> Result<(), &'static str> {
        match part.kind {
            Kind::Base if self.base.is_some() => return Err("Found duplicate base file information"),
            Kind::Base => {
                self.base_seq = part.seq;
                self.base = Some(part);
            }
            Kind::History => self.history.push(part),
            Kind::Incr if part.seq <= self.incr_seq => return Err("Found a non-monotonic sequence number"),
            Kind::Incr => {
                self.incr_seq = part.seq;
                self.incrs.push(part);
            }
        }
        Ok(())
    }

    /// The manifest as it lies on disk: the base, history, the increments.
    pub fn print(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.base.iter().chain(&self.history).chain(&self.incrs).for_each(|part| part.print(&mut out));
        out
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.incrs.is_empty()
    }

    pub fn base(&self) -> Option<&Part> {
        self.base.as_ref()
    }

    /// The increments, in the order in which they are loaded.
    pub fn incrs(&self) -> &[Part] {
        &self.incrs
    }

    /// What is to be removed.
    pub fn history(&self) -> &[Part] {
        &self.history
    }

    /// What is to be loaded, in order.
    pub fn parts(&self) -> impl Iterator<Item = &Part> + Clone {
        self.base.iter().chain(&self.incrs)
    }

    /// Makes room for a new base, whose predecessor becomes history.
    pub fn next_base(&mut self, names: &Names, snapshot: bool) -> &Part {
        if let Some(old) = self.base.take() {
            self.history.insert(0, Part { kind: Kind::History, ..old });
        }
        self.base_seq += 1; // what is read leaves room for it
        let name = names.base(self.base_seq, snapshot);
        self.base.insert(Part::new(name, self.base_seq, Kind::Base))
    }

    /// Adds an increment behind the others. `start_offset` is the replication offset at its begin, if anybody counts.
    pub fn next_incr(&mut self, names: &Names, start_offset: Option<i64>) -> &Part {
        self.incr_seq += 1; // what is read leaves room for it
        let part = Part::new(names.incr(self.incr_seq), self.incr_seq, Kind::Incr);
        self.incrs.push(Part { start_offset, ..part });
        self.incrs.last().expect("just pushed")
    }

    /// Says where the last increment ends, or (`None`) that it goes on.
    pub fn set_end_offset(&mut self, end_offset: Option<i64>) {
        if let Some(last) = self.incrs.last_mut() {
            last.end_offset = end_offset;
        }
    }

    /// Says where the last increment begins.
    pub fn set_start_offset(&mut self, start_offset: Option<i64>) {
        if let Some(last) = self.incrs.last_mut() {
            last.start_offset = start_offset;
        }
    }

    /// The increments that a new base covers become history: all of them, or all but the last `kept`, which are
    /// written since.
    pub fn retire_incrs(&mut self, kept: usize) {
        let covered = self.incrs.len().saturating_sub(kept);
        let retired = self.incrs.drain(..covered).map(|part| Part { kind: Kind::History, ..part });
        self.history.splice(0..0, retired.collect::<Vec<_>>());
    }

    /// Forgets history and gives it, to be removed once the manifest without it is durable.
    pub fn take_history(&mut self) -> Vec<Part> {
        std::mem::take(&mut self.history)
    }

    /// The single file of an old server becomes the base, under its own name.
    pub fn take_over(&mut self, names: &Names) {
        self.base = Some(Part::new(names.single().to_vec(), 1, Kind::Base));
        self.base_seq = 1;
    }

    /// Whether the single file of an old server is to be taken over if it lies beside the log's directory: there is
    /// no log yet, or taking it over was begun (`moved`: the file is in the directory already) and not ended.
    pub fn wants_single(&self, names: &Names, moved: bool) -> bool {
        let begun = self.base.as_ref().is_some_and(|base| base.name == names.single());
        self.is_empty() || (self.incrs.is_empty() && begun && !moved)
    }
}

const EMPTY: &str = "Found an empty AOF manifest";
const TOO_LONG: &str = "The AOF manifest file contains too long line";
const FORMAT: &str = "Invalid AOF manifest file format";

/// Why a manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError {
    /// In the real server's words.
    pub reason: &'static str,
    /// The line's number, from 1, and its text, if the error is in one.
    pub line: Option<(usize, String)>,
}

impl ManifestError {
    /// The lines that the real server logs, one entry each.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = vec!["\n*** FATAL AOF MANIFEST FILE ERROR ***\n".to_owned()];
        if let Some((number, text)) = &self.line {
            notes.push(format!("Reading the manifest file, at line {number}\n"));
            notes.push(format!(">>> '{text}'\n"));
        }
        notes.push(format!("{}\n", self.reason));
        notes
    }
}

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some((number, text)) => write!(f, "line {number}, '{text}': {}", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

impl std::error::Error for ManifestError {}

/// Real servers read this much of a line; what follows is the next to them.
const LINE_MAX: usize = 1024;

fn take_line<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let most = &rest[..rest.len().min(LINE_MAX)];
    let len = memchr::memchr(b'\n', most).map_or(most.len(), |at| at + 1);
    let (line, behind) = rest.split_at(len);
    *rest = behind;
    line
}

fn parse_line(line: &[u8]) -> Result<Part, &'static str> {
    let words = words::split(line).map_err(|_| FORMAT)?;
    if words.len() < 6 || words.len() % 2 != 0 {
        return Err(FORMAT);
    }
    let (mut name, mut seq, mut kind, mut start, mut end) = (None, 0, None, None, None);
    for pair in words.chunks_exact(2) {
        let value = until_zero(&pair[1]);
        match pair[0].to_ascii_lowercase().as_slice() {
            b"file" if value.iter().any(|byte| b"/\\".contains(byte)) => {
                return Err("File can't be a path, just a filename");
            }
            b"file" => name = Some(value.to_vec()),
            b"seq" => seq = leading_i64(value),
            b"type" => kind = value.first().copied(),
            b"startoffset" => start = offset(value),
            b"endoffset" => end = offset(value),
            _ => {}
        }
    }
    let (Some(name), Some(kind)) = (name, kind) else { return Err(FORMAT) };
    let kind = match kind {
        _ if seq == 0 || seq == i64::MAX => return Err(FORMAT), // there must be a next one
        b'b' => Kind::Base,
        b'h' => Kind::History,
        b'i' => Kind::Incr,
        _ => return Err("Unknown AOF file type"),
    };
    Ok(Part { start_offset: start, end_offset: end, ..Part::new(name, seq, kind) })
}

/// A zero byte (only quotes can hold one) ends a word for real servers.
fn until_zero(word: &[u8]) -> &[u8] {
    memchr::memchr(0, word).map_or(word, |at| &word[..at])
}

/// -1 is how real servers say that there is none.
fn offset(text: &[u8]) -> Option<i64> {
    Some(leading_i64(text)).filter(|n| *n != -1)
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
