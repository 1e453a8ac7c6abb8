//! One value of a directive: read from text, written as text, kept in a field.

use super::row::{Kind, Unit, Why};
use crate::text::num;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// What a row holds. Numbers wider than `i64` (`maxmemory`) are kept as their bits, shares (`5%`) as negative numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Bool(bool),
    Num(i64),
    Code(u32),
    Text(Vec<u8>),
}

/// A type that a field of `Config` may have. The row's range was checked before: `from_value` cannot lose anything.
pub(super) trait Field {
    fn to_value(&self) -> Value;
    fn from_value(value: Value) -> Self;
}

impl Field for bool {
    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
    fn from_value(value: Value) -> Self {
        matches!(value, Value::Bool(true))
    }
}

macro_rules! number_fields {
    ($($t:ty)+) => {$(
        impl Field for $t {
            fn to_value(&self) -> Value {
                Value::Num(*self as i64)
            }
            fn from_value(value: Value) -> Self {
                if let Value::Num(n) = value { n as $t } else { 0 }
            }
        }
    )+};
}
number_fields!(u16 i32 u32 i64 u64 usize);

impl Field for String {
    fn to_value(&self) -> Value {
        Value::Text(self.as_bytes().to_vec())
    }
    fn from_value(value: Value) -> Self {
        String::from_utf8_lossy(&into_bytes(value)).into_owned()
    }
}

impl Field for PathBuf {
    fn to_value(&self) -> Value {
        Value::Text(self.as_os_str().as_bytes().to_vec())
    }
    fn from_value(value: Value) -> Self {
        OsString::from_vec(into_bytes(value)).into()
    }
}

impl Field for Vec<u8> {
    fn to_value(&self) -> Value {
        Value::Text(self.clone())
    }
    fn from_value(value: Value) -> Self {
        into_bytes(value)
    }
}

impl Field for Option<PathBuf> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Text(Vec::new()), Field::to_value)
    }
    fn from_value(value: Value) -> Self {
        Some(PathBuf::from_value(value)).filter(|path| !path.as_os_str().is_empty())
    }
}

fn into_bytes(value: Value) -> Vec<u8> {
    if let Value::Text(text) = value { text } else { Vec::new() }
}

impl Kind {
    /// The value of a fresh server. `None` for specials, which set themselves.
    pub(super) fn default_value(&self) -> Option<Value> {
        Some(match *self {
            Kind::Bool { default } => Value::Bool(default),
            Kind::Num { default, .. } => Value::Num(default),
            Kind::Enum { default, .. } => Value::Code(default),
            Kind::Text { default, .. } => Value::Text(default.as_bytes().to_vec()),
            Kind::Secret => Value::Text(Vec::new()),
            Kind::Special(_) => return None,
        })
    }

    /// Reads a value from its arguments: one, or for enums of a multi row several.
    pub(super) fn parse(&self, args: &[&[u8]], multi: bool) -> Result<Value, Why> {
        let first = args.first().copied().unwrap_or_default();
        match *self {
            Kind::Bool { .. } => parse_bool(first),
            Kind::Num { low, high, unsigned, unit, .. } => {
                let n = parse_number(first, unit)?;
                check_range(n, low, high, unsigned, unit)?;
                Ok(Value::Num(n))
            }
            Kind::Enum { names, check, .. } => {
                let code = parse_codes(names, args, multi)?;
                check.map_or(Ok(()), |check| check(&code))?;
                Ok(Value::Code(code))
            }
            Kind::Text { check, .. } => {
                // The real server keeps these as C strings.
                let text = first.split(|byte| *byte == 0).next().unwrap_or_default();
                check.map_or(Ok(()), |check| check(text))?;
                Ok(Value::Text(text.to_vec()))
            }
            Kind::Secret => Ok(Value::Text(first.to_vec())),
            Kind::Special(_) => Err("wrong number of arguments".into()),
        }
    }

    /// The value as CONFIG GET shows it.
    pub(super) fn show(&self, value: &Value, multi: bool) -> Vec<u8> {
        match (self, value) {
            (_, Value::Bool(on)) => if *on { "yes" } else { "no" }.into(),
            (_, Value::Text(text)) => text.clone(),
            (Kind::Enum { names, .. }, Value::Code(code)) => show_codes(names, *code, multi).into_bytes(),
            (Kind::Num { unit, .. }, Value::Num(n)) => show_number(*n, *unit).into_bytes(),
            _ => Vec::new(),
        }
    }

