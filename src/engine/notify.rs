//! Keyspace events: which class an event belongs to, and its two messages.

use super::State;
use super::config::Notify;
use crate::keyspace::{Effect, Lapsed};

/// The class of an event, by its name.
fn class(event: &str) -> u32 {
    match event {
        "del" | "expire" | "persist" | "rename_from" | "rename_to" | "move_from" | "move_to" | "copy_to"
        | "restore" => Notify::GENERIC,
        "expired" => Notify::EXPIRED,
        "evicted" => Notify::EVICTED,
        "new" => Notify::NEW,
        "keymiss" => Notify::KEY_MISS,
        "set" | "setrange" | "setbit" | "append" | "incrby" | "decrby" | "incrbyfloat" | "getset"
        | "getdel" | "getex" | "setex" | "pfadd" => Notify::STRING,
        "lpush" | "rpush" | "lpop" | "rpop" | "linsert" | "lset" | "lrem" | "ltrim" | "sortstore" => {
            Notify::LIST
        }
        "sadd" | "srem" | "spop" | "sinterstore" | "sunionstore" | "sdiffstore" => Notify::SET,
        _ if event.starts_with('h') => Notify::HASH,
        _ if event.starts_with('z') || event.starts_with("geo") => Notify::ZSET,
        _ if event.starts_with('x') => Notify::STREAM,
        _ => Notify::GENERIC,
    }
}

/// Whether a change may end a wait: what leaves the value in its place and adds nothing to it does not.
fn matters_to_waiting(effect: &Effect<'_>) -> bool {
    let quiet =
        effect.unwatched || matches!(effect.event, "expire" | "persist" | "xdel" | "xtrim" | "xsetid");
    effect.ready || effect.created || !quiet
}

impl State {
    /// Tells watchers and subscribers of keyspace events what a key went through.
    ///
    /// In the order of the real server, which matters to whom hears more than one of them: that a key is new, that what
    /// was read of it is no longer true, what happened to it; some events come before the second.
    #[inline]
    pub fn tell(&mut self, db: usize, effect: &Effect<'_>) {
        let events = self.config.notify_keyspace_events.0 != 0 && !effect.is_keyless();
        if events && effect.created {
            self.tell_new(db, effect.key);
        }
        if !self.watches.is_empty() && !effect.is_keyless() && !effect.unwatched {
            self.watches.touch(db, effect.key);
        }
        let mut untold = events;
        if self.tracking.is_on() && !effect.is_keyless() && !effect.unwatched {
            if events && effect.told_first {
                self.tell_events(db, effect);
                untold = false;
            }
            self.invalidate(effect.key, self.tracking.current);
        }
        // What happens to a stream's groups is no news for its readers, but for a group's end.
        if !self.blocked.is_empty() && !effect.is_keyless() && matters_to_waiting(effect) {
            self.blocked.touch(db, effect.key, effect.ready || effect.created);
        }
        if untold {
            self.tell_events(db, effect);
        }
    }

    #[cold]
    fn tell_new(&mut self, db: usize, key: &[u8]) {
        self.event(db, "new", key);
    }

    #[cold]
    fn tell_events(&mut self, db: usize, effect: &Effect<'_>) {
        self.event(db, effect.event, effect.key);
        if effect.emptied {
            self.event(db, "del", effect.key);
        }
    }

    /// Tells what went because its time had passed.
    #[inline]
    pub fn tell_lapsed(&mut self, lapsed: &Lapsed) {
        if lapsed.missed {
            return self.event(lapsed.db, "keymiss", &lapsed.key);
        }
        if self.config.notify_keyspace_events.0 != 0 {
            self.tell_lapsed_events(lapsed);
        }
        if !self.watches.is_empty() {
            match lapsed.fields.is_empty() {
                true => self.watches.lapse(lapsed.db, &lapsed.key),
                false => self.watches.touch(lapsed.db, &lapsed.key),
            }
        }
        if self.tracking.is_on() {
            self.invalidate(&lapsed.key, None);
        }
        if !self.blocked.is_empty() {
            self.blocked.touch(lapsed.db, &lapsed.key, false);
        }
    }

    #[cold]
    fn tell_lapsed_events(&mut self, lapsed: &Lapsed) {
        if lapsed.fields.is_empty() {
            return self.event(lapsed.db, "expired", &lapsed.key);
        }
        self.event(lapsed.db, "hexpired", &lapsed.key);
        if lapsed.emptied {
            self.event(lapsed.db, "del", &lapsed.key);
        }
    }

    /// Publishes one event, if anybody wants its class.
    pub fn event(&mut self, db: usize, event: &str, key: &[u8]) {
        let wanted = self.config.notify_keyspace_events;
        if event.is_empty() || !wanted.has(class(event)) {
            return;
        }
        if wanted.has(Notify::KEYSPACE) {
            let channel = [format!("__keyspace@{db}__:").as_bytes(), key].concat();
            self.pubsub.publish(&mut self.clients, &channel, event.as_bytes());
        }
        if wanted.has(Notify::KEYEVENT) {
            let channel = format!("__keyevent@{db}__:{event}");
            self.pubsub.publish(&mut self.clients, channel.as_bytes(), key);
        }
    }
}
