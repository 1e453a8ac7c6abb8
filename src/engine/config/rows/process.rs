//! The process: log, title, supervision, signals, threads.

use super::super::fields::{LogLevel, OomScoreAdj, Supervised};
use super::super::row::{
    HIDDEN, Hook, Kind, MULTI, Row, at, checked_text, inert, int, live, maybe, one_of, special, text, yes_no,
};
use super::super::special::OOM_VALUES;
use super::super::{OomScoreAdj as Oom, check};
use super::INT_MAX;

const SYSLOG_FACILITIES: &[(&str, u32)] = &[
    ("user", 8),
    ("local0", 128),
    ("local1", 136),
    ("local2", 144),
    ("local3", 152),
    ("local4", 160),
    ("local5", 168),
    ("local6", 176),
    ("local7", 184),
];

const SHUTDOWN: Kind = Kind::Enum {
    names: &[("default", 0), ("save", 1), ("nosave", 2), ("now", 4), ("force", 8)],
    check: Some(check::shutdown_flags),
    default: 0,
};

/// `relative` is the long form of `yes`.
const OOM: &[(&str, u32)] =
    &[Oom::NAMES[0], Oom::NAMES[1], ("relative", OomScoreAdj::Relative as u32), Oom::NAMES[2]];

pub(in super::super) const ROWS: &[Row] = &[
    live("daemonize", yes_no(false), at!(daemonize), "Leave the terminal and run in the background.").fixed(),
    live(
        "supervised",
        one_of(Supervised::NAMES, Supervised::No as u32),
        at!(supervised),
        "Tell the service manager when the server is ready.",
    )
    .fixed(),
    live("pidfile", maybe(), at!(pidfile), "File for the process id; written also when daemonized without it.").fixed(),
    live("logfile", text(""), at!(logfile), "Log file. Empty: standard output.").fixed(),
    live("loglevel", one_of(LogLevel::NAMES, LogLevel::Notice as u32), at!(loglevel), "The least level that is logged.")
        .hook(Hook::LogLevel),
    live("always-show-logo", yes_no(false), at!(always_show_logo), "A banner also where the log is no terminal.").fixed(),
    live("set-proc-title", yes_no(true), at!(set_proc_title), "Show address and mode in the process list.").fixed(),
    live(
        "proc-title-template",
        checked_text("{title} {listen-addr} {server-mode}", check::title_template),
        at!(proc_title_template),
        "The title in the process list. Variables: title, listen-addr, server-mode, config-file, port, tls-port, \
         unixsocket.",
    )
    .hook(Hook::ProcTitle),
    inert("syslog-enabled", yes_no(false), "Log to syslog, too.").fixed(),
    inert("syslog-ident", text("redis"), "Name in syslog.").fixed(),
    inert("syslog-facility", one_of(SYSLOG_FACILITIES, 128), "Facility in syslog.").fixed(),
    live("crash-log-enabled", yes_no(true), at!(crash_log_enabled), "A report in the log after a crash.")
        .hook(Hook::CrashLog),
    inert("crash-memcheck-enabled", yes_no(true), "Test the memory after a crash."),
    live("use-exit-on-panic", yes_no(false), at!(use_exit_on_panic), "Leave by exit instead of abort after a panic.")
        .flags(HIDDEN)
        .hook(Hook::CrashLog),
    live("databases", int(1, INT_MAX, 16), at!(databases), "Number of databases.").fixed(),
    live("hz", int(0, INT_MAX, 10), at!(hz), "Turns of the housekeeping per second, at most 500."),
    live("dynamic-hz", yes_no(true), at!(dynamic_hz), "More turns where there are many clients."),
    live("shutdown-timeout", int(0, INT_MAX, 10), at!(shutdown_timeout), "Seconds that a shutdown waits for replicas."),
    live("shutdown-on-sigint", SHUTDOWN, at!(shutdown_on_sigint), "How SIGINT shuts down.").flags(MULTI),
    live("shutdown-on-sigterm", SHUTDOWN, at!(shutdown_on_sigterm), "How SIGTERM shuts down.").flags(MULTI),
    live(
        "oom-score-adj",
        one_of(OOM, OomScoreAdj::No as u32),
        at!(oom_score_adj),
        "Tell the kernel which of our processes to end first when memory is short.",
    )
    .hook(Hook::OomScoreAdj),
    special("oom-score-adj-values", &OOM_VALUES, "The scores of master, replica and background child, -2000 to 2000.")
        .flags(MULTI)
        .hook(Hook::OomScoreAdj),
    live("disable-thp", yes_no(true), at!(disable_thp), "No transparent huge pages for this process.").fixed(),
    live("jemalloc-bg-thread", yes_no(true), at!(jemalloc_bg_thread), "Give freed memory back in a thread.")
        .hook(Hook::JemallocThread),
    inert("server-cpulist", maybe(), "Processors for the server's threads.").alias("server_cpulist").fixed(),
    inert("bio-cpulist", maybe(), "Processors for helper threads.").alias("bio_cpulist").fixed(),
    inert("aof-rewrite-cpulist", maybe(), "Processors for the child that rewrites the log.")
        .alias("aof_rewrite_cpulist")
        .fixed(),
    inert("bgsave-cpulist", maybe(), "Processors for the child that saves.").alias("bgsave_cpulist").fixed(),
    inert("ignore-warnings", text(""), "Warnings at start that do not matter."),
    inert("locale-collate", text(""), "Locale in which SORT compares; empty: the environment's."),
    inert("watchdog-period", int(0, INT_MAX, 0), "Milliseconds after which a hang is logged. 0: off.").flags(HIDDEN),
    inert("lua-enable-deprecated-api", yes_no(false), "Old functions in scripts.").fixed().flags(HIDDEN),
    inert("busy-reply-threshold", int(0, super::LONG_MAX, 5000), "Milliseconds after which a script makes others wait with -BUSY.")
        .alias("lua-time-limit")
        .field(at!(busy_reply_threshold)),
];
