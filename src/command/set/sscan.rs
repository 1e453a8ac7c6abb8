//! SSCAN: read a set piece by piece.

use crate::command::scan::{Found, ScanOptions, Scanned, cursor};
use crate::command::*;
use crate::resp::Reply;
use crate::value::set::Set;

pub(super) const SSCAN: Command = Command {
    name: "sscan",
    syntax: "key cursor [MATCH pattern] [COUNT count]",
    summary: "Read some members of a set and a cursor for more; a small set is read at once.",
    since: "2.8.0",
    cost: "O(1) for each call, O(N) for a whole set of N members",
    group: Group::Set,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::SET,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("SSCAN nosuch abc", "ERR invalid cursor")],
    run: sscan,
    ..Command::BASE
};

fn sscan(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, cursor) = (args.arg()?, cursor(args.arg()?)?);
    let Some(set) = ctx.db.set_members(key)? else {
        return Ok(Found::default().reply(&mut ctx.reply, 0));
    };
    let options = ScanOptions::parse(&mut args, Scanned::Other)?;
    if !matches!(*set, Set::Table(_)) {
        return Ok(all(&set, &options, &mut ctx.reply));
    }
    let (mut found, mut text) = (Found::default(), itoa::Buffer::new());
    let next = options.run(cursor, |cursor, seen| {
        set.scan(cursor, |member| {
            *seen += 1;
            let member = member.text(&mut text);
            if options.matches(member) {
                found.push(member);
            }
        })
    });
    Ok(found.reply(&mut ctx.reply, next))
}

/// A small set has no cursor: all of it, whatever the count.
fn all(set: &Set, options: &ScanOptions<'_>, reply: &mut Reply<'_>) -> Replied {
    let replied = reply.array(2);
    reply.bulk(b"0");
    let array = reply.deferred_array();
    let mut text = itoa::Buffer::new();
    let wanted = set.iter().filter(|member| options.matches(member.text(&mut text)));
    let n = wanted.map(|member| reply.element(member)).count();
    reply.patch(array, n);
    replied
}
