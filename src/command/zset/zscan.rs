//! ZSCAN: walk a sorted set step by step.

use crate::command::answer::ReplyExt;
use crate::command::scan::{self, ScanOptions, Scanned};
use crate::command::*;
use crate::text::num::general_f64;
use crate::value::Zset;

pub(super) const ZSCAN: Command = Command {
    name: "zscan",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    summary: "Some members with their scores, and a cursor to go on from.",
    since: "2.8.0",
    cost: "O(1) for a step, O(N) for a whole walk",
    group: Group::SortedSet,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[
        (
            "ZSCAN nosuch 0",
            "1) \"0\"
2) (empty array)",
        ),
        ("ZSCAN nosuch x", "ERR invalid cursor"),
    ],
    run: zscan,
    ..Command::BASE
};

fn zscan(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let cursor = scan::cursor(args.arg()?)?;
    let Some(set) = ctx.db.zset(key)? else {
        let replied = ctx.reply.array(2);
        ctx.reply.bulk_int(0);
        ctx.reply.array(0);
        return Ok(replied);
    };
    let options = ScanOptions::parse(&mut args, Scanned::Other)?;
    let mut found = Vec::new();
    let mut buf = itoa::Buffer::new();
    let next = options.run(cursor, |cursor, seen| {
        set.scan(cursor, |member, score| {
            *seen += 1;
            if options.matches(member.text(&mut buf)) {
                found.push((member, score));
            }
        })
    });
    let replied = ctx.reply.array(2);
    ctx.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    ctx.reply.array(2 * found.len());
    let mut text = Vec::new();
    for (member, score) in found {
        ctx.reply.element(member);
        score_text(&set, score, &mut text);
        ctx.reply.bulk(&text);
    }
    Ok(replied)
}

/// The real server prints a score in a listpack as it stands there, and one in a skiplist with 17 digits.
fn score_text(set: &Zset, score: f64, text: &mut Vec<u8>) {
    text.clear();
    match set {
        Zset::Packed(_) => text.extend_from_slice(&crate::text::num::format_f64(score)),
        Zset::Tree(_) => general_f64(score, text),
    }
}
