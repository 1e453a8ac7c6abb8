//! AUTH: say who one is.
//!
//! There are no passwords yet: the only user is `default`, who needs none, so any password is right.

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

fn auth(ctx: &mut Ctx<'_>, args: Args<'_>) -> Result<Replied, CmdError> {
    match args.len() {
        2 => Err(CmdError::text(
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your \
             configuration is correct?",
        )),
        3 => {
            authenticate(ctx, args.get(1).unwrap_or_default())?;
            Ok(ctx.reply.ok())
        }
        _ => Err(CmdError::Syntax),
    }
}

/// Lets a user in, or says why not. The password does not matter: nobody has one.
pub(super) fn authenticate(ctx: &mut Ctx<'_>, user: &[u8]) -> Result<(), CmdError> {
    if user != b"default" {
        return Err(CmdError::text("WRONGPASS invalid username-password pair or user is disabled."));
    }
    ctx.session.authenticated = true;
    ctx.session.user = "default".into();
    Ok(())
}
