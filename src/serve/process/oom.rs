//! Which process the kernel ends first when memory is short: `oom-score-adj`.

use super::system::reason;
use crate::engine::config::{Config, OomScoreAdj};
use crate::warning;
use std::fs;
use std::sync::Mutex;

const FILE: &str = "/proc/self/oom_score_adj";

/// What a process is, as `oom-score-adj-values` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The server.
    Master = 0,
    /// The server as a replica.
    Replica = 1,
    /// A child that saves.
    Child = 2,
}

/// The score before we touched it, while we do.
static BEFORE: Mutex<Option<i32>> = Mutex::new(None);

/// Sets the score as the config says, or puts back what was there before we changed it.
///
/// Errors: the text for CONFIG SET; the reason is in the log.
pub fn apply(config: &Config, role: Role) -> Result<(), &'static str> {
    let mut before = BEFORE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let value = config.oom_score_adj_values[role as usize];
    let score = match (config.oom_score_adj, *before) {
        (OomScoreAdj::No, None) => return Ok(()),
        (OomScoreAdj::No, Some(base)) => base,
        (mode, known) => {
            let base = known.map_or_else(read, Ok)?;
            *before = Some(base);
            if mode == OomScoreAdj::Relative { base + value } else { value }
        }
    };
    if config.oom_score_adj == OomScoreAdj::No {
        *before = None;
    }
    fs::write(FILE, format!("{}\n", score.clamp(-1000, 1000))).map_err(|error| {
        warning!("Unable to write oom_score_adj: {}", reason(&error));
        FAILED
    })
}

const FAILED: &str = "Failed to set current oom_score_adj. Check server logs.";

fn read() -> Result<i32, &'static str> {
    let text = fs::read_to_string(FILE).map_err(|error| {
        warning!("Unable to read oom_score_adj: {}", reason(&error));
        FAILED
    })?;
    Ok(text.trim().parse().unwrap_or(0))
}
