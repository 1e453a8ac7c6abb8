//! LATENCY: how long commands take, and what took longer than `latency-monitor-threshold`.
//!
//! Source: `latency.c` and `sparkline.c` of Redis 8.0.6 for shapes; what DOCTOR says is in our words.

use crate::command::help::help;
use crate::command::table::{Row, table};
use crate::command::*;
use crate::engine::delays::{Delay, Series};

pub(super) const LATENCY: Command = Command {
    name: "latency",
    summary: "Look at delays.",
    since: "2.8.13",
    cost: "Depends on the subcommand.",
    group: Group::Server,
    arity: Arity::AtLeast(2),
    subcommands: &[&DOCTOR, &GRAPH, &HELP, &HISTOGRAM, &HISTORY, &LATEST, &RESET],
    ..Command::BASE
};

const TIPS: &[&str] = &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"];

const SUB: Command = Command {
    since: "2.8.13",
    group: Group::Server,
    arity: Arity::Exactly(2),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    tips: TIPS,
    ..Command::BASE
};

const DOCTOR: Command =
    Command { name: "doctor", summary: "Tell in words what delays there were.", run: doctor, ..SUB };

const GRAPH: Command = Command {
    name: "graph",
    syntax: "event",
    summary: "Draw the delays of an event.",
    arity: Arity::Exactly(3),
    examples: &[("LATENCY GRAPH x", "ERR No samples available for event 'x'")],
    run: graph,
    ..SUB
};

const HISTOGRAM: Command = Command {
    name: "histogram",
    syntax: "[command [command ...]]",
    summary: "Tell how long commands take.",
    since: "7.0.0",
    cost: "O(N) in the number of commands",
    arity: Arity::AtLeast(2),
    run: histogram,
    ..SUB
};

/// Rows of the table that are asked for: all, or commands with their subcommands. Unknown ones are left out.
fn asked<'t>(mut args: Args<'_>) -> Vec<&'t Row> {
    args.seek(2);
    if args.remaining() == 0 {
        return table().rows().collect();
    }
    let named = args.filter_map(|name| table().find_full(name));
    named.flat_map(|row| [row].into_iter().chain(subs(row))).collect()
}

fn subs(row: &Row) -> impl Iterator<Item = &'static Row> {
    let of =
        |sub: &Row, container: &'static Command| sub.container.is_some_and(|it| std::ptr::eq(it, container));
    let container = row.command;
    table().rows().filter(move |sub| of(sub, container))
}

fn histogram(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let latencies = &ctx.state.stats.latencies;
    let known = |row: &'static Row| Some((row, latencies.of(usize::from(row.id.0))?));
    let all: Vec<_> = asked(args).into_iter().filter_map(known).collect();
    let mut replied = ctx.reply.map(all.len());
    for (row, histogram) in all {
        let steps = histogram.cumulative();
        ctx.reply.bulk(row.full_name.as_bytes());
        ctx.reply.map(2);
        ctx.reply.bulk(b"calls");
        ctx.reply.int(histogram.count() as i64);
        ctx.reply.bulk(b"histogram_usec");
        replied = ctx.reply.map(steps.len());
        for (bound_ns, count) in steps {
            ctx.reply.int((bound_ns / 1000) as i64);
            replied = ctx.reply.int(count as i64);
        }
    }
    Ok(replied)
}

const HISTORY: Command = Command {
    name: "history",
    syntax: "event",
    summary: "Tell the delays of an event.",
    arity: Arity::Exactly(3),
    examples: &[("LATENCY HISTORY x", "(empty array)")],
    run: history,
    ..SUB
};

const LATEST: Command = Command {
    name: "latest",
    summary: "Tell the latest delay of each event.",
    examples: &[("LATENCY LATEST", "(empty array)")],
    run: latest,
    ..SUB
};

const RESET: Command = Command {
    name: "reset",
    syntax: "[event [event ...]]",
    summary: "Forget delays.",
    arity: Arity::AtLeast(2),
    tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
    examples: &[("LATENCY RESET", "(integer) 0")],
    run: reset,
    ..SUB
};

fn history(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    ctx.host.note_log_delays(ctx.state);
    let found = ctx.state.delays.of(args.get(2).unwrap_or_default());
    let samples = found.map_or(&[][..], |(_, series)| series.samples());
    let mut replied = ctx.reply.array(samples.len());
    for delay in samples {
        ctx.reply.array(2);
        ctx.reply.count(delay.when as usize);
        replied = ctx.reply.count(delay.ms as usize);
    }
    Ok(replied)
}

fn latest(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.host.note_log_delays(ctx.state);
    let all = ctx.state.delays.all();
    let mut replied = ctx.reply.array(all.len());
    for (event, series) in all {
        let last = series.samples().last().copied().unwrap_or(Delay { when: 0, ms: 0 });
        ctx.reply.array(4);
        ctx.reply.bulk(event.as_bytes());
        for number in [last.when, last.ms, series.longest_ms] {
            replied = ctx.reply.count(number as usize);
        }
    }
    Ok(replied)
}

