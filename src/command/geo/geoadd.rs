//! GEOADD: add members with their positions.

use crate::command::zset::zadd::zadd;
use crate::command::*;
use crate::resp::OwnedArgs;

pub(super) const GEOADD: Command = Command {
    name: "geoadd",
    syntax: "key [NX|XX] [CH] longitude latitude member [longitude latitude member ...]",
    summary: "Add members with their positions, or move them.",
    since: "3.2.0",
    cost: "O(log(N)) for each member: N members of the set",
    group: Group::Geo,
    arity: Arity::AtLeast(5),
    flags: WRITE.or(DENYOOM),
    acl: acl::GEO,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    propagate: Propagate::Rewritten, // as the ZADD that it is
    examples: &[
        ("GEOADD k 13.361389 38.115556 Palermo", "(integer) 1"),
        ("GEOADD k 181 0 x", "ERR invalid longitude,latitude pair 181.000000,0.000000"),
    ],
    run: geoadd,
    ..Command::BASE
};

fn geoadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let is_option = |word: &[u8]| ["NX", "XX", "CH"].iter().any(|option| parse::is(word, option));
    let options = args.all().skip(2).take_while(|word| is_option(word)).count();
    let has = |option| args.all().skip(2).take(options).any(|word| parse::is(word, option));
    let first = 2 + options;
    if !(args.len() - first).is_multiple_of(3) || (has("NX") && has("XX")) {
        return Err(CmdError::Syntax);
    }
    let scores = (first..args.len()).step_by(3).map(|at| super::place(&args, at).map(|place| place.score()));
    let scores = scores.map(|score| score.map(|score| score.to_string())).collect::<Result<Vec<_>, _>>()?;
    let mut words: Vec<&[u8]> = vec![b"zadd"];
    words.extend(args.all().skip(1).take(1 + options));
    for (score, member) in scores.iter().zip(args.all().skip(first + 2).step_by(3)) {
        words.extend([score.as_bytes(), member]);
    }
    let replied = zadd(ctx, OwnedArgs::from_slices(&words).args())?;
    if ctx.state.unit.changed() {
        ctx.propagate(&words);
    }
    Ok(replied)
}
