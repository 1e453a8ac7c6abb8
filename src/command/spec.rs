//! The columns of a command's row: flags, arity, ACL categories, where its keys are, how it is logged.
//!
//! Source of the names: COMMAND INFO of Redis 8.0, recorded in `fixtures/oracle/command_info.txt`.

use super::Ctx;
use super::error::CmdError;
use crate::resp::{Args, Replied};

/// A command's behaviour on the road, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(pub u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr;)*) => { $(
        $(#[$doc])*
        pub const $name: Flags = Flags(1 << $bit);
    )* };
}

flags! {
    /// May change the keyspace.
    WRITE = 0;
    /// Only reads the keyspace.
    READONLY = 1;
    /// Refused when memory is used up.
    DENYOOM = 2;
    /// Of the operator.
    ADMIN = 3;
    /// Of publish and subscribe.
    PUBSUB = 4;
    /// Not from scripts.
    NOSCRIPT = 5;
    /// May block its client.
    BLOCKING = 6;
    /// Served while the data set is loaded.
    LOADING = 7;
    /// Served by a replica whose data are stale.
    STALE = 8;
    /// Not shown to MONITOR.
    SKIP_MONITOR = 9;
    /// Not kept in the slow log.
    SKIP_SLOWLOG = 10;
    /// Follows an ASKING redirection by itself.
    ASKING = 11;
    /// Takes constant or logarithmic time.
    FAST = 12;
    /// Served before authentication.
    NO_AUTH = 13;
    /// May reach replicas though it writes no key.
    MAY_REPLICATE = 14;
    /// Its key arguments may be absent.
    NO_MANDATORY_KEYS = 15;
    /// Refused while a replica loads beside serving.
    NO_ASYNC_LOADING = 16;
    /// Refused inside MULTI.
    NO_MULTI = 17;
    /// Where its keys are depends on other arguments.
    MOVABLE_KEYS = 18;
    /// Served while a script runs too long.
    ALLOW_BUSY = 19;
    /// Needs the enable-debug-command (or -module-command) directive.
    PROTECTED = 20;
    /// Only for sentinels.
    SENTINEL = 21;
    /// May touch keys that it does not name.
    TOUCHES_ARBITRARY_KEYS = 22;
}

impl Flags {
    /// No flag.
    pub const NONE: Flags = Flags(0);

    /// Both.
    pub const fn or(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }

    /// Whether any of `other` is set.
    #[inline]
    pub const fn has(self, other: Flags) -> bool {
        self.0 & other.0 != 0
    }

