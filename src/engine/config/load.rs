//! Config files, line by line. Whoever reads the files feeds the lines in.

use super::Config;
use super::row::{From, MULTI, Row, Status, Why};
use super::table::lookup;
use crate::text::words;
use std::path::PathBuf;

/// Takes the lines of config files and of the command line, in order, into one config.
#[derive(Debug, Default)]
pub struct Loader {
    /// What came of it.
    pub config: Config,
    /// Directives that nobody knows, with their values: the server must not start.
    pub unknown: Vec<(Vec<u8>, Vec<u8>)>,
    set: Vec<&'static str>,
}

/// What a line asks of the reader.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing more.
    Next,
    /// To load these files (a pattern that matches none is no error) before the next line.
    Include(Vec<u8>),
    /// To call a command something else, or nothing, before there is a table of commands.
    Rename(Vec<u8>, Vec<u8>),
    /// To change into this directory now: paths behind it are relative to it.
    ChangeDir(PathBuf),
}

/// Directives of older servers that mean nothing any more.
const GONE: [&str; 4] =
    ["list-max-ziplist-entries", "list-max-ziplist-value", "lua-replicate-commands", "io-threads-do-reads"];

impl Loader {
    /// Takes one line, blanks at its ends included. Errors: the reason, as the real server words it.
    pub fn line(&mut self, line: &[u8]) -> Result<Step, Why> {
        let line = trim(line);
        if line.is_empty() || line[0] == b'#' {
            return Ok(Step::Next);
        }
        let args = words::split(line).map_err(|_| "Unbalanced quotes in configuration line")?;
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        match args.split_first() {
            None => Ok(Step::Next),
            Some((name, args)) => match lookup(name) {
                Some((row, _)) => self.directive(row, args),
                None => self.other(&name.to_ascii_lowercase(), args),
            },
        }
    }

    /// Ends the load. Directives that were set but mean nothing yet are in [`Loader::without_effect`].
    pub fn finish(&mut self) {
        self.config.settle();
    }

    /// Names of directives that were set to something that has no effect yet.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let fresh = Config::default();
        let mut names: Vec<&'static str> = self.set.clone();
        names.retain(|name| {
            lookup(name.as_bytes()).is_some_and(|(row, _)| {
                row.status == Status::Inert && fresh.show(row) != self.config.show(row)
            })
        });
        names
    }

    fn directive(&mut self, row: &'static Row, args: &[&[u8]]) -> Result<Step, Why> {
        let again = self.set.contains(&row.name);
        let from = if again { From::FileAgain } else { From::FileFirst };
        match args {
            // One argument that is several: `save "900 1 300 10"`.
            [one] if row.is(MULTI) && !one.is_empty() => {
                let split = words::split(one).unwrap_or_default();
                let split: Vec<&[u8]> = split.iter().map(Vec::as_slice).collect();
                self.config.assign(row, &split, from)?;
            }
            [_] => drop(self.config.assign(row, args, from)?),
            _ if row.is(MULTI) => drop(self.config.assign(row, args, from)?),
            _ => return Err("wrong number of arguments".into()),
        }
        if !again {
            self.set.push(row.name);
        }
        Ok(if row.name == "dir" { Step::ChangeDir(self.config.dir.clone()) } else { Step::Next })
    }

    /// What is no directive of the table.
    fn other(&mut self, name: &[u8], args: &[&[u8]]) -> Result<Step, Why> {
        match (name, args) {
            (b"include", [path]) => return Ok(Step::Include(path.to_vec())),
            (b"rename-command", [name, to]) => return Ok(Step::Rename(name.to_vec(), to.to_vec())),
            (b"user", [_, ..]) if is_default_user(args) => {}
            (b"user", [_, ..]) => return Err("there are no users yet: the server would be open".into()),
            (b"loadmodule", [_, ..]) => return Err("modules cannot be loaded".into()),
            (b"sentinel", []) => {}
            (b"sentinel", _) => return Err("sentinel directive while not in sentinel mode".into()),
            (_, []) => return Err("Bad directive or wrong number of arguments".into()),
            (_, [_]) if GONE.iter().any(|gone| name == gone.as_bytes()) => {}
            _ => self.remember_unknown(name, args),
        }
        Ok(Step::Next)
    }

    fn remember_unknown(&mut self, name: &[u8], args: &[&[u8]]) {
        self.unknown.retain(|(known, _)| known != name);
        self.unknown.push((name.to_vec(), args.join(&b' ')));
    }
}

/// The only user there is, as CONFIG REWRITE writes it: may do everything, without password.
fn is_default_user(args: &[&[u8]]) -> bool {
    const NEEDED: [&[&str]; 5] =
        [&["on"], &["nopass"], &["~*", "allkeys"], &["&*", "allchannels"], &["+@all", "allcommands"]];
    let is = |arg: &[u8], rule: &str| arg.eq_ignore_ascii_case(rule.as_bytes());
    let (name, rules) = args.split_first().expect("`user` has at least one argument here");
    let harmless = |arg: &&[u8]| {
        is(arg, "sanitize-payload") || NEEDED.iter().any(|any| any.iter().any(|rule| is(arg, rule)))
    };
    *name == b"default"
        && rules.iter().all(harmless)
        && NEEDED.iter().all(|any| any.iter().any(|rule| rules.iter().any(|arg| is(arg, rule))))
}

fn trim(line: &[u8]) -> &[u8] {
    let blank = |c: &u8| b" \t\r\n".contains(c);
    let start = line.iter().position(|c| !blank(c)).unwrap_or(line.len());
    let end = line.iter().rposition(|c| !blank(c)).map_or(start, |last| last + 1);
    &line[start..end]
}
