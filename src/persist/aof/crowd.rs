//! Whether a long sync waits for the clients whom the last one freed: mostly they have a next request, and one sync for
//! all of them is worth a little wait. Else there would be two crowds for ever, each with every other sync.
//!
//! When they do not come back, it is tried again only now and then.

/// Syncs at most between two that wait in vain.
const RAREST: u32 = 31;

/// How it went the last times.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    /// Syncs that were passed over after the last disappointment; 0: there was none since they came.
    passed: u32,
    /// Syncs that do not wait from now on.
    skip: u32,
}

impl Crowd {
    /// Whether the next sync is to wait.
    pub fn is_expected(&mut self) -> bool {
        let expected = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        expected
    }

    /// One has waited: did everybody come?
    pub fn came(&mut self, all: bool) {
        self.passed = if all { 0 } else { (self.passed * 2 + 1).min(RAREST) };
        self.skip = self.passed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_come_back_is_waited_for_less_and_less() {
        let mut crowd = Crowd::default();
        let waits = |crowd: &mut Crowd, all| {
            let waited = crowd.is_expected();
            if waited {
                crowd.came(all);
            }
            waited
        };
        let vain = (0..1000).filter(|_| waits(&mut crowd, false)).count();
        assert!((30..40).contains(&vain), "{vain}");
        let happy = (0..1000).filter(|_| waits(&mut crowd, true)).count();
        assert!(happy >= 1000 - RAREST as usize, "{happy}");
    }
}
