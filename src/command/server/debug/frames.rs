//! DEBUG RESNAP-FRAMES: what went to the log.

use crate::command::*;
use crate::resp::{Batch, Parser, ParserLimits};

/// What went to the log since the last call, each an array of the database and the words.
pub(super) fn frames(ctx: &mut Ctx<'_>) -> Replied {
    let frames = ctx.state.unit.take_tapped();
    let mut replied = ctx.reply.array(frames.len());
    for frame in &frames {
        let words = words_of(&frame.bytes);
        ctx.reply.array(words.len() + 1);
        replied = ctx.reply.int(frame.db as i64);
        for word in words {
            replied = ctx.reply.bulk(&word);
        }
    }
    replied
}

/// Reads a frame back; it was rendered by ourselves.
fn words_of(frame: &[u8]) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    Parser::new().parse(frame, &ParserLimits::default(), &mut batch);
    if batch.is_empty() {
        return Vec::new();
    }
    batch.args(frame, 0).all().map(<[u8]>::to_vec).collect()
}
