//! Sets: members without order.
//!
//! Never an encoding's business (that is `value::set`'s). Source of truth: Redis 8.0.6's answers, recorded in
//! `fixtures/oracle`; where its order is that of a hash table, ours is any.

mod algebra;
mod sadd;
mod scard;
mod sdiff;
mod sinter;
mod sintercard;
mod sismember;
mod smembers;
mod smismember;
mod smove;
mod spop;
mod srandmember;
mod srem;
mod sscan;
mod sunion;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &sadd::SADD,
    &scard::SCARD,
    &sdiff::SDIFF,
    &sdiff::SDIFFSTORE,
    &sinter::SINTER,
    &sinter::SINTERSTORE,
    &sintercard::SINTERCARD,
    &sismember::SISMEMBER,
    &smembers::SMEMBERS,
    &smismember::SMISMEMBER,
    &smove::SMOVE,
    &spop::SPOP,
    &srandmember::SRANDMEMBER,
    &srem::SREM,
    &sscan::SSCAN,
    &sunion::SUNION,
    &sunion::SUNIONSTORE,
];
