//! The sets that ZUNION, ZINTER, ZDIFF and their kin combine, and how.
//!
//! Inputs are sorted sets, or sets, whose members count with the score 1. Source: `zunionInterDiffGenericCommand` of
//! Redis 8.0.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::command::*;
use crate::keyspace::{Db, Ref, Type, View};
use crate::value::{Entry, Set, Zset};

/// What is made of several sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Union,
    Inter,
    Diff,
}

/// What becomes of the scores of a member that is in several sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn parse(word: &[u8]) -> Result<Aggregate, CmdError> {
        match () {
            () if parse::is(word, "SUM") => Ok(Aggregate::Sum),
            () if parse::is(word, "MIN") => Ok(Aggregate::Min),
            () if parse::is(word, "MAX") => Ok(Aggregate::Max),
            () => Err(CmdError::Syntax),
        }
    }

    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Aggregate::Sum => number(a + b),
            Aggregate::Min => a.min(b),
            Aggregate::Max => a.max(b),
        }
    }
}

/// Infinities that cancel each other out are 0.
fn number(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What a command lets be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Members, WITHSCORES or without.
    Members,
    /// A number, up to LIMIT.
    Count,
    /// A number, and the members are stored.
    Store,
}

/// The request, but for the keys' values.
pub(super) struct Request<'a> {
    keys: Vec<&'a [u8]>,
    /// One for each key; none: all are 1.
    weights: Vec<f64>,
    aggregate: Aggregate,
    pub(super) with_scores: bool,
    /// At most so many; 0: all.
    pub(super) limit: usize,
}

impl<'a> Request<'a> {
    /// Reads `numkeys key ...` and all options. The keys' types are judged before the options, as in the real server.
    pub(super) fn parse(
        db: &mut Db<'_>,
        args: &mut Args<'a>,
        name: &'static str,
        op: Op,
        answer: Answer,
    ) -> Result<Request<'a>, CmdError> {
        let numkeys = args.int()?;
        if numkeys < 1 {
            let line = format!("ERR at least 1 input key is needed for '{name}' command");
            return Err(CmdError::Other(line.into()));
        }
        let numkeys = usize::try_from(numkeys).unwrap_or(usize::MAX);
        if numkeys > args.remaining() {
            return Err(CmdError::Syntax);
        }
        let keys: Vec<_> = args.by_ref().take(numkeys).collect();
        db.touch_while(keys.iter().copied(), &[Type::Set, Type::Zset]);
        keys.iter().try_for_each(|key| look(db, key).map(drop))?;
        let mut request =
            Request { keys, weights: Vec::new(), aggregate: Aggregate::Sum, with_scores: false, limit: 0 };
        while let Some(word) = args.next() {
            request.option(word, args, op, answer)?;
        }
        Ok(request)
    }

    fn option(&mut self, word: &[u8], args: &mut Args<'a>, op: Op, answer: Answer) -> Result<(), CmdError> {
        let scores = op != Op::Diff && answer != Answer::Count;
        let left = args.remaining();
        match () {
            () if scores && left >= self.keys.len() && parse::is(word, "WEIGHTS") => {
                let weights = args.by_ref().take(self.keys.len()).map(weight);
                self.weights = weights.collect::<Result<_, _>>()?;
            }
            () if scores && left >= 1 && parse::is(word, "AGGREGATE") => {
                self.aggregate = Aggregate::parse(args.arg()?)?;
            }
            () if answer == Answer::Members && parse::is(word, "WITHSCORES") => self.with_scores = true,
            () if answer == Answer::Count && left >= 1 && parse::is(word, "LIMIT") => {
                self.limit = parse::at_least(0, args.arg()?, "ERR LIMIT can't be negative")? as usize;
            }
            () => return Err(CmdError::Syntax),
        }
        Ok(())
    }

    /// The inputs, in the order in which they were named.
    pub(super) fn sources<'d>(&self, db: &'d Db<'_>) -> Vec<Source<'d>> {
        let weights = self.weights.iter().copied().chain(std::iter::repeat(1.0));
        let sources = self
            .keys
            .iter()
            .zip(weights)
            .map(|(key, weight)| Source { found: look(db, key).unwrap_or(Found::Nothing), weight });
        sources.collect()
    }

    /// Combines the inputs. Members come in no order.
    pub(super) fn combine<'s>(&self, op: Op, sources: &'s mut [Source<'_>]) -> Vec<(Entry<'s>, f64)> {
        if op != Op::Diff {
            sources.sort_by_key(Source::len);
        }
        match op {
            Op::Union => self.union(sources),
            Op::Inter => self.inter(sources),
            Op::Diff => diff(sources),
        }
    }

    fn union<'s>(&self, sources: &'s [Source<'_>]) -> Vec<(Entry<'s>, f64)> {
        let mut scores = HashMap::with_hasher(RandomState::default());
        for source in sources {
            source.each(|member, score| {
                let score = number(score * source.weight);
                let all = scores.entry(canonical(member)).or_insert(None);
                *all = Some(all.map_or(score, |all| self.aggregate.of(all, score)));
            });
        }
        scores.into_iter().filter_map(|(member, score)| Some((member, score?))).collect()
    }

    /// The members that are in all inputs, of which the first is the smallest.
    fn inter<'s>(&self, sources: &'s [Source<'_>]) -> Vec<(Entry<'s>, f64)> {
        let mut found = Vec::new();
        let Some((first, others)) = sources.split_first() else { return found };
        first.each_until(|member, score| {
            let own = number(score * first.weight);
            let all = others.iter().try_fold(own, |all, other| {
                Some(self.aggregate.of(all, other.score(member)? * other.weight))
            });
            found.extend(all.map(|score| (member, score)));
            self.limit != 0 && found.len() >= self.limit
        });
        found
    }
}

