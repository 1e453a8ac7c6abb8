//! Who is connected.

use std::collections::BTreeMap;
use std::task::Waker;

use super::session::{Peer, Session, SessionId};
use crate::resp::{Out, Proto};

/// A session's place, and what stands in for it while it is out.
#[derive(Debug, Default)]
struct Place {
    session: Option<Box<Session>>,
    /// Its protocol when it left.
    protocol: Proto,
    /// What was pushed to it since.
    pushed: Vec<u8>,
    /// Bytes that it takes, as far as it is counted.
    counted: usize,
}

/// All sessions, by number. A session that runs a batch is out of its place meanwhile.
#[derive(Debug, Default)]
pub struct Clients {
    sessions: BTreeMap<SessionId, Place>,
    /// Sessions that are out and have something pushed to them.
    pushed_away: usize,
    /// Whose connections are to look at their sessions once the engine is free again.
    wakes: Vec<Waker>,
    last_id: u64,
    /// Bytes of all that are counted; `None` while nobody counts.
    memory: Option<usize>,
    /// Output of resting sessions that their connections have left here, for [`kill`](Self::kill) to drop at once.
    outputs: BTreeMap<SessionId, Out>,
    /// Sessions ever opened.
    pub total: u64,
}

impl Clients {
    /// Opens a session.
    pub fn open(&mut self, peer: Peer, now_mono_us: u64) -> SessionId {
        self.last_id += 1;
        self.total += 1;
        let id = SessionId(self.last_id);
        let session = Some(Box::new(Session::new(id, peer, now_mono_us)));
        self.sessions.insert(id, Place { session, ..Place::default() });
        id
    }

    /// Takes a session out to run a batch; `None` if it was killed.
    pub fn take(&mut self, id: SessionId) -> Option<Box<Session>> {
        let place = self.sessions.get_mut(&id)?;
        let mut session = place.session.take()?;
        session.woken = false;
        place.protocol = session.protocol;
        Some(session)
    }

    /// Puts a session back after its batch. One that was killed meanwhile is dropped.
    pub fn put_back(&mut self, mut session: Box<Session>) {
        if let Some(place) = self.sessions.get_mut(&session.id) {
            self.pushed_away -= usize::from(!place.pushed.is_empty());
            session.outbox.append(&mut place.pushed);
            place.session = Some(session);
        }
    }

    /// The protocol of a session.
    pub fn protocol(&self, id: SessionId) -> Proto {
        self.sessions.get(&id).map_or(Proto::Resp2, |place| {
            place.session.as_ref().map_or(place.protocol, |session| session.protocol)
        })
    }

    /// A session that is out speaks another protocol from now on.
    pub fn note_protocol(&mut self, id: SessionId, protocol: Proto) {
        if let Some(place) = self.sessions.get_mut(&id) {
            place.protocol = protocol;
        }
    }

    /// Sends something to a session, unasked.
    pub fn push(&mut self, id: SessionId, bytes: &[u8]) {
        let Some(place) = self.sessions.get_mut(&id) else { return };
        match &mut place.session {
            Some(session) => {
                session.outbox.extend_from_slice(bytes);
                wake_later(&mut self.wakes, session);
            }
            None => {
                self.pushed_away += usize::from(place.pushed.is_empty() && !bytes.is_empty());
                place.pushed.extend_from_slice(bytes);
            }
        }
    }

    /// Whether something waits for [`take_pushed`](Self::take_pushed), whoever's it is.
    pub fn has_pushed(&self) -> bool {
        self.pushed_away != 0
    }

    /// What was pushed to a session that is out.
    #[inline]
    pub fn take_pushed(&mut self, id: SessionId) -> Vec<u8> {
        if self.pushed_away == 0 {
            return Vec::new();
        }
        let place = self.sessions.get_mut(&id);
        let pushed = place.map(|place| std::mem::take(&mut place.pushed)).unwrap_or_default();
        self.pushed_away -= usize::from(!pushed.is_empty());
        pushed
    }

    /// Keeps what waits for a resting session; gives it back if the session is gone already.
    pub fn leave_output(&mut self, id: SessionId, out: Out) -> Result<(), Out> {
        if !self.is_open(id) {
            return Err(out);
        }
        self.outputs.insert(id, out);
        Ok(())
    }

    /// What [`leave_output`](Self::leave_output) kept; `None` if the session was killed since.
    pub fn take_output(&mut self, id: SessionId) -> Option<Out> {
        self.outputs.remove(&id)
    }

    /// Ends a session: its connection finds it gone. Output that was left here goes now. True if it was there.
    pub fn kill(&mut self, id: SessionId) -> bool {
        self.outputs.remove(&id);
        match self.sessions.remove(&id) {
            Some(place) => {
                self.pushed_away -= usize::from(!place.pushed.is_empty());
                self.memory = self.memory.map(|bytes| bytes - place.counted);
                if let Some(mut session) = place.session {
                    wake_later(&mut self.wakes, &mut session);
                }
                true
            }
            None => false,
        }
    }

    /// Lets a session's connection look at it, once the engine is free again.
    pub fn wake(&mut self, session: &mut Session) {
        wake_later(&mut self.wakes, session);
    }

    /// Whom to wake now that the engine is free.
    #[inline]
    pub fn take_wakes(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakes)
    }

    /// Whether a session is open.
    pub fn is_open(&self, id: SessionId) -> bool {
        self.sessions.contains_key(&id)
    }

    /// Sessions that are not running a batch, by number.
    pub fn resting(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter_map(|place| place.session.as_deref())
    }

    /// The same, to be changed.
    pub fn resting_mut(&mut self) -> impl Iterator<Item = &mut Session> {
        self.sessions.values_mut().filter_map(|place| place.session.as_deref_mut())
    }

    /// A session that is not running a batch.
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)?.session.as_deref()
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.get_mut(&id)?.session.as_deref_mut()
    }

    /// Begins to count what sessions take. False if that is done already.
    pub fn begin_counting(&mut self) -> bool {
        let begins = self.memory.is_none();
        if begins {
            self.sessions.values_mut().for_each(|place| place.counted = 0);
            self.memory = Some(0);
        }
        begins
    }

    /// Ends it: what was counted holds no more.
    pub fn end_counting(&mut self) {
        self.memory = None;
    }

    /// A session takes so many bytes by now.
    pub fn count(&mut self, id: SessionId, bytes: usize) {
        let (Some(all), Some(place)) = (self.memory, self.sessions.get_mut(&id)) else { return };
        self.memory = Some(all - place.counted + bytes);
        place.counted = bytes;
    }

    /// Bytes that a session was counted with.
    pub fn counted(&self, id: SessionId) -> usize {
        self.sessions.get(&id).map_or(0, |place| place.counted)
    }

    /// Bytes of all sessions that are counted.
    pub fn memory(&self) -> usize {
        self.memory.unwrap_or(0)
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

/// Once is enough until the connection has looked.
fn wake_later(wakes: &mut Vec<Waker>, session: &mut Session) {
    if !session.woken {
        session.woken = true;
        wakes.extend(session.waker.clone());
    }
}
