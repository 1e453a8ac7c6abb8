//! GEOSEARCH, GEOSEARCHSTORE: find members around a position or a member.

use super::search::{Kind, run};
use crate::command::*;

pub(super) const GEOSEARCH: Command = Command {
    name: "geosearch",
    syntax: "key <FROMMEMBER member|FROMLONLAT longitude latitude> \
             <<BYRADIUS radius> <M|KM|FT|MI>|<BYBOX width> height <M|KM|FT|MI>> [ASC|DESC] [COUNT count [ANY]] \
             [WITHCOORD] [WITHDIST] [WITHHASH]",
    summary: "Find the members in a circle or a rectangle.",
    since: "6.2.0",
    cost: "O(N+log(M)): N members around what is searched, M in it",
    group: Group::Geo,
    arity: Arity::AtLeast(7),
    flags: READONLY,
    acl: acl::GEO,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    examples: &[("GEOSEARCH nosuch FROMLONLAT 1 2 BYRADIUS 3 km", "(empty array)")],
    run: |ctx, args| run(ctx, args, 1, Kind::Search, false),
    ..Command::BASE
};

pub(super) const GEOSEARCHSTORE: Command = Command {
    name: "geosearchstore",
    syntax: "destination source <FROMMEMBER member|FROMLONLAT longitude latitude> \
             <<BYRADIUS radius> <M|KM|FT|MI>|<BYBOX width> height <M|KM|FT|MI>> [ASC|DESC] [COUNT count [ANY]] \
             [STOREDIST]",
    summary: "Find the members in a circle or a rectangle, and keep them as a sorted set.",
    arity: Arity::AtLeast(8),
    flags: WRITE.or(DENYOOM),
    keys: &[KeySpec::at(1, OW.or(UPDATE)), KeySpec::at(2, RO.or(ACCESS))],
    examples: &[("GEOSEARCHSTORE to nosuch FROMLONLAT 1 2 BYRADIUS 3 km", "(integer) 0")],
    run: |ctx, args| run(ctx, args, 2, Kind::SearchStore, true),
    ..GEOSEARCH
};
