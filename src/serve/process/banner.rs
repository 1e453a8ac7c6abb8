//! The first lines of the log, which people and harnesses look for.

use super::system;
use crate::engine::config::Config;
use crate::text::log::{self, Level};
use crate::text::version;
use crate::{notice, warning};
use std::io::IsTerminal;

/// Before anything is set up. `program` is how we were called if there were no arguments at all.
pub fn starting(program: Option<&str>) {
    for check in system::checks() {
        if let Some(text) = check.warning {
            warning!("WARNING {text}");
        }
    }
    notice!("oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
    notice!(
        "Redis version={}, bits=64, commit={}, modified=0, pid={}, just started",
        version::REDIS,
        version::COMMIT,
        std::process::id()
    );
    match program {
        Some(program) => warning!(
            "Warning: no config file specified, using the default config. In order to specify a config file use {program} /path/to/redis.conf"
        ),
        None => notice!("Configuration loaded"),
    }
}

/// Who we are and where we listen, as a picture where people see it, and in one plain line. A harness waits for
/// ` PID: <pid>` and, behind it, `Server initialized`.
pub fn running(config: &Config) {
    let on_terminal = config.logfile.as_os_str().is_empty() && std::io::stdout().is_terminal();
    if on_terminal || config.always_show_logo {
        log::raw(Level::Notice, &logo(config.port));
    }
    notice!("Running mode=standalone, port={}.", config.port);
    notice!("resnap {}, PID: {}", version::RESNAP, std::process::id());
    if let Some(text) = system::backlog_warning(config.tcp_backlog) {
        warning!("{text}");
    }
}

/// The listening sockets are there, the data is loaded next.
pub fn initialized() {
    notice!("Server initialized");
}

/// Clients are served; `by` is `tcp` or `unix`.
pub fn ready(by: &str) {
    notice!("Ready to accept connections {by}");
}

fn logo(port: u16) -> String {
    let (redis, resnap, pid) = (version::REDIS, version::RESNAP, std::process::id());
    format!(
        "\n   _ __ ___  ___ _ __   __ _ _ __\n  | '__/ _ \\/ __| '_ \\ / _` | '_ \\     resnap {resnap}, speaks Redis {redis}\n  \
         | | |  __/\\__ \\ | | | (_| | |_) |    Running in standalone mode\n  |_|  \\___||___/_| |_|\\__,_| .__/     Port: \
         {port}\n                            |_|        PID: {pid}\n\n"
    )
}
