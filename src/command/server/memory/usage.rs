//! MEMORY USAGE: what a key and its value take.

use super::SUB;
use crate::command::*;
use crate::keyspace::View;
use crate::keyspace::entry::Entry;

pub(super) const USAGE: Command = Command {
    name: "usage",
    syntax: "key [SAMPLES count]",
    summary: "Tell the bytes that a key and its value take.",
    cost: "O(N) in the number of samples",
    arity: Arity::AtLeast(3),
    flags: READONLY,
    keys: &[KeySpec::at(2, RO)],
    examples: &[("MEMORY USAGE nosuch", "(nil)"), ("MEMORY USAGE k SAMPLES -1", "ERR syntax error")],
    run: usage,
    ..SUB
};

/// Parts of a value that are looked at unless told otherwise.
const SAMPLES: usize = 5;

/// Keys past their time count, too.
fn usage(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let key = args.arg()?;
    let mut samples = SAMPLES;
    while let Some(word) = args.next() {
        if !parse::is(word, "SAMPLES") || args.remaining() == 0 {
            return Err(CmdError::Syntax);
        }
        samples = usize::try_from(args.int()?).map_err(|_| CmdError::Syntax)?;
    }
    let bytes = ctx.db.all().database(ctx.db.index()).entry(key).map(|entry| of_entry(entry, samples));
    Ok(match bytes {
        Some(bytes) => ctx.reply.count(bytes),
        None => ctx.reply.null(),
    })
}

/// The entry's own block, its place in the table, and what it points to.
fn of_entry(entry: &Entry, samples: usize) -> usize {
    let behind = match entry.view() {
        _ if entry.is_in_place() => 0,
        View::Str(bytes) => bytes.len(),
        View::List(list) => list.memory(samples),
        View::Set(set) => set.memory(samples),
        View::Zset(zset) => zset.memory_bytes(),
        View::Hash(hash) => hash.memory_bytes(),
        View::Stream(stream) => stream.memory(),
        View::Module(module) => module.memory_bytes(),
    };
    entry.block_bytes() + size_of::<usize>() + behind
}
