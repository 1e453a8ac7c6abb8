//! Reading ids, and the errors about ids and groups that the stream commands share.

use crate::command::*;
use crate::value::stream::StreamId;

/// The answer to what is no id.
#[cold]
pub(super) fn invalid() -> CmdError {
    CmdError::text("ERR Invalid stream ID specified as stream command argument")
}

/// Reads an id; without a sequence it is the first of its millisecond.
pub(super) fn strict(text: &[u8]) -> Result<StreamId, CmdError> {
    StreamId::parse_strict(text, 0).ok_or_else(invalid)
}

/// Reads the start of an interval: `-`, an id, or `(` and an id that is not included.
pub(super) fn start(text: &[u8]) -> Result<StreamId, CmdError> {
    match text {
        [b'(', rest @ ..] if !rest.is_empty() => {
            strict(rest)?.next().ok_or(CmdError::text("ERR invalid start ID for the interval"))
        }
        _ => StreamId::parse(text, 0).ok_or_else(invalid),
    }
}

/// Reads the end of an interval: `+`, an id, or `(` and an id that is not included.
pub(super) fn end(text: &[u8]) -> Result<StreamId, CmdError> {
    match text {
        [b'(', rest @ ..] if !rest.is_empty() => StreamId::parse_strict(rest, u64::MAX)
            .ok_or_else(invalid)?
            .prev()
            .ok_or(CmdError::text("ERR invalid end ID for the interval")),
        _ => StreamId::parse(text, u64::MAX).ok_or_else(invalid),
    }
}

/// `$`, which is `last`, or an id.
pub(super) fn or_last(text: &[u8], last: StreamId) -> Result<StreamId, CmdError> {
    if text == b"$" { Ok(last) } else { strict(text) }
}

/// There is no such group.
#[cold]
pub(super) fn no_group(key: &[u8], group: &[u8]) -> CmdError {
    let (key, group) = (shown(key), shown(group));
    CmdError::Other(format!("NOGROUP No such consumer group '{group}' for key name '{key}'").into())
}

/// There is no such key, or no such group; `context` ends the line.
#[cold]
pub(super) fn no_key_or_group(key: &[u8], group: &[u8], context: &str) -> CmdError {
    let (key, group) = (shown(key), shown(group));
    CmdError::Other(format!("NOGROUP No such key '{key}' or consumer group '{group}'{context}").into())
}

/// The clock as streams keep it: unix milliseconds, signed.
pub(super) fn now_ms(ctx: &Ctx<'_>) -> i64 {
    i64::try_from(ctx.now.ms).unwrap_or(i64::MAX)
}
