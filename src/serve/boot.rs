//! The road of a start: the data set is loaded aside, then put in place under the lock.

use super::Server;
use std::fmt;

/// Why a start failed. `Display` is the log's line.
#[derive(Debug)]
pub struct BootError(pub String);

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From now on clients are answered -LOADING.
pub fn begin_loading(_: &Server) {}

/// Loads the data set.
pub fn load_at_start(_: &Server) -> Result<(), BootError> {
    Ok(())
}
