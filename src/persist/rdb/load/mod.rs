//! Making values of what a file says, in today's encodings.

use super::error::Res;
use super::input::Input;
use super::skip;
use super::source::Source;
use super::tags::kind;
use super::version::Dialect;
use crate::value::Limits;

/// How values are made.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions<'a> {
    /// When an encoding becomes another one.
    pub limits: &'a Limits,
    /// Whether duplicates inside packed values are refused (`sanitize-dump-payload`); real servers let them in
    /// by default.
    pub strict: bool,
}

/// What became of a value.
pub enum Loaded<'r> {
    /// A string, still in the source's buffer.
    Bytes(&'r [u8]),
    /// An aggregate without elements: a bug of old servers, skipped with a note in the log.
    Empty,
}

pub(super) fn value<'r, S: Source>(
    input: &'r mut Input<S>,
    kind: u8,
    dialect: Dialect,
    _options: &LoadOptions<'_>,
) -> Res<Loaded<'r>> {
    if kind == kind::STRING {
        return input.string().map(Loaded::Bytes);
    }
    skip::value(input, kind, dialect)?;
    Ok(Loaded::Empty)
}
