//! What a command answers instead of a value.

use std::borrow::Cow;
use std::fmt;

use crate::keyspace::WrongType;
use crate::resp::Args;

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

    /// The line as it is sent: what stands for a byte of the client's (see [`shown`]) is that byte again.
    pub fn bytes(&self) -> Vec<u8> {
        self.line().chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
    }

    /// The first word, under which INFO errorstats counts it.
    pub fn code(&self) -> String {
        self.line().split(' ').next().unwrap_or("ERR").to_owned()
    }
}

/// A client's word in an error's line: its bytes, each as the character of that number, up to a zero, where the real
/// server's C strings end.
pub fn shown(word: &[u8]) -> String {
    word.iter().take_while(|byte| **byte != 0).map(|byte| char::from(*byte)).collect()
}

/// The rest of a subcommand's arguments makes no sense.
#[cold]
pub fn bad_subcommand(args: &Args<'_>) -> CmdError {
    let sub = args.get(1).unwrap_or_default();
    let sub = shown(&sub[..sub.len().min(128)]);
    let name = shown(args.name()).to_ascii_uppercase();
    CmdError::Other(
        format!("ERR unknown subcommand or wrong number of arguments for '{sub}'. Try {name} HELP.").into(),
    )
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