fn reset(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    ctx.host.note_log_delays(ctx.state);
    args.seek(2);
    let delays = &mut ctx.state.delays;
    let forgotten = match args.remaining() {
        0 => delays.clear(),
        _ => args.map(|event| delays.forget(event)).sum(),
    };
    Ok(ctx.reply.count(forgotten))
}

fn doctor(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    ctx.host.note_log_delays(ctx.state);
    let all = ctx.state.delays.all();
    let mut text = match (all.len(), ctx.state.config.latency_monitor_threshold) {
        (0, 0) => {
            "Delays are not recorded. CONFIG SET latency-monitor-threshold <milliseconds> changes that.\n"
                .into()
        }
        (0, _) => "Nothing took longer than latency-monitor-threshold so far.\n".to_owned(),
        _ => String::new(),
    };
    for (event, series) in all {
        let samples = series.samples();
        let (count, sum) = (samples.len() as u64, samples.iter().map(|delay| delay.ms).sum::<u64>());
        let mean = sum / count;
        let deviation = samples.iter().map(|delay| delay.ms.abs_diff(mean)).sum::<u64>() / count;
        let longest = series.longest_ms;
        text += &format!(
            "{event}: {count} delays, {mean} ms on average (mean deviation {deviation} ms), {longest} ms at worst.\n"
        );
    }
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

fn graph(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    ctx.host.note_log_delays(ctx.state);
    let wanted = args.get(2).unwrap_or_default();
    let Some((event, series)) = ctx.state.delays.of(wanted) else {
        let wanted = shown(wanted);
        return Err(CmdError::text(format!("ERR No samples available for event '{wanted}'")));
    };
    let text = draw(event, series, ctx.now.ms / 1000);
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

/// Columns of a graph.
const COLUMNS: usize = 80;
/// Rows of its columns.
const ROWS: usize = 4;

/// Draws delays as columns, with how long ago each was written downwards below.
fn draw(event: &str, series: &Series, now: u64) -> String {
    let ms = || series.samples().iter().map(|delay| delay.ms);
    let (high, low) = (ms().max().unwrap_or(0), ms().min().unwrap_or(0));
    let mut text =
        format!("{event} - high {high} ms, low {low} ms (all time high {} ms)\n", series.longest_ms);
    text += &"-".repeat(COLUMNS);
    text.push('\n');
    for (at, delays) in series.samples().chunks(COLUMNS).enumerate() {
        if at > 0 {
            text.push('\n');
        }
        draw_columns(&mut text, delays, low, high - low, now);
    }
    text
}

fn draw_columns(text: &mut String, delays: &[Delay], low: u64, range: u64, now: u64) {
    /// The top of a column, by how much of its character's height it fills.
    const TOPS: [char; 3] = ['_', 'o', '#'];
    let steps = (TOPS.len() * ROWS) as u64;
    let height = |delay: &Delay| ((delay.ms - low) * steps / range.max(1)).min(steps - 1) as usize;
    for below in (0..ROWS).rev().map(|row| row * TOPS.len()) {
        text.extend(delays.iter().map(|delay| match height(delay).checked_sub(below) {
            None => ' ',
            Some(above) => TOPS.get(above).copied().unwrap_or('|'),
        }));
        text.push('\n');
    }
    text.push_str(&" ".repeat(delays.len()));
    text.push('\n');
    let labels: Vec<String> = delays.iter().map(|delay| ago(now.saturating_sub(delay.when))).collect();
    for line in 0..labels.iter().map(String::len).max().unwrap_or(0) {
        text.extend(labels.iter().map(|label| label.chars().nth(line).unwrap_or(' ')));
        text.push('\n');
    }
}

/// A time in the largest unit that fits: `59s`, `3m`, `2h`, `4d`.
fn ago(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    flags: LOADING.or(STALE),
    tips: &[],
    run: |ctx, _| {
        let lines = [
            ("DOCTOR", "What delays there were, in words."),
            ("GRAPH <event>", "The delays of an event, drawn."),
            ("HISTOGRAM [<command> ...]", "How long commands take."),
            ("HISTORY <event>", "The delays of an event."),
            ("LATEST", "The latest delay of each event."),
            ("RESET [<event> ...]", "Forget delays."),
        ];
        Ok(help(ctx, "LATENCY", &lines))
    },
    ..SUB
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Delays;

    /// As the real server draws 100, 200, 300, 400 and 500 ms.
    #[test]
    fn columns_and_their_labels() {
        let mut delays = Delays::default();
        (1..=5).for_each(|n| delays.add("command", n * 100, n * 100));
        let (event, series) = delays.of(b"command").expect("it is there");
        let text = draw(event, series, 559);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "command - high 500 ms, low 100 ms (all time high 500 ms)");
        assert_eq!(lines[1].len(), 80);
        assert_eq!(lines[2..6], ["   _#", "  _||", " _|||", "_||||"]);
        assert_eq!(lines[6..], ["     ", "75425", "mmmm9", "    s"]);
    }
}
