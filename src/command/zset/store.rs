//! Storing a result: ZRANGESTORE, ZUNIONSTORE and their like.

use crate::command::*;
use crate::value::Value;
use crate::value::zset::ZsetBuilder;

/// Puts what was found at a key, in place of whatever was there; nothing deletes the key. Answers the number.
pub(super) fn put(ctx: &mut Ctx<'_>, to: &[u8], found: ZsetBuilder, event: &'static str) -> Replied {
    let len = found.len();
    let effect = if len == 0 {
        ctx.db.remove_as_it_is(to)
    } else {
        let set = found.finish(ctx.db.limits());
        ctx.db.put(to, Value::Zset(set), None, event)
    };
    ctx.record(effect);
    ctx.reply.count(len)
}
