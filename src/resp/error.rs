//! What is wrong with a stream of requests.

use std::fmt;

/// Why a connection's bytes are no requests. It is answered (`Display` is the text behind `-ERR `) and closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProtocolError {
    InvalidMultibulkLength,
    InvalidBulkLength,
    ExpectedDollar { got: u8 },
    TooBigMultibulkCount,
    TooBigBulkCount,
    TooBigInline,
    UnbalancedQuotes,
    UnauthenticatedMultibulk,
    UnauthenticatedBulk,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Protocol error: ")?;
        f.write_str(match self {
            Self::InvalidMultibulkLength => "invalid multibulk length",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::ExpectedDollar { got } => return write!(f, "expected '$', got '{}'", char::from(*got)),
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::UnauthenticatedMultibulk => "unauthenticated multibulk length",
            Self::UnauthenticatedBulk => "unauthenticated bulk length",
        })
    }
}

impl ProtocolError {
    /// The answer on the wire, from `-` to CR LF. (A byte above 127 goes out as it came: an error is not text.)
    pub fn to_wire(self) -> Vec<u8> {
        let mut line = b"-ERR ".to_vec();
        match self {
            Self::ExpectedDollar { got } => {
                line.extend_from_slice(b"Protocol error: expected '$', got '");
                line.push(if matches!(got, b'\r' | b'\n') { b' ' } else { got });
                line.push(b'\'');
            }
            other => line.extend_from_slice(other.to_string().as_bytes()),
        }
        line.extend_from_slice(b"\r\n");
        line
    }

    /// How the log names it ("Protocol error (...) from client: ..."), which is not always what the client is told.
    pub fn log_text(self) -> &'static str {
        match self {
            Self::InvalidMultibulkLength => "invalid mbulk count",
            Self::InvalidBulkLength => "invalid bulk length",
            Self::ExpectedDollar { .. } => "expected $ but got something else",
            Self::TooBigMultibulkCount => "too big mbulk count string",
            Self::TooBigBulkCount => "too big bulk count string",
            Self::TooBigInline => "too big inline request",
            Self::UnbalancedQuotes => "unbalanced quotes in request",
            Self::UnauthenticatedMultibulk => "unauth mbulk count",
            Self::UnauthenticatedBulk => "unauth bulk length",
        }
    }
}

impl std::error::Error for ProtocolError {}
