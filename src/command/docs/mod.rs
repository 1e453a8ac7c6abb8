//! COMMAND DOCS: a command's arguments as a tree, derived from its row's syntax.
//!
//! [`syntax`] reads the notation of the documentation; [`names`] knows what the notation does not show: the type behind
//! a name, the names of groups, since when an argument is there.

mod names;
mod syntax;

use super::table::Row;

/// What an argument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    Integer,
    Double,
    Key,
    Pattern,
    UnixTime,
    /// The word itself is all.
    PureToken,
    /// One of its arguments.
    OneOf,
    /// All of its arguments, in order.
    Block,
}

impl Kind {
    /// As COMMAND DOCS writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Double => "double",
            Kind::Key => "key",
            Kind::Pattern => "pattern",
            Kind::UnixTime => "unix-time",
            Kind::PureToken => "pure-token",
            Kind::OneOf => "oneof",
            Kind::Block => "block",
        }
    }

    /// Whether it is there for the arguments in it.
    pub const fn is_group(self) -> bool {
        matches!(self, Kind::OneOf | Kind::Block)
    }
}

/// One argument, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arg {
    /// How it is called.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// The word in front of it, or that it is.
    pub token: Option<String>,
    /// What help shows for it.
    pub display: String,
    /// May be missing.
    pub optional: bool,
    /// May be repeated.
    pub multiple: bool,
    /// Is repeated together with its word.
    pub multiple_token: bool,
    /// The version in which it came, if later than the command.
    pub since: Option<String>,
    /// The version from which on it should not be used.
    pub deprecated_since: Option<String>,
    /// Which of the command's key specifications finds it.
    pub key_spec: Option<usize>,
    /// Of a group.
    pub args: Vec<Arg>,
}

impl Arg {
    fn leaf(name: &str, kind: Kind) -> Arg {
        Arg {
            name: name.to_owned(),
            kind,
            token: None,
            display: name.to_owned(),
            optional: false,
            multiple: false,
            multiple_token: false,
            since: None,
            deprecated_since: None,
            key_spec: None,
            args: Vec::new(),
        }
    }

    fn group(kind: Kind, args: Vec<Arg>) -> Arg {
        let name = args.first().map_or(String::new(), |first| first.name.clone());
        Arg { args, ..Arg::leaf(&name, kind) }
    }

    /// The names of its flags, in the order of COMMAND DOCS.
    pub fn flags(&self) -> Vec<&'static str> {
        let flags = [
            (self.optional, "optional"),
            (self.multiple, "multiple"),
            (self.multiple_token, "multiple_token"),
        ];
        flags.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect()
    }
}

/// The arguments of a row, in order.
pub fn arguments(row: &Row) -> Vec<Arg> {
    let mut args = syntax::parse(row.command.syntax);
    number_keys(&mut args, &mut 0, row.command.keys.len());
    names::correct(&row.full_name, &mut args);
    args
}

/// Keys belong to the specifications in order; the last one takes what is left.
fn number_keys(args: &mut [Arg], next: &mut usize, specs: usize) {
    for arg in args {
        if arg.kind == Kind::Key && specs > 0 {
            arg.key_spec = Some((*next).min(specs - 1));
            *next += 1;
        }
        number_keys(&mut arg.args, next, specs);
    }
}
