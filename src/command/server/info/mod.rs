//! INFO: what the server knows of itself, in sections.
//!
//! Names and order of the fields as in Redis 8.0.6 (`genRedisInfoString`; recording `fixtures/oracle/info.txt`), since
//! tools look for them; beside them `resnap_version`. What this server does not have yet is told as by a server that
//! does not use it.

mod counters;
mod keyspace;
mod memory;
mod persistence;
mod process;

use std::fmt::{Display, Write};

use crate::command::*;

pub(super) const INFO: Command = Command {
    name: "info",
    syntax: "[section [section ...]]",
    summary: "Tell what the server knows of itself.",
    since: "1.0.0",
    group: Group::Server,
    arity: Arity::AtLeast(1),
    flags: LOADING.or(STALE),
    acl: acl::DANGEROUS,
    tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
    run: info,
    ..Command::BASE
};

/// A section: its name, whether it is in what INFO tells unasked, its title, what fills it.
struct Section {
    name: &'static str,
    by_default: bool,
    title: &'static str,
    fill: fn(&mut Ctx<'_>, &mut Text),
}

const fn section(
    name: &'static str,
    by_default: bool,
    title: &'static str,
    fill: fn(&mut Ctx<'_>, &mut Text),
) -> Section {
    Section { name, by_default, title, fill }
}

/// In the order in which they are told, whatever the order of asking.
const SECTIONS: &[Section] = &[
    section("server", true, "Server", process::server),
    section("clients", true, "Clients", process::clients),
    section("memory", true, "Memory", memory::memory),
    section("persistence", true, "Persistence", persistence::persistence),
    section("threads", true, "Threads", process::threads),
    section("stats", true, "Stats", counters::stats),
    section("replication", true, "Replication", process::replication),
    section("cpu", true, "CPU", process::cpu),
    section("modules", true, "Modules", |_, _| ()),
    section("commandstats", false, "Commandstats", counters::commands),
    section("errorstats", true, "Errorstats", counters::errors),
    section("latencystats", false, "Latencystats", counters::latencies),
    section("cluster", true, "Cluster", |_, text| text.put("cluster_enabled", 0)),
    section("keyspace", true, "Keyspace", keyspace::keyspace),
    section("keysizes", true, "Keysizes", keyspace::sizes),
];

/// Not even in `everything`.
const DEBUG: Section = section("debug", false, "Debug", counters::debug);

fn info(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let asked: Vec<&[u8]> = args.collect();
    let named = |name: &str| asked.iter().any(|word| word.eq_ignore_ascii_case(name.as_bytes()));
    let all = named("all") || named("everything");
    let default = asked.is_empty() || named("default");
    let mut text = Text::default();
    for section in SECTIONS {
        let alias = section.name == "modules" && named("module_list");
        if all || named(section.name) || alias || (default && section.by_default) {
            text.section(ctx, section);
        }
    }
    if named(DEBUG.name) {
        text.section(ctx, &DEBUG);
    }
    Ok(ctx.reply.verbatim("txt", text.0.as_bytes()))
}

/// The text so far.
#[derive(Default)]
struct Text(String);

impl Text {
    fn section(&mut self, ctx: &mut Ctx<'_>, section: &Section) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        write!(self.0, "{gap}# {}\r\n", section.title).expect("a String takes all");
        (section.fill)(ctx, self);
    }

    /// Adds a field.
    fn put(&mut self, name: &str, value: impl Display) {
        write!(self.0, "{name}:{value}\r\n").expect("a String takes all");
    }

    /// Adds a field with two decimals.
    fn put_fraction(&mut self, name: &str, value: f64) {
        self.put(name, format_args!("{value:.2}"));
    }

    /// Adds fields that are zero.
    fn put_zeros(&mut self, names: &[&str]) {
        names.iter().for_each(|name| self.put(name, 0));
    }
}

/// Bytes with a unit, for people.
struct Human(usize);

impl Display for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
        if self.0 < 1024 {
            return write!(f, "{}B", self.0);
        }
        let power = (self.0.ilog2() / 10).min(UNITS.len() as u32);
        let value = self.0 as f64 / 1024f64.powi(power as i32);
        write!(f, "{value:.2}{}", UNITS[power as usize - 1])
    }
}

#[cfg(test)]
mod tests {
    use super::Human;

    #[test]
    fn bytes_for_people() {
        let shown = [0, 1023, 1024, 1536, 1 << 20, 5 << 30].map(|n| Human(n).to_string());
        assert_eq!(shown, ["0B", "1023B", "1.00K", "1.50K", "1.00M", "5.00G"]);
    }
}
