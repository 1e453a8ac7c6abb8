//! The latency monitor: what took longer than `latency-monitor-threshold`, by kind of event, with the time.

use std::collections::BTreeMap;

/// Samples kept of each kind; the oldest goes.
const KEPT: usize = 160;

/// One delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delay {
    /// When, in Unix seconds.
    pub when: u64,
    /// How long, in milliseconds.
    pub ms: u64,
}

/// The delays of one kind, at most one in a second, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    samples: Vec<Delay>,
    /// The longest there ever was, in milliseconds.
    pub longest_ms: u64,
}

impl Series {
    fn add(&mut self, delay: Delay) {
        self.longest_ms = self.longest_ms.max(delay.ms);
        match self.samples.last_mut() {
            Some(last) if last.when == delay.when => last.ms = last.ms.max(delay.ms),
            _ => {
                if self.samples.len() == KEPT {
                    self.samples.remove(0);
                }
                self.samples.push(delay);
            }
        }
    }

    /// The delays, the oldest first. There is one at least.
    pub fn samples(&self) -> &[Delay] {
        &self.samples
    }
}

/// All delays.
#[derive(Debug, Clone, Default)]
pub struct Delays(BTreeMap<&'static str, Series>);

impl Delays {
    /// Adds a delay.
    #[cold]
    pub fn add(&mut self, event: &'static str, when: u64, ms: u64) {
        self.0.entry(event).or_default().add(Delay { when, ms });
    }

    /// The delays of a kind.
    pub fn of(&self, event: &[u8]) -> Option<(&'static str, &Series)> {
        self.0.iter().find(|(name, _)| name.as_bytes() == event).map(|(name, series)| (*name, series))
    }

    /// All kinds of which there is something to tell.
    pub fn all(&self) -> impl ExactSizeIterator<Item = (&'static str, &Series)> {
        self.0.iter().map(|(name, series)| (*name, series))
    }

    /// Forgets a kind, whatever its case; how many that were.
    pub fn forget(&mut self, event: &[u8]) -> usize {
        let before = self.0.len();
        self.0.retain(|name, _| !name.as_bytes().eq_ignore_ascii_case(event));
        before - self.0.len()
    }

    /// Forgets everything; how many kinds that were.
    pub fn clear(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_has_one_delay_and_old_ones_go() {
        let mut delays = Delays::default();
        for (when, ms) in [(1, 10), (1, 30), (1, 20), (2, 5)] {
            delays.add("command", when, ms);
        }
        let (_, series) = delays.of(b"command").expect("it is there");
        assert_eq!(series.samples(), [Delay { when: 1, ms: 30 }, Delay { when: 2, ms: 5 }]);
        (3..=1000).for_each(|when| delays.add("command", when, 1));
        let (_, series) = delays.of(b"command").expect("it is there");
        assert_eq!((series.samples().len(), series.samples()[0].when, series.longest_ms), (KEPT, 841, 30));
        assert_eq!((delays.forget(b"COMMAND"), delays.clear()), (1, 0));
    }
}
