//! MEMORY DOCTOR: what is odd about the memory, in words.

use super::overhead::{Overhead, excess, ratio};
use super::{EACH_SHARD, SUB};
use crate::command::*;

pub(super) const DOCTOR: Command = Command {
    name: "doctor",
    summary: "Tell what is odd about the memory.",
    tips: EACH_SHARD,
    run: doctor,
    ..SUB
};

/// Below this nothing can be said.
const LITTLE: usize = 5 << 20;
/// A difference from which it is worth a word.
const MUCH: i64 = 10 << 20;

fn doctor(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let overhead = Overhead::read(ctx);
    let clients = ctx.state.clients.len();
    let text = report(&overhead, clients);
    Ok(ctx.reply.verbatim("txt", text.as_bytes()))
}

fn report(overhead: &Overhead, clients: usize) -> String {
    if overhead.used < LITTLE {
        return "There is so little data that nothing can be said about the memory.\n".into();
    }
    let vitals = &overhead.vitals;
    let beyond = |more, than, limit| ratio(more, than) > limit && excess(more, than) > MUCH;
    let findings = [
        (
            ratio(overhead.peak, overhead.used) > 1.5,
            "Once there was half as much again as now. Memory that came free then may still be resident; MEMORY PURGE \
             gives it back.",
        ),
        (
            beyond(vitals.rss, overhead.used, 1.4),
            "Much more is resident than is in use: after a peak, or because the free pieces are small and scattered.",
        ),
        (
            beyond(vitals.active, vitals.allocated, 1.1),
            "The allocator's pages are not well filled: many values of other sizes were freed.",
        ),
        (
            beyond(vitals.resident, vitals.active, 1.1),
            "The allocator keeps pages that it does not use; MEMORY PURGE gives them back.",
        ),
        (beyond(vitals.rss, vitals.resident, 1.1), "Much is resident that is not the allocator's."),
        (
            overhead.clients / clients.max(1) > 200 << 10,
            "Clients have large buffers: they don't read their replies, or send very long pipelines. CLIENT LIST tells \
             which.",
        ),
    ];
    let found: String =
        findings.iter().filter(|(odd, _)| *odd).map(|(_, text)| format!(" * {text}\n")).collect();
    match found.is_empty() {
        true => "Nothing is odd about the memory.\n".into(),
        false => format!("This is odd about the memory:\n\n{found}"),
    }
}
