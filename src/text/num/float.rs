//! Doubles: what the server reads as a score, an increment or a bound, and how it prints them.

use super::grisu;
use crate::text::cfloat;

/// Reads a double where the server wants a whole argument to be one: scores, increments, weights.
///
/// Shape: decimal with optional sign, fraction and exponent; `inf` and `infinity` in any case; hexadecimal (`0x1p3`).
/// Errors: `None` for an empty text, blanks, NaN, and what overflows or underflows to nothing (`1e400`, `1e-400`).
/// Compared with 8.0.6 on 30,000 texts; the one difference is `-+inf`, which that takes for an infinity.
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    if let Some(n) = small_integer(text) {
        return Some(n);
    }
    if is_hex(text) {
        return cfloat::strtod(text);
    }
    let value = decimal(text)?;
    let out_of_range =
        value.is_infinite() && !names_infinity(text) || value == 0.0 && has_nonzero_digit(text);
    (!value.is_nan() && !out_of_range).then_some(value)
}

/// Reads a bound of a score range (after its `(` was taken off), or what SORT sorts by.
///
/// Differs from [`parse_f64`] as 8.0.6 does: no hexadecimal, an overflow is an infinity, an underflow zero, nothing
/// at all is zero, and a zero byte ends the text.
pub fn parse_range_f64(text: &[u8]) -> Option<f64> {
    let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
    if text.is_empty() {
        return Some(0.0);
    }
    decimal(text).filter(|value| !value.is_nan())
}

/// Most scores are short integers: no need to walk the whole road.
#[inline]
fn small_integer(text: &[u8]) -> Option<f64> {
    if text.len() > 15 || text.is_empty() {
        return None;
    }
    let mut n = 0u64;
    for b in text {
        let d = b.wrapping_sub(b'0');
        if d > 9 {
            return None;
        }
        n = n * 10 + u64::from(d);
    }
    Some(n as f64)
}

fn decimal(text: &[u8]) -> Option<f64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn unsigned(text: &[u8]) -> &[u8] {
    match text {
        [b'+' | b'-', rest @ ..] => rest,
        _ => text,
    }
}

fn is_hex(text: &[u8]) -> bool {
    matches!(unsigned(text), [b'0', b'x' | b'X', ..])
}

fn names_infinity(text: &[u8]) -> bool {
    matches!(unsigned(text), [b'i' | b'I', ..])
}

fn has_nonzero_digit(text: &[u8]) -> bool {
    text.iter().take_while(|b| !matches!(b, b'e' | b'E')).any(|b| (b'1'..=b'9').contains(b))
}

/// A printed double, on the stack.
pub struct DoubleText {
    bytes: [u8; 32],
    len: u8,
}

impl DoubleText {
    fn new() -> Self {
        DoubleText { bytes: [0; 32], len: 0 }
    }

    fn push(&mut self, bytes: &[u8]) {
        let at = usize::from(self.len);
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len() as u8;
    }

    fn zeros(&mut self, count: usize) {
        self.push(&[b'0'; 24][..count]);
    }

