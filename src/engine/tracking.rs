//! Client-side caching (CLIENT TRACKING): who has read which keys, and who is to hear that they changed.
//!
//! Source: `tracking.c` of Redis 8.0.6. A key that somebody has read is remembered until it changes; then all its
//! readers hear of it once. Who broadcasts (BCAST) hears of every change of keys with its prefixes instead, in one
//! message for all that changed before the engine is free again. What a client is to hear of its own commands comes
//! behind their replies, as everything that is pushed to a session that is out.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::State;
use super::clients::Clients;
use super::pubsub::PubSub;
use super::session::SessionId;
use crate::resp::Proto;
use crate::value::table::{Slot, SlotIx, Table, hash_bytes};

/// Which of its reads a client wants to have remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// All.
    #[default]
    All,
    /// OPTIN: those behind CLIENT CACHING yes.
    OptIn,
    /// OPTOUT: all but those behind CLIENT CACHING no.
    OptOut,
    /// BCAST: none; it hears of all changes under its prefixes.
    Broadcast,
}

/// How one client is tracked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which reads count.
    pub mode: Mode,
    /// NOLOOP: it does not hear of its own changes.
    pub no_loop: bool,
    /// CLIENT CACHING was said for the next command or transaction.
    pub caching: bool,
    /// REDIRECT: who hears of it instead.
    pub redirect: Option<SessionId>,
    /// That one is gone.
    pub broken: bool,
    /// PREFIX, of a client that broadcasts. None of them begins another.
    pub prefixes: BTreeSet<Box<[u8]>>,
}

/// A key that clients have read.
#[derive(Debug)]
struct Remembered {
    key: Box<[u8]>,
    readers: Vec<SessionId>,
}

impl Slot for Box<Remembered> {
    fn hash(&self) -> u64 {
        hash_bytes(&self.key)
    }
}

/// What changed under one prefix, and who wants to know.
#[derive(Debug, Default)]
struct Broadcast {
    clients: BTreeSet<SessionId>,
    /// The keys, and who changed each last; nobody: its time had passed.
    changed: BTreeMap<Box<[u8]>, Option<SessionId>>,
}

/// What a client is to hear of its own changes, though its tracking may end before it does.
struct Own {
    /// The key; `None`: that all keys went.
    key: Option<Box<[u8]>>,
    redirect: Option<SessionId>,
}

/// Where messages go.
struct Post<'a> {
    clients: &'a mut Clients,
    pubsub: &'a PubSub,
}

/// Everyone's tracking.
#[derive(Default)]
pub struct Tracking {
    sessions: HashMap<SessionId, Settings>,
    keys: Table<Box<Remembered>>,
    /// Readers of all keys together.
    items: usize,
    broadcasts: BTreeMap<Box<[u8]>, Broadcast>,
    /// Something changed under a prefix.
    pending: bool,
    /// Whose command runs.
    pub current: Option<SessionId>,
    /// What that client is to hear of its own changes once the command is over.
    own: Vec<Own>,
    /// Rounds in a row that did not bring the table under its limit.
    effort: usize,
}

/// Keys forgotten in one round while there are too many; each further round in a row forgets as many more.
const ROUND: usize = 100;

impl Tracking {
    /// Whether anybody is tracked, or was, and what he read is still remembered.
    #[inline]
    pub fn is_on(&self) -> bool {
        !self.sessions.is_empty() || self.items > 0
    }

    /// How a client is tracked; `None` if it is not.
    pub fn of(&self, id: SessionId) -> Option<&Settings> {
        self.sessions.get(&id)
    }

    /// Begins to track a client, or changes how; prefixes are added to those it has.
    pub fn enable(&mut self, id: SessionId, settings: Settings) {
        let caching = self.sessions.get(&id).is_some_and(|old| old.caching);
        let mut prefixes =
            self.sessions.get_mut(&id).map(|old| std::mem::take(&mut old.prefixes)).unwrap_or_default();
        if settings.mode == Mode::Broadcast {
            let every = settings.prefixes.is_empty().then(Box::default);
            for prefix in settings.prefixes.iter().cloned().chain(every) {
                self.broadcasts.entry(prefix.clone()).or_default().clients.insert(id);
                prefixes.insert(prefix);
            }
        }
        self.sessions.insert(id, Settings { caching, prefixes, ..settings });
    }

