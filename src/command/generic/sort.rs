//! SORT, SORT_RO: the elements of a list, set or sorted set in order, possibly that of other keys' values.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::command::sort_part::sort_part;
use crate::command::*;
use crate::keyspace::View;
use crate::text::num;
use crate::value::{Entry, List, Value, Zset};

pub(super) const SORT: Command = Command {
    name: "sort",
    syntax: "key [BY by-pattern] [LIMIT offset count] [GET get-pattern [GET get-pattern ...]] [ASC|DESC] [ALPHA] \
             [STORE destination]",
    summary: "Put the elements of a list, set or sorted set in order, and possibly keep that as a list.",
    since: "1.0.0",
    cost: "O(N+M*log(M)): N elements, M of them wanted",
    group: Group::Generic,
    arity: Arity::AtLeast(2),
    flags: WRITE.or(DENYOOM).or(MOVABLE_KEYS),
    acl: acl::SET.or(acl::SORTEDSET).or(acl::LIST).or(acl::DANGEROUS),
    keys: &[
        KeySpec::at(1, RO.or(ACCESS)),
        KeySpec {
            notes: "BY and GET patterns lead to keys that nobody can know beforehand",
            ..unknown(RO.or(ACCESS))
        },
        KeySpec { notes: "STORE may stand anywhere among the options", ..unknown(OW.or(UPDATE)) },
    ],
    examples: &[("SORT nosuch", "(empty array)"), ("SORT nosuch STORE to", "(integer) 0")],
    run: |ctx, args| sort(ctx, args, true),
    ..Command::BASE
};

pub(super) const SORT_RO: Command = Command {
    name: "sort_ro",
    syntax: "key [BY by-pattern] [LIMIT offset count] [GET get-pattern [GET get-pattern ...]] [ASC|DESC] [ALPHA]",
    summary: "Put the elements of a list, set or sorted set in order.",
    since: "7.0.0",
    flags: READONLY.or(MOVABLE_KEYS),
    keys: &[
        KeySpec::at(1, RO.or(ACCESS)),
        KeySpec {
            notes: "BY and GET patterns lead to keys that nobody can know beforehand",
            ..unknown(RO.or(ACCESS))
        },
    ],
    examples: &[("SORT_RO nosuch", "(empty array)")],
    run: |ctx, args| sort(ctx, args, false),
    ..SORT
};

const fn unknown(flags: KeyFlags) -> KeySpec {
    KeySpec { begin: Begin::Unknown, find: Find::Unknown, flags, notes: "" }
}