    /// The text.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl std::ops::Deref for DoubleText {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Prints a double as replies and stored scores show it.
///
/// Shape: `3`, `0.3`, `1e+21`, `1.5e-07`-like exponents without padding (`1.5e-7`), `inf`, `-inf`, `nan`, `-0`. A
/// value of up to 62 bits without a fraction prints as that integer, in all digits.
pub fn format_f64(value: f64) -> DoubleText {
    let mut out = DoubleText::new();
    if value.is_nan() {
        out.push(b"nan");
    } else if value.is_infinite() {
        out.push(if value > 0.0 { b"inf" } else { b"-inf" });
    } else if value == 0.0 {
        out.push(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if let Some(n) = exact_integer(value) {
        out.push(itoa::Buffer::new().format(n).as_bytes());
    } else {
        digits(&mut out, value);
    }
    out
}

/// Prints a double by its shortest digits, whole numbers too (`1e+18`): what DEBUG DIGEST takes scores for.
pub fn shortest_f64(value: f64) -> DoubleText {
    if !value.is_finite() || value == 0.0 {
        return format_f64(value);
    }
    let mut out = DoubleText::new();
    digits(&mut out, value);
    out
}

/// The integer that a double is, when it is one and not huge.
fn exact_integer(value: f64) -> Option<i64> {
    const LIMIT: f64 = (i64::MAX / 2) as f64;
    let n = value as i64;
    (value.abs() <= LIMIT && n as f64 == value).then_some(n)
}

fn digits(out: &mut DoubleText, value: f64) {
    if value < 0.0 {
        out.push(b"-");
    }
    let decimal = grisu::decimal(value.abs());
    let digits = &decimal.digits[..decimal.len];
    let (count, k) = (digits.len() as i32, decimal.exponent);
    let exponent = k + count - 1; // of d.ddd notation
    if k >= 0 && exponent.abs() < count + 7 {
        out.push(digits);
        out.zeros(k as usize);
    } else if k < 0 && (k > -7 || exponent.abs() < 4) {
        plain_fraction(out, digits, count + k);
    } else {
        scientific(out, &digits[..digits.len().min(18 - usize::from(value < 0.0))], exponent);
    }
}

/// Prints digits with the point after the first `point` of them (negative: zeros come between).
fn plain_fraction(out: &mut DoubleText, digits: &[u8], point: i32) {
    if point > 0 {
        let (whole, fraction) = digits.split_at(point as usize);
        out.push(whole);
        out.push(b".");
        out.push(fraction);
    } else {
        out.push(b"0.");
        out.zeros(-point as usize);
        out.push(digits);
    }
}

fn scientific(out: &mut DoubleText, digits: &[u8], exponent: i32) {
    out.push(&digits[..1]);
    if digits.len() > 1 {
        out.push(b".");
        out.push(&digits[1..]);
    }
    out.push(if exponent < 0 { b"e-" } else { b"e+" });
    out.push(itoa::Buffer::new().format(exponent.unsigned_abs()).as_bytes());
}

/// Prints a double with a fixed number of decimals, ties to even, as GEODIST does (4 decimals).
///
/// Unit: `decimals` 1 to 17; the scaled value must fit an `i64`, else it saturates.
pub fn fixed_point(value: f64, decimals: u32) -> DoubleText {
    let unit = 10u64.pow(decimals);
    let scaled = (value * unit as f64).round_ties_even() as i64;
    let magnitude = scaled.unsigned_abs();
    let mut out = DoubleText::new();
    if scaled < 0 {
        out.push(b"-");
    }
    out.push(itoa::Buffer::new().format(magnitude / unit).as_bytes());
    out.push(b".");
    let fraction = magnitude % unit;
    out.zeros(decimals as usize - super::digits10(fraction));
    out.push(itoa::Buffer::new().format(fraction).as_bytes());
    out
}

/// Prints a double with up to 17 decimals and no exponent, without trailing zeros, into `out` (GEOPOS coordinates).
///
/// At most 330 bytes; infinities as `inf` and `-inf`.
pub fn human_f64(value: f64, out: &mut Vec<u8>) {
    use std::io::Write;
    if !value.is_finite() {
        out.extend_from_slice(&format_f64(value));
        return;
    }
    let start = out.len();
    write!(out, "{value:.17}").expect("a Vec takes all");
    let end = out.iter().rposition(|b| *b != b'0').map_or(out.len(), |last| last + 1);
    out.truncate(end);
    if out.last() == Some(&b'.') {
        out.pop();
    }
    if &out[start..] == b"-0" {
        out.remove(start);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: f64) -> String {
        String::from_utf8(format_f64(value).to_vec()).expect("ascii")
    }

    #[test]
    fn prints_as_the_server() {
        let rows: [(f64, &str); 25] = [
            (3.0, "3"),
            (0.3, "0.3"),
            (-0.0, "-0"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e17, "100000000000000000"),
            (123456789012345680.0, "123456789012345680"),
            (4611686018427387904.0, "4611686018427387904"),
            (9223372036854775807.0, "9223372036854776000"),
            (1e19, "1e+19"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (1e100, "1e+100"),
            (1e-5, "0.00001"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e-7, "1.5e-7"),
            (1.25e-10, "1.25e-10"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN, "-1.7976931348623157e+308"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (f64::NAN, "nan"),
            (-1234.5678, "-1234.5678"),
            (0.00123456789012345, "0.00123456789012345"),
        ];
        for (value, want) in rows {
            assert_eq!(shown(value), want, "{value:e}");
        }
    }

    #[test]
    fn reads_scores() {
        let rows: [(&str, Option<f64>); 30] = [
            ("1", Some(1.0)),
            ("-1.5", Some(-1.5)),
            ("+5", Some(5.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e5", Some(1e5)),
            ("1E+5", Some(1e5)),
            ("007", Some(7.0)),
            ("inf", Some(f64::INFINITY)),
            ("+inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("0x10", Some(16.0)),
            ("-0x1p3", Some(-8.0)),
            ("0x.8", Some(0.5)),
            ("0e999", Some(0.0)),
            ("1e-310", Some(1e-310)),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1e", None),
            ("e5", None),
            (".", None),
            ("nan", None),
            ("-nan", None),
            ("nan(1)", None),
            ("1e400", None),
            ("1e-400", None),
            ("0x", None),
            ("0x1p99999", None),
            ("infin", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_f64(text.as_bytes()), want, "{text}");
        }
        assert_eq!(parse_f64(b"1\0"), None);
        assert_eq!(parse_f64(b"\xff"), None);
    }

    #[test]
    fn reads_range_bounds() {
        let rows: [(&str, Option<f64>); 9] = [
            ("1e400", Some(f64::INFINITY)),
            ("-1e400", Some(f64::NEG_INFINITY)),
            ("1e-400", Some(0.0)),
            ("", Some(0.0)),
            ("1\0x", Some(1.0)),
            ("+inf", Some(f64::INFINITY)),
            ("0x10", None),
            ("nan", None),
            (" 1", None),
        ];
        for (text, want) in rows {
            assert_eq!(parse_range_f64(text.as_bytes()), want, "{text}");
        }
    }

    #[test]
    fn fixed_and_human() {
        let fixed = |v, d| String::from_utf8(fixed_point(v, d).to_vec()).expect("ascii");
        assert_eq!(fixed(166274.15156960033, 4), "166274.1516");
        assert_eq!(fixed(0.0, 4), "0.0000");
        assert_eq!(fixed(0.05, 4), "0.0500");
        assert_eq!(fixed(-0.775, 4), "-0.7750");
        assert_eq!(fixed(1.0, 17), "1.00000000000000000");
        let human = |v| {
            let mut out = b"x".to_vec();
            human_f64(v, &mut out);
            String::from_utf8(out[1..].to_vec()).expect("ascii")
        };
        assert_eq!(human(13.361389338970184), "13.36138933897018433");
        assert_eq!(human(-0.0), "0");
        assert_eq!(human(100.0), "100");
        assert_eq!(human(f64::powi(2.0, -18)), "0.00000381469726562");
        assert_eq!(human(1e22), "10000000000000000000000");
    }

    proptest! {
        #[test]
        fn prints_what_reads_back(bits: u64) {
            let value = f64::from_bits(bits);
            if value.is_finite() {
                prop_assert_eq!(parse_f64(&format_f64(value)), Some(value));
            }
        }

        #[test]
        fn never_panics(text: Vec<u8>, words in "[-+0-9.eExXpnaif]{0,12}") {
            for text in [&text[..], words.as_bytes()] {
                let (score, bound) = (parse_f64(text), parse_range_f64(text));
                if let (Some(score), Some(bound)) = (score, bound) {
                    prop_assert_eq!(score, bound);
                }
            }
        }
    }
}
