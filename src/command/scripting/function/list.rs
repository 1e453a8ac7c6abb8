//! FUNCTION LIST: the libraries and what they register.

use super::scan::{Function, Library};
use crate::command::*;
use crate::resp::Reply;
use crate::text::glob;

pub(super) const LIST: Command = Command {
    name: "list",
    syntax: "[LIBRARYNAME library-name-pattern] [WITHCODE]",
    summary: "Tell the libraries and their functions.",
    since: "7.0.0",
    cost: "O(N) in the length of the libraries",
    group: Group::Scripting,
    arity: Arity::AtLeast(2),
    flags: NOSCRIPT,
    acl: acl::SCRIPTING,
    tips: &["nondeterministic_output_order"],
    examples: &[
        ("FUNCTION LIST", "(empty array)"),
        ("FUNCTION LIST LIBRARYNAME", "ERR library name argument was not given"),
        ("FUNCTION LIST x", "ERR Unknown argument x"),
    ],
    run: list,
    ..Command::BASE
};

fn list(ctx: &mut Ctx<'_>, mut args: Args<'_>) -> Result<Replied, CmdError> {
    args.seek(2);
    let (mut with_code, mut pattern) = (false, None);
    while let Some(word) = args.next() {
        match () {
            () if !with_code && parse::is(word, "WITHCODE") => with_code = true,
            () if pattern.is_none() && parse::is(word, "LIBRARYNAME") => {
                let given = args.next();
                pattern = Some(given.ok_or(CmdError::text("ERR library name argument was not given"))?);
            }
            () => {
                let word = shown(word);
                return Err(CmdError::text(format!("ERR Unknown argument {word}")));
            }
        }
    }
    let libraries = ctx.state.libraries.functions.iter().map(|code| Library::read(code));
    let wanted = |library: &Library<'_>| pattern.is_none_or(|p| glob::matches(p, library.name, true));
    let libraries: Vec<Library<'_>> = libraries.filter(wanted).collect();
    let replied = ctx.reply.array(libraries.len());
    for library in &libraries {
        describe(&mut ctx.reply, library, with_code);
    }
    Ok(replied)
}

fn describe(reply: &mut Reply<'_>, library: &Library<'_>, with_code: bool) {
    reply.map(3 + usize::from(with_code));
    for (name, value) in [(&b"library_name"[..], library.name), (b"engine", &library.engine)] {
        reply.bulk(name);
        reply.bulk(value);
    }
    reply.bulk(b"functions");
    reply.array(library.functions.len());
    for Function { name, description, flags } in &library.functions {
        reply.map(3);
        reply.bulk(b"name");
        reply.bulk(name);
        reply.bulk(b"description");
        reply.bulk_or_null(description.as_deref());
        reply.bulk(b"flags");
        reply.set(flags.len());
        for flag in flags {
            reply.simple(&String::from_utf8_lossy(flag));
        }
    }
    if with_code {
        reply.bulk(b"library_code");
        reply.bulk(library.code);
    }
}
