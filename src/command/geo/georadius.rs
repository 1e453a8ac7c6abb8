//! GEORADIUS, GEORADIUSBYMEMBER and their read-only siblings: the older ways to find members in a circle.

use super::search::{Kind, run};
use crate::command::*;

pub(super) const GEORADIUS: Command = Command {
    name: "georadius",
    syntax: "key longitude latitude radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] \
             [ASC|DESC] [STORE key|STOREDIST key]",
    summary: "Find the members in a circle around a position, and possibly keep them.",
    since: "3.2.0",
    cost: "O(N+log(M)): N members around the circle, M in it",
    group: Group::Geo,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(DENYOOM).or(MOVABLE_KEYS),
    acl: acl::GEO,
    keys: &[KeySpec::at(1, RO.or(ACCESS)), behind("STORE", 6), behind("STOREDIST", 6)],
    deprecated: Some(("6.2.0", "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument")),
    examples: &[("GEORADIUS nosuch 1 2 3 km", "(empty array)")],
    run: |ctx, args| run(ctx, args, 1, Kind::Position, true),
    ..Command::BASE
};

pub(super) const GEORADIUS_RO: Command = Command {
    name: "georadius_ro",
    syntax: "key longitude latitude radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] \
             [ASC|DESC]",
    summary: "Find the members in a circle around a position.",
    since: "3.2.10",
    flags: READONLY,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` argument")),
    examples: &[("GEORADIUS_RO nosuch 1 2 3 km", "(empty array)")],
    run: |ctx, args| run(ctx, args, 1, Kind::Position, false),
    ..GEORADIUS
};

pub(super) const GEORADIUSBYMEMBER: Command = Command {
    name: "georadiusbymember",
    syntax: "key member radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC|DESC] \
             [STORE key|STOREDIST key]",
    summary: "Find the members in a circle around one of them, and possibly keep them.",
    arity: Arity::AtLeast(5),
    keys: &[KeySpec::at(1, RO.or(ACCESS)), behind("STORE", 5), behind("STOREDIST", 5)],
    deprecated: Some((
        "6.2.0",
        "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
    )),
    examples: &[("GEORADIUSBYMEMBER nosuch a 3 km", "(empty array)")],
    run: |ctx, args| run(ctx, args, 1, Kind::Member, true),
    ..GEORADIUS
};

pub(super) const GEORADIUSBYMEMBER_RO: Command = Command {
    name: "georadiusbymember_ro",
    syntax: "key member radius <M|KM|FT|MI> [WITHCOORD] [WITHDIST] [WITHHASH] [COUNT count [ANY]] [ASC|DESC]",
    summary: "Find the members in a circle around one of them.",
    arity: Arity::AtLeast(5),
    deprecated: Some(("6.2.0", "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments")),
    examples: &[("GEORADIUSBYMEMBER_RO nosuch a 3 km", "(empty array)")],
    run: |ctx, args| run(ctx, args, 1, Kind::Member, false),
    ..GEORADIUS_RO
};

/// The key behind a word, searched from an argument on.
const fn behind(word: &'static str, from: i64) -> KeySpec {
    let find = Find::Range { last: 0, step: 1, limit: 0 };
    KeySpec { begin: Begin::Keyword(word, from), find, flags: OW.or(UPDATE), notes: "" }
}
