#![allow(unsafe_code)] // calls into C: `strtod`, and the few lines of `longdouble.c`
//! What only C's library has: `strtod` for hexadecimal floats, and arithmetic in `long double`, in which the real
//! server computes INCRBYFLOAT and HINCRBYFLOAT.

use std::ffi::{CString, c_char, c_int, c_ulong};

/// Texts of this length and more are no numbers to the server.
const MAX_TEXT: usize = 5 * 1024;

unsafe extern "C" {
    fn resnap_ld_add(a: *const c_char, b: *const c_char, out: *mut c_char, cap: c_ulong) -> c_int;
    fn resnap_ld_kind(a: *const c_char) -> c_int;
    fn resnap_strtod(a: *const c_char, ok: *mut c_int) -> f64;
}

/// Why two texts could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddError {
    /// The first is no number ("value is not a valid float").
    First,
    /// The second is no number.
    Second,
    /// The sum is infinite or no number ("increment would produce NaN or Infinity").
    Sum,
}

/// What a text is to the server where it reads a `long double`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongDouble {
    Finite,
    Infinite,
}

/// Reads a whole text as `strtod` does; `None` when it is none, not finished, out of range or NaN.
pub fn strtod(text: &[u8]) -> Option<f64> {
    let text = c_text(text)?;
    let mut ok = 0;
    // SAFETY: `text` is NUL-terminated and lives through the call; `ok` is a valid place for an int.
    let value = unsafe { resnap_strtod(text.as_ptr(), &mut ok) };
    (ok != 0).then_some(value)
}

/// Whether a text is a `long double`, and a finite one.
pub fn long_double_kind(text: &[u8]) -> Option<LongDouble> {
    let text = c_text(text)?;
    // SAFETY: `text` is NUL-terminated and lives through the call.
    match unsafe { resnap_ld_kind(text.as_ptr()) } {
        0 => Some(LongDouble::Finite),
        1 => Some(LongDouble::Infinite),
        _ => None,
    }
}

/// Adds two numbers in `long double` and prints the sum with at most 17 decimals and no trailing zeros.
///
/// Shape of the inputs: what `strtold` takes as a whole, under 5 KiB, no leading blank.
pub fn add_long_double(a: &[u8], b: &[u8]) -> Result<Vec<u8>, AddError> {
    let a = c_text(a).ok_or(AddError::First)?;
    let b = c_text(b).ok_or(AddError::Second)?;
    let mut out = vec![0u8; MAX_TEXT];
    // SAFETY: both texts are NUL-terminated and live through the call; `out` has the capacity that is told, and
    // the function writes no more than that.
    let len = unsafe { resnap_ld_add(a.as_ptr(), b.as_ptr(), out.as_mut_ptr().cast(), out.len() as c_ulong) };
    match len {
        -1 => Err(AddError::First),
        -2 => Err(AddError::Second),
        ..0 => Err(AddError::Sum),
        len => {
            out.truncate(len as usize);
            Ok(trimmed(out))
        }
    }
}

/// Takes trailing zeros (and a bare point) off a number with decimals; a negative zero becomes `0`.
fn trimmed(mut number: Vec<u8>) -> Vec<u8> {
    while number.pop_if(|b| *b == b'0').is_some() {}
    number.pop_if(|b| *b == b'.');
    if number == b"-0" {
        number = b"0".to_vec();
    }
    number.shrink_to_fit();
    number
}

/// A text as a C string, where the server would hand it to `strtod`: not empty, short, no blank first, no NUL.
fn c_text(text: &[u8]) -> Option<CString> {
    let first = *text.first()?;
    if first.is_ascii_whitespace() || first == b'\x0b' || text.len() >= MAX_TEXT {
        return None;
    }
    CString::new(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(a: &str, b: &str) -> Result<String, AddError> {
        add_long_double(a.as_bytes(), b.as_bytes()).map(|sum| String::from_utf8(sum).expect("ascii"))
    }

    #[test]
    fn adds_as_the_server() {
        assert_eq!(add("3.0", "1.1").as_deref(), Ok("4.1"));
        assert_eq!(add("0.1", "0.2").as_deref(), Ok("0.3"));
        assert_eq!(add("10.50", "0.1").as_deref(), Ok("10.6"));
        assert_eq!(add("5.0e3", "2.0e2").as_deref(), Ok("5200"));
        assert_eq!(add("1", "-1").as_deref(), Ok("0"));
        assert_eq!(add("-0.000000000000000001", "0").as_deref(), Ok("0"));
        assert_eq!(add("0x10", "1").as_deref(), Ok("17"));
        assert_eq!(add("17179869184", "1.5").as_deref(), Ok("17179869185.5"));
        assert_eq!(add("100", "0").as_deref(), Ok("100"));
        assert_eq!(add("1e4000", "1").map(|s| s.len()), Ok(4000)); // the nearest long double is below
    }

    #[test]
    fn refuses_what_is_no_number() {
        for bad in ["", " 1", "\t1", "1 ", "abc", "nan", "1e5000", "1e-5000", "1x", &"1".repeat(MAX_TEXT)] {
            assert_eq!(add(bad, "1"), Err(AddError::First), "{bad}");
            assert_eq!(add("1", bad), Err(AddError::Second), "{bad}");
            assert_eq!(long_double_kind(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(add("1\0", "1"), Err(AddError::First));
        assert_eq!(add("inf", "1"), Err(AddError::Sum));
        assert_eq!(add("1", "-inf"), Err(AddError::Sum));
        assert_eq!(add("1.1e4932", "1.1e4932"), Err(AddError::Sum));
        assert_eq!(long_double_kind(b"1.5"), Some(LongDouble::Finite));
        assert_eq!(long_double_kind(b"-inf"), Some(LongDouble::Infinite));
    }
}
