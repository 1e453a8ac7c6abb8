//! LPOS: where an element stands.

use crate::command::*;

pub(super) const LPOS: Command = Command {
    name: "lpos",
    syntax: "key element [RANK rank] [COUNT num-matches] [MAXLEN len]",
    summary: "Find the index of an element; of further ones with RANK, of several with COUNT.",
    since: "6.0.6",
    cost: "O(N) in the number of elements looked at",
    group: Group::List,
    arity: Arity::AtLeast(3),
    flags: READONLY,
    acl: acl::LIST,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("LPOS nosuch a", "(nil)"), ("LPOS nosuch a COUNT 0", "(empty array)")],
    run: lpos,
    ..Command::BASE
};

struct Options {
    rank: i64,
    count: Option<usize>,
    max_len: usize,
}

const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... \
                         or use negative to start from the end of the list";

impl Options {
    fn parse(args: &mut Args<'_>) -> Result<Options, CmdError> {
        let mut o = Options { rank: 1, count: None, max_len: 0 };
        while let Some(word) = args.next() {
            let number = args.arg()?;
            match () {
                () if parse::is(word, "RANK") => o.rank = rank(number)?,
                () if parse::is(word, "COUNT") => {
                    o.count = Some(parse::at_least(0, number, "ERR COUNT can't be negative")? as usize);
                }
                () if parse::is(word, "MAXLEN") => {
                    o.max_len = parse::at_least(0, number, "ERR MAXLEN can't be negative")? as usize;
                }
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(o)
    }
}

fn rank(number: &[u8]) -> Result<i64, CmdError> {
    match parse::int(number)? {
        0 => Err(CmdError::text(RANK_ZERO)),
        i64::MIN => Err(parse::beyond_symmetric()),
        rank => Ok(rank),
    }
}

fn lpos(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, element) = (args.arg()?, args.arg()?);
    let o = Options::parse(&mut args)?;
    let list = ctx.db.list(key)?;
    let positions = |most: usize, found: &mut dyn FnMut(usize)| {
        list.map_or(0, |list| list.positions(element, o.rank, o.max_len, most, found))
    };
    let Some(count) = o.count else {
        let mut first = None;
        positions(1, &mut |index| first = Some(index));
        return Ok(match first {
            Some(index) => ctx.reply.count(index),
            None => ctx.reply.null(),
        });
    };
    let array = ctx.reply.deferred_array();
    let most = if count == 0 { usize::MAX } else { count };
    let n = positions(most, &mut |index| {
        ctx.reply.count(index);
    });
    Ok(ctx.reply.patch(array, n))
}
