//! From a round in which the servers differ to the shortest one in which they still do.

use std::fmt::Write as _;

use crate::oracle::quote;

use super::pair::{Mismatch, Pair};
use super::plan::{Round, Step};

/// A round that is as short as could be found, and what it shows.
pub struct Found {
    pub round: Round,
    pub mismatch: Mismatch,
}

/// What a difference is about, without the key: who has seen one `hget` differ wants to see no other.
pub fn subject(mismatch: &Mismatch) -> &str {
    mismatch.about.split(':').next().unwrap_or_default()
}

struct Shrinker<'p> {
    pair: &'p mut Pair,
    best: Found,
    /// Plays that are left.
    plays: usize,
}

/// Leaves out steps, settings and words for as long as the difference stays.
pub fn shrink(pair: &mut Pair, mut round: Round, mismatch: Mismatch) -> Found {
    round.steps.truncate(mismatch.at);
    let mut shrinker = Shrinker { pair, best: Found { round, mismatch }, plays: 3000 };
    shrinker.steps();
    shrinker.settings();
    shrinker.words();
    shrinker.steps();
    shrinker.best
}

impl Shrinker<'_> {
    /// Keeps the round when it shows the same difference.
    fn try_round(&mut self, round: Round) -> bool {
        if self.plays == 0 {
            return false;
        }
        self.plays -= 1;
        match self.pair.play(&round) {
            Err(mismatch) if subject(&mismatch) == subject(&self.best.mismatch) => {
                let mut round = round;
                round.steps.truncate(mismatch.at);
                self.best = Found { round, mismatch };
                true
            }
            _ => false,
        }
    }

    /// ddmin: ever smaller pieces are left out, as long as any can be.
    fn steps(&mut self) {
        let mut size = self.best.round.steps.len().div_ceil(2);
        loop {
            let mut any = false;
            // From the end: what comes late is rarely needed by what comes early.
            let mut end = self.best.round.steps.len();
            while end > 0 {
                let from = end.saturating_sub(size);
                let mut round = self.best.round.clone();
                round.steps.drain(from..end.min(round.steps.len()));
                any |= self.try_round(round);
                end = from.min(self.best.round.steps.len());
            }
            if size == 1 && !any || self.plays == 0 {
                return;
            }
            if !any || size > 1 {
                size = size.div_ceil(2).max(1);
            }
        }
    }

    fn settings(&mut self) {
        for at in (0..self.best.round.config.len()).rev() {
            let mut round = self.best.round.clone();
            round.config.remove(at);
            self.try_round(round);
        }
    }

    fn words(&mut self) {
        let mut at = self.best.round.steps.len();
        while at > 0 {
            at -= 1;
            let mut word = self.best.round.steps.get(at).map_or(0, |step| step.args.len());
            while word > 1 {
                word -= 1;
                let mut round = self.best.round.clone();
                let Some(step) = round.steps.get_mut(at).filter(|step| word < step.args.len()) else {
                    continue;
                };
                step.args.remove(word);
                self.try_round(round);
            }
        }
    }
}

/// A case for a file of `fixtures/oracle`, with the real server's answer, and ours as a remark.
pub fn transcript(found: &Found) -> String {
    let Found { round, mismatch } = found;
    let mut out = String::new();
    let mut line = |text: String| writeln!(out, "{text}").expect("a String takes all");
    line(format!("# {} (RESNAP_SEED={} round {})", mismatch.about, round.seed, round.number));
    for (name, value) in &round.config {
        line(format!("@config {name} {}", if value.is_empty() { "\"\"" } else { value }));
    }
    let named = |step: &Step| step.args.iter().any(|arg| arg.starts_with(b"$id"));
    let mut conn = 0;
    for step in &round.steps {
        if step.conn != conn {
            conn = step.conn;
            line(format!("@conn {}", conn + 1));
        }
        let words: Vec<String> = step
            .args
            .iter()
            .map(|arg| {
                if arg.starts_with(b"$") {
                    String::from_utf8_lossy(arg).into_owned()
                } else {
                    quote::word(arg)
                }
            })
            .collect();
        if step.is("dump") {
            line("@save dump".to_owned());
        }
        line(format!("> {}", words.join(" ")));
        if step.lapses {
            line("; here 3 ms go by (@elapse 3)".to_owned());
        }
    }
    if round.steps.iter().any(named) {
        line("; $id4 is what CLIENT ID gives connection 5".to_owned());
    }
    if let Some(step) = &mismatch.step {
        line(format!("; the answers are those of connection {} to {}", step.conn + 1, step.name()));
    }
    line(format!("= {}", mismatch.real));
    line(format!("; resnap: {}", mismatch.ours));
    out
}
