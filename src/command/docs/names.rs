//! What the notation does not show: the type behind an argument's name, and (in `names.txt`) names of groups, since when
//! an argument is there, and types where a command uses a name in its own way.
//!
//! `names.txt` is facts of COMMAND DOCS; `oracle::facts::tables` tells which are wrong or missing, for every command.

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

/// One line per command: `command: path field=value ...; path ...`. A path is the indices that lead to an argument.
const NAMES: &str = include_str!("names.txt");

/// Puts right what the notation could not tell of a command's arguments.
pub(super) fn correct(command: &str, args: &mut [Arg]) {
    let line = NAMES.lines().find_map(|line| line.strip_prefix(command)?.strip_prefix(": "));
    for correction in line.iter().flat_map(|line| line.split("; ")) {
        let mut words = correction.split(' ');
        let Some(arg) = words.next().and_then(|path| at(args, path)) else { continue };
        words.filter_map(|word| word.split_once('=')).for_each(|(field, value)| set(arg, field, value));
    }
}

fn at<'a>(args: &'a mut [Arg], path: &str) -> Option<&'a mut Arg> {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let arg = args.get_mut(first.parse::<usize>().ok()?)?;
    match rest {
        Some(rest) => at(&mut arg.args, rest),
        None => Some(arg),
    }
}

fn set(arg: &mut Arg, field: &str, value: &str) {
    match field {
        "name" => {
            arg.name = value.to_owned();
            arg.display = value.to_owned();
        }
        "token" => arg.token = Some(value.to_owned()),
        "display" => arg.display = value.to_owned(),
        "type" => {
            let known = [Kind::String, Kind::Integer, Kind::Double, Kind::Key, Kind::Pattern, Kind::UnixTime];
            arg.kind = known.into_iter().find(|kind| kind.name() == value).unwrap_or(arg.kind);
        }
        "since" => arg.since = Some(value.to_owned()),
        "deprecated" => arg.deprecated_since = Some(value.to_owned()),
        "spec" => arg.key_spec = value.parse().ok(),
        _ => {}
    }
}
