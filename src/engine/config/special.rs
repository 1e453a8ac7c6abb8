//! The directives whose values are lists: each with its parser, its texts, its lines in a file.

use super::fields::{Config, Notify, OutputLimit, SavePoint};
use super::row::{From, Lines, Special, Why};
use super::value::write_memory;
use crate::engine::latency;
use crate::text::num;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

const WRONG_COUNT: &str = "wrong number of arguments";

pub(super) const DIR: Special = Special { set: set_dir, get: get_dir, lines: dir_lines, default: &["."] };

fn set_dir(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    let [path] = args else { return Err(WRONG_COUNT.into()) };
    c.dir = PathBuf::from(std::ffi::OsString::from_vec(path.to_vec()));
    Ok(true)
}

fn get_dir(c: &Config) -> Vec<u8> {
    c.dir.as_os_str().as_bytes().to_vec()
}

fn dir_lines(c: &Config) -> Lines {
    vec![(line("dir", crate::text::words::quote(&get_dir(c)).as_bytes()), true)]
}

pub(super) const SAVE: Special = Special {
    set: set_save,
    get: get_save,
    lines: save_lines,
    default: &["3600", "1", "300", "100", "60", "10000"],
};

fn set_save(c: &mut Config, args: &[&[u8]], from: From) -> Result<bool, Why> {
    const ERROR: Why = Why::Borrowed("Invalid save parameters");
    let clear = matches!(args, [[]]);
    let args = if clear { &[] } else { args };
    if !args.len().is_multiple_of(2) {
        return Err(ERROR);
    }
    let point = |pair: &[&[u8]]| {
        let seconds = num::parse_u64(lenient(pair[0])).filter(|n| *n >= 1)?;
        Some(SavePoint { seconds, changes: num::parse_u64(lenient(pair[1]))? })
    };
    let points: Option<Vec<SavePoint>> = args.chunks_exact(2).map(point).collect();
    let points = points.ok_or(ERROR)?;
    if clear || from != From::FileAgain {
        c.save.clear();
    }
    c.save.extend(points);
    Ok(true)
}

/// Numbers that the real server reads by `strtoll`: leading blanks, a plus and zeros are no harm.
fn lenient(number: &[u8]) -> &[u8] {
    let number = number.trim_ascii_start();
    let number = number.strip_prefix(b"+").unwrap_or(number);
    let zeros = number.iter().take_while(|c| **c == b'0').count();
    &number[zeros.min(number.len().saturating_sub(1))..]
}

fn get_save(c: &Config) -> Vec<u8> {
    let points: Vec<String> = c.save.iter().map(|p| format!("{} {}", p.seconds, p.changes)).collect();
    points.join(" ").into_bytes()
}

fn save_lines(c: &Config) -> Lines {
    if c.save.is_empty() {
        return vec![(b"save \"\"".to_vec(), true)];
    }
    c.save.iter().map(|p| (format!("save {} {}", p.seconds, p.changes).into_bytes(), true)).collect()
}

const CLASSES: [&str; 3] = ["normal", "slave", "pubsub"];

pub(super) const OUTPUT_LIMIT: Special = Special {
    set: set_output_limit,
    get: get_output_limit,
    lines: output_limit_lines,
    default: &["normal", "0", "0", "0", "slave", "256mb", "64mb", "60", "pubsub", "32mb", "8mb", "60"],
};

fn set_output_limit(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    if !args.len().is_multiple_of(4) {
        return Err("Wrong number of arguments in buffer limit configuration.".into());
    }
    let mut limits = c.client_output_buffer_limit;
    for quad in args.chunks_exact(4) {
        let class = class_of(quad[0])
            .ok_or(Why::Borrowed("Invalid client class specified in buffer limit configuration."))?;
        limits[class] = output_limit(&quad[1..]).ok_or(Why::Borrowed(
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ))?;
    }
    c.client_output_buffer_limit = limits;
    Ok(true)
}

