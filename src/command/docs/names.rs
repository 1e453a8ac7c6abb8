//! What the notation does not show.

use super::{Arg, Kind};

/// The type behind an argument's name. Where a command uses a name otherwise, [`correct`] says so.
pub(super) fn kind_of(name: &str) -> Kind {
    const KINDS: &[(Kind, &[&str])] = &[
        (
            Kind::Key,
            &["key", "key1", "key2", "source", "destination", "newkey", "dst", "src", "destkey", "sourcekey"],
        ),
        (Kind::Pattern, &["pattern"]),
        (Kind::UnixTime, &["unix-time-seconds", "unix-time-milliseconds"]),
        (Kind::Double, &["longitude", "latitude", "radius", "width", "height", "score", "min", "max"]),
        (
            Kind::Integer,
            &[
                "bit",
                "bits",
                "client-id",
                "count",
                "cursor",
                "db",
                "decrement",
                "destination-db",
                "end",
                "entries-added",
                "entries-read",
                "frequency",
                "increment",
                "index",
                "index1",
                "index2",
                "len",
                "limit",
                "maxage",
                "milliseconds",
                "min-match-len",
                "ms",
                "num-matches",
                "numfields",
                "numkeys",
                "numlocal",
                "numreplicas",
                "offset",
                "port",
                "protover",
                "rank",
                "seconds",
                "slot",
                "start",
                "stop",
                "timeout",
                "ttl",
                "version",
                "weight",
            ],
        ),
    ];
    KINDS.iter().find(|(_, names)| names.contains(&name)).map_or(Kind::String, |(kind, _)| *kind)
}

/// Puts right what the notation could not tell of a command's arguments.
pub(super) fn correct(_command: &str, _args: &mut [Arg]) {}
