//! HSCAN: walk a hash step by step.

use crate::command::answer::ReplyExt;
use crate::command::scan::{self, ScanOptions, Scanned};
use crate::command::*;

pub(super) const HSCAN: Command = Command {
    name: "hscan",
    syntax: "key cursor [MATCH pattern] [COUNT count] [NOVALUES]",
    summary: "Some fields with or without their values, and a cursor to go on from.",
    since: "2.8.0",
    cost: "O(1) for a step, O(N) for a whole walk",
    group: Group::Hash,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::HASH,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[
        (
            "HSCAN nosuch 0",
            "1) \"0\"
2) (empty array)",
        ),
        ("HSCAN nosuch x", "ERR invalid cursor"),
    ],
    run: hscan,
    ..Command::BASE
};

fn hscan(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let cursor = scan::cursor(args.arg()?)?;
    let clock = ctx.db.field_clock();
    let Some(hash) = ctx.db.hash(key)? else {
        let replied = ctx.reply.array(2);
        ctx.reply.bulk_int(0);
        ctx.reply.array(0);
        return Ok(replied);
    };
    let options = ScanOptions::parse(&mut args, Scanned::Hash)?;
    let mut found = Vec::new();
    let mut buf = itoa::Buffer::new();
    let next = options.run(cursor, |cursor, seen| {
        hash.scan(cursor, |item| {
            *seen += 1;
            if !item.expired(clock) && options.matches(item.field.text(&mut buf)) {
                found.push(item);
            }
        })
    });
    let replied = ctx.reply.array(2);
    ctx.reply.bulk(itoa::Buffer::new().format(next).as_bytes());
    ctx.reply.array(if options.no_values { found.len() } else { 2 * found.len() });
    for item in found {
        ctx.reply.element(item.field);
        if !options.no_values {
            ctx.reply.element(item.value);
        }
    }
    Ok(replied)
}
