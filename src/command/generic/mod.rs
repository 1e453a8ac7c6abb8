//! Keys, whatever they hold: their names, types, expiry, and how they move.

mod del;
pub mod dump;
mod exists;
mod expire;
mod keys;
mod migrate;
mod move_key;
pub mod object;
mod rename;
mod sort;
mod ttl;
mod type_of;
mod wait;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &move_key::COPY,
    &del::DEL,
    &dump::DUMP,
    &exists::EXISTS,
    &expire::EXPIRE,
    &expire::EXPIREAT,
    &ttl::EXPIRETIME,
    &keys::KEYS,
    &migrate::MIGRATE,
    &move_key::MOVE,
    &object::OBJECT,
    &ttl::PERSIST,
    &expire::PEXPIRE,
    &expire::PEXPIREAT,
    &ttl::PEXPIRETIME,
    &ttl::PTTL,
    &keys::RANDOMKEY,
    &rename::RENAME,
    &rename::RENAMENX,
    &dump::RESTORE,
    &dump::RESTORE_ASKING,
    &keys::SCAN,
    &sort::SORT,
    &sort::SORT_RO,
    &exists::TOUCH,
    &ttl::TTL,
    &type_of::TYPE,
    &del::UNLINK,
    &wait::WAIT,
    &wait::WAITAOF,
];
