//! What a directive is: its row, the type of its value, where the value lives.

use super::Config;
use super::value::Value;

/// Set once at start; CONFIG SET refuses it.
pub const FIXED: u8 = 1;
/// Takes any number of arguments, split at spaces where they come as one.
pub const MULTI: u8 = 1 << 1;
/// Only an exact name finds it, no pattern.
pub const HIDDEN: u8 = 1 << 2;
/// CONFIG SET needs `enable-protected-configs`.
pub const PROTECTED: u8 = 1 << 3;
/// The value never shows in logs, MONITOR or the slow log.
pub const SENSITIVE: u8 = 1 << 4;
/// CONFIG SET answers -LOADING while a snapshot loads.
pub const DENY_LOADING: u8 = 1 << 5;
/// Setting the same value again counts as a change (files may have new contents).
pub const VOLATILE: u8 = 1 << 6;
/// Shown in crash reports.
pub const DEBUG: u8 = 1 << 7;

/// One directive.
pub struct Row {
    /// Its name, in lower case.
    pub name: &'static str,
    /// An older name that means the same and is listed beside it.
    pub alias: Option<&'static str>,
    pub(super) kind: Kind,
    pub(super) slot: Option<Slot>,
    pub(super) flags: u8,
    /// What setting it does here.
    pub status: Status,
    /// What must be done when it changes.
    pub hook: Option<Hook>,
    /// What it is for, its unit.
    pub doc: &'static str,
}

/// What setting a directive does in this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// What it says.
    Live,
    /// Kept and reported, nothing reads it yet.
    Inert,
    /// Anything but the default is an error with this reason: to accept it silently would lose data or open the
    /// server.
    Refused(&'static str),
}

/// What the caller of `CONFIG SET` does before the new values count. One that fails undoes the whole command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hook {
    /// Begin or end to log writes.
    AppendOnly,
    /// Remove what rewrites of the log left.
    AppendGarbage,
    /// Change into the new `dir` and make the value absolute.
    Dir,
    /// Listen on the new port. Error: `Unable to listen on this port. Check server logs.`
    Port,
    /// Listen on the new addresses. Error: `Failed to bind to specified addresses.`
    Bind,
    /// Raise the limit of open files, make room for the connections.
    MaxClients,
    /// Evict down to the new limit.
    MaxMemory,
    /// Count anew what clients take.
    MaxMemoryClients,
    /// Tell whoever reports crashes.
    CrashLog,
    /// Tell the log.
    LogLevel,
    /// Write `/proc/self/oom_score_adj`.
    OomScoreAdj,
    /// Show the new process title.
    ProcTitle,
    /// Start or stop jemalloc's purging thread.
    JemallocThread,
}

/// The type of a value, its range and its default.
pub(super) enum Kind {
    Bool {
        default: bool,
    },
    Num {
        low: i64,
        high: i64,
        unsigned: bool,
        unit: Unit,
        default: i64,
    },
    Enum {
        names: &'static [(&'static str, u32)],
        check: Option<Check<u32>>,
        default: u32,
    },
    Text {
        nullable: bool,
        check: Option<Check<[u8]>>,
        default: &'static str,
    },
    /// A password: any bytes, or none.
    Secret,
    Special(&'static Special),
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Plain,
    /// Bytes, with units (`64mb`).
    Memory,
    /// Bytes, or a share of something else (`5%`), which is kept negative.
    MemoryOrPercent,
    Octal,
}

pub(super) type Check<T> = fn(&T) -> Result<(), &'static str>;
pub(super) type Why = std::borrow::Cow<'static, str>;

pub(super) type Setter = fn(&mut Config, &[&[u8]], From) -> Result<bool, Why>;

/// A directive whose shape is its own.
pub(super) struct Special {
    /// Sets it from its arguments; says whether that counts as a change.
    pub set: Setter,
    pub get: fn(&Config) -> Vec<u8>,
    /// Its lines in a config file.
    pub lines: fn(&Config) -> Lines,
    pub default: &'static [&'static str],
}

/// Who sets: `save` lines in a file add up, CONFIG SET replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The first of its lines replaces the defaults.
    FileFirst,
    FileAgain,
    Command,
}

