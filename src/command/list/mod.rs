//! Lists: sequences that grow and shrink at both ends.
//!
//! Blocking commands wait by `Ctx::block`. Source of truth: Redis 8.0.6's
//! answers, recorded in `fixtures/oracle`; encodings and indexes are `value::list`'s business.

mod blpop;
mod end;
mod lindex;
mod linsert;
mod llen;
mod lmove;
mod lmpop;
mod lpos;
mod lrange;
mod lrem;
mod lset;
mod ltrim;
mod pop;
mod push;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &lmove::BLMOVE,
    &lmpop::BLMPOP,
    &blpop::BLPOP,
    &blpop::BRPOP,
    &lmove::BRPOPLPUSH,
    &lindex::LINDEX,
    &linsert::LINSERT,
    &llen::LLEN,
    &lmove::LMOVE,
    &lmove::RPOPLPUSH,
    &lmpop::LMPOP,
    &lpos::LPOS,
    &lrange::LRANGE,
    &lrem::LREM,
    &lset::LSET,
    &ltrim::LTRIM,
    &pop::LPOP,
    &pop::RPOP,
    &push::LPUSH,
    &push::LPUSHX,
    &push::RPUSH,
    &push::RPUSHX,
];
