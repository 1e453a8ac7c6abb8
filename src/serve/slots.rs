//! `cluster-compatibility-sample-ratio`: counts requests that a cluster would refuse, as their keys are in several of
//! its slots.
//!
//! Source: `areCommandKeysInSameSlot` and `patternHashSlot` of Redis 8.0.6.

use super::gate::find_row;
use crate::command::keys::{keys_and_channels_of, keys_of};
use crate::command::table::Row;
use crate::command::{Args, PUBSUB};
use crate::engine::{Session, State};
use crate::text::crc::key_slot;

/// Looks at a request, if it is among those that are looked at.
#[cold]
pub(super) fn check(state: &mut State, session: &Session, row: &Row, args: &Args<'_>) {
    let ratio = state.config.cluster_compatibility_sample_ratio;
    let mut sampled = || ratio >= 100 || state.rng.i64(0..100) < ratio;
    let mut slots = Vec::new();
    match (&session.queued, row.command.name) {
        (_, "exec") if session.queue_failed => {}
        (Some(queued), "exec") => {
            for request in queued {
                if let Ok(row) = find_row(session, &request.args()) {
                    add_slots(row, &request.args(), &mut slots);
                }
            }
        }
        _ => add_slots(row, args, &mut slots),
    }
    let mut found = 0;
    if slots.windows(2).any(|two| two[0] != two[1]) && sampled() {
        found += 1;
    }
    if matches!(row.command.name, "sort" | "sort_ro") {
        found += patterns_elsewhere(args).filter(|()| sampled()).count();
    }
    state.stats.cluster_incompatible += found as u64;
}

fn add_slots(row: &Row, args: &Args<'_>, slots: &mut Vec<u16>) {
    let found = match row.command.flags.has(PUBSUB) {
        true => keys_and_channels_of(row.command, args),
        false => keys_of(row.command, args),
    };
    slots.extend(found.into_iter().flatten().map(|key| key_slot(args.get(key.at).unwrap_or_default())));
}

/// SORT's BY and GET patterns whose keys may be in other slots than what is sorted.
fn patterns_elsewhere(args: &Args<'_>) -> impl Iterator<Item = ()> {
    let home = args.get(1).map(key_slot);
    let is =
        |at: usize, word: &str| args.get(at).is_some_and(|arg| arg.eq_ignore_ascii_case(word.as_bytes()));
    (2..args.len().saturating_sub(1)).filter_map(move |at| {
        let pattern = args.get(at + 1)?;
        let leads_away = (is(at, "BY") && pattern.contains(&b'*')) || (is(at, "GET") && pattern != b"#");
        (leads_away && pattern_slot(pattern) != home).then_some(())
    })
}

/// The slot of all keys that match a pattern; `None` if they may be in several.
fn pattern_slot(pattern: &[u8]) -> Option<u16> {
    let free = pattern.iter().position(|byte| b"*?[\\".contains(byte));
    let Some(free) = free else { return Some(key_slot(pattern)) };
    // What comes before is enough if it has a whole tag.
    let fixed = &pattern[..free];
    let open = memchr::memchr(b'{', fixed)?;
    let close = memchr::memchr(b'}', &fixed[open..])?;
    (close > 1).then(|| key_slot(fixed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_of_patterns() {
        for (pattern, slot) in [
            ("weight_*", None),
            ("weight{mylist}_*", Some(key_slot(b"mylist"))),
            ("{}*", None),
            ("{a*}", None),
            ("plain", Some(key_slot(b"plain"))),
            ("{a}[x]", Some(key_slot(b"a"))),
        ] {
            assert_eq!(pattern_slot(pattern.as_bytes()), slot, "{pattern}");
        }
    }
}