#[derive(Default)]
struct Options<'a> {
    descending: bool,
    alpha: bool,
    offset: i64,
    count: Option<i64>,
    by: Option<&'a [u8]>,
    /// One of the patterns given with BY leads nowhere: the elements stay in the order in which they are.
    as_they_are: bool,
    get: Vec<&'a [u8]>,
    store: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(args: &mut Args<'a>, may_store: bool) -> Result<Options<'a>, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.next() {
            let more = args.remaining();
            match () {
                () if parse::is(word, "ASC") => o.descending = false,
                () if parse::is(word, "DESC") => o.descending = true,
                () if parse::is(word, "ALPHA") => o.alpha = true,
                () if parse::is(word, "LIMIT") && more >= 2 => {
                    o.offset = args.int()?;
                    o.count = Some(args.int()?).filter(|count| *count >= 0);
                }
                () if may_store && parse::is(word, "STORE") && more >= 1 => o.store = args.next(),
                () if parse::is(word, "BY") && more >= 1 => o.sort_by(args.arg()?),
                () if parse::is(word, "GET") && more >= 1 => o.get.push(args.arg()?),
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(o)
    }

    /// The last pattern counts, but each can end the sorting.
    fn sort_by(&mut self, pattern: &'a [u8]) {
        self.by = Some(pattern);
        self.as_they_are |= !up_to_zero(pattern).contains(&b'*');
    }

    /// The wanted part of so many elements.
    fn wanted(&self, len: usize) -> std::ops::Range<usize> {
        let start = usize::try_from(self.offset.max(0)).unwrap_or(usize::MAX).min(len);
        let count = self.count.map_or(len, |count| usize::try_from(count).unwrap_or(usize::MAX));
        start..start.saturating_add(count).min(len)
    }
}

/// The elements of what is at a key, and whether it is a set, whose order is nobody's.
fn elements(ctx: &mut Ctx<'_>, key: &[u8]) -> Result<(Vec<Vec<u8>>, bool), CmdError> {
    let own = |entry: Entry<'_>| match entry {
        Entry::Str(text) => text.to_vec(),
        Entry::Int(n) => itoa::Buffer::new().format(n).as_bytes().to_vec(),
    };
    if matches!(ctx.db.peek(key), Some(View::Zset(set)) if matches!(*set, Zset::Packed(_))) {
        // The real server unpacks a sorted set before it sorts, and leaves it so.
        let (_, unchanged) = ctx.db.edit_zset(key, Missing::Leave, |set, _| (set.unpack(), Change::NONE))?;
        debug_assert!(unchanged.is_none());
    }
    match ctx.db.view(key) {
        None => Ok((Vec::new(), false)),
        Some(View::List(list)) => {
            let mut elements = Vec::with_capacity(list.len());
            list.each(0, usize::MAX, |element| elements.push(own(element)));
            Ok((elements, false))
        }
        Some(View::Set(set)) => Ok((set.iter().map(own).collect(), true)),
        Some(View::Zset(set)) => Ok((set.iter().map(|(member, _)| own(member)).collect(), false)),
        Some(_) => Err(CmdError::WrongType),
    }
}

