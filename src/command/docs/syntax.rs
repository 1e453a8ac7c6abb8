//! The notation of the documentation: `key [NX|XX] [EX seconds|PERSIST] score member [score member ...]`.
//!
//! Words in capitals (and signs) are tokens, others name arguments. `[..]` may be missing, `<..>` only groups, `|`
//! separates alternatives, `x [x ...]` is repeated, and so are the alternatives of `x|y [x|y ...]`. A token takes the arguments behind it, up to the next token or
//! bracket: one becomes its argument, several a block under its name.

use super::{Arg, Kind, names};

/// Reads a syntax. What is odd in it (a bracket that is not closed) is read as well as can be: our own rows are tested.
pub(super) fn parse(syntax: &str) -> Vec<Arg> {
    let words = words(syntax);
    let mut rest = &words[..];
    let items = alternatives(&mut rest);
    items.into_iter().map(|item| item.arg).collect()
}

/// Splits off brackets and bars.
fn words(syntax: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for piece in syntax.split_ascii_whitespace() {
        let mut start = 0;
        for (at, sign) in piece.match_indices(['[', ']', '<', '>', '|']) {
            words.extend(Some(&piece[start..at]).filter(|word| !word.is_empty()));
            words.push(sign);
            start = at + sign.len();
        }
        words.extend(Some(&piece[start..]).filter(|word| !word.is_empty()));
    }
    words
}

/// An argument and the words it was read from, by which its repetition is known.
struct Item<'w> {
    words: Vec<&'w str>,
    arg: Arg,
}

/// Up to the closing bracket (which stays) or the end: one sequence, or one item that is a choice.
fn alternatives<'w>(rest: &mut &[&'w str]) -> Vec<Item<'w>> {
    let start = *rest;
    let (first, _) = sequence(rest, start);
    if rest.first() != Some(&"|") {
        return first;
    }
    let mut choices = vec![block(first)];
    let mut multiple = false;
    while rest.first() == Some(&"|") {
        *rest = &rest[1..];
        let (choice, repeated) = sequence(rest, start);
        choices.push(block(choice));
        multiple |= repeated;
    }
    let words = start[..start.len() - rest.len()].to_vec();
    vec![Item { words, arg: Arg { multiple, ..Arg::group(Kind::OneOf, choices) } }]
}

/// One argument of several.
fn block(items: Vec<Item<'_>>) -> Arg {
    let mut args: Vec<Arg> = items.into_iter().map(|item| item.arg).collect();
    match args.len() {
        1 => args.remove(0),
        _ => Arg::group(Kind::Block, args),
    }
}

fn is_token(word: &str) -> bool {
    !word.bytes().any(|b| b.is_ascii_lowercase()) && word != "..."
}

/// One choice, and whether all choices from `start` on are repeated behind it: `a|b [a|b ...]`.
fn sequence<'w>(rest: &mut &[&'w str], start: &[&str]) -> (Vec<Item<'w>>, bool) {
    let mut items: Vec<Item<'w>> = Vec::new();
    let mut repeated = false;
    while let Some(word) = rest.first().copied().filter(|word| !matches!(*word, "]" | ">" | "|")) {
        match word {
            "[" if repeats(&mut items, rest) => {}
            "[" if repeats_all(start, rest) => repeated = true,
            "[" => items.push(optional(rest)),
            "<" => items.push(bracketed(rest)),
            word if is_token(word) => items.push(token(rest)),
            word => {
                *rest = &rest[1..];
                items.push(Item { words: vec![word], arg: Arg::leaf(word, names::kind_of(word)) });
            }
        }
    }
    (items, repeated)
}

/// Skips a bracket that repeats everything since `start`.
fn repeats_all(start: &[&str], rest: &mut &[&str]) -> bool {
    let so_far = &start[..start.len() - rest.len()];
    let inside = &rest[1..];
    if !so_far.contains(&"|") || !inside.starts_with(so_far) || inside.get(so_far.len()) != Some(&"...") {
        return false;
    }
    *rest = inside.get(so_far.len() + 2..).unwrap_or_default();
    true
}

/// `<..>` or `[..]`: what is in it as one item.
fn bracketed<'w>(rest: &mut &[&'w str]) -> Item<'w> {
    let start = *rest;
    *rest = &rest[1..];
    let arg = block(alternatives(rest));
    *rest = rest.get(1..).unwrap_or_default();
    Item { words: start[..start.len() - rest.len()].to_vec(), arg }
}

