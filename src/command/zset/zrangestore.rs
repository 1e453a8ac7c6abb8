//! ZRANGESTORE: a range of one sorted set becomes another.

use super::query::{Kind, Query};
use super::store;
use crate::command::*;
use crate::value::zset::ZsetBuilder;

pub(super) const ZRANGESTORE: Command = Command {
    name: "zrangestore",
    syntax: "dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count]",
    summary: "Store a range of a sorted set as another one, and tell how many members it has.",
    since: "6.2.0",
    cost: "O(log(N)+M): M members of a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(DENYOOM),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, OW.or(UPDATE)), KeySpec::at(2, RO.or(ACCESS))],
    examples: &[
        ("ZRANGESTORE d nosuch 0 -1", "(integer) 0"),
        ("ZRANGESTORE d s 0 1 WITHSCORES", "ERR syntax error"),
    ],
    run: zrangestore,
    ..Command::BASE
};

fn zrangestore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (to, from) = (args.arg()?, args.arg()?);
    let query = Query::parse(&mut args, Kind { by: None, reverse: None, store: true })?;
    let limits = ctx.db.limits().clone();
    let mut found = ZsetBuilder::new();
    if let Some(set) = ctx.db.zset(from)? {
        let members = query.of(&set);
        let mut packed = !query.knows_size() || members.len() <= limits.zset_max_listpack_entries;
        let mut buf = itoa::Buffer::new();
        for (member, score) in members {
            packed &= member.text_len() <= limits.zset_max_listpack_value
                && found.len() < limits.zset_max_listpack_entries;
            // On its way through a listpack a score of -0 becomes 0.
            let score = if packed { score + 0.0 } else { score };
            // A damaged file may hold a member twice; the first one counts.
            let _ = found.push(member.text(&mut buf), score);
        }
    }
    Ok(store::put(ctx, to, found, "zrangestore"))
}
