//! Which of the real server's commands take part: most are drawn from the documentation's trees (`words`), some are
//! written by hand (`hand`), and the others are left out, each for a reason. No command can be forgotten: a test goes
//! through them all, and through all words that their trees know.

use super::grammar::Verb;

/// How the tester treats a command.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Treated {
    Drawn,
    ByHand,
    LeftOut,
}

/// Groups of commands that are left out.
const GROUPS: &[(&str, &str)] = &[
    ("scripting", "about programs, which have recordings of their own"),
    ("cluster", "about other machines"),
];

/// Commands whose arguments are written in `hand`.
const BY_HAND: &[&str] = &[
    "client|caching",
    "client|getname",
    "client|getredir",
    "client|no-evict",
    "client|no-touch",
    "client|setinfo",
    "client|setname",
    "client|tracking",
    "client|trackinginfo",
    "client|unblock",
    "command|getkeys",
    "command|getkeysandflags",
    "config|get",
    "config|set",
    "dbsize",
    "debug",
    "discard",
    "echo",
    "exec",
    "flushall",
    "flushdb",
    "hello",
    "lastsave",
    "memory|usage",
    "multi",
    "pfdebug",
    "ping",
    "reset",
    "restore-asking",
    "select",
    "swapdb",
    "time",
];

/// Commands that are left out; `name|*` are all subcommands of a container but those above.
const LEFT_OUT: &[(&str, &str)] = &[
    ("acl|*", "about users, no data"),
    ("auth", "about users, no data"),
    ("bgrewriteaof", "about files and a child of the process"),
    ("bgsave", "about files and a child of the process"),
    ("client|*", "about connections, their addresses, ages and memory"),
    ("command|*", "compared row by row elsewhere (oracle::facts)"),
    ("config|*", "about the process and its file"),
    ("failover", "about other machines"),
    ("info", "asked behind every round, for what counts (pair::counted)"),
    ("latency|*", "about the clock"),
    ("lolwut", "a picture of the version"),
    ("memory|*", "about the allocator"),
    ("migrate", "to other machines"),
    ("module|*", "about code that is loaded"),
    ("monitor", "shows the clock and addresses"),
    ("object|help", "a text of each server's own"),
    ("pfselftest", "a test of the real server's own code"),
    ("psync", "about other machines"),
    ("pubsub|help", "a text of each server's own"),
    ("quit", "ends a connection of the round"),
    ("replconf", "about other machines"),
    ("replicaof", "about other machines"),
    ("role", "about other machines"),
    ("save", "about files; DEBUG RELOAD saves and loads what there is"),
    ("shutdown", "ends the process"),
    ("slaveof", "about other machines"),
    ("slowlog|*", "about the clock"),
    ("sync", "about other machines"),
    ("wait", "about other machines"),
    ("waitaof", "about other machines"),
    ("xgroup|help", "a text of each server's own"),
    ("xinfo|help", "a text of each server's own"),
];

fn treated(verb: &Verb) -> Treated {
    let name = verb.name.join("|");
    if BY_HAND.contains(&name.as_str()) {
        return Treated::ByHand;
    }
    let all = format!("{}|*", verb.name[0]);
    let left_out = GROUPS.iter().any(|(group, _)| *group == verb.group)
        || LEFT_OUT.iter().any(|(left, _)| *left == name || *left == all);
    if left_out { Treated::LeftOut } else { Treated::Drawn }
}

/// Whether a command's arguments are drawn from its tree.
pub fn is_drawn(verb: &Verb) -> bool {
    treated(verb) == Treated::Drawn
}

mod tests {
    use std::collections::{HashMap, HashSet};

    use super::super::grammar::{Arg, verbs};
    use super::super::plan::{Planner, Step};
    use super::*;

    /// The words that each command was said with, `container sub` for subcommands, in lower case.
    fn said() -> HashMap<String, HashSet<String>> {
        let planner = Planner::new();
        let mut said: HashMap<String, HashSet<String>> = HashMap::new();
        let containers: HashSet<String> =
            verbs().iter().filter(|verb| verb.name.len() > 1).map(|verb| verb.name[0].clone()).collect();
        for round in (0..600).map(|number| planner.round(1, number)) {
            for step in &round.steps {
                let words = lower(step);
                let length = if containers.contains(&words[0]) { words.len().min(2) } else { 1 };
                said.entry(words[..length].join(" ")).or_default().extend(words);
            }
        }
        said
    }

    fn lower(step: &Step) -> Vec<String> {
        step.args.iter().map(|word| String::from_utf8_lossy(word).to_lowercase()).collect()
    }

    fn tokens(args: &[Arg], found: &mut Vec<String>) {
        for arg in args {
            found.extend(arg.token.clone().filter(|token| !token.is_empty()));
            tokens(&arg.parts, found);
        }
    }

    #[test]
    fn every_command_is_said_or_left_out_for_a_reason() {
        let said = said();
        for verb in verbs() {
            let (name, treated) = (verb.name.join(" "), treated(&verb));
            assert_eq!(treated != Treated::LeftOut, said.contains_key(&name), "{name}: {treated:?}");
        }
    }

    #[test]
    fn every_option_is_said() {
        let said = said();
        for verb in verbs().iter().filter(|verb| is_drawn(verb)) {
            let name = verb.name.join(" ");
            let mut wanted = Vec::new();
            tokens(&verb.args, &mut wanted);
            for token in wanted {
                assert!(said[&name].contains(&token.to_lowercase()), "{name} without {token}");
            }
        }
    }

    /// A name that the real server does not know is left out for nothing.
    #[test]
    fn all_names_are_known() {
        let all = verbs();
        let known = |name: &str| match name.strip_suffix("|*") {
            Some(container) => all.iter().any(|verb| verb.name[0] == container),
            None => all.iter().any(|verb| verb.name.join("|") == name),
        };
        for name in BY_HAND.iter().chain(LEFT_OUT.iter().map(|(name, _)| name)) {
            assert!(known(name), "{name}");
        }
        for (group, _) in GROUPS {
            assert!(all.iter().any(|verb| verb.group == *group), "{group}");
        }
    }
}
