//! DUMP, RESTORE: a value as bytes that carry a version and a checksum, and back.
//!
//! The format is `persist::rdb`'s; bytes that come are as hostile as any file.

use crate::command::expiry::Unit;
use crate::command::*;
use crate::engine::config::Sanitize;
use crate::keyspace::{Policy, View};
use crate::persist::rdb::{self, Body, LoadOptions, RestoreError};
use crate::value::Value;

pub(super) const DUMP: Command = Command {
    name: "dump",
    syntax: "key",
    summary: "Give a value as bytes that RESTORE takes.",
    since: "2.6.0",
    cost: "O(N) in the size of the value",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: READONLY,
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RO.or(ACCESS))],
    tips: &["nondeterministic_output"],
    examples: &[("DUMP nosuch", "(nil)")],
    run: dump,
    ..Command::BASE
};

pub(super) const RESTORE: Command = Command {
    name: "restore",
    syntax: "key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency]",
    summary: "Make a value of what DUMP gave.",
    since: "2.6.0",
    cost: "O(N) in the size of the value",
    group: Group::Generic,
    arity: Arity::AtLeast(4),
    flags: WRITE.or(DENYOOM),
    acl: acl::KEYSPACE.or(acl::DANGEROUS),
    keys: &[KeySpec::at(1, OW.or(UPDATE))],
    propagate: Propagate::AsIs, // but with a relative expiry
    examples: &[("RESTORE k 0 x", "ERR DUMP payload version or checksum are wrong")],
    run: restore,
    ..Command::BASE
};

pub(super) const RESTORE_ASKING: Command = Command {
    name: "restore-asking",
    summary: "RESTORE for a cluster's migration.",
    since: "3.0.0",
    group: Group::Server,
    flags: WRITE.or(DENYOOM).or(ASKING),
    examples: &[],
    ..RESTORE
};

/// A value as the writer of snapshots takes it.
pub fn body<'v>(view: &'v View<'_>) -> Body<'v> {
    match view {
        View::Str(bytes) => Body::Str(bytes),
        View::List(list) => Body::List(list),
        View::Set(set) => Body::Set(set),
        View::Zset(zset) => Body::Zset(zset),
        View::Hash(hash) => Body::Hash(hash),
        View::Stream(stream) => Body::Stream(stream),
        View::Module(module) => Body::Module(module),
    }
}

fn dump(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    let Some(view) = ctx.db.view(key) else {
        return Ok(ctx.reply.null());
    };
    let payload = rdb::dump(body(&view), ctx.state.config.rdbcompression);
    Ok(ctx.reply.bulk(&payload))
}

#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_seconds: Option<u64>,
    counter: Option<u8>,
}

impl Options {
    fn parse(mut args: Args<'_>) -> Result<Options, CmdError> {
        let mut o = Options::default();
        while let Some(word) = args.next() {
            let more = args.remaining() > 0;
            match () {
                () if parse::is(word, "REPLACE") => o.replace = true,
                () if parse::is(word, "ABSTTL") => o.absolute = true,
                () if parse::is(word, "IDLETIME") && more && o.counter.is_none() => {
                    let wrong = CmdError::text("ERR Invalid IDLETIME value, must be >= 0");
                    o.idle_seconds = Some(u64::try_from(args.int()?).map_err(|_| wrong)?);
                }
                () if parse::is(word, "FREQ") && more && o.idle_seconds.is_none() => {
                    let wrong = CmdError::text("ERR Invalid FREQ value, must be >= 0 and <= 255");
                    o.counter = Some(u8::try_from(args.int()?).map_err(|_| wrong)?);
                }
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(o)
    }

    /// The access clock that is asked for, if the policy has a use for it.
    fn clock(&self, ctx: &Ctx<'_>) -> Option<u32> {
        let access = &ctx.db.all().access;
        match access.policy {
            Policy::Lfu => self.counter.map(|counter| access.with_counter(counter, ctx.now.ms)),
            Policy::Lru => self.idle_seconds.map(|seconds| access.idle_since(seconds, ctx.now.ms)),
        }
    }
}

fn restore(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (key, ttl, payload) = (args.arg()?, args.arg()?, args.arg()?);
    let request = args.clone();
    let options = Options::parse(args)?;
    if !options.replace && ctx.db.contains_for_write(key) {
        return Err(CmdError::text("BUSYKEY Target key name already exists."));
    }
    let expiry = expiry(ctx, parse::int(ttl)?, options.absolute)?;
    let value = value(ctx, payload)?;
    // What is replaced goes as it is: that its time had passed makes no difference then, and nobody hears of it.
    let replaced = if options.replace { ctx.db.remove_as_it_is(key) } else { Effect::NONE };
    if expiry.is_some_and(|when| ctx.already_past(when)) {
        tell_deleted(ctx, replaced);
        return Ok(ctx.reply.ok());
    }
    let clock = options.clock(ctx);
    let effect = Effect { ready: true, created: true, ..ctx.db.put(key, value, expiry, "restore") };
    if let (Some(when), false) = (expiry, options.absolute) {
        let mut digits = itoa::Buffer::new();
        let head: [&[u8]; 4] = [b"RESTORE", key, digits.format(when).as_bytes(), payload];
        let words: Vec<&[u8]> = head.into_iter().chain(request).chain([&b"ABSTTL"[..]]).collect();
        ctx.propagate(&words);
    }
    if let Some(clock) = clock {
        ctx.db.set_clock(key, clock);
    }
    ctx.record(effect);
    Ok(ctx.reply.ok())
}

/// When the key is to expire, in unix ms; 0 means never.
fn expiry(ctx: &Ctx<'_>, ttl: i64, absolute: bool) -> Result<Option<u64>, CmdError> {
    if ttl < 0 {
        return Err(CmdError::text("ERR Invalid TTL value, must be >= 0"));
    }
    if ttl == 0 {
        return Ok(None);
    }
    // A sum beyond the representable wraps in the real server, into the past.
    Ok(Some(Unit { seconds: false, absolute }.at(ttl, ctx.now).map_or(0, |when| when.at_ms)))
}

fn value(ctx: &Ctx<'_>, payload: &[u8]) -> Result<Value, CmdError> {
    let strict = ctx.state.config.sanitize_dump_payload != Sanitize::No;
    let options = LoadOptions { limits: ctx.db.limits(), strict, salvage: !strict };
    rdb::restore(payload, &options, !ctx.state.any_checksum).map_err(|error| match error {
        RestoreError::Footer => CmdError::text("ERR DUMP payload version or checksum are wrong"),
        RestoreError::Data(error) => {
            let sentence = error.kind.sentence();
            crate::verbose!("Internal error in RDB reading offset {} -> {sentence} ({error})", error.offset);
            CmdError::text("ERR Bad data format")
        }
    })
}

/// What was to be replaced went, though what should have replaced it is past its time already.
fn tell_deleted(ctx: &mut Ctx<'_>, deleted: Effect<'_>) {
    if deleted.is_none() {
        return;
    }
    let verb: &[u8] = if ctx.state.config.lazyfree_lazy_server_del { b"UNLINK" } else { b"DEL" };
    ctx.propagate(&[verb, deleted.key]);
    ctx.record(deleted);
}
