//! AUTH: say who one is.
//!
//! There are no other users yet: the only one is `default`, whose password is `requirepass`.

use crate::command::*;

pub(super) const AUTH: Command = Command {
    name: "auth",
    syntax: "[username] password",
    summary: "Authenticate the connection.",
    since: "1.0.0",
    cost: "O(N) in the number of the user's passwords",
    group: Group::Connection,
    arity: Arity::AtLeast(2),
    flags: NOSCRIPT.or(LOADING).or(STALE).or(FAST).or(NO_AUTH).or(ALLOW_BUSY),
    acl: acl::CONNECTION,
    examples: &[
        ("AUTH default secret", "OK"),
        ("AUTH nosuch secret", "WRONGPASS invalid username-password pair or user is disabled."),
    ],
    run: auth,
    ..Command::BASE
};

fn auth(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    match args.len() {
        2 if ctx.state.config.requirepass.is_empty() => Err(CmdError::text(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )),
        2 => {
            authenticate(ctx, b"default", args.arg()?)?;
            Ok(ctx.reply.ok())
        }
        3 => {
            let (user, password) = (args.arg()?, args.arg()?);
            authenticate(ctx, user, password)?;
            Ok(ctx.reply.ok())
        }
        _ => Err(CmdError::Syntax),
    }
}

/// Lets a user in, or says why not. Without `requirepass` any password is right.
pub(super) fn authenticate(ctx: &mut Ctx<'_>, user: &[u8], password: &[u8]) -> Result<(), CmdError> {
    let wanted = &ctx.state.config.requirepass;
    if user != b"default" || !(wanted.is_empty() || is_same(wanted, password)) {
        ctx.state.stats.denied_auth += 1;
        return Err(CmdError::text("WRONGPASS invalid username-password pair or user is disabled."));
    }
    ctx.session.authenticated = true;
    ctx.session.user = "default".into();
    Ok(())
}

/// Compares in a time that tells nothing of where two passwords begin to differ.
fn is_same(wanted: &[u8], given: &[u8]) -> bool {
    let at = |bytes: &[u8], i: usize| bytes.get(i).copied().unwrap_or(0);
    let longest = wanted.len().max(given.len());
    let differ = (0..longest).fold(0, |differ, i| differ | (at(wanted, i) ^ at(given, i)));
    std::hint::black_box(differ) == 0 && wanted.len() == given.len()
}