fn class_of(name: &[u8]) -> Option<usize> {
    let name = if name.eq_ignore_ascii_case(b"replica") { b"slave" } else { name };
    CLASSES.iter().position(|class| name.eq_ignore_ascii_case(class.as_bytes()))
}

fn output_limit(triple: &[&[u8]]) -> Option<OutputLimit> {
    Some(OutputLimit {
        hard: num::parse_memory(triple[0])?,
        soft: num::parse_memory(triple[1])?,
        soft_seconds: num::parse_u64(lenient(triple[2])).filter(|n| *n <= i32::MAX as u64)?,
    })
}

fn get_output_limit(c: &Config) -> Vec<u8> {
    let show = |(class, l): (&str, &OutputLimit)| format!("{class} {} {} {}", l.hard, l.soft, l.soft_seconds);
    let all: Vec<String> = CLASSES.into_iter().zip(&c.client_output_buffer_limit).map(show).collect();
    all.join(" ").into_bytes()
}

fn output_limit_lines(c: &Config) -> Lines {
    let default = Config::default().client_output_buffer_limit;
    let lines = ["normal", "replica", "pubsub"].into_iter().zip(c.client_output_buffer_limit).zip(default);
    lines
        .map(|((class, limit), default)| {
            let (hard, soft) = (write_memory(limit.hard), write_memory(limit.soft));
            let text = format!("client-output-buffer-limit {class} {hard} {soft} {}", limit.soft_seconds);
            (text.into_bytes(), limit != default)
        })
        .collect()
}

pub(super) const OOM_VALUES: Special = Special {
    set: set_oom_values,
    get: get_oom_values,
    lines: oom_values_lines,
    default: &["0", "200", "800"],
};

fn set_oom_values(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    const ERROR: Why =
        Why::Borrowed("Invalid oom-score-adj-values, elements must be between -2000 and 2000.");
    let [_, _, _] = args else { return Err(WRONG_COUNT.into()) };
    let mut values = [0; 3];
    for (value, arg) in values.iter_mut().zip(args) {
        let number = num::parse_i64(lenient(arg)).filter(|n| (-2000..=2000).contains(n));
        *value = number.ok_or(ERROR)? as i32;
    }
    let changed = values != c.oom_score_adj_values;
    c.oom_score_adj_values = values;
    Ok(changed)
}

fn get_oom_values(c: &Config) -> Vec<u8> {
    let [master, replica, child] = c.oom_score_adj_values;
    format!("{master} {replica} {child}").into_bytes()
}

fn oom_values_lines(c: &Config) -> Lines {
    let changed = c.oom_score_adj_values != Config::default().oom_score_adj_values;
    vec![(line("oom-score-adj-values", &get_oom_values(c)), changed)]
}

/// Letters and bits, in the order in which they are shown.
const EVENTS: [(u8, u32); 14] = [
    (b'g', Notify::GENERIC),
    (b'$', Notify::STRING),
    (b'l', Notify::LIST),
    (b's', Notify::SET),
    (b'h', Notify::HASH),
    (b'z', Notify::ZSET),
    (b'x', Notify::EXPIRED),
    (b'e', Notify::EVICTED),
    (b't', Notify::STREAM),
    (b'd', Notify::MODULE),
    (b'n', Notify::NEW),
    (b'K', Notify::KEYSPACE),
    (b'E', Notify::KEYEVENT),
    (b'm', Notify::KEY_MISS),
];

pub(super) const NOTIFY: Special =
    Special { set: set_notify, get: get_notify, lines: notify_lines, default: &[""] };

