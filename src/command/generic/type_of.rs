//! TYPE: what kind of value a key holds.

use crate::command::*;
use crate::keyspace::{Type, View};

pub(super) const TYPE: Command = Command {
    name: "type",
    syntax: "key",
    summary: "Tell the type of the value at a key.",
    since: "1.0.0",
    cost: "O(1)",
    group: Group::Generic,
    arity: Arity::Exactly(2),
    flags: READONLY.or(FAST),
    acl: acl::KEYSPACE,
    keys: &[KeySpec::at(1, RO)],
    examples: &[("TYPE nosuch", "none")],
    run: type_of,
    ..Command::BASE
};

/// The name of a type; a module's types have names of their own.
pub(super) fn name(of: Type) -> &'static str {
    match of {
        Type::String => "string",
        Type::List => "list",
        Type::Set => "set",
        Type::Zset => "zset",
        Type::Hash => "hash",
        Type::Stream => "stream",
        Type::Module => "module",
    }
}

fn type_of(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    let key = args.arg()?;
    Ok(match ctx.db.meta(key).map(|meta| meta.kind.type_of()) {
        None => ctx.reply.simple("none"),
        Some(Type::Module) => {
            let name = match ctx.db.peek(key) {
                Some(View::Module(value)) => value.type_name(),
                _ => unreachable!("its type was just seen"),
            };
            ctx.reply.simple(&String::from_utf8_lossy(&name))
        }
        Some(other) => ctx.reply.simple(name(other)),
    })
}