    /// Ends a client's tracking. What it has read is forgotten when it changes.
    pub fn disable(&mut self, id: SessionId) {
        for prefix in self.sessions.remove(&id).unwrap_or_default().prefixes {
            let Some(broadcast) = self.broadcasts.get_mut(&prefix) else { continue };
            broadcast.clients.remove(&id);
            if broadcast.clients.is_empty() {
                self.broadcasts.remove(&prefix);
            }
        }
    }

    /// CLIENT CACHING was said.
    pub fn set_caching(&mut self, id: SessionId) {
        if let Some(settings) = self.sessions.get_mut(&id) {
            settings.caching = true;
        }
    }

    /// A command ended that CLIENT CACHING was said for, if it was.
    pub fn end_caching(&mut self, id: SessionId) {
        if let Some(settings) = self.sessions.get_mut(&id) {
            settings.caching = false;
        }
    }

    /// Whether a client's reads are remembered now.
    pub fn remembers(&self, id: SessionId) -> bool {
        self.sessions.get(&id).is_some_and(|settings| match settings.mode {
            Mode::All => true,
            Mode::OptIn => settings.caching,
            Mode::OptOut => !settings.caching,
            Mode::Broadcast => false,
        })
    }

    /// Remembers that a client has read a key.
    pub fn remember(&mut self, id: SessionId, key: &[u8]) {
        let ix = match self.find(key) {
            Some(ix) => ix,
            None => {
                let item = Remembered { key: key.into(), readers: Vec::with_capacity(1) };
                self.keys.insert_new(hash_bytes(key), Box::new(item))
            }
        };
        let readers = &mut self.keys.get_mut(ix).readers;
        if let Err(at) = readers.binary_search(&id) {
            readers.insert(at, id);
            self.items += 1;
        }
    }

    fn find(&self, key: &[u8]) -> Option<SlotIx> {
        self.keys.find(hash_bytes(key), |item| *item.key == *key)
    }

    /// A key changed: its readers hear of it, and those who broadcast will.
    fn invalidate(&mut self, post: &mut Post<'_>, key: &[u8], by: Option<SessionId>) {
        for (prefix, broadcast) in &mut self.broadcasts {
            if key.starts_with(prefix) {
                broadcast.changed.insert(key.into(), by);
                self.pending = true;
            }
        }
        if let Some(ix) = self.find(key) {
            self.tell_readers(post, ix, self.current);
        }
    }

    /// Forgets a key and tells its readers; one of them only `later`, when its command is over.
    fn tell_readers(&mut self, post: &mut Post<'_>, ix: SlotIx, later: Option<SessionId>) {
        let item = self.keys.remove(ix);
        self.items -= item.readers.len();
        let body = array(1, [&*item.key].into_iter());
        for id in item.readers {
            let wanted = |settings: &&Settings| {
                settings.mode != Mode::Broadcast && !(settings.no_loop && self.current == Some(id))
            };
            let Some(settings) = self.sessions.get(&id).filter(wanted) else { continue };
            let redirect = settings.redirect;
            if later == Some(id) {
                self.own.push(Own { key: Some(item.key.clone()), redirect });
            } else {
                self.send(post, id, redirect, &body);
            }
        }
    }

    /// Sends an invalidation on a client's behalf: to itself, or to whom it redirects.
    fn send(&mut self, post: &mut Post<'_>, id: SessionId, redirect: Option<SessionId>, body: &[u8]) {
        let to = redirect.unwrap_or(id);
        if !post.clients.is_open(to) {
            if let Some(settings) = self.sessions.get_mut(&id) {
                settings.broken = true;
            }
            if post.clients.protocol(id) == Proto::Resp3 {
                let line = format!(">2\r\n$21\r\ntracking-redir-broken\r\n:{}\r\n", to.0);
                post.clients.push(id, line.as_bytes());
            }
            return;
        }
        let head: &[u8] = match post.clients.protocol(to) {
            Proto::Resp3 => b">2\r\n$10\r\ninvalidate\r\n",
            // RESP2 has no pushes, but messages.
            Proto::Resp2 if redirect.is_some() && post.pubsub.is_subscribed(to) => {
                b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
            }
            Proto::Resp2 => return,
        };
        post.clients.push(to, &[head, body].concat());
    }

