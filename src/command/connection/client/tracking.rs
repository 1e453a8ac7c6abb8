//! CLIENT TRACKING, CACHING, GETREDIR, TRACKINGINFO: be told when keys change that this connection has read.

use std::collections::BTreeSet;

use super::SUB;
use crate::command::*;
use crate::engine::SessionId;
use crate::engine::tracking::{Mode, Settings};

pub(super) const TRACKING: Command = Command {
    name: "tracking",
    syntax: "<ON|OFF> [REDIRECT client-id] [PREFIX prefix [PREFIX prefix ...]] [BCAST] [OPTIN] [OPTOUT] [NOLOOP]",
    summary: "Say whether this connection is to hear when keys change that it has read.",
    since: "6.0.0",
    cost: "O(1), and some for each prefix.",
    arity: Arity::AtLeast(3),
    examples: &[
        ("CLIENT TRACKING on", "OK"),
        ("CLIENT TRACKING on PREFIX a", "ERR PREFIX option requires BCAST mode to be enabled"),
    ],
    run: tracking,
    ..SUB
};

pub(super) const CACHING: Command = Command {
    name: "caching",
    syntax: "YES|NO",
    summary: "Say whether what the next command reads is to be tracked.",
    since: "6.0.0",
    arity: Arity::Exactly(3),
    run: caching,
    ..SUB
};

pub(super) const GETREDIR: Command = Command {
    name: "getredir",
    summary: "Tell which client gets the invalidations of this one.",
    since: "6.0.0",
    arity: Arity::Exactly(2),
    examples: &[("CLIENT GETREDIR", "(integer) -1")],
    run: |ctx, _| {
        let target = redirection(ctx.state.tracking.of(ctx.session.id));
        Ok(ctx.reply.int(target))
    },
    ..SUB
};

pub(super) const TRACKINGINFO: Command = Command {
    name: "trackinginfo",
    summary: "Tell whether and how this connection's reads are tracked.",
    since: "6.2.0",
    arity: Arity::Exactly(2),
    run: trackinginfo,
    ..SUB
};

/// Who gets the invalidations: another client's number, 0 for the client itself, -1 for nobody.
pub(super) fn redirection(settings: Option<&Settings>) -> i64 {
    let number = |settings: &Settings| settings.redirect.map_or(0, |id| id.0);
    settings.map_or(-1, |settings| i64::try_from(number(settings)).unwrap_or(i64::MAX))
}

/// What was asked for, before it is compared with what is.
#[derive(Default)]
struct Asked<'a> {
    redirect: Option<SessionId>,
    prefixes: Vec<&'a [u8]>,
    broadcast: bool,
    opt_in: bool,
    opt_out: bool,
    no_loop: bool,
}

fn tracking(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let switch = args.arg()?;
    let asked = parse_options(ctx, args)?;
    let id = ctx.session.id;
    if parse::is(switch, "OFF") {
        ctx.state.tracking.disable(id);
        return Ok(ctx.reply.ok());
    }
    if !parse::is(switch, "ON") {
        return Err(CmdError::Syntax);
    }
    let mode = check_mode(&asked, ctx.state.tracking.of(id))?;
    check_prefixes(&asked.prefixes, ctx.state.tracking.of(id))?;
    let prefixes: BTreeSet<_> = asked.prefixes.iter().map(|prefix| Box::from(*prefix)).collect();
    let settings =
        Settings { mode, no_loop: asked.no_loop, redirect: asked.redirect, prefixes, ..Settings::default() };
    ctx.state.tracking.enable(id, settings);
    Ok(ctx.reply.ok())
}

fn parse_options<'a>(ctx: &Ctx<'_>, mut args: Args<'a>) -> Result<Asked<'a>, CmdError> {
    let mut asked = Asked::default();
    while let Some(option) = args.next() {
        match () {
            () if parse::is(option, "REDIRECT") && args.remaining() > 0 => {
                if asked.redirect.is_some() {
                    return Err(CmdError::text("ERR A client can only redirect to a single other client"));
                }
                asked.redirect = target(ctx, args.int()?)?;
            }
            () if parse::is(option, "BCAST") => asked.broadcast = true,
            () if parse::is(option, "OPTIN") => asked.opt_in = true,
            () if parse::is(option, "OPTOUT") => asked.opt_out = true,
            () if parse::is(option, "NOLOOP") => asked.no_loop = true,
            () if parse::is(option, "PREFIX") && args.remaining() > 0 => asked.prefixes.push(args.arg()?),
            () => return Err(CmdError::Syntax),
        }
    }
    Ok(asked)
}

