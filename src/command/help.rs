//! HELP subcommands: what a container's subcommands are, for people.

use super::{Ctx, Replied};

/// Answers the help of a container: for each subcommand its line, then indented what it does.
///
/// Shape as in the real server, wording ours: a head line, the lines, and HELP itself at the end.
pub fn help(ctx: &mut Ctx<'_>, container: &str, subcommands: &[(&str, &str)]) -> Replied {
    let replied = ctx.reply.array(2 * subcommands.len() + 3);
    ctx.reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for (line, what) in subcommands.iter().chain(&[("HELP", "Print this help.")]) {
        ctx.reply.simple(line);
        ctx.reply.simple(&format!("    {what}"));
    }
    replied
}
