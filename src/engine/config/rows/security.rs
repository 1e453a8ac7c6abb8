//! Who may do what. There is one user, who may have a password.

use super::super::fields::Protected;
use super::super::row::{Kind, Row, SENSITIVE, at, inert, int, live, one_of, refused, text};
use super::LONG_MAX;

const NO_USERS: &str = "there are no users yet: the server would be open";

pub(in super::super) const ROWS: &[Row] = &[
    live("requirepass", Kind::Secret, at!(requirepass), "Password of the default user.").flags(SENSITIVE),
    refused("aclfile", text(""), NO_USERS, "File with the users.").fixed(),
    inert(
        "acl-pubsub-default",
        one_of(&[("allchannels", 4), ("resetchannels", 0)], 0),
        "Channels of new users.",
    ),
    inert("acllog-max-len", int(0, LONG_MAX, 128), "Entries of the ACL log.").field(at!(acllog_max_len)),
    live(
        "enable-protected-configs",
        one_of(Protected::NAMES, 0),
        at!(enable_protected_configs),
        "Who may set dir and dbfilename.",
    )
    .fixed(),
    live(
        "enable-debug-command",
        one_of(Protected::NAMES, 0),
        at!(enable_debug_command),
        "Who may use DEBUG.",
    )
    .fixed(),
    inert("enable-module-command", one_of(Protected::NAMES, 0), "Who may use MODULE.").fixed(),
];