    /// All keys went at once: everyone hears of that, by a null in place of keys.
    fn invalidate_all(&mut self, post: &mut Post<'_>) {
        let mut all: Vec<_> = self.sessions.iter().map(|(id, settings)| (*id, settings.redirect)).collect();
        all.sort_unstable();
        for (id, redirect) in all {
            if self.current == Some(id) {
                self.own.push(Own { key: None, redirect });
            } else {
                self.send_null(post, id, redirect);
            }
        }
        self.keys.clear();
        self.items = 0;
    }

    fn send_null(&mut self, post: &mut Post<'_>, id: SessionId, redirect: Option<SessionId>) {
        let null: &[u8] = if post.clients.protocol(id) == Proto::Resp3 { b"_\r\n" } else { b"$-1\r\n" };
        self.send(post, id, redirect, null);
    }

    /// The command is over: its client hears what it changed itself.
    fn tell_own(&mut self, post: &mut Post<'_>, id: SessionId) {
        for own in std::mem::take(&mut self.own) {
            let redirect = self.sessions.get(&id).map_or(own.redirect, |settings| settings.redirect);
            match own.key {
                Some(key) => self.send(post, id, redirect, &array(1, [&*key].into_iter())),
                None => self.send_null(post, id, redirect),
            }
        }
    }

    /// Tells those who broadcast what changed.
    fn broadcast(&mut self, post: &mut Post<'_>) {
        self.pending = false;
        let changed: Vec<_> = self
            .broadcasts
            .values_mut()
            .filter(|broadcast| !broadcast.changed.is_empty())
            .map(|broadcast| (std::mem::take(&mut broadcast.changed), broadcast.clients.clone()))
            .collect();
        for (keys, clients) in changed {
            let all = array(keys.len(), keys.keys().map(|key| &**key));
            for id in clients {
                let Some(Settings { no_loop, redirect, .. }) = self.sessions.get(&id) else { continue };
                let redirect = *redirect;
                if !no_loop {
                    self.send(post, id, redirect, &all);
                    continue;
                }
                let of_others = || keys.iter().filter(|(_, by)| **by != Some(id)).map(|(key, _)| &**key);
                let count = of_others().count();
                if count > 0 {
                    self.send(post, id, redirect, &array(count, of_others()));
                }
            }
        }
    }

    /// Forgets keys while there are more than `most`, as many as one round may; their readers hear as if they had
    /// changed.
    fn forget_some(&mut self, post: &mut Post<'_>, most: usize, rng: &mut fastrand::Rng) {
        for _ in 0..ROUND * (self.effort + 1) {
            if self.keys.len() <= most {
                break;
            }
            let Some(ix) = self.keys.random(rng) else { break };
            self.tell_readers(post, ix, None);
        }
        self.effort = if self.keys.len() > most { self.effort + 1 } else { 0 };
    }

    /// Tracked clients, remembered keys, readers of all keys together, and prefixes.
    pub fn counts(&self) -> [usize; 4] {
        [self.sessions.len(), self.keys.len(), self.items, self.broadcasts.len()]
    }
}

/// Keys as a message has them.
fn array<'k>(count: usize, keys: impl Iterator<Item = &'k [u8]>) -> Vec<u8> {
    let mut out = format!("*{count}\r\n").into_bytes();
    for key in keys {
        out.extend_from_slice(format!("${}\r\n", key.len()).as_bytes());
        out.extend_from_slice(key);
        out.extend_from_slice(b"\r\n");
    }
    out
}

impl State {
    fn tracking_and_post(&mut self) -> (&mut Tracking, Post<'_>) {
        (&mut self.tracking, Post { clients: &mut self.clients, pubsub: &self.pubsub })
    }

    /// A key changed; `by` a command, or because its time had passed.
    #[cold]
    pub fn invalidate(&mut self, key: &[u8], by: Option<SessionId>) {
        let (tracking, mut post) = self.tracking_and_post();
        tracking.invalidate(&mut post, key, by);
    }

