//! Which arguments of a request are keys, and what is done with them.
//!
//! From the row's key specifications; where those are incomplete or leave open what is done with a key, the few
//! commands concerned have a way of their own here. Source: `getKeysFromCommandWithSpecs` of Redis 8.0.6.

use super::parse::is;
use super::spec::{
    ACCESS, Begin, Command, DELETE, Find, INCOMPLETE, KeyFlags, KeySpec, NOT_KEY, OW, RO, RW, UPDATE,
    VARIABLE_FLAGS,
};
use crate::resp::Args;
use crate::text::num;

/// A key among the arguments: where it is, and what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundKey {
    /// The argument's index; 0 is the command's name.
    pub at: usize,
    /// What is done with it.
    pub flags: KeyFlags,
}

/// The arguments do not fit the command, so nobody can say which are keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unclear;

type Finder = fn(&Args<'_>) -> Vec<FoundKey>;

/// Commands whose specifications don't say everything.
const FINDERS: &[(&str, Finder)] = &[
    ("bitfield", bitfield),
    ("georadius", georadius),
    ("georadiusbymember", georadius),
    ("migrate", migrate),
    ("set", set),
    ("sort", sort),
    ("sort_ro", sort_ro),
];

fn finder(command: &Command) -> Option<Finder> {
    FINDERS.iter().find(|(name, _)| *name == command.name).map(|(_, finder)| *finder)
}

/// Whether a command has keys at all.
pub fn has_keys(command: &Command) -> bool {
    command.keys.iter().any(|spec| !spec.flags.has(NOT_KEY)) || finder(command).is_some()
}

/// The keys of a request, in the order of the specifications.
pub fn keys_of(command: &Command, args: &Args<'_>) -> Result<Vec<FoundKey>, Unclear> {
    if !command.keys.iter().any(|spec| spec.flags.has(VARIABLE_FLAGS))
        && let Ok(found) = by_specs(command, args)
    {
        return Ok(found);
    }
    match finder(command) {
        Some(finder) => Ok(finder(args)),
        None => counted(command, args).ok_or(Unclear),
    }
}

/// Of a command that is told how many keys follow: the number is read as C's `atoi` reads it, which takes `01` and `1x`
/// for 1, though the command itself refuses them. What is done with the keys is not said then.
fn counted(command: &Command, args: &Args<'_>) -> Option<Vec<FoundKey>> {
    let (number, first, step) = command.keys.iter().find_map(|spec| match (spec.begin, spec.find) {
        (Begin::Index(at), Find::KeyNum { num, first, step }) => Some((at + num, at + first, step)),
        _ => None,
    })?;
    let count = args.get(number).and_then(|text| usize::try_from(num::leading_i64(text) as i32).ok())?;
    if count == 0 || count > args.len().saturating_sub(first) / step.max(1) {
        return None;
    }
    let target = command.keys.iter().find_map(|spec| match (spec.begin, spec.find) {
        (Begin::Index(at), Find::Range { .. }) => Some(at),
        _ => None,
    });
    let sources = (0..count).map(|n| first + n * step);
    Some(sources.chain(target).map(|at| FoundKey { at, flags: KeyFlags(0) }).collect())
}

/// The keys that CLIENT TRACKING remembers of a request: of an XREAD that is no good none.
pub fn keys_to_track(command: &Command, args: &Args<'_>) -> Vec<FoundKey> {
    if command.name == "xread" && !is_whole_xread(args.clone()) {
        return Vec::new();
    }
    keys_of(command, args).unwrap_or_default()
}

/// Whether nothing but options stands in front of STREAMS, and behind it as many ids as keys.
fn is_whole_xread(mut args: Args<'_>) -> bool {
    while let Some(word) = args.next() {
        match () {
            () if is(word, "STREAMS") => return args.remaining() > 0 && args.remaining().is_multiple_of(2),
            () if is(word, "NOACK") => {}
            () if is(word, "BLOCK") || is(word, "COUNT") => {
                args.next();
            }
            () => return false,
        }
    }
    false
}

fn by_specs(command: &Command, args: &Args<'_>) -> Result<Vec<FoundKey>, Unclear> {
    all_of(command.keys.iter().filter(|spec| !spec.flags.has(NOT_KEY)), args)
}

/// The same, with the shard channels of a request, which live in slots, too.
pub fn keys_and_channels_of(command: &Command, args: &Args<'_>) -> Result<Vec<FoundKey>, Unclear> {
    all_of(command.keys.iter(), args)
}

fn all_of<'s>(specs: impl Iterator<Item = &'s KeySpec>, args: &Args<'_>) -> Result<Vec<FoundKey>, Unclear> {
    let mut found = Vec::new();
    for spec in specs {
        add_spec(spec, args, &mut found)?;
    }
    Ok(found)
}

