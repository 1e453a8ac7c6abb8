//! The differential tester: random commands to the real server and to ours, in lockstep; every answer must be the same,
//! and the content, the events and the counts behind them.
//!
//! With `RESNAP_REAL=/path/to/redis-server` (8.0.6) a run compares 100,000 commands; `RESNAP_DIFFER=5000000` as many,
//! `RESNAP_SEED=7` begins elsewhere, `RESNAP_ROUND=7:123` plays one round again. Without a real server there is nothing
//! to compare with, and the test says so.
//!
//! A run is made of rounds (`plan`): some hundred commands (`words`, drawn from the argument trees of the real server's
//! documentation, `grammar`) over six connections, which begin with empty databases. `pair` plays a round on both
//! servers (`stage`), `judge` says what counts as the same, and of a round in which they differ `shrink` makes the
//! shortest one that still does, printed as a case for `fixtures/oracle`.
//!
//! What is the real server's chance is left out by reason, in `judge` (order of hash tables, random elements, clocks)
//! and in `pair` (what it popped, and ids that it made of its clock, ours is given).

mod cover;
mod grammar;
mod hand;
mod harm;
mod judge;
mod pair;
mod plan;
mod shrink;
mod stage;
mod words;

use std::path::PathBuf;

use pair::{Mismatch, Pair};
use plan::{Planner, Round, Step};
use shrink::{shrink, subject, transcript};

/// Commands that are compared when nobody says how many.
const COMMANDS: usize = 100_000;

/// Differences that one run looks for, at most.
const ENOUGH: usize = 40;

fn number(name: &str) -> Option<u64> {
    std::env::var(name)
        .ok()
        .map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn answers_are_those_of_the_real_server() {
    let Some(path) = std::env::var_os("RESNAP_REAL").map(PathBuf::from) else {
        eprintln!("RESNAP_REAL names no real server: nothing to compare with");
        return;
    };
    let wanted = number("RESNAP_DIFFER").map_or(COMMANDS, |n| usize::try_from(n).expect("it fits"));
    let mut seed = number("RESNAP_SEED").unwrap_or(1);
    let mut rounds = 0..u64::MAX;
    if let Ok(place) = std::env::var("RESNAP_ROUND") {
        let (chosen, round) = place.split_once(':').expect("RESNAP_ROUND=seed:round");
        seed = chosen.parse().expect("a number");
        let round: u64 = round.parse().expect("a number");
        rounds = round..round + 1;
    }
    run(Pair::start(&path).expect("both servers start"), wanted, seed, rounds);
}

fn run(mut pair: Pair, wanted: usize, seed: u64, rounds: std::ops::Range<u64>) {
    let planner = Planner::new();
    let mut compared = 0;
    let mut report = Report::default();
    let begin = std::time::Instant::now();
    for number in rounds {
        if compared >= wanted || report.found.len() >= ENOUGH {
            break;
        }
        let round = planner.round(seed, number);
        match pair.play(&round) {
            Ok(count) => compared += count,
            Err(mismatch) => {
                compared += mismatch.at;
                report.take(&mut pair, round, mismatch);
            }
        }
        if number % 250 == 249 {
            eprintln!("{compared} commands compared, {:.0} s", begin.elapsed().as_secs_f64());
        }
    }
    eprintln!("{compared} commands compared, seed {seed}, {:.1} s", begin.elapsed().as_secs_f64());
    assert!(
        report.found.is_empty(),
        "{compared} commands compared, and these differ:\n{}",
        report.found.join("\n")
    );
}

/// The differences of a run, each once.
#[derive(Default)]
struct Report {
    found: Vec<String>,
    /// What they were about, and the commands that it took.
    known: Vec<(String, Vec<String>)>,
}

impl Report {
    fn take(&mut self, pair: &mut Pair, round: Round, mismatch: Mismatch) {
        let subject = subject(&mismatch).to_owned();
        // Answers tell the command; counts, events and digests do not, so a few of each are made short.
        let often = if mismatch.step.is_some() && subject != "exec" { 1 } else { 6 };
        if self.known.iter().filter(|(known, _)| *known == subject).count() >= often {
            return;
        }
        let found = shrink(pair, round, mismatch);
        let names = found.round.steps.iter().map(Step::name).collect();
        let known = self.known.contains(&(subject.clone(), names));
        self.known.push((subject, found.round.steps.iter().map(Step::name).collect()));
        if !known {
            let text = transcript(&found);
            eprintln!("{text}");
            self.found.push(text);
        }
    }
}
