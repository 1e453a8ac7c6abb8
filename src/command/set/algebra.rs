//! What intersections, unions and differences share: their operands, storing what comes out.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use crate::command::*;
use crate::keyspace::{Db, Ref, Type, View};
use crate::value::Value;
use crate::value::limits::Limits;
use crate::value::listpack::Entry;
use crate::value::set::Set;

/// The row that all of them begin with.
pub(super) const READ: Command = Command {
    syntax: "key [key ...]",
    since: "1.0.0",
    group: Group::Set,
    arity: Arity::AtLeast(2),
    flags: READONLY,
    acl: acl::SET,
    keys: &[KeySpec::range(1, -1, 1, RO.or(ACCESS))],
    tips: &["nondeterministic_output_order"],
    ..Command::BASE
};

/// The row that those begin with that store what comes out.
pub(super) const STORE: Command = Command {
    syntax: "destination key [key ...]",
    arity: Arity::AtLeast(3),
    flags: WRITE.or(DENYOOM),
    keys: &[KeySpec::at(1, OW.or(UPDATE)), KeySpec::range(2, -1, 1, RO.or(ACCESS))],
    tips: &[],
    ..READ
};

type Seen<'a> = HashSet<Entry<'a>, RandomState>;

/// The operands in order; `None` where a key is missing, which is an empty set.
pub(super) type Operands<'d> = Vec<Option<Ref<'d, Set>>>;

/// Looks the operands up.
pub(super) fn operands<'d, 'k>(
    db: &'d mut Db<'_>,
    keys: impl Iterator<Item = &'k [u8]> + Clone,
) -> Result<Operands<'d>, CmdError> {
    db.touch_while(keys.clone(), &[Type::Set]);
    let db = &*db;
    keys.map(|key| match db.peek(key) {
        None => Ok(None),
        Some(View::Set(set)) => Ok(Some(set)),
        Some(_) => Err(CmdError::WrongType),
    })
    .collect()
}

fn len(set: &Option<Ref<'_, Set>>) -> usize {
    set.as_ref().map_or(0, |set| set.len())
}

/// The members of all sets, in the order of the smallest, which comes first afterwards.
pub(super) fn intersection<'a>(sets: &'a mut Operands<'_>) -> impl Iterator<Item = Entry<'a>> {
    sets.sort_by_key(len); // missing ones come first
    let (first, others) = sets.split_first().expect("the arity asks for a key");
    let members = first.iter().flat_map(|set| set.iter());
    members.filter(|e| others.iter().flatten().all(|set| set.contains(*e)))
}

/// Whether a difference is found faster by looking each member of the first set up in the others, than by taking
/// the members of all others out of a copy. The real server's measure, as the result's encoding depends on it.
pub(super) fn is_lookup_cheaper(sets: &Operands<'_>) -> bool {
    let first = sets.first().map_or(0, len) as u64;
    let present = sets.iter().flatten().count() as u64;
    first * present / 2 <= sets.iter().map(|set| len(set) as u64).sum()
}

/// The members of the first set that no other has, in the order of the first. A packed one out of a dump that
/// nobody checked may have a member twice; the difference has it once, as the real server's.
pub(super) fn difference<'a>(sets: &'a mut Operands<'_>) -> impl Iterator<Item = Entry<'a>> {
    let (first, others) = sets.split_first_mut().expect("the arity asks for a key");
    others.sort_by_key(|set| std::cmp::Reverse(len(set))); // the likeliest to have a member comes first
    let mut seen = matches!(first.as_deref(), Some(Set::Packed(_))).then(Seen::default);
    let members = first.iter().flat_map(|set| set.iter());
    members.filter(move |e| {
        !others.iter().flatten().any(|set| set.contains(*e))
            && seen.as_mut().is_none_or(|seen| seen.insert(e.as_int().map_or(*e, Entry::Int)))
    })
}

/// The same, of a copy.
pub(super) fn difference_by_removal(sets: &Operands<'_>, limits: &Limits) -> Set {
    let mut left = Set::default();
    let (first, others) = sets.split_first().expect("the arity asks for a key");
    for member in first.iter().flat_map(|set| set.iter()) {
        left.add(member, limits);
    }
    for set in others.iter().flatten() {
        if left.is_empty() {
            break;
        }
        for member in set.iter() {
            left.remove(member);
        }
    }
    left
}

/// Answers with members whose number is not known beforehand.
pub(super) fn answer<'a>(
    ctx_reply: &mut crate::resp::Reply<'_>,
    members: impl Iterator<Item = Entry<'a>>,
) -> Replied {
    let deferred = ctx_reply.deferred_set();
    let n = members.map(|member| ctx_reply.element(member)).count();
    ctx_reply.patch(deferred, n)
}

/// Puts what came out at `key`, or removes what is there if nothing came out; answers how many members.
pub(super) fn store(ctx: &mut Ctx<'_>, key: &[u8], result: Set, event: &'static str) -> Replied {
    let n = result.len();
    let effect = match n {
        0 => ctx.db.remove_as_it_is(key),
        _ => ctx.db.put(key, Value::Set(result), None, event),
    };
    ctx.record(effect);
    ctx.reply.count(n)
}
