//! From the command line to a process that is ready to serve: settings, log, background, limits, title.

use super::args::ConfigLines;
use super::conf;
use crate::engine::config::{Config, Loader, Supervised};
use crate::serve::process::{background, banner, crash, huge_pages, limits, notify, oom, signals, title};
use crate::text::log;
use crate::{notice, warning};
use std::ffi::OsString;
use std::path::{Path, PathBuf, absolute};
use std::process::ExitCode;

/// A process that is ready to serve.
#[derive(Debug)]
pub struct StartOptions {
    /// The settings; `dir` is where the process is, `maxclients` what the system allows.
    pub config: Config,
    /// The config file, absolute: what CONFIG REWRITE rewrites.
    pub config_file: Option<PathBuf>,
    /// This program, absolute.
    pub executable: PathBuf,
    /// The command line, to start again by; the config file in it is absolute.
    pub argv: Vec<OsString>,
    /// Who waits for [`notify::ready`] (systemd only).
    pub supervised: Option<Supervised>,
}

/// Does everything that comes before the sockets. Errors: the exit code; why is in the log or on standard error.
pub fn prepare(argv: &[OsString], lines: &ConfigLines) -> Result<StartOptions, ExitCode> {
    signals::ignore();
    crash::watch();
    // Before the config changes the directory that they are relative to.
    let executable = absolute(argv.first().map_or(Path::new("resnap"), Path::new)).unwrap_or_default();
    let config_file = lines.file.as_ref().map(|file| absolute(file).unwrap_or_else(|_| file.clone()));
    let argv = restart_argv(argv, config_file.as_deref());
    let program = argv.first().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let config_name = config_file.as_ref().map(|file| file.to_string_lossy().into_owned());
    title::reserve(program.clone(), config_name);

    let mut loader = conf::load(lines).map_err(|error| {
        error.report();
        ExitCode::FAILURE
    })?;
    open_log(&loader.config);
    refuse_unknown(&loader)?;
    let without_effect = loader.without_effect();
    let mut config = std::mem::take(&mut loader.config);

    let supervised = notify::begin(config.supervised);
    let in_background = config.daemonize && supervised.is_none();
    if in_background {
        background::leave_terminal().map_err(|error| fatal(&format!("Can't leave the terminal: {error}")))?;
    }
    banner::starting(lines.options.is_none().then_some(program.as_str()));
    log::server_is_this_process();
    if !without_effect.is_empty() {
        notice!("Without effect in this version: {}", without_effect.join(", "));
    }

    config.maxclients = limits::raise_open_files(config.maxclients).ok_or(ExitCode::FAILURE)?;
    settle_process(&mut config, in_background);
    title::show_server(&config);
    banner::running(&config);
    Ok(StartOptions { config, config_file, executable, argv, supervised })
}

/// The command line with the config file's full name.
fn restart_argv(argv: &[OsString], config_file: Option<&Path>) -> Vec<OsString> {
    let mut argv = argv.to_vec();
    if let (Some(file), Some(arg)) = (config_file, argv.get_mut(1)) {
        *arg = file.into();
    }
    argv
}

fn open_log(config: &Config) {
    log::set_level(config.loglevel.into());
    if !config.logfile.as_os_str().is_empty() {
        log::to_file(&absolute(&config.logfile).unwrap_or_else(|_| config.logfile.clone()));
    }
}

/// Directives that nobody knows could be a module's, if there were modules.
fn refuse_unknown(loader: &Loader) -> Result<(), ExitCode> {
    if loader.unknown.is_empty() {
        return Ok(());
    }
    warning!("Unresolved Configuration(s) Detected:");
    for (name, value) in &loader.unknown {
        warning!(">>> '{} {}'", String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    }
    warning!("Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting");
    Err(ExitCode::FAILURE)
}

/// What the settings want of the process itself; failures are in the log and no reason to stop.
fn settle_process(config: &mut Config, in_background: bool) {
    if !huge_pages::settle(config) {
        warning!("Can't turn transparent huge pages off for this process.");
    }
    crash::settle(config);
    background::write_pidfile(config, in_background);
    let _ = oom::apply(config, oom::Role::Master);
}

fn fatal(why: &str) -> ExitCode {
    warning!("{why}");
    ExitCode::FAILURE
}