fn optional<'w>(rest: &mut &[&'w str]) -> Item<'w> {
    let mut item = bracketed(rest);
    item.arg.optional = true;
    item
}

/// `x y [x y ...]`: if the bracket repeats the last items they become one that is repeated.
fn repeats<'w>(items: &mut Vec<Item<'w>>, rest: &mut &[&'w str]) -> bool {
    let Some(end) = rest.iter().position(|word| *word == "...") else { return false };
    let repeated = &rest[1..end];
    for count in 1..=items.len() {
        let tail = &items[items.len() - count..];
        if tail.iter().flat_map(|item| &item.words).eq(repeated) {
            let words = repeated.to_vec();
            let mut arg = block(items.split_off(items.len() - count));
            arg.multiple = true;
            arg.multiple_token = arg.token.is_some() && repeated.first().is_some_and(|word| is_token(word));
            items.push(Item { words, arg });
            *rest = rest.get(end + 2..).unwrap_or_default();
            return true;
        }
    }
    false
}

/// A token with the arguments that it takes.
fn token<'w>(rest: &mut &[&'w str]) -> Item<'w> {
    let start = *rest;
    let token = start[0];
    *rest = &rest[1..];
    let mut taken: Vec<Item<'w>> = Vec::new();
    while let Some(word) = rest.first().copied() {
        match word {
            "[" if repeats(&mut taken, rest) => {}
            "<" => taken.push(bracketed(rest)),
            "[" | "]" | ">" | "|" => break,
            word if is_token(word) => break,
            word => {
                *rest = &rest[1..];
                taken.push(Item { words: vec![word], arg: Arg::leaf(word, names::kind_of(word)) });
            }
        }
    }
    let mut arg = match taken.len() {
        0 => Arg::leaf(&token.to_ascii_lowercase(), Kind::PureToken),
        1 => taken.remove(0).arg,
        _ => Arg { name: token.to_ascii_lowercase(), ..block(taken) },
    };
    arg.token = Some(token.to_owned());
    Item { words: start[..start.len() - rest.len()].to_vec(), arg }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in one line: `name:kind`, tokens in capitals, `?` optional, `*` repeated, `+` with its token.
    fn shown(args: &[Arg]) -> String {
        let one = |arg: &Arg| {
            let token = arg.token.as_ref().map_or(String::new(), |token| format!("{token}="));
            let inner = if arg.kind.is_group() { format!("({})", shown(&arg.args)) } else { String::new() };
            let mark = |on, sign| if on { sign } else { "" };
            let marks = [(arg.optional, "?"), (arg.multiple, "*"), (arg.multiple_token, "+")];
            let marks: String = marks.map(|(on, sign)| mark(on, sign)).concat();
            format!("{token}{}:{}{inner}{marks}", arg.name, arg.kind.name())
        };
        args.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn notation() {
        let cases = [
            ("", ""),
            ("key [key ...]", "key:key*"),
            ("[section [section ...]]", "section:string?*"),
            ("key value [key value ...]", "key:block(key:key value:string)*"),
            ("[EX seconds|PERSIST]", "seconds:oneof(EX=seconds:integer PERSIST=persist:pure-token)?"),
            ("[LIMIT offset count]", "LIMIT=limit:block(offset:integer count:integer)?"),
            ("[GET pattern [GET pattern ...]]", "GET=pattern:pattern?*+"),
            ("[WEIGHTS weight [weight ...]]", "WEIGHTS=weight:integer?*"),
            ("AGGREGATE <SUM|MIN>", "AGGREGATE=sum:oneof(SUM=sum:pure-token MIN=min:pure-token)"),
            ("FIELDS numfields field [field ...]", "FIELDS=fields:block(numfields:integer field:string*)"),
            ("[A|B x [A|B x ...]]", "a:oneof(A=a:pure-token B=x:string)?*"),
            ("<*|id> x", "*:oneof(*=*:pure-token id:string) x:string"),
        ];
        for (syntax, tree) in cases {
            assert_eq!(shown(&parse(syntax)), tree, "{syntax}");
        }
    }

    #[test]
    fn broken_notation_is_no_panic() {
        for syntax in ["[", "]", "[a ...", "a [a ...", "<", "|", "[|]", "... [x ...]", "A <", "A [ B ..."] {
            parse(syntax);
        }
    }
}
