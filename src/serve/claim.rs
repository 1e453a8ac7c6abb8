//! What on the disk belongs to this process, by its settings ([`crate::persist::lock`]).
//!
//! Whoever keeps nothing by itself (no save points, no log), or leaves the files alone, claims nothing; nor does one
//! who can't make the file: that process can't write there at all.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::config::Config;
use crate::persist::lock::{Lock, Taken, of_log, of_snapshot};

/// A start waits so long for a process that is just ending.
const PATIENCE: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What this process has claimed.
#[derive(Default)]
pub(super) struct Claims(Mutex<Begun>);

/// `None` before the start: settings change nothing yet.
type Begun = Option<Vec<Lock>>;

impl Claims {
    fn all(&self) -> MutexGuard<'_, Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Claims what the settings name, at the start.
    pub fn begin(&self, config: &Config) -> Result<(), Taken> {
        *self.all() = Some(Vec::new());
        let started = Instant::now();
        loop {
            match self.settle(config) {
                Err(_) if started.elapsed() < PATIENCE => std::thread::sleep(LOOK_AGAIN),
                settled => return settled,
            }
        }
    }

    /// Claims what the settings name by now, and lets go of all else. An error leaves everything as it was.
    pub fn settle(&self, config: &Config) -> Result<(), Taken> {
        let mut all = self.all();
        let Some(claims) = &mut *all else { return Ok(()) };
        claims.retain(Lock::is_there);
        let wanted = wanted(config);
        let missing = wanted.iter().filter(|path| !claims.iter().any(|claim| claim.path() == **path));
        let taken = missing.filter_map(|path| Lock::take(path).transpose()).collect::<Result<Vec<_>, _>>()?;
        claims.extend(taken);
        claims.retain(|claim| wanted.iter().any(|path| claim.path() == path));
        Ok(())
    }

    /// Lets go of everything: the process ends.
    pub fn release(&self) {
        *self.all() = None;
    }
}

/// Whether these settings claim what is taken.
pub fn wants(config: &Config, taken: &Taken) -> bool {
    wanted(config).contains(&taken.path)
}

/// The files that stand for what the settings keep on disk.
fn wanted(config: &Config) -> Vec<PathBuf> {
    if !config.aof_until.is_empty() {
        return Vec::new();
    }
    let snapshot = (!config.save.is_empty()).then(|| of_snapshot(&config.dir, config.dbfilename.as_os_str()));
    let log = || of_log(&config.dir, config.appenddirname.as_os_str(), config.appendfilename.as_os_str());
    snapshot.into_iter().chain(config.appendonly.then(log)).collect()
}