fn set_notify(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    let [letters] = args else { return Err(WRONG_COUNT.into()) };
    let bit = |letter: &u8| match letter {
        b'A' => Some(Notify::ALL),
        _ => EVENTS.iter().find(|(l, _)| l == letter).map(|(_, bit)| *bit),
    };
    let bits: Option<u32> = letters.iter().map(bit).try_fold(0, |all, bit| Some(all | bit?));
    c.notify_keyspace_events =
        Notify(bits.ok_or(Why::Borrowed("Invalid event class character. Use 'Ag$lshzxeKEtmdn'."))?);
    Ok(true)
}

/// `A` stands for its letters, and as in the real server hides an `n`.
fn get_notify(c: &Config) -> Vec<u8> {
    let events = c.notify_keyspace_events;
    let all = events.0 & Notify::ALL == Notify::ALL;
    let mut text = if all { b"A".to_vec() } else { Vec::new() };
    let hidden = if all { Notify::ALL | Notify::NEW } else { 0 };
    let shown = EVENTS.iter().filter(|(_, bit)| events.has(*bit) && bit & hidden == 0);
    text.extend(shown.map(|(letter, _)| *letter));
    text
}

fn notify_lines(c: &Config) -> Lines {
    let quoted = crate::text::words::quote(&get_notify(c));
    vec![(line("notify-keyspace-events", quoted.as_bytes()), c.notify_keyspace_events != Notify(0))]
}

const BIND_DEFAULT: &[&str] = &["*", "-::*"];

pub(super) const BIND: Special =
    Special { set: set_bind, get: get_bind, lines: bind_lines, default: BIND_DEFAULT };

fn set_bind(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    if args.len() > 16 {
        return Err("Too many bind addresses specified.".into());
    }
    let args = if matches!(args, [[]]) { &[] } else { args };
    c.bind = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
    Ok(true)
}

fn get_bind(c: &Config) -> Vec<u8> {
    c.bind.join(" ").into_bytes()
}

fn bind_lines(c: &Config) -> Lines {
    match c.bind.as_slice() {
        addresses if addresses == BIND_DEFAULT => Vec::new(),
        [] => vec![(b"bind \"\"".to_vec(), true)],
        _ => vec![(line("bind", &get_bind(c)), true)],
    }
}

/// Without replication there is one value: none.
pub(super) const REPLICAOF: Special =
    Special { set: set_replicaof, get: |_| Vec::new(), lines: |_| Vec::new(), default: &["no", "one"] };

fn set_replicaof(_: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    let [host, port] = args else { return Err(WRONG_COUNT.into()) };
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        return Ok(true);
    }
    match num::parse_u64(lenient(port)) {
        Some(0..=65_535) => Err(super::rows::NO_REPLICATION.into()),
        _ => Err("Invalid master port".into()),
    }
}

pub(super) const PERCENTILES: Special = Special {
    set: set_percentiles,
    get: |c| join_percentiles(c).into_bytes(),
    lines: percentiles_lines,
    default: &["50", "99", "99.9"],
};

fn set_percentiles(c: &mut Config, args: &[&[u8]], _: From) -> Result<bool, Why> {
    let args = if matches!(args, [[]]) { &[] } else { args };
    let mut percentiles = Vec::with_capacity(args.len());
    for arg in args {
        let p = num::parse_f64(arg).ok_or("Invalid latency-tracking-info-percentiles parameters")?;
        if !(0.0..=100.0).contains(&p) {
            return Err("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]".into());
        }
        percentiles.push(p);
    }
    c.latency_tracking_info_percentiles = percentiles;
    Ok(true)
}

fn join_percentiles(c: &Config) -> String {
    let percentiles = c.latency_tracking_info_percentiles.iter();
    let all: Vec<String> = percentiles.map(|p| latency::show_percentile(*p)).collect();
    all.join(" ")
}

fn percentiles_lines(c: &Config) -> Lines {
    let all = join_percentiles(c);
    let value = if all.is_empty() { "\"\"" } else { &all };
    vec![(line("latency-tracking-info-percentiles", value.as_bytes()), true)]
}

fn line(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b" ", value].concat()
}