    /// All keys of one or of all databases went. Keys are tracked without their databases, so all are meant.
    pub fn invalidate_all(&mut self) {
        let (tracking, mut post) = self.tracking_and_post();
        tracking.invalidate_all(&mut post);
    }

    /// A client's command is over, and what it made known has been told: it hears which keys of its own it changed.
    #[inline]
    pub fn tell_own_changes(&mut self, id: SessionId) {
        if !self.tracking.own.is_empty() {
            let (tracking, mut post) = self.tracking_and_post();
            tracking.tell_own(&mut post, id);
        }
    }

    /// Tells those who broadcast what changed since the last call.
    #[inline]
    pub fn send_broadcasts(&mut self) {
        if self.tracking.pending {
            let (tracking, mut post) = self.tracking_and_post();
            tracking.broadcast(&mut post);
        }
    }

    /// Keeps the number of remembered keys under `tracking-table-max-keys`.
    pub fn limit_tracking(&mut self) {
        let most = self.config.tracking_table_max_keys;
        if most == 0 || self.tracking.keys.len() <= most {
            self.tracking.effort = 0;
            return;
        }
        let post = &mut Post { clients: &mut self.clients, pubsub: &self.pubsub };
        self.tracking.forget_some(post, most, &mut self.rng);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::session::Peer;

    /// Two clients that speak RESP3, the first of them tracked.
    fn two(settings: Settings) -> (Tracking, Clients, [SessionId; 2]) {
        let mut clients = Clients::default();
        let ids = [(); 2].map(|()| clients.open(Peer::Internal, 0));
        ids.iter().for_each(|id| clients.get_mut(*id).expect("it is open").protocol = Proto::Resp3);
        let mut tracking = Tracking::default();
        tracking.enable(ids[0], settings);
        (tracking, clients, ids)
    }

    fn heard(clients: &mut Clients, id: SessionId) -> String {
        let outbox = std::mem::take(&mut clients.get_mut(id).expect("it is open").outbox);
        String::from_utf8_lossy(&outbox).replace("\r\n", " ")
    }

    #[test]
    fn a_change_is_told_once() {
        let (mut tracking, mut clients, [id, other]) = two(Settings::default());
        tracking.remember(id, b"k");
        tracking.remember(id, b"k");
        assert_eq!(tracking.counts(), [1, 1, 1, 0]);
        for told in [">2 $10 invalidate *1 $1 k ", ""] {
            let mut post = Post { clients: &mut clients, pubsub: &PubSub::default() };
            tracking.invalidate(&mut post, b"k", Some(other));
            assert_eq!(heard(&mut clients, id), told);
        }
        assert_eq!(tracking.counts(), [1, 0, 0, 0]);
    }

    #[test]
    fn a_broadcast_leaves_out_ones_own_changes_if_asked_to() {
        for (no_loop, told) in [(true, "*2 $1 b $1 c "), (false, "*3 $1 a $1 b $1 c ")] {
            let settings = Settings { mode: Mode::Broadcast, no_loop, ..Settings::default() };
            let (mut tracking, mut clients, [id, other]) = two(settings);
            let mut post = Post { clients: &mut clients, pubsub: &PubSub::default() };
            for (key, by) in [(b"c", None), (b"b", Some(other)), (b"a", Some(id))] {
                tracking.invalidate(&mut post, key, by);
            }
            tracking.broadcast(&mut post);
            tracking.broadcast(&mut post);
            assert_eq!(heard(&mut clients, id), format!(">2 $10 invalidate {told}"));
        }
    }

    #[test]
    fn too_many_keys_are_forgotten_in_growing_rounds() {
        let (mut tracking, mut clients, [id, _]) = two(Settings::default());
        (0..1000).for_each(|n: u32| tracking.remember(id, &n.to_le_bytes()));
        let mut rng = fastrand::Rng::with_seed(1);
        let lengths = [(); 4].map(|()| {
            let mut post = Post { clients: &mut clients, pubsub: &PubSub::default() };
            tracking.forget_some(&mut post, 10, &mut rng);
            tracking.keys.len()
        });
        assert_eq!(lengths, [900, 700, 400, 10]);
        assert_eq!(heard(&mut clients, id).matches("invalidate").count(), 990);
        assert_eq!(tracking.counts(), [1, 10, 10, 0]);
    }
}
