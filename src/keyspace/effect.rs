//! What a key went through, told upwards.

/// What one key (or a whole database) went through.
///
/// Whoever changes the keyspace gets one and hands it to `Ctx::record`, which makes the dirty count, watched
/// keys, keyspace events and readiness of it.
#[must_use = "a change that nobody records is unknown to the log, watchers and notifications"]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect<'k> {
    /// The key; empty for an effect on a whole database.
    pub key: &'k [u8],
    /// The keyspace event's name; empty when nothing changed.
    pub event: &'static str,
    /// How much it adds to `rdb_changes_since_last_save`.
    pub dirty: u64,
    /// The key holds something now that a blocked client may wait for.
    pub ready: bool,
    /// The last element went and the key with it.
    pub emptied: bool,
    /// The key is new.
    pub created: bool,
    /// Who watches the key does not hear of it: what groups of a stream went through is no change of the value.
    pub unwatched: bool,
    /// The event is told before those hear of the change who have read the key; others are told behind that. Which is
    /// which is the real server's habit, command by command.
    pub told_first: bool,
}

impl<'k> Effect<'k> {
    /// Nothing changed.
    pub const NONE: Effect<'static> = Effect {
        key: b"",
        event: "",
        dirty: 0,
        ready: false,
        emptied: false,
        created: false,
        unwatched: false,
        told_first: false,
    };

    /// One change of one key.
    pub fn new(key: &'k [u8], event: &'static str) -> Effect<'k> {
        Effect { key, event, dirty: 1, ..Effect::NONE }
    }

    /// A key appeared. Who watches it hears of that from what made it, which follows.
    pub fn appeared(key: &'k [u8]) -> Effect<'k> {
        Effect { created: true, ready: true, dirty: 0, unwatched: true, ..Effect::new(key, "") }
    }

    /// Whether it belongs to a whole database. (A key may be empty, too.)
    pub fn is_keyless(&self) -> bool {
        self.key.is_empty() && matches!(self.event, "swapdb" | "flushdb")
    }

    /// Whether nothing changed.
    pub fn is_none(&self) -> bool {
        self.event.is_empty() && self.dirty == 0 && !self.created && !self.ready
    }

    /// The same in two, what is heard of it and that it changed, where the order in which they are told matters.
    pub fn split(self) -> [Effect<'k>; 2] {
        let heard = Effect { unwatched: true, dirty: 0, ready: false, ..self };
        [heard, Effect { event: "", emptied: false, created: false, ..self }]
    }

    /// The same with another event name.
    pub fn named(mut self, event: &'static str) -> Effect<'k> {
        if !self.is_none() {
            self.event = event;
        }
        self
    }

    /// The same, its event told before those hear of the change who have read the key.
    pub fn told_first(mut self) -> Effect<'k> {
        self.told_first = true;
        self
    }

    /// The same with another dirty count.
    pub fn dirty(mut self, dirty: u64) -> Effect<'k> {
        if !self.is_none() {
            self.dirty = dirty;
        }
        self
    }
}

/// What was found past its time and deleted: a key, or fields of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    /// Its database.
    pub db: usize,
    /// Its name.
    pub key: Box<[u8]>,
    /// The fields that went, in order; none: the key itself went.
    pub fields: Vec<Box<[u8]>>,
    /// No field is left, so the hash went with them.
    pub emptied: bool,
    /// Nothing went: a lookup for reading found nothing, which somebody wants to hear of.
    pub missed: bool,
}

impl Lapsed {
    /// A key that went as a whole.
    pub fn key(db: usize, key: &[u8]) -> Lapsed {
        Lapsed { db, key: key.into(), fields: Vec::new(), emptied: false, missed: false }
    }

    /// A key that was looked for.
    pub fn missed(db: usize, key: &[u8]) -> Lapsed {
        Lapsed { missed: true, ..Lapsed::key(db, key) }
    }
}
