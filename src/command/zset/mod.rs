//! Sorted sets: members with scores.
//!
//! Never a blocking command (those wait for the blocked keys of `engine`). Source of truth: Redis 8.0.6's
//! answers, recorded in `fixtures/oracle`; encodings, order and ranks are `value::zset`'s business.

mod bounds;
mod combine;
mod query;
mod store;
pub(in crate::command) mod zadd;
mod zcard;
mod zcount;
mod zpop;
mod zrandmember;
mod zrange;
mod zrangestore;
mod zrank;
mod zrem;
mod zremrange;
mod zscan;
mod zscore;
mod zunion;
mod zunionstore;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &zpop::BZMPOP,
    &zpop::BZPOPMAX,
    &zpop::BZPOPMIN,
    &zadd::ZADD,
    &zcard::ZCARD,
    &zcount::ZCOUNT,
    &zunion::ZDIFF,
    &zunionstore::ZDIFFSTORE,
    &zadd::ZINCRBY,
    &zunion::ZINTER,
    &zunion::ZINTERCARD,
    &zunionstore::ZINTERSTORE,
    &zcount::ZLEXCOUNT,
    &zpop::ZMPOP,
    &zscore::ZMSCORE,
    &zpop::ZPOPMAX,
    &zpop::ZPOPMIN,
    &zrandmember::ZRANDMEMBER,
    &zrange::ZRANGE,
    &zrange::ZRANGEBYLEX,
    &zrange::ZRANGEBYSCORE,
    &zrangestore::ZRANGESTORE,
    &zrank::ZRANK,
    &zrem::ZREM,
    &zremrange::ZREMRANGEBYLEX,
    &zremrange::ZREMRANGEBYRANK,
    &zremrange::ZREMRANGEBYSCORE,
    &zrange::ZREVRANGE,
    &zrange::ZREVRANGEBYLEX,
    &zrange::ZREVRANGEBYSCORE,
    &zrank::ZREVRANK,
    &zscan::ZSCAN,
    &zscore::ZSCORE,
    &zunion::ZUNION,
    &zunionstore::ZUNIONSTORE,
];
