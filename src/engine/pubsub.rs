//! Publish and subscribe: who listens to which channels and patterns.

use std::collections::{BTreeMap, HashMap};

use super::clients::Clients;
use super::session::SessionId;
use crate::resp::{Out, Proto, Reply};
use crate::text::glob;

type Name = Box<[u8]>;

/// What a subscription is to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// SUBSCRIBE.
    Channel,
    /// PSUBSCRIBE.
    Pattern,
    /// SSUBSCRIBE.
    Shard,
}

impl Kind {
    /// The first word of the pushes about it.
    pub fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Kind::Channel => ("subscribe", "unsubscribe", "message"),
            Kind::Pattern => ("psubscribe", "punsubscribe", "pmessage"),
            Kind::Shard => ("ssubscribe", "sunsubscribe", "smessage"),
        }
    }
}

/// What one session is subscribed to, in the order of its subscriptions.
#[derive(Debug, Default)]
struct Of {
    channels: Vec<Name>,
    patterns: Vec<Name>,
    shards: Vec<Name>,
}

impl Of {
    fn names(&mut self, kind: Kind) -> &mut Vec<Name> {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shards,
        }
    }

    fn is_empty(&self) -> bool {
        self.channels.is_empty() && self.patterns.is_empty() && self.shards.is_empty()
    }
}

/// All subscriptions.
#[derive(Debug, Default)]
pub struct PubSub {
    channels: HashMap<Name, Vec<SessionId>>,
    shards: HashMap<Name, Vec<SessionId>>,
    patterns: BTreeMap<Name, Vec<SessionId>>,
    sessions: HashMap<SessionId, Of>,
}

impl PubSub {
    fn listeners(&mut self, kind: Kind, name: &[u8]) -> &mut Vec<SessionId> {
        match kind {
            Kind::Channel => self.channels.entry(name.into()).or_default(),
            Kind::Pattern => self.patterns.entry(name.into()).or_default(),
            Kind::Shard => self.shards.entry(name.into()).or_default(),
        }
    }

    /// Subscribes; false if the session was subscribed already.
    pub fn subscribe(&mut self, id: SessionId, kind: Kind, name: &[u8]) -> bool {
        let names = self.sessions.entry(id).or_default().names(kind);
        if names.iter().any(|known| **known == *name) {
            return false;
        }
        names.push(name.into());
        self.listeners(kind, name).push(id);
        true
    }

    /// Ends a subscription; false if there was none.
    pub fn unsubscribe(&mut self, id: SessionId, kind: Kind, name: &[u8]) -> bool {
        let Some(of) = self.sessions.get_mut(&id) else { return false };
        let names = of.names(kind);
        let Some(at) = names.iter().position(|known| **known == *name) else { return false };
        names.remove(at);
        if of.is_empty() {
            self.sessions.remove(&id);
        }
        let listeners = self.listeners(kind, name);
        listeners.retain(|listener| *listener != id);
        if listeners.is_empty() {
            match kind {
                Kind::Channel => self.channels.remove(name),
                Kind::Pattern => self.patterns.remove(name),
                Kind::Shard => self.shards.remove(name),
            };
        }
        true
    }

    /// What a session is subscribed to.
    pub fn names(&mut self, id: SessionId, kind: Kind) -> Vec<Name> {
        self.sessions.get_mut(&id).map(|of| of.names(kind).clone()).unwrap_or_default()
    }

    /// How many channels and patterns, and how many shard channels, a session is subscribed to.
    pub fn counts(&self, id: SessionId) -> (usize, usize, usize) {
        self.sessions.get(&id).map_or((0, 0, 0), |of| (of.channels.len(), of.patterns.len(), of.shards.len()))
    }

    /// Whether a session is subscribed to anything.
    #[inline]
    pub fn is_subscribed(&self, id: SessionId) -> bool {
        !self.sessions.is_empty() && self.sessions.contains_key(&id)
    }

    /// Ends all subscriptions of a session.
    pub fn forget(&mut self, id: SessionId) {
        for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
            for name in self.names(id, kind) {
                self.unsubscribe(id, kind, &name);
            }
        }
    }

    /// Channels with listeners.
    pub fn channels(&self, kind: Kind) -> impl Iterator<Item = (&[u8], usize)> {
        let map = if kind == Kind::Shard { &self.shards } else { &self.channels };
        map.iter().map(|(name, listeners)| (&**name, listeners.len()))
    }

    /// Listeners of one channel.
    pub fn listener_count(&self, kind: Kind, name: &[u8]) -> usize {
        let map = if kind == Kind::Shard { &self.shards } else { &self.channels };
        map.get(name).map_or(0, Vec::len)
    }

    /// How many patterns there are.
    pub fn pattern_count(&self) -> usize {
        self.patterns.len()
    }

    /// Sessions that are subscribed to anything.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
    }

    /// Sends a message to all who listen; how many they are.
    pub fn publish(&self, clients: &mut Clients, channel: &[u8], message: &[u8]) -> usize {
        let mut sent = 0;
        if let Some(listeners) = self.channels.get(channel) {
            let forms = Forms::new(&[b"message", channel, message]);
            listeners.iter().for_each(|id| forms.send(clients, *id));
            sent += listeners.len();
        }
        for (pattern, listeners) in &self.patterns {
            if glob::matches(pattern, channel, false) {
                let forms = Forms::new(&[b"pmessage", pattern, channel, message]);
                listeners.iter().for_each(|id| forms.send(clients, *id));
                sent += listeners.len();
            }
        }
        sent
    }

    /// Sends a message to all who listen to a shard channel; how many they are.
    pub fn publish_shard(&self, clients: &mut Clients, channel: &[u8], message: &[u8]) -> usize {
        let Some(listeners) = self.shards.get(channel) else { return 0 };
        let forms = Forms::new(&[b"smessage", channel, message]);
        listeners.iter().for_each(|id| forms.send(clients, *id));
        listeners.len()
    }
}

/// One message in both protocols.
struct Forms([Vec<u8>; 2]);

impl Forms {
    fn new(words: &[&[u8]]) -> Forms {
        let form = |proto| {
            let mut out = Out::new();
            let mut reply = Reply::new(&mut out, proto);
            reply.push(words.len());
            words.iter().for_each(|word| {
                reply.bulk(word);
            });
            out.take()
        };
        Forms([form(Proto::Resp2), form(Proto::Resp3)])
    }

    fn send(&self, clients: &mut Clients, id: SessionId) {
        let form = usize::from(clients.protocol(id) == Proto::Resp3);
        clients.push(id, &self.0[form]);
    }
}
