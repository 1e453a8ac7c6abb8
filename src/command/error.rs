//! What a command answers instead of a value.

use std::borrow::Cow;
use std::fmt;

use crate::keyspace::WrongType;

/// An error reply. `Display` is the exact line that a client sees after `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CmdError {
    Syntax,
    WrongType,
    NotInteger,
    NotFloat,
    NoSuchKey,
    OutOfRange,
    IndexOutOfRange,
    NotPositive,
    /// The expiry of this command is out of range.
    InvalidExpire(&'static str),
    /// The wrong number of arguments for this command (`config|get` for a subcommand).
    Arity(Cow<'static, str>),
    /// Any other line, its prefix included.
    Other(Cow<'static, str>),
}

impl CmdError {
    /// An error with a line of its own, `ERR ` or another prefix included.
    pub fn text(line: impl Into<Cow<'static, str>>) -> CmdError {
        CmdError::Other(line.into())
    }

    /// The whole line as text.
    pub fn line(&self) -> Cow<'_, str> {
        match self {
            CmdError::Syntax => "ERR syntax error".into(),
            CmdError::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value".into(),
            CmdError::NotInteger => "ERR value is not an integer or out of range".into(),
            CmdError::NotFloat => "ERR value is not a valid float".into(),
            CmdError::NoSuchKey => "ERR no such key".into(),
            CmdError::OutOfRange => "ERR value is out of range".into(),
            CmdError::IndexOutOfRange => "ERR index out of range".into(),
            CmdError::NotPositive => "ERR value is out of range, must be positive".into(),
            CmdError::InvalidExpire(command) => {
                format!("ERR invalid expire time in '{command}' command").into()
            }
            CmdError::Arity(command) => {
                format!("ERR wrong number of arguments for '{command}' command").into()
            }
            CmdError::Other(line) => line.as_ref().into(),
        }
    }

    /// The first word, under which INFO errorstats counts it.
    pub fn code(&self) -> String {
        self.line().split(' ').next().unwrap_or("ERR").to_owned()
    }
}

impl fmt::Display for CmdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.line())
    }
}

impl std::error::Error for CmdError {}

impl From<WrongType> for CmdError {
    fn from(_: WrongType) -> Self {
        CmdError::WrongType
    }
}
