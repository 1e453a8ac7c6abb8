//! DUMP and RESTORE payloads, of values and of function libraries. Source: `FORMAT.md`, section DUMP payloads.

use std::fmt;
use std::io;

use super::error::{LoadError, LoadErrorKind};
use super::input::Input;
use super::load::{self, LoadOptions, Loaded};
use super::output::Output;
use super::reader::pre_ga_function;
use super::save;
use super::skip::is_known;
use super::source::SliceSource;
use super::tags::op;
use super::version::{Dialect, VALKEY_FIRST, Version};
use super::writer::Body;
use crate::text::crc::crc64;
use crate::value::{Str, Value};

/// The version that payloads are written as: Redis 8.0's.
const VERSION: Version = Version { dialect: Dialect::Redis, number: 12 };
/// Version and checksum.
const FOOTER: usize = 10;

/// Why a payload was not taken.
#[derive(Debug)]
pub enum RestoreError {
    /// Too short, of a version from the future, or with another checksum: `DUMP payload version or checksum are wrong`.
    Footer,
    /// `Bad data format`, and why.
    Data(LoadError),
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RestoreError::Footer => f.write_str("DUMP payload version or checksum are wrong"),
            RestoreError::Data(e) => write!(f, "Bad data format: {e}"),
        }
    }
}

impl std::error::Error for RestoreError {}

/// The payload of a value: what DUMP answers.
pub fn dump<'a>(value: impl Into<Body<'a>>, compress: bool) -> Vec<u8> {
    let body = value.into();
    let mut out = Output::collecting(io::sink(), compress);
    let kind = save::kind(body, VERSION).expect("version 12 holds every value");
    out.byte(kind);
    save::body(&mut out, body, kind, VERSION.dialect);
    with_footer(out.into_buf())
}

/// The payload of function libraries: what FUNCTION DUMP answers.
pub fn dump_functions<'a>(libraries: impl IntoIterator<Item = &'a [u8]>, compress: bool) -> Vec<u8> {
    let mut out = Output::collecting(io::sink(), compress);
    for code in libraries {
        out.byte(op::FUNCTION);
        out.string(code);
    }
    with_footer(out.into_buf())
}

fn with_footer(mut payload: Vec<u8>) -> Vec<u8> {
    payload.extend_from_slice(&VERSION.number.to_le_bytes());
    let checksum = crc64(0, &payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// Reads a value from a payload. `check`: whether the checksum counts (DEBUG SET-SKIP-CHECKSUM-VALIDATION).
/// An empty aggregate is an error here. Untrusted.
pub fn restore(payload: &[u8], options: &LoadOptions<'_>, check: bool) -> Result<Value, RestoreError> {
    let (version, bytes) = checked(payload, check).ok_or(RestoreError::Footer)?;
    let mut input = Input::new(SliceSource::new(bytes));
    let kind = input.byte().map_err(|fail| RestoreError::Data(fail.with_key(None)))?;
    let wrong = |kind| RestoreError::Data(LoadError { offset: 0, key: None, kind });
    if !is_known(kind, version.dialect) {
        return Err(wrong(LoadErrorKind::UnknownType(kind)));
    }
    match load::value(&mut input, kind, version.dialect, options) {
        Ok(Loaded::Bytes(text)) => Ok(Value::Str(Str::from(text))),
        Ok(Loaded::Packed(packed)) => Ok(packed.to_value()),
        Ok(Loaded::Value(value)) => Ok(value),
        Ok(Loaded::Empty) => Err(wrong(LoadErrorKind::Corrupt("payload", "no elements"))),
        Err(fail) => Err(RestoreError::Data(fail.with_key(None))),
    }
}

/// Reads function libraries from a payload. Untrusted. `pre_ga`: also of the 7.0 release candidates, which real
/// servers refuse since.
pub fn restore_functions(payload: &[u8], pre_ga: bool) -> Result<Vec<Vec<u8>>, RestoreError> {
    let (_, bytes) = checked(payload, true).ok_or(RestoreError::Footer)?;
    let mut input = Input::new(SliceSource::new(bytes));
    let mut libraries = Vec::new();
    while (input.offset() as usize) < bytes.len() {
        let library = match input.byte() {
            Ok(op::FUNCTION) => input.string().map(<[u8]>::to_vec),
            Ok(op::FUNCTION_PRE_GA) if pre_ga => {
                let mut code = Vec::new();
                pre_ga_function(&mut input, &mut code).map(|()| code)
            }
            Ok(op::FUNCTION_PRE_GA) => input.corrupt("payload", "Pre-GA function format not supported"),
            _ => input.corrupt("payload", "given type is not a function"),
        };
        libraries.push(library.map_err(|fail| RestoreError::Data(fail.with_key(None)))?);
    }
    Ok(libraries)
}

/// Splits a payload from its footer. Versions: those that Redis 8.0 takes, and Valkey 9's.
fn checked(payload: &[u8], check: bool) -> Option<(Version, &[u8])> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER)?)?;
    let (version, checksum) = footer.split_first_chunk::<2>()?;
    let version = u16::from_le_bytes(*version);
    if version > VERSION.number && version != VALKEY_FIRST {
        return None;
    }
    let stated = u64::from_le_bytes(*checksum.first_chunk()?);
    let covered = &payload[..payload.len() - checksum.len()];
    (!check || crc64(0, covered) == stated).then_some((Version::of_dump(version), body))
}
