//! Tests over the table: what must be true of every row. What its `examples` answer is tested over a socket
//! (`tests/it/examples.rs`).

use std::collections::HashSet;

use super::docs::arguments;
use super::table::{Row, table};
use super::*;
use crate::command::spec::{Begin, Find};

fn all(check: impl FnMut(&'static Row)) {
    table().rows().for_each(check);
}

#[test]
fn names_are_unique_lower_case_and_found() {
    let mut seen = HashSet::new();
    all(|row| {
        assert!(seen.insert(&row.full_name), "{} is there twice", row.full_name);
        assert_eq!(row.full_name, row.full_name.to_ascii_lowercase());
        let found = table().find_full(row.full_name.to_ascii_uppercase().as_bytes());
        assert!(found.is_some_and(|found| found.id == row.id), "{} is not found", row.full_name);
    });
}

#[test]
fn rows_say_what_the_documentation_needs() {
    all(|row| {
        let (name, command) = (&row.full_name, row.command);
        assert!(command.summary.ends_with('.') && command.summary.len() > 8, "{name}: {}", command.summary);
        assert!(command.since.split('.').count() == 3, "{name}: {}", command.since);
        assert!(row.container.is_none() || !command.is_container(), "{name} is a container in a container");
    });
}

/// Words that the shortest form of a syntax has.
fn fewest(args: &[docs::Arg]) -> usize {
    args.iter().map(|arg| if arg.optional { 0 } else { fewest_of(arg) }).sum()
}

fn fewest_of(arg: &docs::Arg) -> usize {
    let token = usize::from(arg.token.is_some());
    match arg.kind {
        docs::Kind::PureToken => 1,
        docs::Kind::Block => token + fewest(&arg.args),
        docs::Kind::OneOf => token + arg.args.iter().map(fewest_of).min().unwrap_or(0),
        _ => token + 1,
    }
}

#[test]
fn arity_and_syntax_agree() {
    all(|row| {
        let command = row.command;
        let fixed = 1 + usize::from(row.container.is_some());
        let least = fixed + fewest(&arguments(row));
        let (given, exact) = match command.arity {
            Arity::Exactly(n) => (n, true),
            Arity::AtLeast(n) => (n, false),
        };
        assert!(given >= fixed, "{}: the arity counts the name", row.full_name);
        // Commands that are lenient at the gate and strict inside say so by their handler.
        if exact && !command.is_container() {
            assert_eq!(given, least, "{}: {}", row.full_name, command.syntax);
        }
    });
}

#[test]
fn keys_lie_within_the_shortest_request() {
    all(|row| {
        for spec in row.command.keys {
            let Begin::Index(at) = spec.begin else { continue };
            let least = row.command.arity.number().unsigned_abs() as usize;
            let far = match spec.find {
                Find::Range { last, .. } => at + usize::try_from(last).unwrap_or(0),
                Find::KeyNum { num, .. } => at + num,
                Find::Unknown => at,
            };
            let optional = row.command.flags.has(NO_MANDATORY_KEYS) || row.command.arity.number() < 0;
            assert!(far < least || optional, "{}: a key at {far}", row.full_name);
        }
    });
}

#[test]
fn writing_commands_say_how_they_are_logged() {
    all(|row| {
        let (flags, propagate) = (row.command.flags, row.command.propagate);
        assert!(!(flags.has(WRITE) && flags.has(READONLY)), "{} both writes and only reads", row.full_name);
        if flags.has(READONLY) {
            assert_eq!(propagate, Propagate::AsIs, "{} only reads", row.full_name);
        }
    });
}