/// What C sees of a text.
fn up_to_zero(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What a pattern leads to for an element: a string, or a field of a hash behind `->`.
fn follow<'e>(ctx: &mut Ctx<'_>, pattern: &[u8], element: &'e [u8]) -> Option<Cow<'e, [u8]>> {
    if pattern == b"#" {
        return Some(Cow::Borrowed(element));
    }
    let star = pattern.iter().position(|b| *b == b'*')?;
    let (before, behind) = (&pattern[..star], &pattern[star + 1..]);
    let arrow = behind.windows(2).position(|two| two == b"->").filter(|at| at + 2 < behind.len());
    let key = [before, element, &behind[..arrow.unwrap_or(behind.len())]].concat();
    let Some(arrow) = arrow else {
        return ctx.db.string(&key).ok().flatten().map(|text| Cow::Owned(text.to_vec()));
    };
    let (clock, field) = (ctx.db.field_clock(), &behind[arrow + 2..]);
    let hash = ctx.db.hash(&key).ok().flatten()?;
    let item = hash.get(field)?;
    if item.expired(clock) {
        ctx.db.lapse_fields(&key, [field]);
        return None;
    }
    Some(Cow::Owned(match item.value {
        Entry::Str(text) => text.to_vec(),
        Entry::Int(n) => itoa::Buffer::new().format(n).as_bytes().to_vec(),
    }))
}

/// What an element is sorted by.
enum Weight {
    Number(f64),
    /// As text; `None`: what BY led to is missing.
    Text(Option<Vec<u8>>),
    /// The element itself, as text.
    Itself,
}

fn weight(ctx: &mut Ctx<'_>, o: &Options<'_>, by: Option<&[u8]>, element: &[u8]) -> Result<Weight, CmdError> {
    let text = match by {
        None if o.alpha => return Ok(Weight::Itself),
        None => Some(Cow::Borrowed(element)),
        Some(pattern) => follow(ctx, pattern, element),
    };
    if o.alpha {
        return Ok(Weight::Text(text.map(Cow::into_owned)));
    }
    // As a bound of a score range is read: 8.0.6 refuses hexadecimal there, and takes an overflow for infinity.
    let number = text.map_or(Some(0.0), |text| num::parse_range_f64(&text));
    let number = number.ok_or(CmdError::text("ERR One or more scores can't be converted into double"))?;
    Ok(Weight::Number(number))
}

/// How two elements lie. Texts are compared as C does, up to a zero, unless they are to be stored.
fn compare(a: &(Weight, Vec<u8>), b: &(Weight, Vec<u8>), stores: bool) -> Ordering {
    fn whole(text: &[u8]) -> &[u8] {
        text
    }
    let seen = if stores { whole } else { up_to_zero };
    match (&a.0, &b.0) {
        (Weight::Number(x), Weight::Number(y)) => {
            x.partial_cmp(y).unwrap_or(Ordering::Equal).then_with(|| a.1.cmp(&b.1))
        }
        (Weight::Text(x), Weight::Text(y)) => x.as_deref().map(seen).cmp(&y.as_deref().map(seen)),
        _ => seen(&a.1).cmp(seen(&b.1)),
    }
}

/// The elements in the order that is asked for, and of those the wanted ones.
fn ordered(ctx: &mut Ctx<'_>, key: &[u8], o: &mut Options<'_>) -> Result<Vec<Vec<u8>>, CmdError> {
    let (mut all, is_set) = elements(ctx, key)?;
    let wanted = o.wanted(all.len());
    let mut by = o.by;
    let mut as_they_are = o.as_they_are;
    if as_they_are && is_set && o.store.is_some() {
        // What is stored must not depend on chance.
        (as_they_are, o.alpha, by) = (false, true, None);
    }
    if as_they_are {
        if o.descending && !is_set {
            all.reverse();
        }
        return Ok(all.drain(wanted).collect());
    }
    let mut weighed = Vec::with_capacity(all.len());
    let mut failed = None;
    for element in all {
        // All patterns are followed, whatever one leads to.
        match weight(ctx, o, by, &element) {
            Ok(weight) => weighed.push((weight, element)),
            Err(error) => failed = Some(error),
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let (stores, descending) = (o.store.is_some(), o.descending);
    let order = |a: &(Weight, Vec<u8>), b: &(Weight, Vec<u8>)| {
        if descending { compare(b, a, stores) } else { compare(a, b, stores) }
    };
    if by.is_some() && wanted != (0..weighed.len()) {
        sort_part(&mut weighed, wanted.clone(), &order);
    } else {
        weighed.sort_by(order);
    }
    Ok(weighed.drain(wanted).map(|(_, element)| element).collect())
}

fn sort(ctx: &mut Ctx<'_>, mut args: Args<'_>, may_store: bool) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let mut o = Options::parse(&mut args, may_store)?;
    let found = ordered(ctx, key, &mut o)?;
    match o.store {
        Some(to) => Ok(store(ctx, to, &o, &found)),
        None => Ok(answer(ctx, &o, &found)),
    }
}

fn answer(ctx: &mut Ctx<'_>, o: &Options<'_>, found: &[Vec<u8>]) -> Replied {
    let replied = ctx.reply.array(found.len() * o.get.len().max(1));
    for element in found {
        if o.get.is_empty() {
            ctx.reply.bulk(element);
        }
        for pattern in &o.get {
            let value = follow(ctx, pattern, element);
            ctx.reply.bulk_or_null(value.as_deref());
        }
    }
    replied
}

fn store(ctx: &mut Ctx<'_>, to: &[u8], o: &Options<'_>, found: &[Vec<u8>]) -> Replied {
    let mut stored = Vec::with_capacity(found.len());
    for element in found {
        if o.get.is_empty() {
            stored.push(Cow::Borrowed(&element[..]));
        }
        for pattern in &o.get {
            stored.push(follow(ctx, pattern, element).unwrap_or_default());
        }
    }
    let effect = if stored.is_empty() {
        ctx.db.remove_as_it_is(to)
    } else {
        let list = List::from_elements(stored.iter().map(AsRef::as_ref), ctx.db.limits());
        ctx.db.put(to, Value::List(list), None, "sortstore").dirty(stored.len() as u64)
    };
    ctx.record(effect);
    ctx.reply.count(stored.len())
}
