//! MIGRATE: move keys to another server.
//!
//! Source: `migrateCommand` of Redis 8.0.6. The server stands still meanwhile, as the real one does, so that what
//! leaves is what was there; a key is deleted when the other server has said that it has it.

use std::time::Duration;

use super::dump::body;
use crate::command::*;
use crate::persist::rdb;
use crate::resp;

pub(super) const MIGRATE: Command = Command {
    name: "migrate",
    syntax: "host port <key|\"\"> destination-db timeout [COPY] [REPLACE] [AUTH password|AUTH2 username password] \
             [KEYS key [key ...]]",
    summary: "Move keys to another server.",
    since: "2.6.0",
    cost: "O(N) in the size of the values, here and there",
    group: Group::Generic,
    arity: Arity::AtLeast(6),
    flags: WRITE.or(MOVABLE_KEYS),
    acl: acl::KEYSPACE.or(acl::DANGEROUS),
    keys: &[
        KeySpec::at(3, RW.or(ACCESS).or(DELETE)),
        KeySpec {
            begin: Begin::Keyword("KEYS", -2),
            find: Find::Range { last: -1, step: 1, limit: 0 },
            flags: RW.or(ACCESS).or(DELETE).or(INCOMPLETE),
            notes: "",
        },
    ],
    tips: &["nondeterministic_output"],
    propagate: Propagate::Rewritten, // the keys that went are deleted
    examples: &[("MIGRATE 127.0.0.1 1 nosuch 0 100", "NOKEY")],
    run: migrate,
    ..Command::BASE
};

/// What MIGRATE was told, but where to.
#[derive(Default)]
struct Options<'a> {
    copy: bool,
    replace: bool,
    /// The words of an AUTH for the other server.
    auth: Vec<&'a [u8]>,
    keys: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(mut args: Args<'a>, key: &'a [u8]) -> Result<Options<'a>, CmdError> {
        let mut o = Options { keys: vec![key], ..Options::default() };
        while let Some(word) = args.next() {
            let more = args.remaining();
            match () {
                () if parse::is(word, "COPY") => o.copy = true,
                () if parse::is(word, "REPLACE") => o.replace = true,
                () if parse::is(word, "AUTH") && more >= 1 => o.auth = vec![b"AUTH", args.arg()?],
                () if parse::is(word, "AUTH2") && more >= 2 => {
                    o.auth = vec![b"AUTH", args.arg()?, args.arg()?]
                }
                () if parse::is(word, "KEYS") => {
                    if !key.is_empty() {
                        return Err(CmdError::text(
                            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string",
                        ));
                    }
                    o.keys = args.collect();
                    return Ok(o);
                }
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(o)
    }
}

fn request(words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    resp::request(&mut bytes, words.iter().copied());
    bytes
}

fn migrate(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let (host, port, key) = (args.arg()?, args.arg()?, args.arg()?);
    let (db, timeout_ms) = (args.arg()?, args.arg()?);
    let options = Options::parse(args, key)?;
    let timeout_ms = parse::int(timeout_ms)?;
    let db = parse::int(db)?;
    let timeout_ms = if timeout_ms <= 0 { 1000 } else { timeout_ms.unsigned_abs() };
    let (keys, requests): (Vec<_>, Vec<_>) =
        options.keys.iter().filter_map(|key| Some((*key, restore(ctx, key, &options)?))).unzip();
    if keys.is_empty() {
        return Ok(ctx.reply.simple("NOKEY"));
    }
    let (host, port) = (String::from_utf8_lossy(host), String::from_utf8_lossy(port));
    let errand = Errand {
        host: &host,
        port: port.parse().unwrap_or(0),
        timeout: Duration::from_millis(timeout_ms),
        auth: if options.auth.is_empty() { Vec::new() } else { request(&options.auth) },
        db,
        requests,
    };
    let delivery = ctx.host.deliver(&errand);
    drop(errand);
    if !options.copy && delivery.refused.is_none() {
        let arrived = |line: &Vec<u8>| !line.starts_with(b"-");
        let went = keys.iter().zip(&delivery.answers).filter(|(_, line)| arrived(line));
        forget(ctx, &went.map(|(key, _)| *key).collect::<Vec<_>>());
    }
    judge(&delivery)?;
    Ok(ctx.reply.ok())
}

/// The RESTORE that makes a key there what it is here; `None` if it is not here.
fn restore(ctx: &mut Ctx<'_>, key: &[u8], options: &Options<'_>) -> Option<Vec<u8>> {
    let expiry = ctx.db.meta(key)?.expiry;
    let ttl_ms = expiry.map_or(0, |when| when.saturating_sub(ctx.now.ms).max(1));
    let compress = ctx.state.config.rdbcompression;
    let payload = rdb::dump(body(&ctx.db.view(key)?), compress);
    let mut digits = itoa::Buffer::new();
    let words: [&[u8]; 5] = [b"RESTORE", key, digits.format(ttl_ms).as_bytes(), &payload, b"REPLACE"];
    Some(request(if options.replace { &words } else { &words[..4] }))
}

/// Deletes what the other server has.
fn forget(ctx: &mut Ctx<'_>, keys: &[&[u8]]) {
    let mut gone: Vec<&[u8]> = keys.to_vec();
    gone.sort_unstable();
    gone.dedup();
    if gone.is_empty() {
        return;
    }
    let verb: &[u8] = b"DEL";
    ctx.propagate(&[&[verb], &gone[..]].concat());
    for key in gone {
        let effect = ctx.db.remove(key);
        ctx.record(effect);
    }
}

/// What went wrong first.
fn judge(delivery: &Delivery) -> Result<(), CmdError> {
    let error = delivery.answers.iter().find(|line| line.starts_with(b"-"));
    if let Some(line) = delivery.refused.as_ref().or(error) {
        let why = String::from_utf8_lossy(&line[1..]);
        return Err(CmdError::text(format!("ERR Target instance replied with error: {why}")));
    }
    match delivery.broken {
        None => Ok(()),
        Some(Break::Connecting) => Err(CmdError::text("IOERR error or timeout connecting to the client")),
        Some(Break::Writing) => Err(CmdError::text("IOERR error or timeout writing to target instance")),
        Some(Break::Reading) => Err(CmdError::text("IOERR error or timeout reading to target instance")),
    }
}
