//! What a person types: the server, by default, and the tools for snapshots.
//!
//! The command line is redis-server's: an optional config file, then directives as options. clap knows our own
//! commands and prints the help; it cannot read the rest, where `--save 900 1` has two values and `--port --x` one.
//! Never here: sockets, keys. From [`main`] the road leads over [`args`] (words), [`conf`] (files into settings) and
//! [`start`] (the process) to [`serve`].
//! Source: `main` in `src/server.c` and `loadServerConfig` in `src/config.c` of Redis 8.0.6; its test
//! `unit/introspection.tcl` for what is to be told apart.

mod args;
mod check;
mod conf;
mod globbing;
mod help;
mod selfcheck;
mod start;

#[cfg(test)]
mod tests;

pub use start::StartOptions;

use crate::engine::Process;
use crate::engine::config::Supervised;
use crate::net;
use crate::serve::Server;
use crate::serve::process::notify;
use crate::text::clock::Clock;
use args::{Request, Tool};
use std::process::ExitCode;

/// Does what the command line asks for.
pub fn main() -> ExitCode {
    let argv: Vec<_> = std::env::args_os().collect();
    match args::read(&argv) {
        Request::Serve(lines) => match start::prepare(&argv, &lines) {
            Ok(options) => serve(options),
            Err(code) => code,
        },
        Request::Version => help::print_version(),
        Request::Help => help::print_help(),
        Request::TestMemory(megabytes) => selfcheck::test_memory(megabytes),
        Request::CheckSystem => selfcheck::check_system(),
        Request::Check(Tool::Ours) => check::ours::main(&argv),
        Request::Check(Tool::RedisAof) => check::redis_aof::main(&argv),
        Request::Check(Tool::RedisRdb) => check::redis_rdb::main(&argv),
        Request::Refuse(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the server until it is told to leave.
fn serve(options: StartOptions) -> ExitCode {
    let clock = Clock::real();
    let now = clock.now();
    let systemd = options.supervised == Some(Supervised::Systemd);
    let process = Process {
        run_id: random_id(),
        replication_id: random_id(),
        supervised: options.supervised.unwrap_or(Supervised::No).name().to_owned(),
        startup_memory: 0,
        started: now.ms / 1000,
        started_mono_us: clock.mono_us(),
        executable: options.executable.to_string_lossy().into_owned(),
        config_file: options.config_file.map(|file| file.to_string_lossy().into_owned()).unwrap_or_default(),
        port: options.config.port,
        under_systemd: systemd,
    };
    let ready: Option<Box<dyn FnOnce() + Send>> = if systemd { Some(Box::new(notify::ready)) } else { None };
    let server = Server::new(options.config, clock, process);
    let code = net::run(server, net::Options { ready });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// 40 hexadecimal digits that no other start has.
fn random_id() -> String {
    (0..5).map(|_| format!("{:08x}", fastrand::u32(..))).collect()
}