    /// Flag names in the order of COMMAND INFO.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        FLAG_NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}

const FLAG_NAMES: &[(Flags, &str)] = &[
    (WRITE, "write"),
    (READONLY, "readonly"),
    (DENYOOM, "denyoom"),
    (ADMIN, "admin"),
    (PUBSUB, "pubsub"),
    (NOSCRIPT, "noscript"),
    (BLOCKING, "blocking"),
    (LOADING, "loading"),
    (STALE, "stale"),
    (SKIP_MONITOR, "skip_monitor"),
    (SKIP_SLOWLOG, "skip_slowlog"),
    (ASKING, "asking"),
    (FAST, "fast"),
    (NO_AUTH, "no_auth"),
    (NO_MANDATORY_KEYS, "no_mandatory_keys"),
    (NO_ASYNC_LOADING, "no_async_loading"),
    (NO_MULTI, "no_multi"),
    (MOVABLE_KEYS, "movablekeys"),
    (ALLOW_BUSY, "allow_busy"),
];

/// ACL categories, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acl(pub u32);

macro_rules! categories {
    ($($name:ident = $bit:expr, $text:literal;)*) => {
        /// The ACL categories, one constant each.
        pub mod acl {
            use super::Acl;
            $(#[doc = concat!("@", $text)] pub const $name: Acl = Acl(1 << $bit);)*
        }
        /// Categories in the order in which COMMAND INFO names them.
        pub const CATEGORIES: &[(Acl, &str)] = &[$((acl::$name, $text)),*];
    };
}

categories! {
    KEYSPACE = 0, "keyspace";
    READ = 1, "read";
    WRITE = 2, "write";
    SET = 3, "set";
    SORTEDSET = 4, "sortedset";
    LIST = 5, "list";
    HASH = 6, "hash";
    STRING = 7, "string";
    BITMAP = 8, "bitmap";
    HYPERLOGLOG = 9, "hyperloglog";
    GEO = 10, "geo";
    STREAM = 11, "stream";
    PUBSUB = 12, "pubsub";
    ADMIN = 13, "admin";
    FAST = 14, "fast";
    SLOW = 15, "slow";
    BLOCKING = 16, "blocking";
    DANGEROUS = 17, "dangerous";
    CONNECTION = 18, "connection";
    TRANSACTION = 19, "transaction";
    SCRIPTING = 20, "scripting";
}

impl Acl {
    /// No category beyond those that follow from the flags.
    pub const NONE: Acl = Acl(0);

    /// Both.
    pub const fn or(self, other: Acl) -> Acl {
        Acl(self.0 | other.0)
    }

    /// Whether any of `other` is set.
    pub const fn has(self, other: Acl) -> bool {
        self.0 & other.0 != 0
    }
}

/// How many arguments a command takes, its own name counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arity {
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

impl Arity {
    /// Whether `given` arguments are right.
    #[inline]
    pub const fn admits(self, given: usize) -> bool {
        match self {
            Arity::Exactly(n) => given == n,
            Arity::AtLeast(n) => given >= n,
        }
    }

    /// As COMMAND INFO writes it: negative for a minimum.
    pub const fn number(self) -> i64 {
        match self {
            Arity::Exactly(n) => n as i64,
            Arity::AtLeast(n) => -(n as i64),
        }
    }
}

/// What a command does with a key that a spec names, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyFlags(pub u16);

macro_rules! key_flags {
    ($($name:ident = $bit:expr, $text:literal;)*) => {
        $(#[doc = concat!("COMMAND INFO shows `", $text, "`.")] pub const $name: KeyFlags = KeyFlags(1 << $bit);)*
        const KEY_FLAG_NAMES: &[(KeyFlags, &str)] = &[$(($name, $text)),*];
    };
}

key_flags! {
    RO = 0, "RO";
    RW = 1, "RW";
    OW = 2, "OW";
    RM = 3, "RM";
    ACCESS = 4, "access";
    UPDATE = 5, "update";
    INSERT = 6, "insert";
    DELETE = 7, "delete";
    NOT_KEY = 8, "not_key";
    INCOMPLETE = 9, "incomplete";
    VARIABLE_FLAGS = 10, "variable_flags";
}

impl KeyFlags {
    /// Both.
    pub const fn or(self, other: KeyFlags) -> KeyFlags {
        KeyFlags(self.0 | other.0)
    }

    /// Whether any of `other` is set.
    pub const fn has(self, other: KeyFlags) -> bool {
        self.0 & other.0 != 0
    }

    /// Names in the order of COMMAND INFO.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        KEY_FLAG_NAMES.iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, name)| *name)
    }
}

/// Where a group of keys begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At this argument (1 is the first behind the name).
    Index(usize),
    /// Behind this word, searched from argument `from` on (negative: from the end, backwards).
    Keyword(&'static str, i64),
    /// Only the command knows.
    Unknown,
}

/// Which arguments from there on are keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// Up to `last` (counted from the beginning; negative: from the end of the arguments), every `step`-th;
    /// `limit` above 1 stops at that fraction of the arguments when `last` is -1.
    Range { last: i64, step: usize, limit: usize },
    /// An argument `num` behind the beginning holds their number; they start `first` behind it.
    KeyNum { num: usize, first: usize, step: usize },
    /// Only the command knows.
    Unknown,
}

/// One group of keys among a command's arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeySpec {
    /// Where it begins.
    pub begin: Begin,
    /// How far it goes.
    pub find: Find,
    /// What is done with the keys.
    pub flags: KeyFlags,
    /// A remark of COMMAND INFO's own (our words).
    pub notes: &'static str,
}

impl KeySpec {
    /// One key at this argument.
    pub const fn at(index: usize, flags: KeyFlags) -> KeySpec {
        KeySpec::range(index, 0, 1, flags)
    }

    /// Keys from argument `index` on; `last` counts from there (0: only one), or from the end if negative.
    pub const fn range(index: usize, last: i64, step: usize, flags: KeyFlags) -> KeySpec {
        let find = Find::Range { last, step, limit: 0 };
        KeySpec { begin: Begin::Index(index), find, flags, notes: "" }
    }

