//! Config files into settings: reading, includes, changing directory, errors with file and line.

use super::args::ConfigLines;
use super::globbing;
use crate::command::table::rename;
use crate::engine::config::{Loader, Step};
use crate::serve::process::system::reason;
use crate::text::version;
use crate::warning;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How deep files may include files: as deep as nobody does on purpose.
const INCLUDE_DEPTH: usize = 64;

/// Why the settings could not be loaded.
#[derive(Debug)]
pub enum ConfError {
    /// A file that cannot be read.
    Unreadable(PathBuf, io::Error),
    /// A line that means nothing: its number from 1, the line, the reason.
    Line(usize, Vec<u8>, String),
    /// What is wrong with the whole.
    Whole(String),
}

impl ConfError {
    /// Tells the user, the way the real server does.
    pub fn report(&self) {
        let title = format!("\n*** FATAL CONFIG FILE ERROR (Redis {}) ***", version::REDIS);
        match self {
            ConfError::Unreadable(path, error) => {
                warning!("Fatal error, can't open config file '{}': {}", path.display(), reason(error));
            }
            ConfError::Line(number, line, why) => {
                let line = String::from_utf8_lossy(line);
                eprintln!("{title}\nReading the configuration file, at line {number}\n>>> '{line}'\n{why}");
            }
            ConfError::Whole(why) => eprintln!("{title}\n{why}"),
        }
    }
}

/// Loads all lines: the file, standard input, options. Changes into `dir` on the way.
pub fn load(lines: &ConfigLines) -> Result<Loader, ConfError> {
    let mut loader = Loader::default();
    if let Some(options) = &lines.options {
        let mut text = match &lines.file {
            Some(path) => read_files(path.as_os_str().as_bytes())?,
            None => Vec::new(),
        };
        if lines.stdin {
            crate::notice!("Reading config from stdin");
            let read = io::stdin().lock().read_to_end(&mut text);
            read.map_err(|error| ConfError::Unreadable("-".into(), error))?;
        }
        text.push(b'\n');
        text.extend_from_slice(options);
        load_text(&mut loader, text)?;
    }
    loader.finish();
    check_logfile(&loader.config.logfile)?;
    // From here on `dir` is a place, not a word of the config file.
    let here = std::env::current_dir();
    loader.config.dir = here.map_err(|error| ConfError::Whole(reason(&error)))?;
    Ok(loader)
}

/// A text whose lines are being loaded, and how far that is.
struct Open {
    text: Vec<u8>,
    at: usize,
    number: usize,
}

impl Open {
    fn new(text: Vec<u8>) -> Open {
        Open { text, at: 0, number: 0 }
    }

    /// The next line without its end.
    fn next(&mut self) -> Option<(usize, &[u8])> {
        let rest = self.text.get(self.at..)?;
        let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += len + 1;
        self.number += 1;
        Some((self.number, &rest[..len]))
    }
}

/// Includes wait on a stack: what a file includes is loaded before its next line.
fn load_text(loader: &mut Loader, text: Vec<u8>) -> Result<(), ConfError> {
    let mut open = vec![Open::new(text)];
    loop {
        let depth = open.len();
        let Some(current) = open.last_mut() else { return Ok(()) };
        let Some((number, line)) = current.next() else {
            open.pop();
            continue;
        };
        let failed = |why: String| ConfError::Line(number, line.trim_ascii().to_vec(), why);
        match loader.line(line).map_err(|why| failed(why.into_owned()))? {
            Step::Next => {}
            Step::Rename(name, to) => rename(&name, &to).map_err(|why| failed(why.to_owned()))?,
            Step::ChangeDir(path) => {
                std::env::set_current_dir(path).map_err(|error| failed(reason(&error)))?
            }
            Step::Include(_) if depth >= INCLUDE_DEPTH => {
                return Err(failed("files include each other too deeply".to_owned()));
            }
            Step::Include(path) => open.push(Open::new(read_files(&path)?)),
        }
    }
}

/// The text of a file, or of all files that a pattern matches, one behind the other.
fn read_files(path: &[u8]) -> Result<Vec<u8>, ConfError> {
    let files = match globbing::is_pattern(path) {
        true => globbing::files(path),
        false => vec![PathBuf::from(std::ffi::OsStr::from_bytes(path))],
    };
    let mut text = Vec::new();
    for file in files {
        let read = fs::File::open(&file).and_then(|mut file| file.read_to_end(&mut text));
        read.map_err(|error| ConfError::Unreadable(file, error))?;
    }
    Ok(text)
}

/// Later nobody could be told that the log cannot be written.
fn check_logfile(path: &Path) -> Result<(), ConfError> {
    if path.as_os_str().is_empty() {
        return Ok(());
    }
    let opened = fs::OpenOptions::new().append(true).create(true).open(path);
    let failed = |error| ConfError::Whole(format!("Can't open the log file: {}", reason(&error)));
    opened.map(drop).map_err(failed)
}
