//! Integers: strict, so that text and number are one to one.

/// Reads a signed integer as the real server does.
///
/// Shape: `0`, or an optional `-` and digits without a leading zero; no plus, no blanks, no `-0`.
/// Errors: `None` when the shape is another or the number does not fit.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    match text {
        [b'-', digits @ ..] => {
            let magnitude = magnitude(digits)?;
            if magnitude == 0 {
                return None; // "-0"
            }
            0i64.checked_sub_unsigned(magnitude)
        }
        digits => i64::try_from(magnitude(digits)?).ok(),
    }
}

/// Reads an unsigned integer, of the same strict shape as [`parse_i64`].
#[inline]
pub fn parse_u64(text: &[u8]) -> Option<u64> {
    magnitude(text)
}

#[inline]
fn magnitude(digits: &[u8]) -> Option<u64> {
    let (&first, rest) = digits.split_first()?;
    if first == b'0' && !rest.is_empty() || digits.len() > 20 {
        return None;
    }
    let mut value = u64::from(digit(first)?);
    if digits.len() < 19 {
        for &b in rest {
            value = value * 10 + u64::from(digit(b)?); // 18 digits cannot overflow
        }
        return Some(value);
    }
    for &b in rest {
        value = value.checked_mul(10)?.checked_add(u64::from(digit(b)?))?;
    }
    Some(value)
}

#[inline]
fn digit(byte: u8) -> Option<u8> {
    let d = byte.wrapping_sub(b'0');
    (d < 10).then_some(d)
}

/// A number as C's `strtol` reads it: blanks may stand before it and anything behind it, without digits it is 0, and
/// what does not fit is the nearest that does.
pub fn leading_i64(text: &[u8]) -> i64 {
    let blanks = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r')).count();
    let (sign, digits) = match text[blanks..].split_first() {
        Some((b'-', rest)) => (-1, rest),
        Some((b'+', rest)) => (1, rest),
        _ => (1, &text[blanks..]),
    };
    let digits = digits.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(sign * i64::from(digit - b'0')))
}

/// How many decimal digits `n` prints with (1 for 0).
#[inline]
pub fn digits10(n: u64) -> usize {
    n.checked_ilog10().map_or(1, |d| d as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn takes_what_prints_back_the_same() {
        for text in ["0", "1", "-1", "9", "10", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(parse_i64(text.as_bytes()).expect(text).to_string(), text);
        }
        assert_eq!(parse_u64(b"18446744073709551615"), Some(u64::MAX));
    }

    #[test]
    fn refuses_the_rest() {
        let refused = [
            "",
            "-",
            "+1",
            "01",
            "-01",
            "-0",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "0x1",
            "a",
            "1a",
            "--1",
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "99999999999999999999999",
            "1\0",
        ];
        for text in refused {
            assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
        }
        for text in ["18446744073709551616", "-1", "", "00", "184467440737095516150"] {
            assert_eq!(parse_u64(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_std(n: i64, text in "[-+]?[0-9 ]{0,21}") {
            prop_assert_eq!(parse_i64(n.to_string().as_bytes()), Some(n));
            let naive = text.parse::<i64>().ok().filter(|n| n.to_string() == text);
            prop_assert_eq!(parse_i64(text.as_bytes()), naive);
            let naive = text.parse::<u64>().ok().filter(|n| n.to_string() == text);
            prop_assert_eq!(parse_u64(text.as_bytes()), naive);
            prop_assert_eq!(digits10(n.unsigned_abs()), n.unsigned_abs().to_string().len());
        }
    }
}