fn weight(text: &[u8]) -> Result<f64, CmdError> {
    parse::float(text).map_err(|_| CmdError::text("ERR weight value is not a float"))
}

fn diff<'s>(sources: &'s [Source<'_>]) -> Vec<(Entry<'s>, f64)> {
    let mut found = Vec::new();
    let Some((first, others)) = sources.split_first() else { return found };
    first.each(|member, score| {
        if others.iter().all(|other| other.score(member).is_none()) {
            found.push((member, score));
        }
    });
    found
}

/// One member has one form: an integer's text is an integer.
fn canonical(member: Entry<'_>) -> Entry<'_> {
    member.as_int().map_or(member, Entry::Int)
}

/// An input.
pub(super) struct Source<'d> {
    found: Found<'d>,
    weight: f64,
}

enum Found<'d> {
    Nothing,
    Set(Ref<'d, Set>),
    Zset(Ref<'d, Zset>),
}

fn look<'d>(db: &'d Db<'_>, key: &[u8]) -> Result<Found<'d>, CmdError> {
    match db.peek(key) {
        None => Ok(Found::Nothing),
        Some(View::Set(set)) => Ok(Found::Set(set)),
        Some(View::Zset(set)) => Ok(Found::Zset(set)),
        Some(_) => Err(CmdError::WrongType),
    }
}

impl Source<'_> {
    fn len(&self) -> usize {
        match &self.found {
            Found::Nothing => 0,
            Found::Set(set) => set.len(),
            Found::Zset(set) => set.len(),
        }
    }

    /// The score of a member, if it is one.
    fn score(&self, member: Entry<'_>) -> Option<f64> {
        match &self.found {
            Found::Nothing => None,
            Found::Set(set) => set.contains(member).then_some(1.0),
            Found::Zset(set) => set.score(member.text(&mut itoa::Buffer::new())),
        }
    }

    fn each<'s>(&'s self, mut visit: impl FnMut(Entry<'s>, f64)) {
        self.each_until(|member, score| {
            visit(member, score);
            false
        });
    }

    /// Visits members until `visit` says that it is enough.
    fn each_until<'s>(&'s self, mut visit: impl FnMut(Entry<'s>, f64) -> bool) {
        match &self.found {
            Found::Nothing => false,
            Found::Set(set) => set.iter().any(|member| visit(member, 1.0)),
            Found::Zset(set) => set.iter().any(|(member, score)| visit(member, score)),
        };
    }
}