fn add_spec(spec: &KeySpec, args: &Args<'_>, found: &mut Vec<FoundKey>) -> Result<(), Unclear> {
    let Some(begin) = begin(spec, args)? else { return Ok(()) };
    let (first, last, step) = range(spec, begin, args)?;
    if first >= args.len() || last >= args.len() || last < first || spec.flags.has(INCOMPLETE) {
        return Err(Unclear);
    }
    found.extend((first..=last).step_by(step.max(1)).map(|at| FoundKey { at, flags: spec.flags }));
    Ok(())
}

/// Where a specification's keys begin; `None` if the word in front of them is not there.
fn begin(spec: &KeySpec, args: &Args<'_>) -> Result<Option<usize>, Unclear> {
    match spec.begin {
        Begin::Index(at) => Ok(Some(at)),
        Begin::Keyword(word, from) => {
            let here = |at: &usize| args.get(*at).is_some_and(|arg| is(arg, word));
            let at = match usize::try_from(from) {
                Ok(from) => (from..args.len().saturating_sub(1)).find(here),
                Err(_) => {
                    let from = args.len().saturating_sub(usize::try_from(from.unsigned_abs()).unwrap_or(0));
                    (2..=from).rev().find(here)
                }
            };
            Ok(at.map(|at| at + 1))
        }
        Begin::Unknown => Err(Unclear),
    }
}

/// First, last and step.
fn range(spec: &KeySpec, begin: usize, args: &Args<'_>) -> Result<(usize, usize, usize), Unclear> {
    match spec.find {
        Find::Range { last, step, limit } => {
            let last = match usize::try_from(last) {
                Ok(last) => begin + last,
                Err(_) if limit > 1 => {
                    (begin + args.len().saturating_sub(begin) / limit).checked_sub(1).ok_or(Unclear)?
                }
                Err(_) => args.len().checked_add_signed(last as isize).ok_or(Unclear)?,
            };
            Ok((begin, last, step))
        }
        Find::KeyNum { num, first, step } => {
            let count = args.get(begin + num).and_then(num::parse_i64).ok_or(Unclear)?;
            let count = usize::try_from(count).map_err(|_| Unclear)?;
            let first = begin + first;
            let last = first.checked_add(count).and_then(|end| end.checked_sub(1)).ok_or(Unclear)?;
            Ok((first, last, step))
        }
        Find::Unknown => Err(Unclear),
    }
}

fn one(flags: KeyFlags) -> Vec<FoundKey> {
    vec![FoundKey { at: 1, flags }]
}

/// GET makes a SET read what was there.
fn set(args: &Args<'_>) -> Vec<FoundKey> {
    let reads = args.all().skip(3).any(|arg| is(arg, "GET"));
    one(if reads { RW.or(ACCESS).or(UPDATE) } else { OW.or(UPDATE) })
}

/// Only GETs change nothing.
fn bitfield(args: &Args<'_>) -> Vec<FoundKey> {
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let behind = args.len() - at - 1;
        at += match () {
            () if is(word, "GET") && behind >= 2 => 3,
            () if is(word, "OVERFLOW") && behind >= 1 => 2,
            () => return one(RW.or(ACCESS).or(UPDATE)),
        };
    }
    one(RO.or(ACCESS))
}

fn sort_ro(_: &Args<'_>) -> Vec<FoundKey> {
    one(RO.or(ACCESS))
}

/// The key, and the last one behind STORE. Keys that BY and GET patterns lead to are unknown.
fn sort(args: &Args<'_>) -> Vec<FoundKey> {
    let mut found = one(RO.or(ACCESS));
    let mut at = 2;
    while let Some(word) = args.get(at) {
        match () {
            () if is(word, "LIMIT") => at += 2,
            () if is(word, "GET") || is(word, "BY") => at += 1,
            () if is(word, "STORE") && at + 1 < args.len() => {
                found.truncate(1);
                found.push(FoundKey { at: at + 1, flags: OW.or(UPDATE) });
            }
            () => {}
        }
        at += 1;
    }
    found
}

/// The key, and the last one behind STORE or STOREDIST.
fn georadius(args: &Args<'_>) -> Vec<FoundKey> {
    let mut found = one(RW.or(ACCESS));
    let mut at = 5;
    while let Some(word) = args.get(at) {
        if (is(word, "STORE") || is(word, "STOREDIST")) && at + 1 < args.len() {
            at += 1;
            found.truncate(1);
            found.push(FoundKey { at, flags: OW.or(UPDATE) });
        }
        at += 1;
    }
    found
}

/// One key in the middle, or many at the end.
fn migrate(args: &Args<'_>) -> Vec<FoundKey> {
    let flags = RW.or(ACCESS).or(DELETE);
    let mut at = 6;
    while let Some(word) = args.get(at) {
        match () {
            () if is(word, "KEYS") && !args.get(3).unwrap_or_default().is_empty() => return Vec::new(),
            () if is(word, "KEYS") => return (at + 1..args.len()).map(|at| FoundKey { at, flags }).collect(),
            () if is(word, "AUTH2") => at += 2,
            () if is(word, "AUTH") => at += 1,
            () => {}
        }
        at += 1;
    }
    vec![FoundKey { at: 3, flags }]
}