    /// The value as CONFIG REWRITE writes it: strings quoted, bytes with the largest unit that fits.
    pub(super) fn write(&self, value: &Value, multi: bool) -> Vec<u8> {
        match (self, value) {
            (_, Value::Text(text)) => crate::text::words::quote(text).into_bytes(),
            (Kind::Num { unit: Unit::Memory | Unit::MemoryOrPercent, .. }, Value::Num(n)) if *n >= 0 => {
                write_memory(*n as u64).into_bytes()
            }
            (Kind::Num { unit: Unit::Memory, .. }, Value::Num(n)) => write_memory(*n as u64).into_bytes(),
            _ => self.show(value, multi),
        }
    }
}

fn parse_bool(arg: &[u8]) -> Result<Value, Why> {
    if arg.eq_ignore_ascii_case(b"yes") {
        Ok(Value::Bool(true))
    } else if arg.eq_ignore_ascii_case(b"no") {
        Ok(Value::Bool(false))
    } else {
        Err("argument must be 'yes' or 'no'".into())
    }
}

fn parse_number(arg: &[u8], unit: Unit) -> Result<i64, Why> {
    let parsed = match unit {
        Unit::Plain => num::parse_i64(arg),
        Unit::Memory => num::parse_memory(arg).map(|n| n as i64),
        Unit::MemoryOrPercent => {
            num::parse_memory(arg).map(|n| n as i64).or_else(|| num::parse_percent(arg).map(|n| -n))
        }
        Unit::Octal => parse_octal(arg),
    };
    parsed.ok_or(match unit {
        Unit::Plain => "argument couldn't be parsed into an integer".into(),
        Unit::Memory => "argument must be a memory value".into(),
        Unit::MemoryOrPercent => "argument must be a memory or percent value".into(),
        Unit::Octal => "argument couldn't be parsed as an octal number".into(),
    })
}

fn parse_octal(arg: &[u8]) -> Option<i64> {
    i64::from_str_radix(std::str::from_utf8(arg).ok()?.trim_start(), 8).ok()
}

fn check_range(n: i64, low: i64, high: i64, unsigned: bool, unit: Unit) -> Result<(), Why> {
    if unit == Unit::MemoryOrPercent && n < 0 {
        return if n < low {
            Err(format!("percentage argument must be less or equal to {}", -low).into())
        } else {
            Ok(())
        };
    }
    let inside =
        if unsigned { (low as u64..=high as u64).contains(&(n as u64)) } else { (low..=high).contains(&n) };
    match (inside, unsigned, unit) {
        (true, ..) => Ok(()),
        (_, _, Unit::Octal) => Err(format!("argument must be between {low:o} and {high:o} inclusive").into()),
        (_, true, _) => {
            Err(format!("argument must be between {} and {} inclusive", low as u64, high as u64).into())
        }
        (_, false, _) => Err(format!("argument must be between {low} and {high} inclusive").into()),
    }
}

fn parse_codes(names: &[(&str, u32)], args: &[&[u8]], multi: bool) -> Result<u32, Why> {
    let code = |arg: &&[u8]| {
        names.iter().find(|(name, _)| arg.eq_ignore_ascii_case(name.as_bytes())).map(|(_, code)| *code)
    };
    let codes: Option<Vec<u32>> = args.iter().map(code).collect();
    match codes {
        Some(codes) if codes.len() == 1 || (multi && !codes.is_empty()) => {
            Ok(codes.into_iter().fold(0, |all, code| all | code))
        }
        _ => {
            let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            Err(format!("argument(s) must be one of the following: {}", known.join(", ")).into())
        }
    }
}

fn show_codes(names: &[(&str, u32)], code: u32, multi: bool) -> String {
    if let Some((name, _)) = names.iter().find(|(_, c)| *c == code) {
        return (*name).to_owned();
    }
    let set = |(_, c): &&(&str, u32)| multi && *c != 0 && code & c == *c;
    let shown: Vec<&str> = names.iter().filter(set).map(|(name, _)| *name).collect();
    if shown.is_empty() { "unknown".to_owned() } else { shown.join(" ") }
}

fn show_number(n: i64, unit: Unit) -> String {
    match unit {
        Unit::Plain => n.to_string(),
        Unit::Memory => (n as u64).to_string(),
        Unit::MemoryOrPercent if n < 0 => format!("{}%", n.unsigned_abs()),
        Unit::MemoryOrPercent => n.to_string(),
        Unit::Octal => format!("{n:o}"),
    }
}

/// Bytes with the largest unit that divides them.
pub(super) fn write_memory(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "gb"), (1 << 20, "mb"), (1 << 10, "kb")];
    match UNITS.iter().find(|(size, _)| bytes != 0 && bytes.is_multiple_of(*size)) {
        Some((size, unit)) => format!("{}{unit}", bytes / size),
        None => bytes.to_string(),
    }
}