/// A client that is there now; it may go later.
fn target(ctx: &Ctx<'_>, number: i64) -> Result<Option<SessionId>, CmdError> {
    let id = u64::try_from(number).ok().map(SessionId).filter(|id| ctx.state.clients.is_open(*id));
    id.map(Some).ok_or(CmdError::text("ERR The client ID you want redirect to does not exist"))
}

/// Which options go together, and with what is in force.
fn check_mode(asked: &Asked<'_>, now: Option<&Settings>) -> Result<Mode, CmdError> {
    let refuse = |text| Err(CmdError::text(text));
    if !asked.broadcast && !asked.prefixes.is_empty() {
        return refuse("ERR PREFIX option requires BCAST mode to be enabled");
    }
    if now.is_some_and(|now| (now.mode == Mode::Broadcast) != asked.broadcast) {
        return refuse(
            "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling \
             it with a different mode.",
        );
    }
    if asked.broadcast && (asked.opt_in || asked.opt_out) {
        return refuse("ERR OPTIN and OPTOUT are not compatible with BCAST");
    }
    if asked.opt_in && asked.opt_out {
        return refuse("ERR You can't specify both OPTIN mode and OPTOUT mode");
    }
    let was = now.map(|now| now.mode);
    if (asked.opt_in && was == Some(Mode::OptOut)) || (asked.opt_out && was == Some(Mode::OptIn)) {
        return refuse(
            "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling \
             it with a different mode.",
        );
    }
    Ok(match () {
        () if asked.broadcast => Mode::Broadcast,
        () if asked.opt_in => Mode::OptIn,
        () if asked.opt_out => Mode::OptOut,
        () => Mode::All,
    })
}

/// No prefix may begin another one: a key under both would be told twice.
///
/// The real server answers both an error and OK when it is not the first of the new prefixes that overlaps, and takes
/// them; we refuse.
fn check_prefixes(prefixes: &[&[u8]], now: Option<&Settings>) -> Result<(), CmdError> {
    let overlap = |a: &[u8], b: &[u8]| a.starts_with(b) || b.starts_with(a);
    for (at, prefix) in prefixes.iter().enumerate() {
        let mut known = now.into_iter().flat_map(|now| &now.prefixes);
        if let Some(other) = known.find(|known| overlap(known, prefix)) {
            return Err(overlapping(prefix, "an existing prefix", other));
        }
        if let Some(other) = prefixes[at + 1..].iter().find(|other| overlap(other, prefix)) {
            return Err(overlapping(prefix, "another provided prefix", other));
        }
    }
    Ok(())
}

fn overlapping(prefix: &[u8], what: &str, other: &[u8]) -> CmdError {
    let (prefix, other) = (shown(prefix), shown(other));
    CmdError::text(format!(
        "ERR Prefix '{prefix}' overlaps with {what} '{other}'. Prefixes for a single client must not overlap."
    ))
}

fn caching(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    let Some(settings) = ctx.state.tracking.of(ctx.session.id) else {
        return Err(CmdError::text(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode \
             enabled",
        ));
    };
    let (wanted, error) = match args.get(2).unwrap_or_default() {
        word if parse::is(word, "YES") => {
            (Mode::OptIn, "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
        }
        word if parse::is(word, "NO") => {
            (Mode::OptOut, "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
        }
        _ => return Err(CmdError::Syntax),
    };
    if settings.mode != wanted {
        return Err(CmdError::text(error));
    }
    ctx.state.tracking.set_caching(ctx.session.id);
    Ok(ctx.reply.ok())
}

fn trackinginfo(ctx: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    let settings = ctx.state.tracking.of(ctx.session.id);
    let flags = flags(settings);
    let reply = &mut ctx.reply;
    reply.map(3);
    reply.bulk(b"flags");
    reply.set(flags.len());
    for flag in &flags {
        reply.bulk(flag.as_bytes());
    }
    reply.bulk(b"redirect");
    reply.int(redirection(settings));
    reply.bulk(b"prefixes");
    match settings {
        Some(settings) => Ok(reply.bulks(settings.prefixes.iter())),
        None => Ok(reply.array(0)),
    }
}

fn flags(settings: Option<&Settings>) -> Vec<&'static str> {
    let Some(settings) = settings else { return vec!["off"] };
    let mut flags = vec!["on"];
    let (mode, caching) = match settings.mode {
        Mode::All => (None, ""),
        Mode::Broadcast => (Some("bcast"), ""),
        Mode::OptIn => (Some("optin"), "caching-yes"),
        Mode::OptOut => (Some("optout"), "caching-no"),
    };
    flags.extend(mode);
    if settings.caching && !caching.is_empty() {
        flags.push(caching);
    }
    if settings.no_loop {
        flags.push("noloop");
    }
    if settings.broken {
        flags.push("broken_redirect");
    }
    flags
}
