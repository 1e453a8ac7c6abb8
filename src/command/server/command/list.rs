//! COMMAND LIST: the names.

use super::SUB;
use crate::command::spec::CATEGORIES;
use crate::command::table::{Row, table};
use crate::command::*;
use crate::text::glob;

pub(super) const LIST: Command = Command {
    name: "list",
    syntax: "[FILTERBY <MODULE module-name|ACLCAT category|PATTERN pattern>]",
    summary: "Tell the names of the commands.",
    since: "7.0.0",
    cost: "O(N) in the number of commands",
    arity: Arity::AtLeast(2),
    tips: &["nondeterministic_output_order"],
    examples: &[("COMMAND LIST FILTERBY FOO x", "ERR syntax error")],
    run: list,
    ..SUB
};

fn list(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let names: Vec<&str> = match args.len() {
        2 => names(|_| true),
        5 if parse::is(args.arg()?, "FILTERBY") => {
            let (by, what) = (args.arg()?, args.arg()?);
            match () {
                // There are no modules.
                () if parse::is(by, "MODULE") => Vec::new(),
                () if parse::is(by, "ACLCAT") => in_category(what),
                () if parse::is(by, "PATTERN") => {
                    names(|row| glob::matches(what, row.full_name.as_bytes(), true))
                }
                () => return Err(CmdError::Syntax),
            }
        }
        _ => return Err(CmdError::Syntax),
    };
    Ok(ctx.reply.bulks(names.iter()))
}

fn names(wanted: impl Fn(&Row) -> bool) -> Vec<&'static str> {
    table().rows().filter(|row| wanted(row)).map(|row| row.full_name.as_str()).collect()
}

fn in_category(name: &[u8]) -> Vec<&'static str> {
    let known = CATEGORIES.iter().find(|(_, known)| name.eq_ignore_ascii_case(known.as_bytes()));
    known.map_or(Vec::new(), |(category, _)| names(|row| row.command.categories().has(*category)))
}