/// The lines that CONFIG REWRITE keeps for one directive, each with whether it is written where none was before.
pub(super) type Lines = Vec<(Vec<u8>, bool)>;

/// The field of [`Config`] that holds a row's value.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub get: fn(&Config) -> Value,
    pub set: fn(&mut Config, Value),
}

/// Names the field of a row: `at!(limits.hash_max_listpack_value)`.
macro_rules! at {
    ($($field:ident).+) => {
        $crate::engine::config::row::Slot {
            get: |c| $crate::engine::config::value::Field::to_value(&c.$($field).+),
            set: |c, v| c.$($field).+ = $crate::engine::config::value::Field::from_value(v),
        }
    };
}
pub(super) use at;

/// A directive that means what it says.
pub(super) const fn live(name: &'static str, kind: Kind, slot: Slot, doc: &'static str) -> Row {
    row(name, kind, Some(slot), Status::Live, doc)
}

/// A directive with a shape of its own, which knows its field.
pub(super) const fn special(name: &'static str, special: &'static Special, doc: &'static str) -> Row {
    row(name, Kind::Special(special), None, Status::Live, doc)
}

/// A directive that is kept and reported.
pub(super) const fn inert(name: &'static str, kind: Kind, doc: &'static str) -> Row {
    row(name, kind, None, Status::Inert, doc)
}

/// A directive of which only the default is taken.
pub(super) const fn refused(name: &'static str, kind: Kind, why: &'static str, doc: &'static str) -> Row {
    row(name, kind, None, Status::Refused(why), doc)
}

const fn row(name: &'static str, kind: Kind, slot: Option<Slot>, status: Status, doc: &'static str) -> Row {
    Row { name, alias: None, kind, slot, flags: 0, status, hook: None, doc }
}

impl Row {
    pub(super) const fn alias(mut self, alias: &'static str) -> Row {
        self.alias = Some(alias);
        self
    }

    pub(super) const fn flags(mut self, flags: u8) -> Row {
        self.flags |= flags;
        self
    }

    pub(super) const fn fixed(self) -> Row {
        self.flags(FIXED)
    }

    pub(super) const fn hook(mut self, hook: Hook) -> Row {
        self.hook = Some(hook);
        self
    }

    pub(super) const fn refused(mut self, why: &'static str) -> Row {
        self.status = Status::Refused(why);
        self
    }

    /// A field for a value that nothing reads yet, so that its reader finds it when it comes.
    pub(super) const fn field(mut self, slot: Slot) -> Row {
        self.slot = Some(slot);
        self
    }

    pub(super) const fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

pub(super) const fn yes_no(default: bool) -> Kind {
    Kind::Bool { default }
}

/// A signed number within a range.
pub(super) const fn int(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: false, unit: Unit::Plain, default }
}

/// A number whose range check is unsigned: a negative one is reported as too large.
pub(super) const fn uint(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: true, unit: Unit::Plain, default }
}

/// Signed bytes.
pub(super) const fn bytes(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: false, unit: Unit::Memory, default }
}

/// Unsigned bytes; `high` -1 is the largest number of 64 bits.
pub(super) const fn ubytes(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: true, unit: Unit::Memory, default }
}

pub(super) const fn percent_or_bytes(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: false, unit: Unit::MemoryOrPercent, default }
}

pub(super) const fn octal(low: i64, high: i64, default: i64) -> Kind {
    Kind::Num { low, high, unsigned: true, unit: Unit::Octal, default }
}

pub(super) const fn one_of(names: &'static [(&'static str, u32)], default: u32) -> Kind {
    Kind::Enum { names, check: None, default }
}

/// A string; the empty one is a value like others.
pub(super) const fn text(default: &'static str) -> Kind {
    Kind::Text { nullable: false, check: None, default }
}

pub(super) const fn checked_text(default: &'static str, check: Check<[u8]>) -> Kind {
    Kind::Text { nullable: false, check: Some(check), default }
}

/// A string whose empty value means: not set.
pub(super) const fn maybe() -> Kind {
    Kind::Text { nullable: true, check: None, default: "" }
}

pub(super) const fn checked_maybe(check: Check<[u8]>) -> Kind {
    Kind::Text { nullable: true, check: Some(check), default: "" }
}
