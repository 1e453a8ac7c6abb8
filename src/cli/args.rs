//! Words of the command line into config lines.

use crate::text::words;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// To serve, with these settings.
    Serve(ConfigLines),
    /// `-v`, `--version`.
    Version,
    /// `-h`, `--help`.
    Help,
    /// `--test-memory`, with how many megabytes if it says.
    TestMemory(Option<OsString>),
    /// `--check-system`.
    CheckSystem,
    /// `check`, with its arguments, or under the name of one of the real servers' tools.
    Check(Tool),
    /// What we cannot do.
    Refuse(&'static str),
}

/// Who checks files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `resnap check`
    Ours,
    /// redis-check-aof
    RedisAof,
    /// redis-check-rdb
    RedisRdb,
}

/// Where settings come from, in the order in which they count: the last one wins.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ConfigLines {
    /// The config file.
    pub file: Option<PathBuf>,
    /// Whether lines come from standard input.
    pub stdin: bool,
    /// The options as config lines. `None` without any argument.
    pub options: Option<Vec<u8>>,
}

/// Commands of our own: a word that is one of them is a command, unless a file of that name is in the current
/// directory. (`./check` is always a config file.)
const COMMANDS: [&str; 1] = ["check"];

/// Reads the command line, program name first.
pub fn read(argv: &[OsString]) -> Request {
    let program = argv.first().map(|name| name.as_bytes()).unwrap_or_default();
    let base = program.rsplit(|c| *c == b'/').next().unwrap_or_default();
    let called = |name: &str| memchr::memmem::find(base, name.as_bytes()).is_some();
    let args = argv.get(1..).unwrap_or_default();
    if called("redis-sentinel") || args.iter().any(|arg| arg == "--sentinel") {
        return Request::Refuse("There is no Sentinel mode.");
    }
    if called("redis-check-rdb") {
        return Request::Check(Tool::RedisRdb);
    }
    if called("redis-check-aof") {
        return Request::Check(Tool::RedisAof);
    }
    match args.first().and_then(|arg| arg.to_str()) {
        Some("-v" | "--version") => Request::Version,
        Some("-h" | "--help") => Request::Help,
        Some("--test-memory") => Request::TestMemory(args.get(1).filter(|_| args.len() == 2).cloned()),
        Some("--check-system") => Request::CheckSystem,
        Some(word) if COMMANDS.contains(&word) && !Path::new(word).exists() => Request::Check(Tool::Ours),
        _ => Request::Serve(config_lines(args)),
    }
}

/// The file, if the first argument is one, and the rest as lines.
fn config_lines(args: &[OsString]) -> ConfigLines {
    let Some(first) = args.first() else { return ConfigLines::default() };
    let mut lines = ConfigLines { options: Some(Vec::new()), ..ConfigLines::default() };
    let mut rest = args;
    if !first.as_bytes().starts_with(b"-") {
        lines.file = Some(PathBuf::from(first));
        rest = &args[1..];
    }
    // A single dash counts only as the very first or the very last argument.
    if rest.len() == args.len() && first == "-" {
        lines.stdin = true;
        rest = &rest[1..];
    }
    if let Some((last, before)) = rest.split_last()
        && last == "-"
    {
        lines.stdin = true;
        rest = before;
    }
    let rest: Vec<&[u8]> = rest.iter().map(|arg| arg.as_bytes()).collect();
    lines.options = Some(option_lines(&rest));
    lines
}

/// `--port 7000 --save 900 1` as `port "7000" ` and `save "900" "1" `: quoted, so that whatever was one word stays one.
///
/// An option's first value may look like an option: only when the last one has a value does `--` begin the next.
fn option_lines(args: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut complete = true;
    for (at, arg) in args.iter().enumerate() {
        let Some(option) = arg.strip_prefix(b"--").filter(|_| complete) else {
            words::quote_into(arg, &mut out);
            out.push(b' ');
            complete = true;
            continue;
        };
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(option);
        out.push(b' ');
        // `--port 7000` may be one argument.
        let bare = words::split(arg).is_ok_and(|words| words.len() == 1);
        complete = !bare;
        if bare && arg.eq_ignore_ascii_case(b"--save") {
            // An empty list, as a program makes it that joins its save points: `--save --port 1`.
            let next = args.get(at + 1);
            if next.is_none_or(|next| next.starts_with(b"--")) {
                out.extend_from_slice(b"\"\"");
                complete = next.is_some();
            }
        }
    }
    out
}
