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

/// Writes the digits of `n` so that they end right before `end`; where they begin. There must be room.
#[inline]
pub fn digits_before(out: &mut [u8], end: usize, n: u64) -> usize {
    let (mut at, mut rest) = (end, n);
    while rest >= 100 {
        let pair = 2 * (rest % 100) as usize;
        rest /= 100;
        at -= 2;
        out[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    }
    if rest >= 10 {
        let pair = 2 * rest as usize;
        at -= 2;
        out[at..at + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
    } else {
        at -= 1;
        out[at] = b'0' + rest as u8;
    }
    at
}

/// `00` to `99`.
const PAIRS: [u8; 200] = {
    let mut pairs = [0; 200];
    let mut n = 0;
    while n < 100 {
        pairs[2 * n] = b'0' + (n / 10) as u8;
        pairs[2 * n + 1] = b'0' + (n % 10) as u8;
        n += 1;
    }
    pairs
};

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
    fn digits_stand_before_the_end() {
        let powers = (0..20).map(|e| 10_u64.pow(e)).flat_map(|power| [power - 1, power, power + 1]);
        for n in powers.chain([u64::MAX, u64::MAX / 3]) {
            let mut out = [b'x'; 24];
            let start = digits_before(&mut out, 22, n);
            assert_eq!(out[start..22], *n.to_string().as_bytes());
            assert_eq!((out[start - 1], out[22]), (b'x', b'x'), "nothing around them is touched");
        }
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
