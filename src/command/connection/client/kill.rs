//! CLIENT KILL: close connections, by address or by what they are.

use super::SUB;
use super::list::ClientType;
use crate::command::*;
use crate::engine::{Session, SessionId, State};
use crate::text::clock::Now;

pub(super) const KILL: Command = Command {
    name: "kill",
    syntax: "ip:port|<[ID client-id]|[TYPE <NORMAL|MASTER|SLAVE|REPLICA|PUBSUB>]|[USER username]|[ADDR ip:port]|\
             [LADDR ip:port]|[SKIPME <YES|NO>]|[MAXAGE maxage] [[ID client-id]|\
             [TYPE <NORMAL|MASTER|SLAVE|REPLICA|PUBSUB>]|[USER username]|[ADDR ip:port]|[LADDR ip:port]|\
             [SKIPME <YES|NO>]|[MAXAGE maxage] ...]>",
    summary: "Close connections.",
    since: "2.4.0",
    cost: "O(N) in the number of connections",
    arity: Arity::AtLeast(3),
    flags: ADMIN.or(NOSCRIPT).or(LOADING).or(STALE),
    examples: &[
        ("CLIENT KILL 127.0.0.1:1", "ERR No such client"),
        ("CLIENT KILL ID 0", "ERR client-id should be greater than 0"),
    ],
    run: kill,
    ..SUB
};

/// Whom to close: who matches all that is given.
#[derive(Default)]
struct Filter<'a> {
    id: Option<SessionId>,
    addr: Option<&'a [u8]>,
    laddr: Option<&'a [u8]>,
    of_type: Option<ClientType>,
    max_age: Option<u64>,
    spare_me: bool,
}

impl<'a> Filter<'a> {
    fn parse(args: &mut Args<'a>) -> Result<Filter<'a>, CmdError> {
        let mut filter = Filter { spare_me: true, ..Filter::default() };
        while let Some(option) = args.next() {
            let value = args.next().ok_or(CmdError::Syntax)?;
            match () {
                () if parse::is(option, "ID") => filter.id = Some(client_id(value)?),
                () if parse::is(option, "MAXAGE") => filter.max_age = Some(max_age(value)?),
                () if parse::is(option, "TYPE") => filter.of_type = Some(ClientType::parse(value)?),
                () if parse::is(option, "ADDR") => filter.addr = Some(value),
                () if parse::is(option, "LADDR") => filter.laddr = Some(value),
                () if parse::is(option, "USER") => check_user(value)?,
                () if parse::is(option, "SKIPME") && parse::is(value, "YES") => filter.spare_me = true,
                () if parse::is(option, "SKIPME") && parse::is(value, "NO") => filter.spare_me = false,
                () => return Err(CmdError::Syntax),
            }
        }
        Ok(filter)
    }

    fn matches(&self, session: &Session, state: &State, now: Now) -> bool {
        let age = now.mono_us.saturating_sub(session.created_us) / 1_000_000;
        self.id.is_none_or(|id| session.id == id)
            && self.addr.is_none_or(|addr| session.peer.addr().as_bytes() == addr)
            && self.laddr.is_none_or(|laddr| session.peer.laddr().as_bytes() == laddr)
            && self.of_type.is_none_or(|of_type| of_type == ClientType::of(session, state))
            && self.max_age.is_none_or(|max_age| age >= max_age)
    }
}

fn client_id(value: &[u8]) -> Result<SessionId, CmdError> {
    let id = parse::int(value).ok().and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
    id.map(SessionId).ok_or(CmdError::text("ERR client-id should be greater than 0"))
}

fn max_age(value: &[u8]) -> Result<u64, CmdError> {
    let age =
        parse::int(value).map_err(|_| CmdError::text("ERR maxage is not an integer or out of range"))?;
    let age = u64::try_from(age).ok().filter(|age| *age > 0);
    age.ok_or(CmdError::text("ERR maxage should be greater than 0"))
}

/// There is only one user, whom everybody is.
fn check_user(name: &[u8]) -> Result<(), CmdError> {
    if name == b"default" {
        return Ok(());
    }
    Err(CmdError::text(format!("ERR No such user '{}'", shown(name))))
}

fn kill(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let old_form = args.remaining() == 1;
    let filter = match old_form {
        true => Filter { addr: args.next(), ..Filter::default() },
        false => Filter::parse(&mut args)?,
    };
    let killed = kill_matching(ctx, &filter);
    match (old_form, killed) {
        (true, 0) => Err(CmdError::text("ERR No such client")),
        (true, _) => Ok(ctx.reply.ok()),
        (false, _) => Ok(ctx.reply.count(killed)),
    }
}

fn kill_matching(ctx: &mut Ctx<'_>, filter: &Filter<'_>) -> usize {
    let others = ctx.state.clients.resting().filter(|session| filter.matches(session, ctx.state, ctx.now));
    let others: Vec<SessionId> = others.map(|session| session.id).collect();
    others.iter().for_each(|id| ctx.state.forget(*id));
    // Oneself last: the reply is still to leave.
    let me = !filter.spare_me && filter.matches(ctx.session, ctx.state, ctx.now);
    ctx.session.closing |= me;
    others.len() + usize::from(me)
}
