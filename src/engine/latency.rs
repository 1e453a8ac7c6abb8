//! How long commands take: a histogram for each that ran.
//!
//! Values are kept to two decimal digits, as HdrHistogram (and the real server by it) does: within each power of two
//! there are 128 steps. What took longer than a second counts as a second.

/// Steps within a power of two.
const STEPS: usize = 128;
/// Nanoseconds of the longest that is told apart.
const LONGEST_NS: u64 = 1_000_000_000;
/// Two runs of steps for what is below 256 ns, and one for each power of two up to 2^30.
const BINS: usize = STEPS * 24;

/// How long one command took, each time.
#[derive(Debug, Clone)]
pub struct Histogram {
    bins: Box<[u64]>,
    count: u64,
}

/// The bin of a value.
fn bin(ns: u64) -> usize {
    let shift = (u64::BITS - (ns | 255).leading_zeros() - 8) as usize;
    shift * STEPS + (ns >> shift) as usize
}

/// The highest value of a bin.
fn highest(bin: usize) -> u64 {
    let shift = (bin / STEPS).saturating_sub(1);
    (((bin - shift * STEPS) as u64 + 1) << shift) - 1
}

impl Histogram {
    fn new() -> Histogram {
        Histogram { bins: vec![0; BINS].into(), count: 0 }
    }

    fn add(&mut self, ns: u64) {
        self.bins[bin(ns.clamp(1, LONGEST_NS))] += 1;
        self.count += 1;
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Nanoseconds that this share of them (0 to 100) did not exceed.
    pub fn percentile(&self, percent: f64) -> u64 {
        let wanted = (percent / 100.0 * self.count as f64 + 0.5) as u64;
        let mut seen = 0;
        let found = self.bins.iter().position(|count| {
            seen += count;
            seen >= wanted.max(1)
        });
        found.map_or(0, highest)
    }

    /// Upper bounds in nanoseconds, each twice the one before it, from 1024 on, and how many did not exceed them:
    /// from the first that some did not, to the one that none did.
    pub fn cumulative(&self) -> Vec<(u64, u64)> {
        let mut steps = Vec::new();
        let (mut seen, mut at) = (0, 0);
        for bound in (10..).map(|power| 1u64 << power) {
            while at < BINS && highest(at) <= bound {
                seen += self.bins[at];
                at += 1;
            }
            if seen > 0 {
                steps.push((bound, seen));
            }
            if seen == self.count {
                return steps;
            }
        }
        steps
    }
}

/// A percentile's name: six decimals, without the zeros at the end.
pub fn show_percentile(percent: f64) -> String {
    format!("{percent:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The histograms of all commands, by row of the command table.
#[derive(Debug, Clone, Default)]
pub struct Latencies {
    by_row: Vec<Option<Histogram>>,
}

impl Latencies {
    /// A command took so long.
    #[inline]
    pub fn count(&mut self, row: usize, usec: u64) {
        if row >= self.by_row.len() {
            self.by_row.resize_with(row + 1, || None);
        }
        self.by_row[row].get_or_insert_with(Histogram::new).add(usec.saturating_mul(1000));
    }

    /// What is known of a command.
    pub fn of(&self, row: usize) -> Option<&Histogram> {
        self.by_row.get(row)?.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_follow_each_other() {
        let mut last = 0;
        for ns in 1..100_000 {
            let bin = bin(ns);
            assert!(bin == last || bin == last + 1, "{ns}");
            assert!(highest(bin) >= ns && (bin == 0 || highest(bin - 1) < ns), "{ns}");
            last = bin;
        }
        assert!(bin(LONGEST_NS) < BINS);
    }

    #[test]
    fn percentiles_and_bounds() {
        let mut histogram = Histogram::new();
        (1..=100).for_each(|us| histogram.add(us * 1000));
        assert_eq!(histogram.percentile(50.0), 50_175);
        assert_eq!(histogram.percentile(100.0), 100_351);
        let steps: Vec<u64> = histogram.cumulative().iter().map(|(_, count)| *count).collect();
        assert_eq!(steps, [1, 2, 4, 8, 16, 32, 65, 100]);
    }
}
