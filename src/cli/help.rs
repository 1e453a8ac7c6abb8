//! `--help` and `--version`.

use crate::text::version;
use clap::{Arg, Command};
use std::process::ExitCode;

/// One line. Tools read what stands behind `v=`; the last word is ours.
pub fn print_version() -> ExitCode {
    println!("Redis server {}", version());
    ExitCode::SUCCESS
}

/// `v=8.0.6 sha=... resnap=0.1.0`
pub fn version() -> String {
    format!(
        "v={} sha={}:0 malloc={} bits=64 build={:x} resnap={}",
        version::REDIS,
        version::COMMIT,
        version::ALLOCATOR,
        version::build_id(),
        version::RESNAP
    )
}

/// Everything the command line takes.
pub fn print_help() -> ExitCode {
    match command().print_help() {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// For the help alone: these arguments are read by `args`.
fn command() -> Command {
    let flag = |id: &'static str, help: &'static str| Arg::new(id).long(id).num_args(0).help(help);
    Command::new("resnap")
        .about("A Redis-compatible server that keeps its state and opens any snapshot.")
        .override_usage("resnap [config file] [--directive value ...] [-]\n       resnap check [--fix] [--yes] [--until <time>] <path>")
        .disable_help_flag(true)
        .disable_version_flag(true)
        .arg(Arg::new("config file").help("Directives, one per line, as in redis.conf"))
        .arg(
            Arg::new("directive").long("directive").value_name("value").help(
                "Any directive of redis.conf, after those of the file: --port 7000, --save 900 1 300 10, --save \"\"",
            ),
        )
        .arg(Arg::new("-").help("Read directives from standard input; as the first or the last argument"))
        .arg(flag("version", "Print the version and leave").short('v'))
        .arg(flag("help", "Print this and leave").short('h'))
        .arg(Arg::new("test-memory").long("test-memory").value_name("megabytes").help("Test so much memory and leave"))
        .arg(flag("check-system", "Look for settings of the system that do harm, and leave"))
        .after_help(
            "Without arguments it serves on port 6379 from ./dump.rdb.\n\nExamples:\n  resnap --port 7000 --dir /var/lib/redis\n  \
             resnap /etc/redis/redis.conf --loglevel verbose\n  echo 'maxclients 100' | resnap -\n  \
             resnap check /var/lib/redis/appendonlydir",
        )
}

/// `resnap check`
pub fn check() -> Command {
    Command::new("resnap check")
        .about(
            "Checks a snapshot, a file of an append log, or a directory with either: says where the first bad byte is, \
             and what is good before it.",
        )
        .arg(Arg::new("path").required(true).value_parser(clap::value_parser!(std::path::PathBuf)))
        .arg(
            Arg::new("fix")
                .long("fix")
                .num_args(0)
                .help("Cut the end off the log's last file that cannot be read; it is kept in a file beside it"),
        )
        .arg(Arg::new("yes").long("yes").short('y').num_args(0).help("Do not ask before that"))
        .arg(
            Arg::new("until")
                .long("until")
                .value_name("time")
                .value_parser(clap::value_parser!(i64))
                .help("Cut the log's last file at the first annotation (#TS:) that names a later time, in unix seconds"),
        )
}
