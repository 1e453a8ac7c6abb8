//! DEBUG POPULATE: many keys at once.

use crate::command::*;
use crate::keyspace::{New, Ttl};

/// `count [prefix] [size]`: strings `prefix:0`, `prefix:1`, ...; those that are there stay.
pub(super) fn populate(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let count = positive(args.arg()?)?;
    let prefix = args.next().unwrap_or(b"key");
    let size = args.next().map(positive).transpose()?.unwrap_or(0);
    ctx.propagate_nothing();
    let mut value = Vec::new();
    for number in 0..count {
        let key = [prefix, b":", itoa::Buffer::new().format(number).as_bytes()].concat();
        if !ctx.db.contains_for_write(&key) {
            value.clear();
            value.extend_from_slice(b"value:");
            value.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            if size > 0 {
                value.resize(size, 0);
            }
            let effect = ctx.db.set(&key, New::Bytes(&value), Ttl::Clear);
            // It counts as no change, as in the real server.
            ctx.record(effect.dirty(0));
        }
    }
    Ok(ctx.reply.ok())
}

/// The most bytes that a value can have.
const MOST: i64 = 512 << 20;

/// A count of keys is bounded by memory, a size by what any client could send.
fn positive(arg: &[u8]) -> Result<usize, CmdError> {
    let number = parse::int(arg).map_err(|_| CmdError::NotPositive)?;
    usize::try_from(number.min(MOST)).map_err(|_| CmdError::NotPositive)
}
