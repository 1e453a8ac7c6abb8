//! ZADD, ZINCRBY: add members, or change their scores.

use crate::command::*;
use crate::value::{Limits, Zset};

pub(super) const ZADD: Command = Command {
    name: "zadd",
    syntax: "key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...]",
    summary: "Add members with scores, or change the scores of those that are there, under conditions.",
    since: "1.2.0",
    cost: "O(log(N)) for each member, in a set of N",
    group: Group::SortedSet,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(DENYOOM).or(FAST),
    acl: acl::SORTEDSET,
    keys: &[KeySpec::at(1, RW.or(UPDATE))],
    examples: &[
        ("ZADD z 1 a 2 b", "(integer) 2"),
        ("ZADD z XX 1 a", "(integer) 0"),
        ("ZADD z GT LT 1 a", "ERR GT, LT, and/or NX options at the same time are not compatible"),
    ],
    run: zadd,
    ..Command::BASE
};

pub(super) const ZINCRBY: Command = Command {
    name: "zincrby",
    syntax: "key increment member",
    summary: "Add to a member's score; a member that is not there begins at 0.",
    cost: "O(log(N)), in a set of N",
    arity: Arity::Exactly(4),
    keys: &[KeySpec::at(1, RW.or(ACCESS).or(UPDATE))],
    examples: &[("ZINCRBY z 1.5 a", "\"1.5\""), ("ZINCRBY z nan a", "ERR value is not a valid float")],
    run: zincrby,
    ..ZADD
};

/// What is asked of each member.
#[derive(Clone, Copy, Default)]
struct Options {
    only_new: bool,
    only_old: bool,
    greater: bool,
    less: bool,
    count_changed: bool,
    add: bool,
}

impl Options {
    /// Reads words as long as they are options.
    #[inline]
    fn read(mut self, args: &mut Args<'_>) -> Options {
        while let Some(word) = args.peek().filter(|word| word.first().is_some_and(u8::is_ascii_alphabetic)) {
            match () {
                () if parse::is(word, "NX") => self.only_new = true,
                () if parse::is(word, "XX") => self.only_old = true,
                () if parse::is(word, "CH") => self.count_changed = true,
                () if parse::is(word, "INCR") => self.add = true,
                () if parse::is(word, "GT") => self.greater = true,
                () if parse::is(word, "LT") => self.less = true,
                () => break,
            }
            args.next();
        }
        self
    }

    fn check(&self, pairs: usize) -> Result<(), CmdError> {
        let at_odds = |line: &'static str| Err(CmdError::text(line));
        match () {
            () if self.only_new && self.only_old => {
                at_odds("ERR XX and NX options at the same time are not compatible")
            }
            () if u8::from(self.greater) + u8::from(self.less) + u8::from(self.only_new) > 1 => {
                at_odds("ERR GT, LT, and/or NX options at the same time are not compatible")
            }
            () if self.add && pairs > 1 => {
                at_odds("ERR INCR option supports a single increment-element pair")
            }
            () => Ok(()),
        }
    }
}

/// What became of the members so far.
#[derive(Default)]
struct Tally {
    added: usize,
    updated: usize,
    /// The last member's new score, if the conditions allowed one.
    score: Option<f64>,
    /// A sum was no number.
    nan: bool,
}

impl Tally {
    #[inline]
    fn set(&mut self, options: Options, set: &mut Zset, member: &[u8], score: f64, limits: &Limits) {
        let (old, new) = set.update(member, limits, |old| self.decide(options, old, score));
        self.score = new;
        match old {
            _ if new.is_none() => {}
            None => self.added += 1,
            Some(_) => self.updated += usize::from(old != new),
        }
    }

    #[inline]
    fn decide(&mut self, options: Options, old: Option<f64>, score: f64) -> Option<f64> {
        let Some(old) = old else { return (!options.only_old).then_some(score) };
        let new = if options.add { old + score } else { score };
        self.nan |= new.is_nan();
        let refused = options.only_new
            || new.is_nan()
            || (options.less && new >= old)
            || (options.greater && new <= old);
        (!refused).then_some(new)
    }
}

pub(in crate::command) fn zadd(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    add(ctx, args, Options::default())
}

fn zincrby(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    add(ctx, args, Options { add: true, ..Options::default() })
}

fn add(ctx: &mut Ctx<'_>, mut args: Args<'_>, options: Options) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let options = options.read(&mut args);
    let (pairs, odd) = (args.remaining() / 2, args.remaining() % 2);
    if pairs == 0 || odd == 1 {
        return Err(CmdError::Syntax);
    }
    options.check(pairs)?;
    let first_score = args.float()?;
    // All scores are judged before anything is added. One member is the common case and needs no list.
    let scores = if pairs == 1 { Vec::new() } else { other_scores(&args)? };

    let missing = if options.only_old { Missing::Leave } else { Missing::Create };
    let event = if options.add { "zincr" } else { "zadd" };
    let (tally, effect) = ctx.db.edit_zset(key, missing, |set, limits| {
        let mut tally = Tally::default();
        let member = args.next().unwrap_or_default();
        prepare(set, pairs, member, limits);
        tally.set(options, set, member, first_score, limits);
        for (score, member) in scores.iter().zip(args.skip(1).step_by(2)) {
            tally.set(options, set, member, *score, limits);
        }
        let changed = tally.added + tally.updated;
        (tally, Change::new(event, changed))
    })?;
    ctx.record(effect);
    answer(ctx, options, tally.unwrap_or_default())
}

/// The scores behind the first, whose member is under the cursor.
fn other_scores(args: &Args<'_>) -> Result<Vec<f64>, CmdError> {
    args.clone().skip(1).step_by(2).map(parse::float).collect()
}

/// Brings a set to the encoding that suits so many more members, the first of which is given.
#[inline]
fn prepare(set: &mut Zset, pairs: usize, first: &[u8], limits: &Limits) {
    if set.is_empty() && first.len() > limits.zset_max_listpack_value {
        *set = Zset::with_hint(pairs, first.len(), limits);
    } else {
        set.expect(pairs, limits);
    }
}

fn answer(ctx: &mut Ctx<'_>, options: Options, tally: Tally) -> Result<Replied, CmdError> {
    match tally.score {
        _ if tally.nan => Err(CmdError::text("ERR resulting score is not a number (NaN)")),
        Some(score) if options.add => Ok(ctx.reply.double(score)),
        None if options.add => Ok(ctx.reply.null()),
        _ if options.count_changed => Ok(ctx.reply.count(tally.added + tally.updated)),
        _ => Ok(ctx.reply.count(tally.added)),
    }
}
