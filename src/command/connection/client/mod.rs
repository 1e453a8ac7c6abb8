//! CLIENT: who is connected, and how.
//!
//! Source: `clientCommand` of Redis 8.0.6; recordings `fixtures/oracle/client*.txt`.

mod kill;
mod list;
mod own;
mod pause;
mod tracking;
mod unblock;

use crate::command::help::help;
use crate::command::*;

pub use list::client_line;
pub(super) use own::checked_name;

pub(super) const CLIENT: Command = Command {
    name: "client",
    summary: "Look at clients, and say how to treat this one.",
    since: "2.4.0",
    cost: "Depends on the subcommand.",
    group: Group::Connection,
    arity: Arity::AtLeast(2),
    subcommands: &[
        &tracking::CACHING,
        &own::GETNAME,
        &tracking::GETREDIR,
        &HELP,
        &own::ID,
        &list::INFO,
        &kill::KILL,
        &list::LIST,
        &own::NO_EVICT,
        &own::NO_TOUCH,
        &pause::PAUSE,
        &own::REPLY,
        &own::SETINFO,
        &own::SETNAME,
        &tracking::TRACKING,
        &tracking::TRACKINGINFO,
        &unblock::UNBLOCK,
        &pause::UNPAUSE,
    ],
    ..Command::BASE
};

/// What most of the subcommands have in common.
const SUB: Command = Command {
    group: Group::Connection,
    flags: NOSCRIPT.or(LOADING).or(STALE),
    acl: acl::CONNECTION,
    ..Command::BASE
};

const HELP: Command = Command {
    name: "help",
    summary: "Tell what subcommands there are.",
    since: "5.0.0",
    arity: Arity::Exactly(2),
    flags: LOADING.or(STALE),
    run: |ctx, _| {
        let lines = [
            ("CACHING (YES|NO)", "Whether what the next command reads is to be tracked."),
            ("GETREDIR", "The client to which invalidations of this one go."),
            ("GETNAME", "The name of this connection."),
            ("ID", "The number of this connection."),
            ("INFO", "All about this connection."),
            ("KILL <ip:port>", "Close the connection from this address."),
            (
                "KILL <option> <value> [<option> <value> [...]]",
                "Close connections: ADDR, LADDR <ip:port>; TYPE (NORMAL|MASTER|REPLICA|PUBSUB); USER <name>; \
                 ID <id>; MAXAGE <seconds>; SKIPME (YES|NO), whether this one stays (YES unless told).",
            ),
            ("LIST [TYPE (NORMAL|MASTER|REPLICA|PUBSUB)] [ID <id> ...]", "All about connections."),
            (
                "PAUSE <timeout> [WRITE|ALL]",
                "Let clients wait for so many milliseconds, all or those that write.",
            ),
            ("UNPAUSE", "Let no client wait any longer."),
            ("REPLY (ON|OFF|SKIP)", "Whether this connection gets replies."),
            ("SETNAME <name>", "Name this connection."),
            ("SETINFO (LIB-NAME|LIB-VER) <value>", "Say which library speaks."),
            (
                "UNBLOCK <clientid> [TIMEOUT|ERROR]",
                "End another connection's wait for keys, as if its time were up or with an error.",
            ),
            (
                "TRACKING (ON|OFF) [REDIRECT <id>] [BCAST] [PREFIX <prefix> [...]] [OPTIN] [OPTOUT] [NOLOOP]",
                "Whether to hear when keys change that this connection has read.",
            ),
            ("TRACKINGINFO", "Whether this connection's reads are tracked."),
            ("NO-EVICT (ON|OFF)", "Whether this connection is spared when clients' memory runs out."),
            ("NO-TOUCH (ON|OFF)", "Whether this connection's reads leave keys' last use alone."),
        ];
        Ok(help(ctx, "CLIENT", &lines))
    },
    ..SUB
};
