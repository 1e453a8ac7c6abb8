//! Where the server listens.

use super::super::row::{Hook, MULTI, Row, at, inert, int, live, maybe, octal, special, uint, yes_no};
use super::super::special::BIND;
use super::{INT_MAX, UINT_MAX};

pub(in super::super) const ROWS: &[Row] = &[
    live("port", int(0, 65_535, 6379), at!(port), "TCP port. 0: no TCP.").hook(Hook::Port),
    special(
        "bind",
        &BIND,
        "Addresses to listen on. One with `-` in front may be missing; none at all: no TCP.",
    )
    .flags(MULTI)
    .hook(Hook::Bind),
    live(
        "protected-mode",
        yes_no(true),
        at!(protected_mode),
        "Serve only this machine while nothing guards the server.",
    ),
    live("tcp-backlog", int(0, INT_MAX, 511), at!(tcp_backlog), "Connections that may wait to be accepted.")
        .fixed(),
    live(
        "tcp-keepalive",
        int(0, INT_MAX, 300),
        at!(tcp_keepalive),
        "Seconds between keepalive probes. 0: none.",
    ),
    live("unixsocket", maybe(), at!(unixsocket), "Path of a Unix socket to listen on.").fixed(),
    live(
        "unixsocketperm",
        octal(0, 0o777, 0),
        at!(unixsocketperm),
        "Permissions of the Unix socket. 0: by the umask.",
    )
    .fixed(),
    live(
        "timeout",
        int(0, INT_MAX, 0),
        at!(timeout),
        "Seconds after which idle clients are closed. 0: never.",
    ),
    live(
        "max-new-connections-per-cycle",
        uint(1, 1000, 10),
        at!(max_new_connections_per_cycle),
        "Connections accepted in one turn of the loop.",
    ),
    inert(
        "max-new-tls-connections-per-cycle",
        uint(1, 1000, 1),
        "TLS connections accepted in one turn of the loop.",
    ),
    inert("socket-mark-id", uint(0, UINT_MAX, 0), "Mark on the listening sockets, for packet filters.")
        .fixed(),
    inert("bind-source-addr", maybe(), "Local address of the connections that the server opens."),
    live("io-threads", int(1, 128, 1), at!(io_threads), "Threads that serve clients.")
        .fixed()
        .flags(super::super::row::DEBUG),
];
