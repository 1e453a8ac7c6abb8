//! MONITOR: who is shown every command.

use super::clients::Clients;
use super::session::SessionId;

/// Sessions that asked for MONITOR.
#[derive(Debug, Default)]
pub struct Monitors(Vec<SessionId>);

impl Monitors {
    /// Whether nobody looks on.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this session looks on.
    #[inline]
    pub fn has(&self, id: SessionId) -> bool {
        self.0.contains(&id)
    }

    /// A session begins to look on; false if it did already.
    pub fn add(&mut self, id: SessionId) -> bool {
        let is_new = !self.has(id);
        if is_new {
            self.0.push(id);
        }
        is_new
    }

    /// A session looks on no longer.
    pub fn remove(&mut self, id: SessionId) {
        self.0.retain(|monitor| *monitor != id);
    }

    /// Sends a line to all who look on.
    pub fn show(&self, clients: &mut Clients, line: &[u8]) {
        self.0.iter().for_each(|id| clients.push(*id, line));
    }
}
