//! Who is connected.

use std::collections::BTreeMap;

use super::session::{Peer, Session, SessionId};

/// All sessions, by number. A session that runs a batch is out of its place meanwhile.
#[derive(Debug, Default)]
pub struct Clients {
    sessions: BTreeMap<SessionId, Option<Box<Session>>>,
    last_id: u64,
    /// Sessions ever opened.
    pub total: u64,
}

impl Clients {
    /// Opens a session.
    pub fn open(&mut self, peer: Peer, now_mono_us: u64) -> SessionId {
        self.last_id += 1;
        self.total += 1;
        let id = SessionId(self.last_id);
        self.sessions.insert(id, Some(Box::new(Session::new(id, peer, now_mono_us))));
        id
    }

    /// Takes a session out to run a batch; `None` if it was killed.
    pub fn take(&mut self, id: SessionId) -> Option<Box<Session>> {
        self.sessions.get_mut(&id)?.take()
    }

    /// Puts a session back after its batch. One that was killed meanwhile is dropped.
    pub fn put_back(&mut self, session: Box<Session>) {
        if let Some(place) = self.sessions.get_mut(&session.id) {
            *place = Some(session);
        }
    }

    /// Ends a session: its connection finds it gone. True if it was there.
    pub fn kill(&mut self, id: SessionId) -> bool {
        match self.sessions.remove(&id) {
            Some(session) => {
                if let Some(session) = session {
                    session.wake();
                }
                true
            }
            None => false,
        }
    }

    /// Whether a session is open.
    pub fn is_open(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// Sessions that are not running a batch, by number.
    pub fn resting(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter_map(|place| place.as_deref())
    }

    /// The same, to be changed.
    pub fn resting_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut().filter_map(|place| place.as_deref_mut())
    }

    /// A session that is not running a batch.
    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)?.as_deref_mut()
    }

    /// How many sessions are open.
    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Whether nobody is connected.
    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }
}
