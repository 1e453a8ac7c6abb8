//! Hashes: fields with values, and an expiry for each field that has one.
//!
//! A field past its time is missing for every command but HLEN, HDEL and HEXPIRE, which still see it; most of those
//! that look for it by name delete it on the way (`Db::lapse_fields`), the others leave that to active expiry.
//! Source of truth: Redis 8.0.6's answers, recorded in `fixtures/oracle`; encodings are `value::hash`'s business.

mod fields;
mod hdel;
mod hexpire;
mod hget;
mod hgetall;
mod hgetdel;
mod hgetex;
mod hincrby;
mod hlen;
mod hpersist;
mod hrandfield;
mod hscan;
mod hset;
mod hsetex;
mod hsetnx;
mod httl;

use super::Command;

/// The family's rows.
pub(super) const COMMANDS: &[&Command] = &[
    &hdel::HDEL,
    &hlen::HEXISTS,
    &hexpire::HEXPIRE,
    &hexpire::HEXPIREAT,
    &httl::HEXPIRETIME,
    &hget::HGET,
    &hgetall::HGETALL,
    &hgetdel::HGETDEL,
    &hgetex::HGETEX,
    &hincrby::HINCRBY,
    &hincrby::HINCRBYFLOAT,
    &hgetall::HKEYS,
    &hlen::HLEN,
    &hget::HMGET,
    &hset::HMSET,
    &hpersist::HPERSIST,
    &hexpire::HPEXPIRE,
    &hexpire::HPEXPIREAT,
    &httl::HPEXPIRETIME,
    &httl::HPTTL,
    &hrandfield::HRANDFIELD,
    &hscan::HSCAN,
    &hset::HSET,
    &hsetex::HSETEX,
    &hsetnx::HSETNX,
    &hlen::HSTRLEN,
    &httl::HTTL,
    &hgetall::HVALS,
];