    /// Argument `index` holds the number of keys, which follow it.
    pub const fn counted(index: usize, flags: KeyFlags) -> KeySpec {
        let find = Find::KeyNum { num: 0, first: 1, step: 1 };
        KeySpec { begin: Begin::Index(index), find, flags, notes: "" }
    }
}

/// How a command that changed something is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagate {
    /// As it came.
    AsIs,
    /// As the handler says by `ctx.propagate`.
    Rewritten,
    /// Not at all.
    Never,
}

/// The group under which COMMAND DOCS lists a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Generic,
    String,
    List,
    Set,
    SortedSet,
    Hash,
    PubSub,
    Transactions,
    Connection,
    Server,
    Scripting,
    HyperLogLog,
    Cluster,
    Sentinel,
    Geo,
    Stream,
    Bitmap,
}

impl Group {
    /// As COMMAND DOCS writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Group::Generic => "generic",
            Group::String => "string",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Scripting => "scripting",
            Group::HyperLogLog => "hyperloglog",
            Group::Cluster => "cluster",
            Group::Sentinel => "sentinel",
            Group::Geo => "geo",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
        }
    }
}

/// What runs a command: parse, look up, check, reply, change, record, in this order.
pub type Handler = fn(&mut Ctx<'_>, Args<'_>) -> Result<Replied, CmdError>;

/// One row of the command table: everything about a command.
pub struct Command {
    /// In lower case; of a subcommand, without its container's.
    pub name: &'static str,
    /// Arguments in the notation of the documentation; COMMAND DOCS derives its tree from it.
    pub syntax: &'static str,
    /// One line on what it does.
    pub summary: &'static str,
    /// Version of the real server in which it came.
    pub since: &'static str,
    /// Time complexity.
    pub cost: &'static str,
    /// Where COMMAND DOCS lists it.
    pub group: Group,
    /// How many arguments it takes.
    pub arity: Arity,
    /// How it behaves on the road.
    pub flags: Flags,
    /// Categories beyond those that follow from the flags.
    pub acl: Acl,
    /// Where its keys are.
    pub keys: &'static [KeySpec],
    /// How it is logged.
    pub propagate: Propagate,
    /// Hints for clients, in COMMAND INFO's words.
    pub tips: &'static [&'static str],
    /// Since when it is deprecated, and what replaces it.
    pub deprecated: Option<(&'static str, &'static str)>,
    /// Requests on an empty database and what a terminal shows for them.
    pub examples: &'static [(&'static str, &'static str)],
    /// Of a container.
    pub subcommands: &'static [&'static Command],
    /// What runs it.
    pub run: Handler,
}

impl Command {
    /// What a row need not say.
    pub const BASE: Command = Command {
        name: "",
        syntax: "",
        summary: "",
        since: "1.0.0",
        cost: "O(1)",
        group: Group::Generic,
        arity: Arity::Exactly(1),
        flags: Flags::NONE,
        acl: Acl::NONE,
        keys: &[],
        propagate: Propagate::AsIs,
        tips: &[],
        deprecated: None,
        examples: &[],
        subcommands: &[],
        run: unreachable_handler,
    };

    /// ACL categories, those included that follow from the flags.
    pub fn categories(&self) -> Acl {
        let mut all = self.acl;
        let implied = [
            (WRITE, acl::WRITE),
            (READONLY, acl::READ),
            (ADMIN, acl::ADMIN.or(acl::DANGEROUS)),
            (PUBSUB, acl::PUBSUB),
            (FAST, acl::FAST),
            (BLOCKING, acl::BLOCKING),
        ];
        for (flag, category) in implied {
            // A script-only exception of the real server: commands in @scripting don't join @read.
            if self.flags.has(flag) && !(flag == READONLY && self.acl.has(acl::SCRIPTING)) {
                all = all.or(category);
            }
        }
        if all.has(acl::FAST) { all } else { all.or(acl::SLOW) }
    }

    /// Whether it is only a name for its subcommands.
    pub fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }
}

fn unreachable_handler(_: &mut Ctx<'_>, _: Args<'_>) -> Result<Replied, CmdError> {
    Err(CmdError::Other("ERR this command has no handler".into()))
}
